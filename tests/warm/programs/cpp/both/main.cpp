#include <iostream>
#include <bits/stdc++.h>
#include <iostream>

int main() { std::cout << std::max(1, 2) << std::endl; }
