// Promises of boxes that are made ahead: a run in one is a run like any other, limits and all; a
// pool fills itself, stays within its bounds, and is gone with its owner.
#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/runs.h"
#include "isolate/bundle.h"
#include "isolate/instance.h"
#include "tests/box/box.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <set>
#include <sys/mman.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

using isolate::Fd;
using keeper::Clock;
using wire::Level;

LocalRun ahead(const Words& arguments, const std::string& runtime = "actor") {
    LocalRun request = play(arguments, runtime);
    request.level = Level::prepared;
    return request;
}

/// A keeper's own parts, with a pool, and whatever its runs told.
struct Keeper {
    config::Settings settings = actor_settings();
    isolate::Instance instance{};
    keeper::Pool::Bounds bounds;
    keeper::Catalogue catalogue;
    std::vector<std::pair<Level, Verdict>> told{};
    std::vector<keeper::Ends> ends{}; ///< of the runs' pipes, never read
    Level level = Level::cold;
    keeper::Runs runs;

    explicit Keeper(keeper::Pool::Bounds pool)
        : bounds(pool),
          catalogue(settings, instance.user_id(0), keeper::Runs::slots_for(4, bounds)),
          runs(instance, catalogue, 4, bounds,
               {.streams = [this](std::uint64_t,
                                  keeper::Ends given) { ends.push_back(std::move(given)); },
                .started = [this](std::uint64_t, std::chrono::nanoseconds,
                                  Level of_it) { level = of_it; },
                .ended =
                    [this](std::uint64_t, const isolate::Outcome& outcome, std::uint64_t) {
                        told.emplace_back(level, isolate::judge(outcome.ending, outcome.usage));
                    }}) {}

    template <typename Condition>
    bool wait_for(const Condition& holds) {
        const Clock::time_point patience = Clock::now() + 10s * slowness();
        while (!holds()) {
            if (Clock::now() > patience) return false;
            pollfd watched{.fd = runs.fd(), .events = POLLIN, .revents = 0};
            (void)::poll(&watched, 1, 1);
            runs.dispatch();
        }
        return true;
    }
    std::uint32_t number_of(const std::string& runtime) const {
        return static_cast<std::uint32_t>(
            std::distance(settings.runtimes.begin(), settings.runtimes.find(runtime)));
    }
    bool start(std::uint64_t id, const std::string& argument) {
        wire::RunFrame frame;
        frame.run_id = id;
        frame.runtime = number_of("actor");
        frame.policy = catalogue.usual_policy(frame.runtime, frame.stage = wire::Stage::run);
        frame.limits = catalogue.policy(frame.policy)->ceilings;
        isolate::Bundle bundle;
        bundle.arguments = {argument};
        const std::string bytes = isolate::pack(bundle);
        keeper::RunFds fds;
        fds.bundle = Fd(::memfd_create("bundle", MFD_CLOEXEC));
        REQUIRE(::write(fds.bundle.get(), bytes.data(), bytes.size()) ==
                static_cast<ssize_t>(bytes.size()));
        return runs.start(frame, std::move(fds));
    }
};

} // namespace

TEST_CASE("a run in a prepared box is a run like any other", "[box][root]") {
    const std::vector<Words> parts = {{"hello"},          {"exit", "7"},  {"both"},
                                      {"arguments", "a"}, {"raise", "9"}, {"surroundings"},
                                      {"crash"},          {"fork"}};
    for (const Words& words : parts) {
        const LocalResult cold = run(words);
        const LocalResult prepared = runner().run(ahead(words));
        INFO(words.front() << "\n" << describe(cold) << "\n" << describe(prepared));
        CHECK(prepared.level == Level::prepared);
        CHECK(prepared.verdict == cold.verdict);
        CHECK(prepared.outcome.ending.exit_code == cold.outcome.ending.exit_code);
        CHECK(prepared.outcome.ending.signal == cold.outcome.ending.signal);
        CHECK(prepared.error == cold.error);
        // Its user id, which is the slot's, apart.
        if (words.front() != "surroundings") CHECK(prepared.output == cold.output);
    }
    LocalRun copy = ahead({"copy"});
    copy.input = std::string(300'000, 'x') + "\n";
    CHECK(runner().run(copy).output == copy.input);
    for (const Level level : {Level::cold, Level::prepared}) {
        LocalRun by_name = play({"by_name"});
        by_name.level = level;
        by_name.input = "a line\n";
        const LocalResult opened = runner().run(by_name);
        INFO(describe(opened));
        CHECK(opened.verdict == Verdict::ok);
        CHECK(opened.output == "a line\n");
        CHECK(opened.error == "a line\n");
    }
    LocalRun absent = ahead({}, "missing");
    CHECK(runner().run(absent).outcome.ending.failed_step == Step::execute);
}

TEST_CASE("an order's lower limits hold in a box that was made with higher ones", "[box][root]") {
    const auto with = [](const Words& words, const auto& lower) {
        LocalRun request = ahead(words);
        request.limits = usual_limits();
        lower(*request.limits);
        return runner().run(request);
    };
    CHECK(with({"touch", "64"}, [](Limits& limits) {
              limits.memory_bytes = 24 * isolate::kMiB;
          }).verdict == Verdict::memory_limit);
    CHECK(with({"touch", "64"}, [](Limits&) {}).verdict == Verdict::ok);
    CHECK(with({"touch_files", "20"}, [](Limits& limits) {
              limits.file_bytes = 4 * isolate::kMiB;
          }).verdict != Verdict::ok);
    CHECK(with({"touch_files", "20"}, [](Limits&) {}).verdict == Verdict::ok);
    const LocalResult forks = with({"fork"}, [](Limits& limits) { limits.processes = 5; });
    INFO(describe(forks));
    CHECK(forks.outcome.usage.processes_peak <= 5);
    CHECK(with({"sleep", "5000"}, [](Limits& limits) { limits.wall_time = 200ms; }).verdict ==
          Verdict::wall_limit);
    CHECK(with({"spin", "3000"}, [](Limits& limits) { limits.cpu_time = 200ms; }).verdict ==
          Verdict::time_limit);
}

TEST_CASE("a compile box made ahead hands its artifact on", "[box][root]") {
    LocalRun request = ahead({"hello"}, "compiled");
    const LocalResult result = runner().compile_and_run(request);
    INFO(describe(result));
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.level == Level::prepared);
    CHECK(result.output == "Hello, world\n");
}

