/* sender ID
 *
 * Sends "hello" to the queue with this id as fast as it can, until that fails. Prints how many were
 * sent, and the error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>

int main(int argc, char **argv) {
    struct { long type; char text[6]; } message = { 1, "hello" };
    int sent = 0;
    while (msgsnd(atoi(argv[1]), &message, 5, 0) == 0) sent++;
    printf("%d %s\n", sent, errno == EIDRM ? "EIDRM" : strerror(errno));
    return 0;
}
