#include "sum.h"

long half(long number) { return number / 2; }
