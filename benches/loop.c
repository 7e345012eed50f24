/* A tight loop of msgsnd(2), msgrcv(2) or msgctl(2): the least that moving messages or looking at queues can cost.
 *
 *   loop send KEY COUNT SIZE
 *   loop recv KEY COUNT SIZE
 *   loop stat KEY 1 0          looks at every queue, and prints nothing
 *   loop hold KEY 1 SIZE       attaches the segment with this key, and stays
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    if (strcmp(argv[1], "hold") == 0) {
        shmat(shmget((key_t)strtoul(argv[2], NULL, 0), 0, 0), NULL, 0);
        for (;;)
            pause();
    }
    if (strcmp(argv[1], "stat") == 0) {
        struct msqid_ds status;
        int highest = msgctl(0, MSG_INFO, &status);

        for (int index = 0; index <= highest; index++)
            msgctl(index, MSG_STAT_ANY, &status);
        return 0;
    }
    int sends = strcmp(argv[1], "send") == 0;
    int queue = msgget((key_t)strtoul(argv[2], NULL, 0), 0600 | IPC_CREAT);
    long count = atol(argv[3]);
    size_t size = (size_t)atol(argv[4]);
    struct { long type; char text[8192]; } message = { .type = 1 };

    memset(message.text, 'x', sizeof message.text);
    while (count-- > 0) {
        long done = sends ? msgsnd(queue, &message, size, IPC_NOWAIT)
                          : (long)msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT);
        if (done < 0) {
            perror(argv[1]);
            return 1;
        }
    }
    return 0;
}
