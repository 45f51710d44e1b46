/* Opens for writing a file of the host that the box shows and that everybody may write there. */
#include "attack.h"

int main(int argc, char** argv) {
    const char* path = argument(argc, argv, 1);
    if (access(path, F_OK) != 0) inconclusive("%s is not shown", path);
    if (open(path, O_WRONLY) >= 0) escaped("%s is open for writing", path);
    if (open(path, O_RDWR) >= 0) escaped("%s is open for writing", path);
    if (truncate(path, 1 << 20) == 0) escaped("%s has another length", path);
    if (errno != EROFS) inconclusive("%s: refused for another reason", path);
    contained("%s: %s", path, strerror(errno));
}
