/* queues MESSAGES SIZE [NUMBER]
 *
 * Makes POSIX queues of this shape, /0, /1 and so on: this number of them, or as many as the kernel
 * lets a user have. Prints how many. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct mq_attr shape = { .mq_maxmsg = atol(argv[1]), .mq_msgsize = atol(argv[2]) };
    int made = 0;
    for (; argc < 4 || made < atoi(argv[3]); made++) {
        char name[32];
        sprintf(name, "/%d", made);
        mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &shape);
        if (queue < 0 && errno == EMFILE) break;
        if (queue < 0) return 1;
        mq_close(queue);
    }
    return printf("%d\n", made) < 0;
}
