/* One run leaves a key in its session's keyring, the next looks for it. The key expires by itself.
 */
#include "attack.h"

#include <linux/keyctl.h>

int main(int argc, char** argv) {
    const char* mark = argument(argc, argv, 2);
    if (strcmp(argument(argc, argv, 1), "leave") == 0) {
        const int rings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_SESSION_KEYRING,
                             KEY_SPEC_USER_KEYRING};
        for (size_t i = 0; i < sizeof rings / sizeof *rings; ++i) {
            long key = syscall(SYS_add_key, "user", mark, "x", 1l, rings[i]);
            if (key < 0) continue;
            syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f3f3f);
            syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 20);
        }
        return 0;
    }
    if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", mark, 0) >= 0)
        escaped("the key is there");
    if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", mark, 0) >= 0)
        escaped("the key is there");
    if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_SESSION_KEYRING, "user", mark, 0) >= 0)
        escaped("the key is there");
    contained("no key: %s", strerror(errno));
}
