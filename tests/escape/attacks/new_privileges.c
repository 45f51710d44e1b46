/* Would a setuid program make it more? */
#include "attack.h"

int main(void) {
    if (strcmp(status_line("NoNewPrivs"), "1") != 0) escaped("new privileges are possible");
    if (prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) escaped("the bit can be taken back");
    contained("no_new_privs is set");
}
