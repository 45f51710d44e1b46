// Promises of the box to the program's owner: what ran is told truly, what is too much is stopped.
#include "isolate/seccomp_program.h"
#include "tests/box/box.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {

TEST_CASE("a program runs, and its output comes back", "[box][root]") {
    const LocalResult result = run({"hello"});
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.output == "Hello, world\n");
    CHECK(result.error.empty());
    CHECK(result.outcome.ending.exit_code == 0);
}

TEST_CASE("stdout and stderr stay apart", "[box][root]") {
    const LocalResult result = run({"both"});
    CHECK(result.output == "to stdout\n");
    CHECK(result.error == "to stderr\n");
}

TEST_CASE("stdout and stderr are one when that is asked for, in the order of the writes",
          "[box][root]") {
    LocalRun request = play({"in_turns", "2000"});
    request.merged = true;
    std::string expected;
    for (int i = 0; i < 2000; ++i) expected += i % 2 == 0 ? "out\n" : "err\n";
    for (const wire::Level level : {wire::Level::cold, wire::Level::prepared, wire::Level::warm}) {
        request.level = level;
        const LocalResult result = runner().run(request);
        CHECK(result.verdict == Verdict::ok);
        CHECK(result.output == expected);
        CHECK(result.error.empty());
    }
}

TEST_CASE("stdin is read to its end, byte for byte", "[box][root]") {
    LocalRun request = play({"copy"});
    for (int i = 0; i < 500'000; ++i) request.input.push_back(static_cast<char>(i * 7));
    const LocalResult result = runner().run(request);
    INFO(describe(result).substr(0, 200));
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.output.size() == request.input.size());
    CHECK((result.output == request.input));
}

TEST_CASE("arguments arrive as they were sent", "[box][root]") {
    const LocalResult result = run({"arguments", "", "a b", "-c", "$(id)", "\xff\x01\n"});
    CHECK(result.output == "[][a b][-c][$(id)][\xff\x01\n]");
}

TEST_CASE("a program starts in /box as process 2, under a user id that is no one's",
          "[box][root]") {
    const LocalResult result = run({"surroundings"});
    INFO(describe(result));
    CHECK(result.output.starts_with("/box 20"));
    CHECK(result.output.ends_with(" 2\n"));
}

TEST_CASE("every exit status is told", "[box][root]") {
    for (const int status : {1, 2, 42, 126, 127, 128, 137, 255}) {
        const LocalResult result = run({"exit", std::to_string(status)});
        INFO(describe(result));
        CHECK(result.verdict == Verdict::nonzero_exit);
        CHECK(result.outcome.ending.exit_code == status);
        CHECK(result.outcome.ending.signal == 0);
    }
}

TEST_CASE("a program's own signal is told", "[box][root]") {
    for (const int number : {SIGTERM, SIGKILL, SIGABRT, SIGUSR1, SIGPIPE}) {
        const LocalResult result = run({"raise", std::to_string(number)});
        INFO(describe(result));
        CHECK(result.verdict == Verdict::signalled);
        CHECK(result.outcome.ending.signal == number);
        CHECK(result.outcome.ending.exit_code == -1);
    }
    CHECK(run({"crash"}).outcome.ending.signal == SIGSEGV);
}

TEST_CASE("whatever a program does, it ends at its wall limit", "[box][root]") {
    for (const char* part : {"stop", "ignore", "interrupt", "copy_forever"}) {
        LocalRun request = play({part});
        int never_written[2] = {-1, -1};
        if (std::string(part) == "copy_forever") {
            REQUIRE(::pipe2(never_written, O_CLOEXEC) == 0);
            request.bundle.arguments = {"copy"};
            request.stdin_fd = never_written[0];
        }
        request.limits = usual_limits();
        request.limits->wall_time = 500ms;
        const auto before = std::chrono::steady_clock::now();
        const LocalResult result = runner().run(request);
        const auto elapsed = std::chrono::steady_clock::now() - before;
        for (const int fd : never_written) {
            if (fd >= 0) ::close(fd);
        }
        INFO(part << ": " << describe(result));
        CHECK(result.verdict == Verdict::wall_limit);
        CHECK(result.outcome.usage.wall_time >= 500ms);
        CHECK(elapsed < 500ms + 500ms * slowness());
    }
}

