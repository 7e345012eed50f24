/* adversary KIND USE COUNT USED SLOW DIRECTORY PACE COMMAND...: races COMMAND, a removal by filter.
 *
 * For each line FROM TO of standard input, one run: a child that is another user makes COUNT objects
 * of KIND, operates on them as programs do, and is gone: true orphans. Then COMMAND starts, and this
 * process begins to use the last USED of them, each at a moment chosen by chance: when witness.c has
 * seen between FROM and TO events, or for a SLOW one FROM to TO nanoseconds after the start. It
 * prints a line for each use:
 *
 *   use SUBJECT NAME HOLDER ASKED PROVEN FATE
 *
 * SUBJECT is the id or inode of what is used; HOLDER the thread that waits, or what holds an opened
 * file, `fd` or `maps`; ASKED the moment before the call that begins the use,
 * and PROVEN one by which it had certainly begun (CLOCK_MONOTONIC; 0 if it never was seen to). FATE
 * is `missed` (it was gone before), `kept` or `gone` (used, and what became of it). Then
 *
 *   end STATUS
 *
 * USE is
 *   wait     a thread of its own sleeps in msgrcv(2) or semop(2)
 *   message  a message is sent, and stays
 *   operate  one semop(2) that leaves the value as it was
 *   attach   shmat(2)
 *   open     mq_open(3), shm_open(3) and every other time mmap(2) and close(2), sem_open(3)
 *   renew    removed, made again under the same key or name, and used
 *
 * SLOW is `none`, or the descriptors of COMMAND that lead to a pipe of 4 KiB that nobody reads
 * until TO has passed: `out` or `both`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
#define KEY 0x7ace0000
#define NOBODY 65534
#define DEMAND(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

enum kind { MSG, SHM, SEM, PMSG, PSHM, PSEM };
enum use { WAIT, MESSAGE, OPERATE, ATTACH, OPEN, RENEW };

static enum kind kind;
static enum use use;
static int count, used;

struct waiter {
    pthread_t thread;
    int tid;
    sem_t go, done;
    int id;
    int error; /* of the call; -1 while it goes on */
};

/* What is shared with the child that makes the objects. */
static int *ids;

/* How many events the witness has seen. */
static volatile long *pace;

static struct object {
    char name[16];
    long subject;
    int file; /* a descriptor, -1 if none is open */
    void *memory;
    struct waiter *waiter;
    long due, asked, proven;
    int is_missed;
} objects[MOST];

static void fail(const char *what, int line)
{
    fprintf(stderr, "adversary.c:%d: %s: %s\n", line, what, strerror(errno));
    exit(1);
}

static long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void sleep_until(long moment)
{
    struct timespec time = { moment / 1000000000, moment % 1000000000 };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int word(const char *given, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], given) == 0)
            return i;
    fprintf(stderr, "adversary: %s?\n", given);
    exit(2);
}

/* Letters only: names that differ in a number look like siblings. */
static void give_name(struct object *object, int index)
{
    snprintf(object->name, sizeof object->name, "/race%c%c%c", 'a' + index / 676,
             'a' + index / 26 % 26, 'a' + index % 26);
}

static void path_of(const struct object *object, char *path, size_t size)
{
    snprintf(path, size, "/dev/shm/%s%s", kind == PSEM ? "sem." : "", object->name + 1);
}

/* The inode that a name means now; 0 if none. */
static long inode_named(const struct object *object)
{
    struct stat data;
    char path[64];

    if (kind == PMSG) {
        mqd_t queue = mq_open(object->name, O_RDONLY);
        if (queue < 0)
            return 0;
        DEMAND(fstat(queue, &data) == 0);
        mq_close(queue);
        return (long)data.st_ino;
    }
    path_of(object, path, sizeof path);
    return stat(path, &data) == 0 ? (long)data.st_ino : 0;
}

static int create_posix(struct object *object)
{
    struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 8 };

    object->file = -1;
    object->memory = NULL;
    switch (kind) {
    case PMSG:
        object->file = mq_open(object->name, O_RDWR | O_CREAT | O_EXCL, 0666, &small);
        return object->file;
    case PSHM:
        object->file = shm_open(object->name, O_RDWR | O_CREAT | O_EXCL, 0666);
        return object->file < 0 ? -1 : ftruncate(object->file, 4096);
    default:
        object->memory = sem_open(object->name, O_CREAT | O_EXCL, 0666, 0);
        return object->memory == SEM_FAILED ? -1 : 0;
    }
}

