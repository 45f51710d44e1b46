// What an honest C++ program may expect of a box. Each line ends in "ok" or says what went wrong.
#include "helper.hpp"

#include <bits/stdc++.h>

void check(const char* name, bool good) { std::cout << name << (good ? " ok\n" : " FAILED\n"); }

void threads() {
    std::atomic<int> count = 0;
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < 16; ++i) workers.emplace_back([&] { ++count; });
    }
    check("threads", count == 16);
    check("async", std::async(std::launch::async, [] { return 42; }).get() == 42);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    check("sleep", true);
}

void files() {
    namespace fs = std::filesystem;
    std::ofstream("a.txt") << "hi";
    fs::copy("a.txt", "b.txt");
    check("files", fs::file_size("b.txt") == 2 && fs::current_path() == "/box");
    check("temporary files", fs::temp_directory_path() == "/tmp");
    check("no /usr/bin", !fs::exists("/usr/bin"));
}

void libraries() {
    auto odd = std::views::iota(0, 100) | std::views::filter([](int x) { return x % 2 == 1; });
    check("ranges", std::ranges::distance(odd) == 50);
    check("regular expressions", std::regex_match("abc123", std::regex("[a-z]+\\d+")));
    check("random", std::random_device{}() >= 0);
    try {
        throw std::runtime_error("x");
    } catch (const std::exception& error) {
        check("exceptions", std::string(error.what()) == "x");
    }
}

int main(int argc, char** argv) {
    threads();
    files();
    libraries();
    check("no shell", std::system("true") != 0);
    check("arguments", argc == 3 && std::string(argv[2]) == "two words");
    check("a second file", helper() == 42);
    std::string line;
    check("stdin", std::getline(std::cin, line) && line == "first");
}
