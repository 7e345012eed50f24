/* Preloaded into ipctool: keeps the moment of each call that looks at an object, removes one, or
 * writes to standard output or standard error, and writes them to the file $WITNESS at the end, one
 * line each:
 *
 *   NANOSECONDS EVENT SUBJECT NAME
 *
 * The moment is CLOCK_MONOTONIC right before the call. The subject is an id of System V, the number
 * of a process or thread, an inode or a descriptor. What is written is kept in memory until the
 * end, so that a call takes some 50 ns more than by itself. Meanwhile the number of events is in the
 * first long of the file $PACE, for whoever has mapped it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST (1 << 20)

static struct event {
    long moment;
    const char *what;
    long subject;
    char name[24];
} events[MOST];
static atomic_long count;
static volatile long *pace;

__attribute__((constructor)) static void take_the_stand(void)
{
    const char *path = getenv("PACE");
    int file = path ? (int)syscall(SYS_open, path, O_RDWR | O_CLOEXEC) : -1;

    if (file >= 0) {
        void *memory = mmap(NULL, sizeof *pace, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        pace = memory == MAP_FAILED ? NULL : memory;
        syscall(SYS_close, file);
    }
}

static void note(const char *what, long subject, const char *name)
{
    struct timespec now;
    long number = atomic_fetch_add(&count, 1);

    if (number >= MOST)
        abort();
    clock_gettime(CLOCK_MONOTONIC, &now);
    events[number].moment = now.tv_sec * 1000000000L + now.tv_nsec;
    events[number].what = what;
    events[number].subject = subject;
    snprintf(events[number].name, sizeof events[number].name, "%s", name);
    if (pace)
        *pace = number;
}

__attribute__((destructor)) static void testify(void)
{
    const char *path = getenv("WITNESS");
    FILE *file = path ? fopen(path, "a") : NULL;

    for (long i = 0; file && i < count; i++)
        fprintf(file, "%ld %s %ld %s\n", events[i].moment, events[i].what, events[i].subject,
                *events[i].name ? events[i].name : "-");
    if (file)
        fclose(file);
}

#define REAL(function) ((typeof(&function))dlsym(RTLD_NEXT, #function))

/* The objects of the race are all named so. */
static const char *of_race(const char *path)
{
    const char *base = path ? strrchr(path, '/') : NULL;

    base = base ? base + 1 : path;
    if (base && strncmp(base, "sem.", 4) == 0)
        base += 4;
    return base && strncmp(base, "race", 4) == 0 ? base : NULL;
}

/* A path that is about to be opened or asked about. */
static void note_path(const char *path)
{
    int pid = 0, thread = 0, end = 0;

    if (!path)
        return;
    if (of_race(path))
        note("name", 0, of_race(path));
    else if (strncmp(path, "/proc/sysvipc/", 14) == 0)
        note("table", 0, path + 14);
    else if (sscanf(path, "/proc/%d/task/%d/syscall%n", &pid, &thread, &end) == 2 && end)
        note("thread", thread, "");
    else if (sscanf(path, "/proc/%d/syscall%n", &pid, &end) == 1 && end)
        note("thread", pid, "");
    else if (sscanf(path, "/proc/%d/fd%n", &pid, &end) == 1 && end)
        note("fd", pid, "");
    else if (sscanf(path, "/proc/%d/maps%n", &pid, &end) == 1 && end)
        note("maps", pid, "");
}

static const char *command_name(int command)
{
    switch (command) {
    case IPC_RMID:
        return "remove";
    case GETPID:
        return "pid";
    /* The adversary waits for a larger value, which GETZCNT does not show. */
    case GETNCNT:
        return "waiting";
    case IPC_STAT:
        return "stat";
    default:
        return NULL;
    }
}

/* MSG_STAT, SHM_STAT, SEM_STAT and their _ANY forms take the slot, not the id. */
static int is_by_slot(int command, int stat, int stat_any)
{
    return command == stat || command == stat_any;
}

int msgctl(int id, int command, struct msqid_ds *data)
{
    const char *what = is_by_slot(command, MSG_STAT, MSG_STAT_ANY) ? "slot" : command_name(command);

    if (what)
        note(what, id, "msg");
    return REAL(msgctl)(id, command, data);
}

