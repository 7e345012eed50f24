/* waiters room|semaphore
 *
 * Two threads that wait: with `room` for room on queue 0, with `semaphore` to take from semaphore 0 of
 * set 0. */
#include <pthread.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>

static struct { long type; char text[8]; } message = {1, "x"};

static void *wait_for(void *what) {
    struct sembuf take = {0, -1, 0};
    if (strcmp(what, "room")) semop(0, &take, 1);
    else msgsnd(0, &message, 1, 0);
    return 0;
}

int main(int argc, char **argv) {
    pthread_t thread;
    pthread_create(&thread, 0, wait_for, argv[1]);
    prctl(PR_SET_NAME, "ipctool");
    wait_for(argv[1]);
}
