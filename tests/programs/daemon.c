/* daemon [early]
 *
 * A daemon as in the books: it forks twice, has a segment attached, and stays. Whoever has started it
 * waits until it is so far. With `early` it makes two segments two seconds before it leaves its
 * terminal, and attaches the second one. */
#include <stdio.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int ready[2], segment = -1;
    char byte;
    if (argc > 1) {
        shmget(IPC_PRIVATE, 5, 0600);
        segment = shmget(IPC_PRIVATE, 5, 0600);
        sleep(2);
    }
    if (pipe(ready)) return 1;
    if (fork()) {
        close(ready[1]);
        return read(ready[0], &byte, 1) != 1;
    }
    setsid();
    if (fork()) return 0;
    if (argc == 1) segment = shmget(0xdae, 8192, IPC_CREAT | 0600);
    char *memory = shmat(segment, 0, 0);
    if (memory == (void *)-1) return 1;
    memory[0] = 1;
    write(ready[1], "x", 1);
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    close(ready[0]);
    close(ready[1]);
    sleep(50);
}
