/* Makes, uses and removes objects of each kind as fast as it can, in processes that come and go, until
 * there is a file `stop`. What is not there any more when it wants to remove it, somebody else took:
 * then it ends with status 1. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 6

int main(void) {
    struct { long type; char text[8]; } message = { 1, "noise" };
    struct sembuf up = { 0, 1, 0 };
    while (access("stop", F_OK)) {
        pid_t child = fork();
        if (child) {
            int status;
            waitpid(child, &status, 0);
            if (status) return 1;
            continue;
        }
        for (int round = 0; round < 50; round++) {
            int q[MANY], m[MANY], s[MANY];
            void *at[MANY];
            for (int i = 0; i < MANY; i++) {
                q[i] = msgget(IPC_PRIVATE, 0600);
                if (i % 2) msgsnd(q[i], &message, 5, 0);
                m[i] = shmget(IPC_PRIVATE, 4096, 0600);
                at[i] = shmat(m[i], 0, 0);
                s[i] = semget(IPC_PRIVATE, 1, 0600);
                if (i % 2) semop(s[i], &up, 1);
            }
            for (int i = 0; i < MANY; i++) {
                if (msgctl(q[i], IPC_RMID, 0)) { perror("queue"); return 1; }
                shmdt(at[i]);
                if (shmctl(m[i], IPC_RMID, 0)) { perror("segment"); return 1; }
                if (semctl(s[i], 0, IPC_RMID)) { perror("set"); return 1; }
            }
        }
        return 0;
    }
}