TEST_CASE("processor time has a limit of its own", "[box][root]") {
    LocalRun request = play({"ignore"});
    request.limits = usual_limits();
    request.limits->cpu_time = 200ms;
    const LocalResult result = runner().run(request);
    INFO(describe(result));
    CHECK(result.verdict == Verdict::time_limit);
    CHECK(result.outcome.usage.cpu_time >= 200ms);
    CHECK(result.outcome.usage.cpu_time < 300ms * slowness());
}

TEST_CASE("too much memory is told, wherever it is", "[box][root]") {
    for (const char* part : {"touch", "touch_files", "touch_many"}) {
        LocalRun request = play({part, "60"});
        request.limits = usual_limits();
        request.limits->memory_bytes = 32 * isolate::kMiB;
        const LocalResult result = runner().run(request);
        INFO(part << ": " << describe(result));
        CHECK(result.verdict == Verdict::memory_limit);
        CHECK(result.outcome.usage.oom_kills > 0);
        CHECK(result.outcome.usage.memory_peak_bytes <= 32 * isolate::kMiB);
    }
}

TEST_CASE("a refused fork is told when the program fails of it", "[box][root]") {
    const LocalResult result = run({"fork"});
    INFO(describe(result));
    CHECK(result.verdict == Verdict::process_limit);
    CHECK(result.outcome.usage.forks_refused > 0);
    CHECK(result.outcome.ending.exit_code == 1);
}

TEST_CASE("output is kept to the last byte of its limit, and what is more is told", "[box][root]") {
    const std::uint64_t limit = usual_limits().output_bytes;
    const LocalResult exact = run({"write", std::to_string(limit)});
    CHECK(exact.verdict == Verdict::ok);
    CHECK(exact.output.size() == limit);
    CHECK(exact.output_dropped == 0);
    for (const std::uint64_t size : {limit + 1, std::uint64_t{100'000'000}}) {
        const LocalResult flood = run({"write", std::to_string(size)});
        INFO(describe(flood).substr(0, 200));
        CHECK(flood.verdict == Verdict::output_limit);
        CHECK(flood.output.size() == limit);
        CHECK(flood.output_dropped > 0);
        CHECK(flood.output_dropped < 8 * isolate::kMiB);
    }
}

TEST_CASE("boxes run beside each other and are not mixed up", "[box][root]") {
    for (const std::size_t count : {std::size_t{2}, std::size_t{20}}) {
        std::vector<LocalRun> requests;
        for (std::size_t i = 0; i < count; ++i) {
            requests.push_back(play({"copy"}));
            requests.back().input = "input of " + std::to_string(i);
        }
        const std::vector<LocalResult> results = runner().run_all(requests);
        REQUIRE(results.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
            INFO(describe(results[i]));
            CHECK(results[i].verdict == Verdict::ok);
            CHECK(results[i].output == requests[i].input);
        }
    }
}

TEST_CASE("twenty boxes have twenty user ids at one time", "[box][root]") {
    const std::vector<LocalResult> results =
        runner().run_all(std::vector<LocalRun>(20, play({"surroundings"})));
    std::set<std::string> ids;
    for (const LocalResult& result : results) ids.insert(result.output);
    CHECK(ids.size() == 20);
}

