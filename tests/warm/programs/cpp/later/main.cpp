#include <cstdio>
#include <iostream>

int main() { std::cout << EOF << std::endl; }
