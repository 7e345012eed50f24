/* Takes along a segment that it has attached into an IPC namespace of its own, makes another one there
 * with the same id, and shows that one. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/shm.h>

int main(void) {
    shmat(shmget(0x1111, 5, 0600 | IPC_CREAT), 0, 0);
    if (unshare(CLONE_NEWIPC)) return 1;
    shmget(0x2222, 5, 0600 | IPC_CREAT);
    return system("ipctool stat shm:0 --json") != 0;
}
