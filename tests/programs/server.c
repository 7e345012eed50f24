/* A server: it has a segment attached (key 0xcafe), has operated on a set (0xf00d), and waits on a
 * queue (0xbeef) for a message of type 7, which ends it. Asked to end with SIGTERM, it makes the file
 * `asked`, and ends when there is a file `may-end`. */
#include <fcntl.h>
#include <signal.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

static void asked(int signal) {
    close(open("asked", O_CREAT | O_WRONLY, 0600));
    while (access("may-end", F_OK)) usleep(5000);
    _exit(0);
}

int main(void) {
    struct { long type; char text[8]; } message;
    struct sembuf up = { 0, 1, 0 };
    int segment = shmget(0xcafe, 4096, IPC_CREAT | 0600);
    int set = semget(0xf00d, 1, IPC_CREAT | 0600);
    int queue = msgget(0xbeef, IPC_CREAT | 0600);
    signal(SIGTERM, asked);
    /* Whatever becomes of the test. */
    alarm(50);
    char *memory = shmat(segment, 0, 0);
    if (memory == (void *)-1 || semop(set, &up, 1)) return 1;
    memory[0] = 1;
    return msgrcv(queue, &message, sizeof message.text, 7, 0) < 0;
}
