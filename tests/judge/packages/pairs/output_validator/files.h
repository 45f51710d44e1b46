// What a validator says, for both who may read it.
#pragma once

#include <fstream>
#include <iostream>
#include <string>

inline void say(const std::string& folder, const std::string& text) {
    std::ofstream(folder + "judgemessage.txt") << text << "\n";
    std::cerr << text << "\n";
}
