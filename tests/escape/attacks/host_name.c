/* Knows the host by its name. */
#include "attack.h"

#include <sys/utsname.h>

int main(int argc, char** argv) {
    struct utsname name;
    uname(&name);
    if (strcmp(name.nodename, argument(argc, argv, 1)) == 0)
        escaped("the host is %s", name.nodename);
    contained("the host is called %s here", name.nodename);
}
