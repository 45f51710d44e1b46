#include <iostream>
#include <vector>

int main() {
    std::vector<int> v = "text";
    std::cout << v;
    undefined();
}
