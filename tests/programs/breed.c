/* breed PROCESSES [SEGMENTS]
 *
 * Makes this many processes, one after the other, each of which makes that many segments and ends. */
#include <stdlib.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int each = argc > 2 ? atoi(argv[2]) : 0;
    for (int many = atoi(argv[1]); many; many--) {
        if (!fork()) {
            for (int i = 0; i < each; i++) shmget(IPC_PRIVATE, 1, 0600);
            _exit(0);
        }
        wait(0);
    }
}
