// A submission of several files.
#include "sum.h"

#include <iostream>

int main(int count, char**) {
    long number;
    std::cin >> number;
    std::cout << half(number) << ' ' << number - half(number) << (count > 1 ? " !" : "") << '\n';
}