static void send_one(int id)
{
    struct { long type; char text[1]; } message = { 1, "x" };

    DEMAND(msgsnd(id, &message, 1, 0) == 0);
}

static int operate(int id)
{
    struct sembuf both[] = { { 0, 1, 0 }, { 0, -1, 0 } };

    return semop(id, both, 2);
}

static void make_orphan(int index)
{
    struct { long type; char text[1]; } message;
    int flags = IPC_CREAT | IPC_EXCL | 0666;

    switch (kind) {
    case MSG:
        DEMAND((ids[index] = msgget(KEY + index, flags)) >= 0);
        send_one(ids[index]);
        DEMAND(msgrcv(ids[index], &message, 1, 0, 0) == 1);
        break;
    case SHM:
        DEMAND((ids[index] = shmget(KEY + index, 4096, flags)) >= 0);
        DEMAND(shmdt(shmat(ids[index], NULL, 0)) == 0);
        break;
    case SEM:
        DEMAND((ids[index] = semget(KEY + index, 1, flags)) >= 0);
        DEMAND(operate(ids[index]) == 0);
        break;
    default:
        DEMAND(create_posix(&objects[index]) >= 0);
        if (objects[index].file >= 0)
            close(objects[index].file);
    }
}

static void make_orphans(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        DEMAND(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
        for (int i = 0; i < count; i++)
            make_orphan(i);
        _exit(0);
    }
    DEMAND(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < count; i++) {
        struct object *object = &objects[i];
        object->file = -1;
        object->memory = NULL;
        object->asked = object->proven = object->is_missed = 0;
        object->subject = kind < PMSG ? ids[i] : inode_named(object);
    }
}

static void *wait_on(void *argument)
{
    struct waiter *self = argument;
    struct { long type; char text[1]; } message;
    struct sembuf take = { 0, -1, 0 };

    self->tid = (int)syscall(SYS_gettid);
    sem_post(&self->done);
    for (;;) {
        sem_wait(&self->go);
        long result = kind == MSG ? msgrcv(self->id, &message, 1, 9, 0) : semop(self->id, &take, 1);
        __atomic_store_n(&self->error, result < 0 ? errno : 0, __ATOMIC_SEQ_CST);
        sem_post(&self->done);
    }
    return NULL;
}

static struct waiter *start_waiter(void)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    sem_init(&waiter->go, 0, 0);
    sem_init(&waiter->done, 0, 0);
    DEMAND(pthread_create(&waiter->thread, &small, wait_on, waiter) == 0);
    sem_wait(&waiter->done);
    return waiter;
}

/* Lets a thread wait, and returns once the kernel shows it asleep in that call, or it is back. */
static void begin_waiting(struct object *object)
{
    struct waiter *waiter = object->waiter;
    char path[64], text[256];
    long number, id;

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", waiter->tid);
    int file = open(path, O_RDONLY);
    DEMAND(file >= 0);
    waiter->id = (int)object->subject;
    waiter->error = -1;
    object->asked = now();
    sem_post(&waiter->go);
    while (__atomic_load_n(&waiter->error, __ATOMIC_SEQ_CST) == -1) {
        ssize_t size = pread(file, text, sizeof text - 1, 0);
        text[size > 0 ? size : 0] = 0;
        /* The thread sleeps in futex(2) before it gets there. */
        if (sscanf(text, "%ld %lx", &number, &id) == 2 && number != SYS_futex &&
            id == object->subject) {
            object->proven = now();
            break;
        }
    }
    close(file);
    object->is_missed = object->proven == 0 && waiter->error == EINVAL;
}

static void open_posix(struct object *object, int index)
{
    switch (kind) {
    case PMSG:
        object->file = mq_open(object->name, O_RDONLY);
        break;
    case PSHM:
        object->file = shm_open(object->name, O_RDWR, 0);
        if (object->file >= 0 && index % 2) {
            object->memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, object->file, 0);
            DEMAND(object->memory != MAP_FAILED);
            close(object->file);
            object->file = -1;
        }
        break;
    default:
        object->memory = sem_open(object->name, 0);
        if (object->memory == SEM_FAILED)
            object->memory = NULL;
    }
    object->is_missed = object->file < 0 && object->memory == NULL;
    DEMAND(!object->is_missed || errno == ENOENT);
}

