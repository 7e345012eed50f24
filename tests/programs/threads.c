/* threads HOW TYPE
 *
 * A process in which another thread than the first waits for a message of this type, as msgrcv(2)
 * takes it, on the queue with the id 0. HOW is what the first thread does, and what else there is:
 *
 *     idle        it sleeps, and so do seven more threads
 *     gone        it has attached the segment with the id 0, sent a message, and ended: it is a zombie
 *                 until the last thread ends
 *     elsewhere   it has gone into an IPC namespace of its own */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <unistd.h>

static struct { long type; char text[10]; } message = { 1, "x" };

static void *idle(void *type) {
    for (;;) pause();
}

static void *receive(void *type) {
    msgrcv(0, &message, sizeof message.text, (long)type, 0);
    return 0;
}

int main(int argc, char **argv) {
    pthread_t thread;
    if (argc != 3) return 9;
    void *type = (void *)atol(argv[2]);
    if (!strcmp(argv[1], "gone")) {
        shmat(0, 0, 0);
        msgsnd(0, &message, 1, 0);
    }
    int many = strcmp(argv[1], "idle") ? 1 : 8;
    for (int i = 0; i < many; i++)
        pthread_create(&thread, 0, i == many / 2 ? receive : idle, type);
    if (!strcmp(argv[1], "gone")) pthread_exit(0);
    if (!strcmp(argv[1], "elsewhere") && unshare(CLONE_NEWIPC)) return 1;
    for (;;) pause();
}
