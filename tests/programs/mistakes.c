/* mistakes WHICH
 *
 * Makes one of the mistakes that people make with IPC. Its objects are its own, and it ends by itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct { long type; char text[64]; } message = { 1, "hello" };

static int queue(void) { return msgget(IPC_PRIVATE, 0600); }

/* ftok of a path that is not there; then of one that is. */
static void path(void)
{
    msgget(ftok("progfile", 'a'), IPC_CREAT | 0600);
    msgget(ftok("/", 'a'), IPC_CREAT | 0600);
}

/* Two processes remove a queue. */
static void twice(void)
{
    int id = queue();
    if (fork() == 0) { msgctl(id, IPC_RMID, NULL); _exit(0); }
    wait(NULL);
    msgctl(id, IPC_RMID, NULL);
}

/* A queue is removed while a process waits on it. */
static void removed(void)
{
    int id = queue();
    if (fork() == 0) { usleep(300000); msgctl(id, IPC_RMID, NULL); _exit(0); }
    msgrcv(id, &message, sizeof message.text, 0, 0);
    wait(NULL);
}

/* The owner has no rights any more, and the usual way back needs them. */
static void locked(void)
{
    struct msqid_ds status;
    int id = msgget(0xbeef, IPC_CREAT | 0);
    msgctl(id, IPC_STAT, &status);
    msgget(0xbeef, 0600);
}

/* More POSIX queues than RLIMIT_MSGQUEUE has bytes for. */
static void bytes(void)
{
    struct mq_attr shape = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
    char name[20];
    for (int number = 0; number < 12; number++) {
        sprintf(name, "/bytes%d", number);
        if (mq_open(name, O_RDWR | O_CREAT, 0600, &shape) < 0) break;
    }
    for (int number = 0; number < 12; number++) {
        sprintf(name, "/bytes%d", number);
        mq_unlink(name);
    }
}

/* Times: too many nanoseconds, a length in place of a point, and a point in place of a length. */
static void times(void)
{
    struct mq_attr shape = { .mq_maxmsg = 1, .mq_msgsize = 64 };
    mqd_t posix = mq_open("/times", O_RDWR | O_CREAT, 0600, &shape);
    struct timespec carry = { time(NULL) + 1, 1000000000 }, length = { 5, 0 }, point = { time(NULL) + 5, 0 };
    struct sembuf take = { 0, -1, 0 };
    mq_timedreceive(posix, message.text, 64, NULL, &carry);
    mq_timedreceive(posix, message.text, 64, NULL, &length);
    mq_unlink("/times");
    int set = semget(IPC_PRIVATE, 1, 0600);
    if (fork() == 0) { usleep(700000); semctl(set, 0, IPC_RMID); _exit(0); }
    semtimedop(set, &take, 1, &point);
    wait(NULL);
}

/* A segment is marked for destruction, and its key is used again. */
static void marked(void)
{
    int id = shmget(0xbeef, 4096, IPC_CREAT | 0600);
    shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    shmget(0xbeef, 4096, IPC_CREAT | IPC_EXCL | 0600);
}

/* The size of the whole structure is sent. */
static void size(void)
{
    int id = queue();
    msgsnd(id, &message, sizeof message, 0);
    msgrcv(id, &message, sizeof message.text, 0, 0);
}

/* Nobody reads what is sent. */
static void type(void)
{
    int id = queue();
    msgsnd(id, &message, 6, 0);
    message.type = 2;
    msgsnd(id, &message, 6, 0);
    msgrcv(id, &message, sizeof message.text, 5, IPC_NOWAIT);
    if (fork() == 0) { usleep(700000); msgctl(id, IPC_RMID, NULL); _exit(0); }
    msgrcv(id, &message, sizeof message.text, 5, 0);
    wait(NULL);
}

/* A lock without SEM_UNDO is held by a process that ends. */
static void undo(void)
{
    struct sembuf take = { 0, -1, 0 };
    int set = semget(0xbeef, 1, IPC_CREAT | 0600);
    semctl(set, 0, SETVAL, 1);
    if (fork() == 0) { semop(set, &take, 1); _exit(0); }
    wait(NULL);
    alarm(1);
    semop(set, &take, 1);
}

/* Posts that nobody waits for. */
static void posts(void)
{
    struct sembuf post = { 0, 1, 0 };
    int set = semget(IPC_PRIVATE, 1, 0600);
    semctl(set, 0, SETVAL, 32767);
    semop(set, &post, 1);
}

/* Two processes, each with what the other waits for. */
static void deadlock(void)
{
    struct sembuf take = { 0, -1, 0 };
    int a = semget(IPC_PRIVATE, 1, 0600), b = semget(IPC_PRIVATE, 1, 0600);
    semctl(a, 0, SETVAL, 1);
    semctl(b, 0, SETVAL, 1);
    semop(a, &take, 1);
    if (fork() == 0) { semop(b, &take, 1); semop(a, &take, 1); _exit(0); }
    usleep(100000);
    if (fork() == 0) { usleep(1200000); semctl(a, 0, IPC_RMID); semctl(b, 0, IPC_RMID); _exit(0); }
    semop(b, &take, 1);
    while (wait(NULL) > 0) {}
}

/* Messages that do not fit, and descriptors that are none. */
static void fit(void)
{
    struct mq_attr shape = { .mq_maxmsg = 1, .mq_msgsize = 64 };
    mqd_t posix = mq_open("/fit", O_WRONLY | O_CREAT, 0600, &shape);
    char large[9000] = "";
    mq_send(posix, large, 65, 0);
    mq_receive(posix, large, sizeof large, NULL);
    mq_receive(0, large, sizeof large, NULL);
    mq_receive(99, large, sizeof large, NULL);
    mq_close(posix);
    posix = mq_open("/fit", O_RDONLY);
    mq_receive(posix, large, 10, NULL);
    mq_unlink("/fit");
    int id = queue();
    message.type = 0;
    msgsnd(id, &message, 1, 0);
    message.type = 1;
    msgsnd(id, large, sizeof large, 0);
    msgget(0xbeef, IPC_CREAT | 0600);
    msgget(0xbeef, IPC_CREAT | IPC_EXCL | 0600);
    shmdt(large);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*make)(void); } all[] = {
        { "path", path }, { "twice", twice }, { "removed", removed }, { "locked", locked },
        { "bytes", bytes }, { "times", times }, { "marked", marked }, { "size", size },
        { "type", type }, { "undo", undo }, { "posts", posts }, { "deadlock", deadlock },
        { "fit", fit },
    };
    for (size_t number = 0; argc > 1 && number < sizeof all / sizeof *all; number++)
        if (strcmp(all[number].name, argv[1]) == 0) { all[number].make(); return 0; }
    return 2;
}
