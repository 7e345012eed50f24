/* use KIND ID [WORD...]
 *
 * Uses the System V object with this id, prints "ready", and stays: it sends a message (msg), adds one to
 * semaphore 0 (sem), or attaches the segment (shm). WORDs only make its command line a distinct one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct { long type; char text[1]; } message = { 1, "x" };
    struct sembuf up = { 0, 1, 0 };
    if (argc < 3) return 9;
    int id = atoi(argv[2]);
    if (!strcmp(argv[1], "msg") && msgsnd(id, &message, 1, 0)) return 1;
    if (!strcmp(argv[1], "sem") && semop(id, &up, 1)) return 1;
    if (!strcmp(argv[1], "shm") && shmat(id, 0, 0) == (void *)-1) return 1;
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
