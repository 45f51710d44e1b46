#define _GLIBCXX_DEBUG
#include <bits/stdc++.h>

int main() {
    std::vector<int> v;
    std::cout << sizeof v << std::endl;
}