TEST_CASE("a pool fills itself, serves, fills again, and ends with its owner", "[box][root]") {
    {
        Keeper one({.boxes = 6, .warm = 0, .memory = 64 * isolate::kMiB});
        // actor, broken (2), compiled (2), missing: all that are there; "absent" is not.
        REQUIRE(one.wait_for([&] { return one.runs.ready(false) == 6; }));
        CHECK(one.runs.running() == 0);
        for (std::uint64_t id = 1; id <= 5; ++id) {
            REQUIRE(one.start(id, "hello"));
            REQUIRE(one.wait_for([&] { return one.told.size() == id; }));
            CHECK(one.told.back().first == Level::prepared);
            CHECK(one.told.back().second == Verdict::ok);
            REQUIRE(one.wait_for([&] { return one.runs.ready(false) == 6; }));
        }
        // More at one time than stand ready: the others are made while they wait.
        for (std::uint64_t id = 11; id <= 14; ++id) REQUIRE(one.start(id, "hello"));
        REQUIRE(one.wait_for([&] { return one.told.size() == 9; }));
        for (const auto& [level, verdict] : one.told) CHECK(verdict == Verdict::ok);
        REQUIRE(one.wait_for([&] { return one.runs.making() == 0; }));
        CHECK(one.runs.ready(false) <= 6);
        CHECK(one.runs.quarantined() == 0);
    }
    CHECK(left_on_host() == std::vector<std::string>{});
}

TEST_CASE("boxes that are still being removed take no place from runs that come", "[box][root]") {
    Keeper one({.boxes = 0, .warm = 0, .memory = 0});
    for (std::uint64_t id = 1; id <= 4; ++id) REQUIRE(one.start(id, "hello"));
    // A group with another one inside cannot be removed.
    std::vector<std::filesystem::path> held;
    const std::string own = "/cloister/instance-" + std::to_string(one.instance.number());
    for (const isolate::Hierarchy& hierarchy : isolate::find_cgroups().hierarchies) {
        for (const auto& entry : std::filesystem::directory_iterator(hierarchy.path + own)) {
            if (entry.path().filename().string().starts_with("box-"))
                held.push_back(entry.path() / "held");
        }
    }
    REQUIRE(held.size() >= 4);
    for (const auto& folder : held) REQUIRE(std::filesystem::create_directory(folder));
    REQUIRE(one.wait_for([&] { return one.told.size() == 4; }));
    for (std::uint64_t id = 5; id <= 8; ++id) REQUIRE(one.start(id, "hello"));
    CHECK(one.wait_for([&] { return one.told.size() == 8; }));
    for (const auto& folder : held) CHECK(std::filesystem::remove(folder));
    for (const auto& [level, verdict] : one.told) CHECK(verdict == Verdict::ok);
    CHECK(one.wait_for([&] { return one.runs.next_deadline() == std::nullopt; }));
    CHECK(one.runs.quarantined() == 0);
}

TEST_CASE("a keeper killed with a full pool leaves no process", "[box][root]") {
    (void)run({"hello"}); // so that the holder takes another instance than ours
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t holder = ::fork();
    REQUIRE(holder >= 0);
    if (holder == 0) {
        try {
            Keeper own({.boxes = 6, .warm = 0, .memory = 64 * isolate::kMiB});
            const bool full = own.wait_for([&] { return own.runs.ready(false) == 6; });
            (void)!::write(ends[1], full ? "y" : "n", 1);
            ::pause();
        } catch (...) {}
        ::_exit(1);
    }
    ::close(ends[1]);
    char answer = 0;
    REQUIRE(::read(ends[0], &answer, 1) == 1);
    ::close(ends[0]);
    CHECK(answer == 'y');
    const auto children = [&] {
        std::set<pid_t> found;
        const std::string list =
            "/proc/" + std::to_string(holder) + "/task/" + std::to_string(holder) + "/children";
        std::FILE* file = std::fopen(list.c_str(), "re");
        int pid = 0;
        while (file != nullptr && std::fscanf(file, "%d", &pid) == 1) found.insert(pid);
        if (file != nullptr) (void)std::fclose(file);
        return found;
    }();
    CHECK(children.size() == 6);
    (void)::kill(holder, SIGKILL);
    REQUIRE(::waitpid(holder, nullptr, 0) == holder);
    // A dead one may wait for the host's init to bury it.
    const auto lives = [](pid_t pid) {
        std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(status, text);
        const auto end = text.rfind(") ");
        return end != std::string::npos && text[end + 2] != 'Z' && text[end + 2] != 'X';
    };
    CHECK(within_a_second([&] { return std::none_of(children.begin(), children.end(), lives); }));
    // The next start sweeps the groups.
    { keeper::LocalRunner next(actor_settings()); }
    CHECK(left_on_host() == std::vector<std::string>{});
}

} // namespace cloister::box_test