static void renew(struct object *object, int index)
{
    int flags = IPC_CREAT | IPC_EXCL | 0666, id = (int)object->subject;
    struct stat data;

    switch (kind) {
    case MSG:
        msgctl(id, IPC_RMID, NULL);
        object->asked = now();
        DEMAND((object->subject = msgget(KEY + index, flags)) >= 0);
        /* Nobody sees who made a queue, so it is used at once. */
        send_one((int)object->subject);
        break;
    case SHM:
        shmctl(id, IPC_RMID, NULL);
        object->asked = now();
        DEMAND((object->subject = shmget(KEY + index, 4096, flags)) >= 0);
        break;
    case SEM:
        semctl(id, 0, IPC_RMID);
        object->asked = now();
        DEMAND((object->subject = semget(KEY + index, 1, flags)) >= 0);
        DEMAND(operate((int)object->subject) == 0);
        break;
    case PMSG:
        mq_unlink(object->name);
        object->asked = now();
        DEMAND(create_posix(object) >= 0 && fstat(object->file, &data) == 0);
        object->subject = (long)data.st_ino;
        break;
    case PSHM:
        shm_unlink(object->name);
        object->asked = now();
        DEMAND(create_posix(object) >= 0 && fstat(object->file, &data) == 0);
        object->subject = (long)data.st_ino;
        break;
    case PSEM:
        sem_unlink(object->name);
        object->asked = now();
        DEMAND(create_posix(object) >= 0);
        object->subject = inode_named(object);
        break;
    }
}

static void begin_use(struct object *object, int index)
{
    int id = (int)object->subject;

    if (use == WAIT) {
        begin_waiting(object);
        return;
    }
    object->asked = now();
    switch (use) {
    case MESSAGE: {
        struct { long type; char text[1]; } message = { 1, "x" };
        object->is_missed = msgsnd(id, &message, 1, IPC_NOWAIT) != 0;
        break;
    }
    case OPERATE:
        object->is_missed = operate(id) != 0;
        break;
    case ATTACH:
        object->memory = shmat(id, NULL, 0);
        object->is_missed = object->memory == (void *)-1;
        if (object->is_missed)
            object->memory = NULL;
        break;
    case OPEN:
        open_posix(object, index);
        break;
    case RENEW:
        renew(object, index);
        break;
    case WAIT:
        break;
    }
    DEMAND(!object->is_missed || errno == EINVAL || errno == EIDRM || errno == ENOENT);
    object->proven = now();
}

/* Whether what was used is still there for others to find. */
static int is_kept(struct object *object)
{
    struct msqid_ds queue;
    struct shmid_ds segment;
    struct semid_ds set;
    int id = (int)object->subject;

    switch (kind) {
    case MSG:
        return msgctl(id, IPC_STAT, &queue) == 0;
    case SHM:
        return shmctl(id, IPC_STAT, &segment) == 0 && !(segment.shm_perm.mode & SHM_DEST);
    case SEM:
        return semctl(id, 0, IPC_STAT, &set) == 0;
    default:
        return object->subject != 0 && inode_named(object) == object->subject;
    }
}

static void clean_up(struct object *object)
{
    int id = (int)object->subject;

    if (object->file >= 0)
        close(object->file);
    if (object->memory && kind == SHM)
        shmdt(object->memory);
    else if (object->memory && kind == PSEM)
        sem_close(object->memory);
    else if (object->memory)
        munmap(object->memory, 4096);
    object->file = -1;
    object->memory = NULL;
    switch (kind) {
    case MSG:
        msgctl(id, IPC_RMID, NULL);
        break;
    case SHM:
        shmctl(id, IPC_RMID, NULL);
        break;
    case SEM:
        semctl(id, 0, IPC_RMID);
        break;
    case PMSG:
        mq_unlink(object->name);
        break;
    case PSHM:
        shm_unlink(object->name);
        break;
    case PSEM:
        sem_unlink(object->name);
        break;
    }
    if (object->waiter && object->asked)
        sem_wait(&object->waiter->done);
}

