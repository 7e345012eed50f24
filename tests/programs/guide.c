/* guide TYPE [TEXT]
 *
 * The tool of the Linux Programmer's Guide in its essentials: sends a text, or receives one. The queue
 * is that of ftok(".", 'm'); the size of a text counts the NUL that ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct mymsgbuf { long mtype; char mtext[80]; };

int main(int argc, char *argv[])
{
    struct mymsgbuf buffer;
    int queue = msgget(ftok(".", 'm'), IPC_CREAT | 0660);
    if (queue == -1) { perror("msgget"); return 1; }
    if (argc == 3) {
        buffer.mtype = atol(argv[1]);
        strcpy(buffer.mtext, argv[2]);
        if (msgsnd(queue, &buffer, strlen(buffer.mtext) + 1, 0) == -1) { perror("msgsnd"); return 1; }
    } else {
        if (msgrcv(queue, &buffer, 80, atol(argv[1]), 0) == -1) { perror("msgrcv"); return 1; }
        printf("Type: %ld Text: %s\n", buffer.mtype, buffer.mtext);
    }
    return 0;
}
