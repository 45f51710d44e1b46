// A promise about what a box's own processes hold of the keeper's memory: nothing but code, libc, a
// stack and what was made ready for them.
#include "tests/box/box.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

/// Names of everything that a process has mapped, and its anonymous memory in bytes.
struct Map {
    std::set<std::string> names{};
    std::size_t nameless_bytes = 0;
};

Map map_of(const std::string& process) {
    Map map;
    std::ifstream file("/proc/" + process + "/maps");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::size_t begin = 0;
        std::size_t end = 0;
        char dash = 0;
        std::string unused;
        std::string name;
        words >> std::hex >> begin >> dash >> end >> unused >> unused >> unused >> unused >> name;
        if (name.empty()) map.nameless_bytes += end - begin;
        else map.names.insert(name.substr(name.rfind('/') + 1));
    }
    return map;
}

bool has(const Map& map, const std::string& part) {
    return std::any_of(map.names.begin(), map.names.end(), [&](const std::string& name) {
        return name.find(part) != std::string::npos;
    });
}

/// Init has done all that it does before it waits: it is nobody, and forbids itself new privileges.
bool is_settled(const std::string& process) {
    std::ifstream file("/proc/" + process + "/status");
    bool nobody = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Uid:")) nobody = !line.starts_with("Uid:\t0\t");
        if (line.starts_with("NoNewPrivs:")) return nobody && line.ends_with("1");
    }
    return false;
}

} // namespace

TEST_CASE("init has of the keeper's memory what it needs, and nothing else", "[box][root]") {
    (void)run({"hello"});
    // Something that the keeper holds, and that is larger than all that a box is given.
    const std::vector<char> secrets(std::size_t{64} << 20, 's');
    const std::string children = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    Map init;
    std::thread watcher([&] {
        (void)within_a_second([&] {
            std::ifstream file(children);
            std::string pid;
            if (!(file >> pid) || !is_settled(pid)) return false;
            init = map_of(pid);
            return !init.names.empty();
        });
    });
    const LocalResult result = run({"sleep", "1000"});
    watcher.join();
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    CHECK(has(init, "box_tests"));
    CHECK(has(init, "libc.so"));
    CHECK(has(init, "[stack]"));
    CHECK(has(map_of("self"), "[heap]"));
    CHECK_FALSE(has(init, "[heap]"));
    CHECK_FALSE(has(init, "libseccomp"));
    CHECK_FALSE(has(init, "libstdc++"));
    CHECK(init.nameless_bytes < secrets.size());
}

} // namespace cloister::box_test
