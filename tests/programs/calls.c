/* calls
 *
 * Makes each IPC call in many ways, right and wrong, so that two tracers can be compared. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *const BAD = (void *)8;

static void queues(void)
{
    struct { long type; char text[100]; } message = { 7, "hello\n\"\\\x7f" };
    struct msqid_ds status;
    struct msginfo info;
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0640);
    msgget(0xbeef, IPC_CREAT | IPC_EXCL | 0600);
    msgget(0xbeef, IPC_CREAT | IPC_EXCL | 0600);
    msgget(0xdead, 0);
    msgsnd(queue, &message, 10, 0);
    msgsnd(queue, &message, 100, IPC_NOWAIT);
    msgsnd(queue, BAD, 3, 0);
    msgsnd(queue, NULL, 3, 0);
    msgsnd(queue, &message, -1, 0);
    msgsnd(queue, &message, 9000, 0);
    msgsnd(4711, &message, 0, 0x10000);
    message.type = -1;
    msgsnd(queue, &message, 1, 0);
    syscall(SYS_msgrcv, queue, &message, 10, -9L, MSG_NOERROR);
    msgrcv(queue, &message, 1, 0, 0);
    msgrcv(queue, &message, sizeof message.text, 7, MSG_EXCEPT | IPC_NOWAIT);
    msgrcv(queue, &message, sizeof message.text, 0, MSG_COPY | IPC_NOWAIT);
    msgrcv(queue, BAD, sizeof message.text, 0, 0);
    msgrcv(queue, &message, sizeof message.text, 5, IPC_NOWAIT);
    msgctl(queue, IPC_STAT, &status);
    status.msg_perm.mode = 0600;
    status.msg_qbytes = 100;
    status.msg_perm.uid = -1;
    msgctl(queue, IPC_SET, &status);
    status.msg_perm.uid = getuid();
    msgctl(queue, IPC_SET, &status);
    msgctl(queue, IPC_SET, BAD);
    msgctl(queue, IPC_STAT, BAD);
    msgctl(4711, IPC_STAT, &status);
    msgctl(queue, MSG_STAT, &status);
    msgctl(0, IPC_INFO, (void *)&info);
    msgctl(0, MSG_INFO, (void *)&info);
    msgctl(queue, 77, NULL);
    msgctl(queue, IPC_RMID, NULL);
    msgctl(queue, IPC_RMID, NULL);
}

static void segments(void)
{
    struct shmid_ds status;
    struct shminfo limits;
    struct shm_info usage;
    int segment = shmget(0xbeef, 5000, IPC_CREAT | SHM_NORESERVE | 0600);
    shmget(0xbeef, 9000, 0600);
    shmget(IPC_PRIVATE, 0, 0600);
    shmget(IPC_PRIVATE, -1, 0600);
    shmget(0xdead, 1, 0);
    char *memory = shmat(segment, NULL, 0);
    char *more = shmat(segment, NULL, SHM_RDONLY);
    shmat(segment, (void *)4097, 0);
    shmat(segment, memory, SHM_REMAP | SHM_RND);
    shmat(4711, NULL, SHM_EXEC);
    shmctl(segment, IPC_STAT, &status);
    status.shm_perm.mode = 0640;
    shmctl(segment, IPC_SET, &status);
    shmctl(segment, IPC_SET, BAD);
    shmctl(segment, SHM_STAT, &status);
    shmctl(0, IPC_INFO, (void *)&limits);
    shmctl(0, SHM_INFO, (void *)&usage);
    shmctl(segment, SHM_LOCK, NULL);
    shmctl(segment, SHM_UNLOCK, NULL);
    shmctl(segment, IPC_RMID, NULL);
    shmdt(more);
    shmdt(more);
    shmdt(NULL);
    shmdt(memory);
}

static void semaphores(void)
{
    union { int value; struct semid_ds *status; unsigned short *all; struct seminfo *info; } argument;
    struct semid_ds status;
    struct seminfo info;
    unsigned short all[3] = { 1, 2, 3 };
    struct sembuf operations[3] = { { 0, -1, SEM_UNDO | IPC_NOWAIT }, { 1, 0, IPC_NOWAIT }, { 2, 5, 0 } };
    struct timespec time = { 0, 1000 }, wrong = { 0, 1000000000 };
    int set = semget(0xbeef, 3, IPC_CREAT | 0600);
    semget(0xbeef, 4, 0600);
    semget(IPC_PRIVATE, 0, 0600);
    semget(IPC_PRIVATE, -1, 0600);
    argument.all = all;
    semctl(set, 0, SETALL, argument);
    semctl(set, 0, GETALL, argument);
    argument.value = 4;
    semctl(set, 1, SETVAL, argument);
    argument.value = 40000;
    semctl(set, 1, SETVAL, argument);
    semctl(set, 9, SETVAL, argument);
    argument.value = 0;
    semctl(set, 1, GETVAL, argument);
    semctl(set, 1, GETPID, argument);
    semctl(set, 1, GETNCNT, argument);
    semctl(set, 1, GETZCNT, argument);
    syscall(SYS_semop, set, operations, 1L);
    syscall(SYS_semop, set, operations, 3L);
    semop(set, operations, 3);
    syscall(SYS_semop, set, operations, 0L);
    syscall(SYS_semop, set, BAD, 1L);
    syscall(SYS_semop, set, NULL, 100000L);
    operations[0].sem_num = 7;
    semop(set, operations, 1);
    operations[0] = (struct sembuf){ 0, -32000, 0 };
    semtimedop(set, operations, 1, &time);
    semtimedop(set, operations, 1, &wrong);
    semtimedop(set, operations, 1, BAD);
    argument.status = &status;
    semctl(set, 0, IPC_STAT, argument);
    status.sem_perm.mode = 0640;
    semctl(set, 0, IPC_SET, argument);
    semctl(set, 0, SEM_STAT, argument);
    argument.info = &info;
    semctl(0, 0, IPC_INFO, argument);
    semctl(0, 0, SEM_INFO, argument);
    argument.value = 0;
    semctl(set, 0, 77, argument);
    semctl(set, 0, IPC_RMID, argument);
}

static void posix_queues(void)
{
    char text[200] = "hello";
    unsigned priority;
    struct timespec past = { 5, 0 }, wrong = { 5, -1 };
    struct mq_attr shape = { .mq_maxmsg = 2, .mq_msgsize = 100 }, state;
    struct mq_attr wait_not = { .mq_flags = O_NONBLOCK }, large = { .mq_maxmsg = 1000000, .mq_msgsize = 1 };
    struct sigevent signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5 };
    struct sigevent none = { .sigev_notify = SIGEV_NONE };
    mqd_t queue = mq_open("/queue", O_RDWR | O_CREAT | O_EXCL, 0600, &shape);
    mq_open("/queue", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
    mq_open("/large", O_RDWR | O_CREAT, 0600, &large);
    mq_open("/missing", O_RDONLY | O_NONBLOCK);
    mq_open("", O_RDONLY);
    syscall(SYS_mq_open, BAD, O_RDONLY);
    mq_send(queue, text, 5, 3);
    mq_timedsend(queue, text, 0, 32767, &past);
    mq_timedsend(queue, text, 5, 0, &past);
    mq_timedsend(queue, text, 5, 0, &wrong);
    mq_send(queue, text, 200, 0);
    mq_send(queue, text, 5, 40000);
    mq_send(queue, BAD, 5, 0);
    mq_send(77, text, 5, 0);
    mq_getattr(queue, &state);
    mq_setattr(queue, &wait_not, &state);
    mq_setattr(queue, &wait_not, NULL);
    mq_receive(queue, text, 100, &priority);
    mq_receive(queue, text, 100, NULL);
    mq_receive(queue, text, 100, &priority);
    mq_receive(queue, text, 10, &priority);
    mq_timedreceive(queue, text, 100, &priority, &past);
    mq_notify(queue, &signal);
    mq_notify(queue, &none);
    mq_notify(queue, NULL);
    mq_notify(77, NULL);
    mq_unlink("/queue");
    mq_unlink("/queue");
    mq_close(queue);
}

static void files(void)
{
    int memory = shm_open("/memory", O_RDWR | O_CREAT | O_EXCL, 0640);
    shm_open("/memory", O_RDWR | O_CREAT | O_EXCL, 0600);
    shm_open("/missing", O_RDONLY, 0);
    if (ftruncate(memory, 8192) || ftruncate(memory, -1)) memory = memory;
    if (truncate("/dev/shm/memory", 4096)) memory = memory;
    open("/dev/shm/memory", O_RDONLY);
    open("/dev/shm/own", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    open("/etc/passwd", O_RDONLY);
    unlinkat(AT_FDCWD, "/dev/shm/own", 0);
    unlink("/nowhere");
    shm_unlink("/memory");
    shm_unlink("/memory");
    sem_open("/semaphore", 0);
    sem_t *semaphore = sem_open("/semaphore", O_CREAT, 0600, 3);
    sem_open("/semaphore", O_CREAT | O_EXCL, 0600, 3);
    sem_open("/other", O_CREAT | O_EXCL, 0640, 7);
    sem_open("/semaphore", 0);
    sem_post(semaphore);
    sem_unlink("/semaphore");
    sem_unlink("/semaphore");
    sem_unlink("/other");
}

int main(void)
{
    umask(0);
    queues();
    segments();
    semaphores();
    posix_queues();
    files();
    return 0;
}
