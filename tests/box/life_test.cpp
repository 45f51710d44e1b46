// Promises about who ended first: one whose end closed a pipe is never said to go on, one that
// closed it by itself always is, and an end counts from when the kernel told of it.
#include "daemon/keeper/watched.h"
#include "isolate/life.h"
#include "tests/box/box.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

using isolate::Fd;
using isolate::Life;
using isolate::life_of;

/// A process that has the writing end of a pipe, and does `what` with it.
class Child {
public:
    explicit Child(const std::function<void(int pipe)>& what) {
        int ends[2];
        isolate::check(::pipe2(ends, O_CLOEXEC), "make a pipe");
        read_end_ = Fd(ends[0]);
        pid_ = isolate::check(::fork(), "fork");
        if (pid_ == 0) {
            what(ends[1]);
            ::_exit(0);
        }
        (void)::close(ends[1]);
        pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { end(); }

    void wait_for_silence() const {
        char byte = 0;
        while (::read(read_end_.get(), &byte, 1) > 0) {}
    }
    void end() {
        if (pid_ <= 0) return;
        (void)::kill(pid_, SIGKILL);
        (void)::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    Life life() const { return life_of(pidfd_.get()); }

private:
    Fd read_end_{};
    Fd pidfd_{};
    pid_t pid_ = -1;
};

void start_thread(void* (*run)(void*), void* with) {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, run, with) != 0) ::_exit(1);
}

void* sleep_for_ever(void*) {
    for (;;) (void)::pause();
}

bool first_thread_has_ended() {
    const std::string id = std::to_string(::getpid());
    std::ifstream file("/proc/self/task/" + id + "/stat");
    std::string stat;
    return std::getline(file, stat) && stat.find(") Z ") != std::string::npos;
}

/// When the first thread has ended, so that nobody but this one is left.
void* close_and_stay(void* pipe) {
    while (!first_thread_has_ended()) ::sched_yield();
    (void)::close(*static_cast<int*>(pipe));
    return sleep_for_ever(nullptr);
}

} // namespace

TEST_CASE("a process whose end closed its pipe is never said to go on", "[box]") {
    const std::vector<std::function<void(int)>> ends = {
        [](int) { ::_exit(3); },
        [](int) { (void)::raise(SIGKILL); },
        [](int) {
            for (int i = 0; i < 3; ++i) start_thread(sleep_for_ever, nullptr);
            ::_exit(0);
        },
        [](int) { // much to give back before anything is closed
            std::vector<char> much(8U << 20U, 'x');
            (void)::raise(much.back() == 'x' ? SIGKILL : SIGTERM);
        },
    };
    std::array<std::unique_ptr<Child>, 4> busy; // so that ends take a while
    for (auto& one : busy)
        one = std::make_unique<Child>([](int) {
            for (;;) (void)::getppid();
        });
    const int rounds = slowness() > 1 ? 5 : 100; // each end waits for its turn
    for (int round = 0; round < rounds; ++round) {
        for (const auto& how : ends) {
            const Child child(how);
            child.wait_for_silence();
            REQUIRE(child.life() == Life::ends);
        }
    }
}

TEST_CASE("a process that closes its pipe by itself goes on, until it ends", "[box]") {
    Child child([](int pipe) {
        (void)::close(pipe);
        (void)sleep_for_ever(nullptr);
    });
    child.wait_for_silence();
    CHECK(child.life() == Life::goes_on);
    child.end();
    CHECK(child.life() == Life::ends);
}

TEST_CASE("a process whose first thread has ended goes on with the others", "[box]") {
    Child child([](int pipe) {
        static int shared = pipe; // outlives the thread whose stack `pipe` is on
        start_thread(close_and_stay, &shared);
        (void)::syscall(SYS_exit, 0); // of this thread alone
    });
    child.wait_for_silence();
    CHECK(child.life() == Life::goes_on);
    child.end();
    CHECK(child.life() == Life::ends);
}

TEST_CASE("what is no process is not known to live or to end", "[box]") {
    CHECK(life_of(-1) == Life::unknown);
    const Fd memory(::memfd_create("none", MFD_CLOEXEC));
    CHECK(life_of(memory.get()) == Life::unknown);
}

TEST_CASE("of one that talks the end is when the kernel told, however late its init is", "[box]") {
    using keeper::Clock;
    const Clock::time_point begin = Clock::now();
    keeper::Watched talker;
    talker.started = begin;
    talker.gone = begin + 5ms;
    talker.take_end(0, begin + 100ms, std::nullopt);
    CHECK(*talker.ended == begin + 5ms);
    keeper::Watched lost;
    lost.started = begin;
    lost.gone = begin + 5ms;
    lost.take_loss(begin + 100ms);
    CHECK(*lost.ended == begin + 5ms);
    keeper::Watched other;
    other.started = begin;
    other.take_end(0, begin + 100ms, std::nullopt);
    CHECK(*other.ended == begin + 100ms);
}

TEST_CASE("who asks before the program is known is answered once it is", "[box]") {
    std::vector<wire::LifeFrame> said;
    keeper::Events events;
    events.life = [&](const wire::LifeFrame& frame) { said.push_back(frame); };
    keeper::Watched run;
    run.id = 7;
    run.ask_life(1, -1, events);
    CHECK(said.empty());
    const Fd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    run.answer_life(own.get(), events);
    run.answer_life(own.get(), events); // once
    REQUIRE(said.size() == 1);
    CHECK(said[0].run_id == 7);
    CHECK(said[0].stream == 1);
    CHECK(said[0].life == Life::goes_on);
    run.ended = keeper::Clock::now();
    run.ask_life(0, own.get(), events);
    REQUIRE(said.size() == 2);
    CHECK(said[1].life == Life::ends);
}

} // namespace cloister::box_test