int shmctl(int id, int command, struct shmid_ds *data)
{
    const char *what = is_by_slot(command, SHM_STAT, SHM_STAT_ANY) ? "slot" : command_name(command);

    if (what)
        note(what, id, "shm");
    return REAL(shmctl)(id, command, data);
}

int semctl(int id, int number, int command, ...)
{
    const char *what = is_by_slot(command, SEM_STAT, SEM_STAT_ANY) ? "slot" : command_name(command);
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);

    if (what)
        note(what, id, "sem");
    return REAL(semctl)(id, number, command, argument);
}

#define OPENS(function, path, flags)                                                               \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    mode_t mode = va_arg(rest, mode_t);                                                            \
    va_end(rest);                                                                                  \
    note_path(path);

int open(const char *path, int flags, ...)
{
    OPENS(open, path, flags)
    return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    OPENS(open64, path, flags)
    return REAL(open64)(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    OPENS(openat, path, flags)
    return REAL(openat)(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
    OPENS(openat64, path, flags)
    return REAL(openat64)(directory, path, flags, mode);
}

DIR *opendir(const char *path)
{
    note_path(path);
    return REAL(opendir)(path);
}

mqd_t mq_open(const char *path, int flags, ...)
{
    OPENS(mq_open, path, flags)
    return REAL(mq_open)(path, flags, mode, NULL);
}

int statx(int directory, const char *path, int flags, unsigned mask, struct statx *data)
{
    note_path(path);
    return REAL(statx)(directory, path, flags, mask, data);
}

int stat(const char *path, struct stat *data)
{
    note_path(path);
    return REAL(stat)(path, data);
}

int stat64(const char *path, struct stat64 *data)
{
    note_path(path);
    return REAL(stat64)(path, data);
}

int lstat(const char *path, struct stat *data)
{
    note_path(path);
    return REAL(lstat)(path, data);
}

int lstat64(const char *path, struct stat64 *data)
{
    note_path(path);
    return REAL(lstat64)(path, data);
}

int fstatat(int directory, const char *path, struct stat *data, int flags)
{
    note_path(path);
    return REAL(fstatat)(directory, path, data, flags);
}

int fstatat64(int directory, const char *path, struct stat64 *data, int flags)
{
    note_path(path);
    return REAL(fstatat64)(directory, path, data, flags);
}

static void note_lease(int file, int command, void *argument)
{
    struct stat data;

    if (command == F_SETLEASE && (long)argument == F_WRLCK && fstat(file, &data) == 0)
        note("lease", (long)data.st_ino, "");
}

int fcntl(int file, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);

    note_lease(file, command, argument);
    return REAL(fcntl)(file, command, argument);
}

int fcntl64(int file, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);

    note_lease(file, command, argument);
    return REAL(fcntl64)(file, command, argument);
}

#define UNLINKS(path)                                                                              \
    if (of_race(path))                                                                             \
        note("remove", 0, of_race(path));

int unlink(const char *path)
{
    UNLINKS(path)
    return REAL(unlink)(path);
}

int unlinkat(int directory, const char *path, int flags)
{
    UNLINKS(path)
    return REAL(unlinkat)(directory, path, flags);
}

/* A queue is removed without the C library, which would change the error. */
long syscall(long number, ...)
{
    long given[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        given[i] = va_arg(rest, long);
    va_end(rest);

    if (number == SYS_mq_unlink)
        UNLINKS((const char *)given[0])
    return REAL(syscall)(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

int shm_unlink(const char *path)
{
    UNLINKS(path)
    return REAL(shm_unlink)(path);
}

int sem_unlink(const char *path)
{
    UNLINKS(path)
    return REAL(sem_unlink)(path);
}

static void note_write(int file)
{
    if (file == STDOUT_FILENO || file == STDERR_FILENO)
        note("write", file, "");
}

ssize_t write(int file, const void *bytes, size_t size)
{
    note_write(file);
    return REAL(write)(file, bytes, size);
}

ssize_t writev(int file, const struct iovec *parts, int number)
{
    note_write(file);
    return REAL(writev)(file, parts, number);
}
