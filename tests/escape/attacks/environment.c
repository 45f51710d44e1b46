/* Reads the daemon's environment, where operators keep tokens. */
#include "attack.h"

extern char** environ;

int main(void) {
    const char* known[] = {"PATH=", "HOME=", "LANG=", "TMPDIR="};
    for (char** entry = environ; *entry; ++entry) {
        size_t i = 0;
        while (i < 4 && strncmp(*entry, known[i], strlen(known[i])) != 0) ++i;
        if (i == 4) escaped("%s", *entry);
    }
    contained("the environment holds nothing of the daemon's");
}
