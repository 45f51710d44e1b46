#include <iostream>
#include "helper.hpp"

void hello() { std::cout << "hello\n"; }
