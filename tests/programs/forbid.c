/* forbid ERRNO CALL,CALL... COMMAND [ARGUMENT...]
 *
 * Runs a command in which these system calls fail with this error, as in many a container and sandbox.
 * MSG_COPY stands for those calls of msgrcv that have this flag. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } errors[] = {
    { "EPERM", EPERM }, { "EACCES", EACCES }, { "ENOSYS", ENOSYS }, { "ENOMEM", ENOMEM },
};

#define CALL(name) { #name, SYS_##name }
static const struct { const char *name; int number; } calls[] = {
    CALL(msgget), CALL(msgsnd), CALL(msgrcv), CALL(msgctl), CALL(shmget), CALL(shmctl),
    CALL(semget), CALL(semctl), CALL(mq_open), CALL(mq_unlink), CALL(mq_timedsend),
    CALL(mq_timedreceive), CALL(unshare), CALL(perf_event_open),
};

enum { MSG_COPY_FLAG = 040000 };

static struct sock_filter filter[64];
static int length;

static void add(struct sock_filter statement) {
    filter[length++] = statement;
}

static void load(int offset) {
    add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

int main(int argc, char **argv) {
    int error = 0;
    if (argc < 4) return 9;
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(argv[1], errors[i].name)) error = errors[i].number;
    if (!error) return 9;
    struct sock_filter fail = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    for (char *name = strtok(argv[2], ","); name; name = strtok(0, ",")) {
        int found = 0;
        load(offsetof(struct seccomp_data, nr));
        if (!strcmp(name, "MSG_COPY")) {
            add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_msgrcv, 0, 3));
            /* The lower half of the fifth argument, on a little-endian machine. */
            load(offsetof(struct seccomp_data, args[4]));
            add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_COPY_FLAG, 0, 1));
            add(fail);
            continue;
        }
        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
            if (strcmp(name, calls[i].name)) continue;
            add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1));
            add(fail);
            found = 1;
        }
        if (!found) return 9;
    }
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog program = { length, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 9;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 9;
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 9;
}
