/* calls WHAT N
 *
 * Makes N calls: pairs of msgsnd and msgrcv, or others that are no IPC. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct { long type; char text[65536]; } message = { 1, "hello" };

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    long number = atol(argv[2]);
    if (strcmp(argv[1], "pairs") == 0) {
        int queue = msgget(IPC_PRIVATE, 0600);
        while (number--) {
            msgsnd(queue, &message, 32, 0);
            msgrcv(queue, &message, 64, 0, 0);
        }
        msgctl(queue, IPC_RMID, NULL);
    } else if (strcmp(argv[1], "getppid") == 0) {
        while (number--) syscall(SYS_getppid);
    } else {
        int zero = open("/dev/zero", O_RDONLY);
        size_t size = strcmp(argv[1], "read") == 0 ? 4096 : 65536;
        while (number--) if (read(zero, message.text, size) < 0) return 1;
    }
    return 0;
}
