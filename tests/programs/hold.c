/* hold touched|untouched|leave
 *
 * Makes a segment of two huge pages of 2 MiB, writes one byte, prints its reference, and removes it
 * when its standard input ends. `untouched`: it writes nothing. `leave`: it detaches it at once, and
 * leaves it there. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

int main(int argc, char **argv) {
    int id = shmget(IPC_PRIVATE, 4 << 20, 0600 | IPC_CREAT | SHM_HUGETLB);
    if (id < 0) { perror("shmget"); return 1; }
    char *memory = shmat(id, 0, 0);
    if (memory == (void *)-1) { perror("shmat"); return 1; }
    if (strcmp(argv[1], "untouched")) memory[0] = 1;
    if (!strcmp(argv[1], "leave")) return shmdt(memory);
    printf("shm:%d\n", id);
    fflush(stdout);
    getchar();
    return shmctl(id, IPC_RMID, 0);
}
