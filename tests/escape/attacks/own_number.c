/* Prints its user id: two boxes with one id share quotas, keys and signals. */
#include "attack.h"

int main(void) {
    sleep_ms(300);
    printf("%d\n", (int)getuid());
    return 0;
}
