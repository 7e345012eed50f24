/* nonblocking COMMAND [ARGUMENT...]
 *
 * Runs a command whose standard output does not block (O_NONBLOCK). */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    return execvp(argv[1], argv + 1);
}
