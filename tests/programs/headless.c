/* headless KEY
 *
 * Makes a queue with this key in an IPC namespace of its own. A second thread waits for a message; the first one
 * ends, so that the process lives on as a zombie with a living thread. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/msg.h>

static void *wait_for_message(void *queue) {
    struct { long type; char text[8]; } message;
    puts("ready");
    fflush(stdout);
    msgrcv(*(int *)queue, &message, sizeof message.text, 0, 0);
    return 0;
}

int main(int argc, char **argv) {
    static int queue;
    pthread_t thread;
    if (argc != 2 || unshare(CLONE_NEWIPC)) return 9;
    queue = msgget(strtol(argv[1], 0, 0), 0600 | IPC_CREAT);
    if (queue < 0 || pthread_create(&thread, 0, wait_for_message, &queue)) return 9;
    pthread_exit(0);
}
