// A warm interpreter in its smallest form: it is up, waits as the contract says
// (runtimes/README.md), and then becomes the program whose words it is given. So every attack can
// start from a warm box.
#include <stddef.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    static char bytes[1 << 16];
    static char* words[256];
    size_t size = 0;
    size_t count = 0;
    if (write(4, "", 1) != 1) return 1;
    close(4);
    for (ssize_t got; (got = read(3, bytes + size, sizeof bytes - size)) > 0;) size += (size_t)got;
    close(3);
    for (size_t at = 0; at < size && count < 255; at += strlen(bytes + at) + 1)
        words[count++] = bytes + at;
    if (count == 0) return 0;
    execv(words[0], words);
    return 127;
}
