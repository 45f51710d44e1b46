#include "helper.hpp"

int helper() { return 42; }
