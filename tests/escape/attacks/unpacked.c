/* Looks whether a file of the client's was laid down outside of the working directory. */
#include "attack.h"

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (access(argv[i], F_OK) == 0) escaped("%s was made", argv[i]);
    }
    contained("nothing lies outside");
}