/* Waits until the witness has seen so many events, or the command has ended. */
static int comes_to(long due, pid_t child, int *status)
{
    for (long turn = 0; *pace < due; turn++) {
        __asm__ volatile("" ::: "memory");
        if (turn % 4096 == 0 && waitpid(child, status, WNOHANG) == child)
            return 0;
    }
    return waitpid(child, status, WNOHANG) != child;
}

static int by_due(const void *one, const void *other)
{
    const struct object *a = *(struct object *const *)one, *b = *(struct object *const *)other;

    return (a->due > b->due) - (a->due < b->due);
}

static pid_t start(char **command, const char *slow, int *pipe_end)
{
    int ends[2], is_slow = strcmp(slow, "none") != 0;

    DEMAND(pipe2(ends, O_CLOEXEC) == 0);
    if (is_slow)
        DEMAND(fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
    pid_t child = fork();
    if (child == 0) {
        int flags = O_WRONLY | O_CREAT | O_TRUNC;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(is_slow ? ends[1] : open("out", flags, 0600), STDOUT_FILENO);
        dup2(strcmp(slow, "both") == 0 ? ends[1] : open("err", flags, 0600), STDERR_FILENO);
        execv(command[0], command);
        _exit(127);
    }
    DEMAND(child > 0);
    close(ends[1]);
    *pipe_end = ends[0];
    return child;
}

static void run(long from, long to, const char *slow, char **command)
{
    struct object *order[MOST];
    int is_slow = strcmp(slow, "none") != 0, status = 0, has_ended = 0, pipe_end;
    char text[4096];

    make_orphans();
    *pace = 0;
    long started = now();
    for (int i = 0; i < used; i++) {
        order[i] = &objects[count - used + i];
        order[i]->due = (is_slow ? started : 0) + from + (long)(drand48() * (double)(to - from));
    }
    qsort(order, (size_t)used, sizeof *order, by_due);
    pid_t child = start(command, slow, &pipe_end);
    for (int i = 0; i < used && !has_ended; i++) {
        if (is_slow)
            sleep_until(order[i]->due);
        else
            has_ended = !comes_to(order[i]->due, child, &status);
        if (!has_ended)
            begin_use(order[i], (int)(order[i] - objects));
    }
    if (is_slow)
        sleep_until(started + to);
    while (is_slow && read(pipe_end, text, sizeof text) > 0)
        ;
    close(pipe_end);
    if (!has_ended)
        DEMAND(waitpid(child, &status, 0) == child);
    for (int i = 0; i < used; i++) {
        struct object *object = order[i];
        if (object->asked == 0)
            continue; /* The command was quicker than chance. */
        printf("use %ld %s ", object->subject, kind < PMSG ? "-" : object->name + 1);
        if (object->waiter)
            printf("%d", object->waiter->tid);
        else
            printf("%s", object->file >= 0 ? "fd" : "maps");
        printf(" %ld %ld %s\n", object->asked, object->proven,
               object->is_missed ? "missed" : is_kept(object) ? "kept" : "gone");
    }
    printf("end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fflush(stdout);
    for (int i = 0; i < count; i++)
        clean_up(&objects[i]);
}

/* The number of events, in the file to which $PACE leads the witness. */
static void *map_shared(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *memory;

    DEMAND(file >= 0 && ftruncate(file, sizeof *pace) == 0);
    memory = mmap(NULL, sizeof *pace, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    DEMAND(memory != MAP_FAILED);
    close(file);
    return memory;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = { "msg", "shm", "sem", "pmsg", "pshm", "psem", NULL };
    static const char *const uses[] = { "wait", "message", "operate", "attach", "open", "renew", NULL };
    long from, to;

    if (argc < 9)
        return 2;
    kind = word(argv[1], kinds);
    use = word(argv[2], uses);
    count = atoi(argv[3]);
    used = atoi(argv[4]);
    if (count > MOST || used > count || chdir(argv[6]) != 0)
        return 2;
    umask(0);
    srand48(now());
    ids = mmap(NULL, sizeof *ids * MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    DEMAND(ids != MAP_FAILED);
    pace = map_shared(argv[7]);
    for (int i = 0; i < count; i++)
        give_name(&objects[i], i);
    for (int i = count - used; use == WAIT && i < count; i++)
        objects[i].waiter = start_waiter();
    while (scanf("%ld %ld", &from, &to) == 2)
        run(from, to, argv[5], argv + 8);
    return 0;
}
