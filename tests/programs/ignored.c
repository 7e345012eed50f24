/* ignored HOW
 *
 * Operates on a semaphore while signals come that it ignores, or stop it. A call that fails, and one that takes longer
 * than it should, end it with status 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int set;

static void *fork_often(void *nothing)
{
    for (int number = 0; number < 100; number++) {
        if (fork() == 0) _exit(0);
        wait(NULL);
        usleep(2000);
    }
    semop(set, &(struct sembuf){ 0, 1, 0 }, 1);
    return nothing;
}

int main(int argc, char **argv)
{
    struct sembuf take = { 0, -1, 0 };
    const char *how = argc > 1 ? argv[1] : "";
    set = semget(IPC_PRIVATE, 1, 0600);
    int result = 2;
    if (strcmp(how, "thread") == 0) {
        /* The SIGCHLD of its children goes to any thread. */
        pthread_t thread;
        pthread_create(&thread, NULL, fork_often, NULL);
        result = semop(set, &take, 1) != 0;
    } else if (strcmp(how, "timeout") == 0) {
        pid_t self = getpid();
        signal(SIGUSR1, SIG_IGN);
        if (fork() == 0) {
            for (int number = 0; number < 20; number++) { usleep(100000); kill(self, SIGUSR1); }
            _exit(0);
        }
        struct timespec time = { 1, 0 }, start, end;
        usleep(300000);
        clock_gettime(CLOCK_MONOTONIC, &start);
        int failed = semtimedop(set, &take, 1, &time) == 0 || errno != EAGAIN;
        clock_gettime(CLOCK_MONOTONIC, &end);
        double taken = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
        result = failed || taken < 1 || taken > 1.8;
    } else if (strcmp(how, "stop") == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            usleep(300000);
            kill(self, SIGSTOP);
            usleep(300000);
            kill(self, SIGCONT);
            _exit(0);
        }
        result = semop(set, &take, 1) == 0;
        puts(strerror(errno));
        result = 0;
    }
    semctl(set, 0, IPC_RMID);
    return result;
}
