/* ftok PATH NUMBER
 *
 * Prints the key that the C library makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>

int main(int argc, char **argv) {
    printf("0x%08x\n", ftok(argv[1], atoi(argv[2])));
    return 0;
}
