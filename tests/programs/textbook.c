/* textbook [TEXT]
 *
 * The writer and the reader of a textbook: messages of type 1 that have 100 bytes, whatever the length
 * of the text, on the queue with the key 0xbeef. */
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct message { long type; char text[100]; };

int main(int argc, char **argv)
{
    struct message message = { .type = 1 };
    int queue = msgget(0xbeef, 0600 | IPC_CREAT);
    if (argc > 1) {
        strncpy(message.text, argv[1], sizeof message.text - 1);
        if (msgsnd(queue, &message, sizeof message.text, 0)) { perror("msgsnd"); return 1; }
    } else {
        if (msgrcv(queue, &message, sizeof message.text, 1, 0) < 0) { perror("msgrcv"); return 1; }
        printf("Data Received is : %s\n", message.text);
    }
    return 0;
}
