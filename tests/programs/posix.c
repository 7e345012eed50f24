/* posix NAME WHAT [ARGUMENT...]
 *
 * What programs do with POSIX objects:
 *
 *     mq_send TEXT PRIORITY, mq_receive       with a queue that is there; prints what it got
 *     mq_open, mq_notify                      has it open, or waits for a signal of it; stays
 *     sem_open VALUE                          makes or opens a semaphore; prints its value
 *     sem_post, sem_wait                      with a semaphore that is there
 *     shm_open, mmap                          makes or opens memory; has it open, or mapped; stays
 *     write TEXT, read                        with that memory
 *
 * Those that stay print "ready" first. */
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int stay(void) {
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

int main(int argc, char **argv) {
    char text[8192];
    unsigned priority;
    if (argc < 3) return 9;
    const char *name = argv[1], *what = argv[2];
    if (!strcmp(what, "mq_send"))
        return mq_send(mq_open(name, O_WRONLY), argv[3], strlen(argv[3]), atoi(argv[4]));
    if (!strcmp(what, "mq_receive")) {
        int length = mq_receive(mq_open(name, O_RDONLY), text, sizeof text, &priority);
        return printf("%.*s, priority %u\n", length, text, priority) < 0;
    }
    if (!strcmp(what, "mq_open")) return mq_open(name, O_RDONLY) < 0 || stay();
    if (!strcmp(what, "mq_notify")) {
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCHLD };
        return mq_notify(mq_open(name, O_RDONLY), &event) || stay();
    }
    if (!strcmp(what, "sem_open")) {
        int value;
        sem_t *semaphore = sem_open(name, O_CREAT, 0600, atoi(argv[3]));
        if (semaphore == SEM_FAILED) return 1;
        return sem_getvalue(semaphore, &value) || printf("%d\n", value) < 0;
    }
    if (!strcmp(what, "sem_post")) return sem_post(sem_open(name, 0));
    if (!strcmp(what, "sem_wait")) return sem_wait(sem_open(name, 0));
    int file = shm_open(name, O_RDWR | O_CREAT, 0600);
    if (!strcmp(what, "shm_open")) return file < 0 || stay();
    char *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (!strcmp(what, "write")) return strcpy(memory, argv[3]) == 0;
    if (!strcmp(what, "read")) return puts(memory) < 0;
    close(file);
    return memory == MAP_FAILED || stay();
}
