/* receive32 ID CALL
 *
 * Waits for a message of type 7 on the queue with this id, with a system call of 32-bit programs on
 * x86: CALL is 401, msgrcv(2), or 117, the older ipc(2). */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    long id = atoi(argv[1]), number = atoi(argv[2]), result;
    void *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    /* The first version of ipc(MSGRCV) has the pointer and the type in memory. */
    ((int *)low)[0] = (int)(long)low + 64;
    ((int *)low)[1] = 7;
    long b = number == 117 ? 12 : id, c = number == 117 ? id : (long)low, d = 100;
    long s = number == 117 ? 0 : 7, e = number == 117 ? (long)low : 0;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(b), "c"(c), "d"(d), "S"(s), "D"(e)
                     : "memory", "r8", "r9", "r10", "r11");
    return result < 0;
}
