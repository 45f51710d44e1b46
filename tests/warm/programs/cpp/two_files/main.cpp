#include "helper.hpp"

int main() { hello(); }
