/* blocked
 *
 * Two processes that send, receive and operate on semaphores without end, and a third that only waits; each call that
 * fails, and each message that is lost, ends them with status 1. SIGTERM ends them with status 0. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ends;

static void end(int signal) { (void)signal; ends = 1; }

static void check(int result, const char *what)
{
    if (result < 0 && !(ends && errno == EINTR)) { perror(what); exit(1); }
}

int main(void)
{
    struct { long type; long number; } message = { 1, 0 };
    struct sembuf post = { 0, 1, 0 }, take = { 0, -1, 0 }, never = { 1, -1, 0 };
    int there = msgget(IPC_PRIVATE, 0600), back = msgget(IPC_PRIVATE, 0600);
    int set = semget(IPC_PRIVATE, 2, 0600);
    pid_t echo = fork();
    if (echo == 0)
        for (;;) {
            check(msgrcv(there, &message, sizeof message.number, 0, 0), "echo: msgrcv");
            check(msgsnd(back, &message, sizeof message.number, 0), "echo: msgsnd");
            check(semop(set, &post, 1), "echo: semop");
        }
    pid_t waiter = fork();
    if (waiter == 0) {
        check(semop(set, &never, 1), "waiter: semop");
        exit(1);
    }
    signal(SIGTERM, end);
    printf("ready\n%d %d\n", echo, waiter);
    fflush(stdout);
    for (long number = 0; !ends; number++) {
        message.number = number;
        check(msgsnd(there, &message, sizeof message.number, 0), "msgsnd");
        check(semop(set, &take, 1), "semop");
        check(msgrcv(back, &message, sizeof message.number, 0, 0), "msgrcv");
        if (!ends && message.number != number) { fprintf(stderr, "lost %ld\n", number); return 1; }
    }
    int status;
    if (waitpid(echo, &status, WNOHANG) != 0 || waitpid(waiter, &status, WNOHANG) != 0) return 1;
    kill(echo, SIGKILL);
    kill(waiter, SIGKILL);
    while (wait(NULL) > 0) {}
    return 0;
}
