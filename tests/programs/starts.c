/* starts HOW
 *
 * Starts threads and processes in the ways that there are. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int queue;

static void *talk(void *number)
{
    struct { long type; char text[8]; } message = { 1 + (long)number, "x" };
    for (int times = 0; times < 10; times++) {
        msgsnd(queue, &message, 2, 0);
        msgrcv(queue, &message, 8, 1 + (long)number, 0);
    }
    return NULL;
}

static void *execute(void *path)
{
    usleep(10000);
    execl(path, path, "executed", (char *)NULL);
    _exit(1);
}

static int child(void *nothing)
{
    (void)nothing;
    msgget(0xc10e, 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    static char stack[65536];
    if (strcmp(how, "threads") == 0) {
        pthread_t threads[200];
        queue = msgget(IPC_PRIVATE, 0600);
        for (long number = 0; number < 200; number++) pthread_create(&threads[number], NULL, talk, (void *)number);
        for (int number = 0; number < 200; number++) pthread_join(threads[number], NULL);
        msgctl(queue, IPC_RMID, NULL);
    } else if (strcmp(how, "execute") == 0) {
        pthread_t thread;
        for (int number = 0; number < 5; number++) pthread_create(&thread, NULL, (void *(*)(void *))pause, NULL);
        pthread_create(&thread, NULL, execute, argv[0]);
        pause();
    } else if (strcmp(how, "executed") == 0) {
        msgget(0xe8ec, 0);
    } else if (strcmp(how, "vfork") == 0) {
        if (vfork() == 0) { execl(argv[0], argv[0], "executed", (char *)NULL); _exit(1); }
        wait(NULL);
    } else if (strcmp(how, "spawn") == 0) {
        char *words[] = { argv[0], "executed", NULL };
        posix_spawn(NULL, argv[0], NULL, NULL, words, environ);
        wait(NULL);
    } else if (strcmp(how, "clone") == 0) {
        int pid = clone(child, stack + sizeof stack, 0, NULL);
        waitpid(pid, NULL, __WALL);
    } else if (strcmp(how, "many") == 0) {
        for (int number = 0; number < 500; number++)
            if (fork() == 0) { msgget(0xf0f0, 0); _exit(0); }
        while (wait(NULL) > 0) {}
    } else if (strcmp(how, "itself") == 0) {
        printf("%ld\n", (long)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
        msgget(0x5e1f, 0);
    } else if (strcmp(how, "stop") == 0) {
        raise(SIGSTOP);
        msgget(0x5709, 0);
        return 4;
    } else {
        return 2;
    }
    return 7;
}
