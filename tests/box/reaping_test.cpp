// Promises to the host: nothing of a run is there a second after its answer, whatever ended it.
#include "isolate/cgroup_tree.h"
#include "isolate/instance.h"
#include "tests/box/box.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator fds("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    statm >> size >> resident;
    return resident * 4096;
}

/// A process that holds a runner with three programs in it, and says so.
pid_t start_holder(int& read_end) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t holder = ::fork();
    REQUIRE(holder >= 0);
    if (holder == 0) {
        try {
            keeper::LocalRunner own(actor_settings());
            LocalRun request = play({"interrupt"});
            request.stdout_fd = ends[1];
            (void)own.run_all({request, request, request});
        } catch (...) {}
        ::_exit(1);
    }
    ::close(ends[1]);
    read_end = ends[0];
    return holder;
}

bool wait_for_words(int fd, std::size_t bytes) {
    std::string text;
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    while (text.size() < bytes && ::poll(&watched, 1, 10'000 * slowness()) > 0) {
        char block[64];
        const ssize_t size = ::read(fd, block, sizeof block);
        if (size <= 0) return false;
        text.append(block, static_cast<std::size_t>(size));
    }
    return text.size() >= bytes;
}

} // namespace

TEST_CASE("a group that cannot be looked at does not count as empty", "[box][root]") {
    isolate::CgroupLayout layout = isolate::find_cgroups();
    // The v2 tree says so by a word; the v1 groups by an empty list.
    std::erase_if(layout.hierarchies, [](const auto& hierarchy) { return hierarchy.v2; });
    isolate::CgroupTree tree(layout, "test-" + std::to_string(::getpid()));
    isolate::Cgroup group = tree.make("box", {});
    CHECK(group.is_empty());
    const pid_t inside = ::fork();
    REQUIRE(inside >= 0);
    if (inside == 0) {
        for (const int tasks : group.join_fds()) (void)!::write(tasks, "0", 1);
        ::pause();
        ::_exit(0);
    }
    CHECK(within_a_second([&] { return layout.hierarchies.empty() || !group.is_empty(); }));
    rlimit files{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
    const rlimit none{0, files.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const bool looked_empty = group.is_empty();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(looked_empty == layout.hierarchies.empty());
    (void)::kill(inside, SIGKILL);
    CHECK(::waitpid(inside, nullptr, 0) == inside);
    CHECK(within_a_second([&] { return group.is_empty(); }));
    CHECK(within_a_second([&] { return group.remove(); }));
}

TEST_CASE("after any ending nothing is left on the host", "[box][root]") {
    const std::vector<Words> parts = {{"hello"}, {"exit", "3"}, {"crash"},           {"leave"},
                                      {"fork"},  {"kill_all"},  {"write", "5000000"}};
    for (const Words& words : parts) {
        const auto before = std::chrono::steady_clock::now();
        const LocalResult result = run(words);
        INFO(words.front() << ": " << describe(result).substr(0, 300));
        CHECK(left_on_host() == std::vector<std::string>{});
        CHECK(actors().empty());
        // One who holds the output does not hold the answer.
        CHECK(std::chrono::steady_clock::now() - before < 5s * slowness());
    }
    LocalRun cancelled = play({"stop"});
    cancelled.cancel_after = 100ms;
    CHECK(runner().run(cancelled).verdict == Verdict::cancelled);
    CHECK(left_on_host() == std::vector<std::string>{});
}

TEST_CASE("a runner killed with SIGKILL leaves no process, and the next start sweeps the rest",
          "[box][root]") {
    (void)run({"hello"}); // so that the holder takes another instance than ours
    for (int round = 0; round < 3; ++round) {
        int read_end = -1;
        const pid_t holder = start_holder(read_end);
        const bool started = wait_for_words(read_end, 3 * 8);
        const std::size_t running = actors().size();
        const std::size_t groups = groups_with_boxes().size();
        (void)::kill(holder, SIGKILL);
        REQUIRE(::waitpid(holder, nullptr, 0) == holder);
        ::close(read_end);
        CHECK(started);
        CHECK(running == 3);
        CHECK(groups > 0);
        CHECK(within_a_second([] { return actors().empty(); }));
    }
    // The next start: in a process of its own, which takes the dead one's place.
    const pid_t next = ::fork();
    REQUIRE(next >= 0);
    if (next == 0) {
        try {
            keeper::LocalRunner own(actor_settings());
            ::_exit(own.run(play({"hello"})).verdict == Verdict::ok ? 0 : 1);
        } catch (...) {
            ::_exit(2);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(next, &status, 0) == next);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(left_on_host() == std::vector<std::string>{});
}

TEST_CASE("a runner that is interrupted in the middle of starting boxes leaves nobody",
          "[box][root]") {
    (void)run({"hello"});
    for (int round = 0; round < 10; ++round) {
        int read_end = -1;
        const pid_t holder = start_holder(read_end);
        std::this_thread::sleep_for(round * 3ms); // somewhere in its start, its boxes' start, or
                                                  // later
        (void)::kill(holder, SIGKILL);
        REQUIRE(::waitpid(holder, nullptr, 0) == holder);
        ::close(read_end);
        CHECK(within_a_second([] { return actors().empty(); }));
    }
}

TEST_CASE("two hundred runs cost neither descriptors nor memory", "[box][root][any-host]") {
    for (int i = 0; i < 20; ++i) (void)run({"hello"});
    const std::size_t descriptors = open_descriptors();
    const std::uint64_t memory = resident_bytes();
    for (int i = 0; i < 50; ++i) {
        CHECK(run({"hello"}).verdict == Verdict::ok);
        CHECK(run({"exit", "1"}).verdict == Verdict::nonzero_exit);
        CHECK(runner().run(play({}, "missing")).verdict == Verdict::internal_error);
        CHECK(runner().compile_and_run(play({"hello"}, "compiled")).verdict == Verdict::ok);
    }
    // The last boxes' mounts may still be there, each by a descriptor: they go within milliseconds.
    CHECK(open_descriptors() <= descriptors + 4);
    CHECK(resident_bytes() < memory + 2 * isolate::kMiB);
    CHECK(left_on_host() == std::vector<std::string>{});
}

TEST_CASE("a flood of output is not kept", "[box][root]") {
    (void)run({"write", "5000000"});
    const std::uint64_t memory = resident_bytes();
    for (int i = 0; i < 5; ++i) (void)run({"write", "100000000"});
    CHECK(resident_bytes() < memory + 4 * isolate::kMiB);
}

/// Status 0 when counters that cannot be read for want of descriptors are told apart from zero.
int look_without_descriptors() {
    isolate::Instance instance;
    isolate::Cgroup group = instance.cgroups()->make("box-none", usual_limits());
    const bool could = group.cpu_time().has_value() && group.counters().has_value();
    rlimit files{};
    (void)::getrlimit(RLIMIT_NOFILE, &files);
    const rlimit none{.rlim_cur = 0, .rlim_max = files.rlim_max};
    (void)::setrlimit(RLIMIT_NOFILE, &none);
    const bool can = group.cpu_time().has_value() || group.counters().has_value();
    const bool is_empty = group.is_empty();
    (void)::setrlimit(RLIMIT_NOFILE, &files);
    const bool removed = group.remove();
    return could && !can && !is_empty && removed ? 0 : 1;
}

TEST_CASE("a counter that cannot be read is not zero, nor is its box empty", "[box][root]") {
    const pid_t child = ::fork();
    if (child == 0) {
        int status = 2;
        try {
            status = look_without_descriptors();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
        ::_exit(status);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

} // namespace cloister::box_test
