// The cache of the dynamic loader, as glibc's own tools read it.
#include "isolate/loader_cache.h"
#include "tests/box/box.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

/// What ldconfig(8) prints of a cache.
std::string printed(const std::string& cache) {
    char path[] = "/tmp/loader-cache-XXXXXX";
    const isolate::Fd file(::mkstemp(path));
    REQUIRE(::write(file.get(), cache.data(), cache.size()) == static_cast<ssize_t>(cache.size()));
    const std::string command = std::string("/sbin/ldconfig -p -C ") + path;
    // NOLINTNEXTLINE(cert-env33-c): a fixed command
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    REQUIRE(pipe);
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe.get()))
        text.append(part.data(), size);
    ::unlink(path);
    return text;
}

} // namespace

TEST_CASE("ldconfig reads our cache of the loader", "[box]") {
    const isolate::MountPlan plan = isolate::plan_mounts({"/usr/lib/*-linux-gnu*"});
    const std::string cache = isolate::loader_cache(plan);
    if (cache.empty()) return; // an architecture that we do not know
    const std::string text = printed(cache);
    CHECK(text.find("\tlibc.so.6 (libc6,") != std::string::npos);
    CHECK(text.find("/libc.so.6\n") != std::string::npos);
    CHECK(text.find("unknown") == std::string::npos);

    const isolate::MountPlan one = isolate::plan_mounts({"/usr/lib/*-linux-gnu*/libc.so.6"});
    CHECK(printed(isolate::loader_cache(one)).starts_with("1 libs found"));
    CHECK(isolate::loader_cache({}).empty());
}

TEST_CASE("the loader's order of names", "[box]") {
    using isolate::compare_library_names;
    CHECK(compare_library_names("libm.so.6", "libm.so.6") == 0);
    CHECK(compare_library_names("libm.so.10", "libm.so.9") > 0);
    CHECK(compare_library_names("liba.so", "libb.so") < 0);
    CHECK(compare_library_names("lib1.so", "liba.so") > 0);
    CHECK(compare_library_names("libm.so", "libm.so.6") < 0);
}

} // namespace cloister::box_test
