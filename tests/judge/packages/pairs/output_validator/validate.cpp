// Any two whole numbers with the given sum; "loud" wants an exclamation mark behind them.
#include "files.h"

#include <iostream>

int main(int count, char** words) {
    std::ifstream input(words[1]);
    long sum = 0;
    input >> sum;
    long one = 0;
    long other = 0;
    if (!(std::cin >> one >> other)) return say(words[3], "two numbers are missing"), 43;
    std::string rest;
    std::cin >> rest;
    const bool loud = count > 4 && std::string(words[4]) == "loud";
    if (rest != (loud ? "!" : "")) return say(words[3], "the manner is wrong"), 43;
    if (one + other != sum) return say(words[3], "the sum is wrong"), 43;
    return 42;
}
