/* exchange NAME NAME
 *
 * Exchanges two names as fast as it can, until its standard input ends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

int main(int argc, char **argv) {
    struct pollfd in = { 0, POLLIN, 0 };
    while (poll(&in, 1, 0) == 0)
        if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE)) return 1;
    return 0;
}
