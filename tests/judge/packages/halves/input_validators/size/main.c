// More than one file, and a second opinion.
#include "limits_of_input.h"

#include <stdio.h>

int main(void) {
    long number = 0;
    return scanf("%ld", &number) == 1 && number <= MOST ? 42 : 43;
}