TEST_CASE("one run's end does not touch another", "[box][root]") {
    LocalRun bomb = play({"touch", "60"});
    bomb.limits = usual_limits();
    bomb.limits->memory_bytes = 16 * isolate::kMiB;
    const std::vector<LocalResult> results = runner().run_all(
        {play({"sleep", "300"}), bomb, play({"kill_all"}), play({"fork"}), play({"sleep", "300"})});
    CHECK(results[0].verdict == Verdict::ok);
    CHECK(results[1].verdict == Verdict::memory_limit);
    CHECK(results[2].verdict == Verdict::ok);
    CHECK(results[3].verdict == Verdict::process_limit);
    CHECK(results[4].verdict == Verdict::ok);
}

TEST_CASE("a run can be cancelled", "[box][root]") {
    LocalRun request = play({"sleep", "60000"});
    request.cancel_after = 100ms;
    const auto before = std::chrono::steady_clock::now();
    const LocalResult result = runner().run(request);
    CHECK(result.verdict == Verdict::cancelled);
    CHECK(std::chrono::steady_clock::now() - before < 100ms + 500ms * slowness());
}

TEST_CASE("a signal reaches the program, which may handle it", "[box][root]") {
    LocalRun handled = play({"interrupt"});
    handled.signal_after = {300ms * std::min(slowness(), 10), SIGINT}; // it is ready by then
    const LocalResult result = runner().run(handled);
    INFO(describe(result));
    CHECK(result.verdict == Verdict::nonzero_exit);
    CHECK(result.outcome.ending.exit_code == 7);

    LocalRun unhandled = play({"sleep", "60000"});
    unhandled.signal_after = {100ms, SIGINT};
    const LocalResult ended = runner().run(unhandled);
    INFO(describe(ended));
    CHECK(ended.verdict == Verdict::signalled);
    CHECK(ended.outcome.ending.signal == SIGINT);
}

TEST_CASE("processor time is counted as the program itself counts it", "[box][root]") {
    const LocalResult result = run({"spin", "200"});
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    // The keeper reads the clock when it hears of the start; on a slow machine the program is then
    // some way ahead of it.
    CHECK(result.outcome.usage.cpu_time >= 200ms - 10ms * std::min(slowness(), 10));
    CHECK(result.outcome.usage.cpu_time < 250ms + 30ms * slowness());
    // Half a core, after the 100 ms that are saved up at the start.
    CHECK(result.outcome.usage.wall_time >= 225ms);
    CHECK(result.outcome.usage.setup_time < 1s * slowness());
}

TEST_CASE("the memory peak is what the program touched", "[box][root]") {
    const LocalResult result = run({"touch", "50"});
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.outcome.usage.memory_peak_bytes >= 50 * isolate::kMiB);
    CHECK(result.outcome.usage.memory_peak_bytes <= 60 * isolate::kMiB);
    // Groups may be used again, their peaks not.
    CHECK(run({"hello"}).outcome.usage.memory_peak_bytes < 10 * isolate::kMiB);
}

TEST_CASE("what a program prints or writes does not change its verdict", "[box][root]") {
    const LocalResult forged = run({"forge", "3"});
    CHECK(forged.verdict == Verdict::nonzero_exit);
    CHECK(forged.outcome.ending.exit_code == 3);
    const LocalResult as_ours = run({"forge", "127"});
    CHECK(as_ours.verdict == Verdict::nonzero_exit);
    CHECK(as_ours.outcome.ending.failed_step == Step::none);
    // SIGSYS is what the kernel sends for a forbidden call; a program may send it to itself, and is
    // believed at most that it did something wrong.
    const LocalResult pretended = run({"raise", std::to_string(SIGSYS)});
    INFO(describe(pretended));
    CHECK((pretended.verdict == Verdict::forbidden_syscall ||
           pretended.verdict == Verdict::signalled));
    CHECK(pretended.outcome.ending.killed_for.has_value() == false);
}

TEST_CASE("killing everybody kills nobody but one's own", "[box][root]") {
    const LocalResult result = run({"kill_all"});
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.output == "still here\n");
}

