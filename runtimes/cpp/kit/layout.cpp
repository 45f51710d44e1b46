// layout NAME: makes the kit, its working folder, ready for the precompiled header NAME, as in
// #include <NAME>.
//
// g++ takes include/NAME.gch in place of include/NAME when it is a file's first include and the
// flags fit, and include/NAME itself otherwise; so that one is a link to the real header. What g++
// shall precompile is called main.cpp, because that is what messages then say the header is
// included from.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

int main(int count, char** words) {
    if (count != 2) return 2;
    const std::string name = words[1];
    std::ifstream list("headers.d"); // a rule for make, written by g++ -M: every header's path
    std::string path;
    const bool found =
        std::any_of(std::istream_iterator<std::string>(list), {}, [&](const std::string& word) {
            path = word;
            return word.starts_with('/') && word.ends_with("/" + name);
        });
    if (!found) {
        std::cerr << "layout: no path of a header " << name << "\n";
        return 1;
    }
    const std::filesystem::path link = "include/" + name;
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::create_symlink(path, link);
    std::ofstream source("main.cpp");
    source << "#include <" << name << ">\n";
    return source.flush() ? 0 : 1;
}
