// Prints with an exponent, within the tolerance.
#include <stdio.h>

int main(void) {
    long number;
    if (scanf("%ld", &number) != 1) return 1;
    printf("%.7e\n", (double)number / 2);
    return 0;
}