TEST_CASE("a forbidden call is refused by default, and ends the run by name under strict",
          "[box][root]") {
    for (const std::string call : {"mount", "ptrace"}) {
        const LocalResult refused = run({call});
        CHECK(refused.verdict == Verdict::ok);
        LocalRun request = play({call});
        request.policy = "strict";
        const LocalResult ended = runner().run(request);
        INFO(describe(ended));
        CHECK(ended.verdict == Verdict::forbidden_syscall);
        CHECK(isolate::syscall_name(ended.outcome.ending.forbidden_syscall) == call);
    }
    LocalRun honest = play({"hello"});
    honest.policy = "strict";
    const LocalResult unharmed = runner().run(honest);
    INFO(describe(unharmed) << isolate::syscall_name(unharmed.outcome.ending.forbidden_syscall));
    CHECK(unharmed.verdict == Verdict::ok);
}

TEST_CASE("a box that cannot be made names the step", "[box][root]") {
    const LocalResult missing = runner().run(play({}, "missing"));
    INFO(describe(missing));
    CHECK(missing.verdict == Verdict::internal_error);
    CHECK(missing.outcome.ending.failed_step == Step::execute);
    CHECK(missing.outcome.ending.error == ENOENT);
    const LocalResult absent = runner().run(play({}, "absent"));
    INFO(describe(absent));
    CHECK(absent.verdict == Verdict::internal_error);
    CHECK(absent.outcome.ending.failed_step == Step::enter_root);
    CHECK(absent.outcome.ending.error == ENOENT);
}

TEST_CASE("a compiled program is handed on by mount, and runs as often as one likes",
          "[box][root]") {
    LocalRun compile = play({}, "compiled");
    compile.stage = wire::Stage::compile;
    const LocalResult compiled = runner().run(compile);
    INFO(describe(compiled));
    REQUIRE(compiled.verdict == Verdict::ok);
    for (const char* part : {"hello", "hello", "change"}) {
        LocalRun request = play({part}, "compiled");
        request.artifact = compiled.run_id;
        const LocalResult result = runner().run(request);
        INFO(describe(result));
        CHECK(result.verdict == Verdict::ok);
        CHECK(result.output == (std::string(part) == "hello" ? "Hello, world\n" : "unchanged\n"));
    }
    std::vector<LocalRun> many(8, play({"hello"}, "compiled"));
    for (LocalRun& request : many) request.artifact = compiled.run_id;
    for (const LocalResult& result : runner().run_all(many))
        CHECK(result.output == "Hello, world\n");
    runner().release(compiled.run_id);
    CHECK_THROWS(runner().run(many.front()));
    CHECK(left_on_host() == std::vector<std::string>{});
}

TEST_CASE("artifacts that nobody releases are bounded, and a released one makes room",
          "[box][root][any-host]") {
    config::Settings settings = actor_settings();
    settings.config.boxes = 2;
    keeper::LocalRunner own(settings);
    LocalRun compile = play({}, "compiled");
    compile.stage = wire::Stage::compile;
    std::vector<std::uint64_t> artifacts;
    for (std::size_t i = 0; i < wire::kKeptArtifacts + 2; ++i) {
        const LocalResult compiled = own.run(compile);
        REQUIRE(compiled.verdict == Verdict::ok);
        artifacts.push_back(compiled.run_id);
    }
    const LocalResult refused = own.run(compile);
    CHECK(refused.outcome.ending.failed_step == Step::make_work);
    CHECK(refused.outcome.ending.error == EAGAIN);
    own.release(artifacts.front());
    CHECK(own.run(compile).verdict == Verdict::ok);
}

TEST_CASE("a failed compilation is told with the compiler's words", "[box][root]") {
    const LocalResult result = runner().compile_and_run(play({}, "broken"));
    INFO(describe(result));
    CHECK(result.verdict == Verdict::compile_error);
    CHECK(result.error == "main.x:1: error\n");
    CHECK(runner().compile_and_run(play({"hello"}, "compiled")).output == "Hello, world\n");
}

} // namespace cloister::box_test
