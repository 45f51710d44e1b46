// "depth": "deep" on paper: which run the checkers get, and what each end of it means for the
// analysis that follows.
#include "daemon/front/deep_checks.h"
#include "tests/unit/front_fixture.h"

#include <csignal>

#include <catch2/catch.hpp>

using namespace cloister::front;
namespace isolate = cloister::isolate;
namespace wire = cloister::wire;
using Problem = Checked::Problem;

namespace {

cloister::config::Settings settings_with_checkers() {
    cloister::config::Settings settings = made_settings();
    auto& python = settings.runtimes.at("python");
    python.check.emplace();
    python.check->policy = "compile";
    python.check->command = {"/usr/bin/python3", "-m", "pyflakes", "{sources}"};
    return settings;
}

/// Checks on paper. The analyst is there; what it would be asked next is kept.
struct Desk {
    explicit Desk(const Executions::Bounds& bounds = {})
        : settings(settings_with_checkers()), catalog(made_catalog(settings)), stage(bounds),
          analyses(settings.runtimes, {}) {
        client = stage.executions.open_client(ears);
        analyses.on_begun();
        analyses.on_ready({"python", "java", "c"});
    }
    void check(const std::string& path, const std::string& content = "x = 1\n") {
        AskAnalyst ask;
        ask.file_path = path;
        ask.content = content;
        ask.deep = true;
        check_deeply(stage.executions, client, analyses, catalog, ask,
                     [this](AskAnalyst asked) { asks.push_back(std::move(asked)); });
    }
    void print(std::uint64_t stream, const std::string& text) {
        stage.executions.on_output(stage.boxes.last(), stream, text);
    }
    const Checked& checked() {
        REQUIRE(asks.size() == 1);
        REQUIRE(asks.front().checked);
        return *asks.front().checked;
    }

    cloister::config::Settings settings;
    Catalog catalog;
    Ears ears{};
    Stage stage;
    Analyses analyses;
    ClientId client = 0;
    std::vector<AskAnalyst> asks{};
};

} // namespace

TEST_CASE("a check is a run of the checkers' step, with its policy and bounds of its own",
          "[deep]") {
    const auto settings = settings_with_checkers();
    const Catalog catalog = made_catalog(settings);
    const auto job = check_job("python", {"pkg/mine.py", "x = 1\n"}, catalog);
    REQUIRE(job);
    REQUIRE(job->steps.size() == 1);
    CHECK(job->steps[0].stage == wire::Stage::check);
    CHECK(job->steps[0].limits.memory_bytes == 512 * isolate::kMiB);
    CHECK(job->steps[0].limits.wall_time <= std::chrono::seconds(12));
    CHECK(job->steps[0].limits.output_bytes <= 256 * isolate::kKiB);
    isolate::BundleView view;
    REQUIRE(view.open(std::as_bytes(std::span(job->bundle))));
    REQUIRE(view.file_count() == 1);
    CHECK(std::string(view.file(0).path) == "pkg/mine.py");
    CHECK(view.file(0).source);
    CHECK(view.file(0).content.size() == 6);
    CHECK(view.argument_count() == 0);
}

TEST_CASE("a name that no file in a box can have is replaced, not obeyed", "[deep]") {
    const auto settings = settings_with_checkers();
    const Catalog catalog = made_catalog(settings);
    for (const std::string name : {"../../etc/passwd", "/etc/passwd", "a/../b.py", ""}) {
        const auto job = check_job("python", {name, "x"}, catalog);
        REQUIRE(job);
        isolate::BundleView view;
        REQUIRE(view.open(std::as_bytes(std::span(job->bundle))));
        CHECK(std::string(view.file(0).path) == "main.py");
    }
}

TEST_CASE("languages without checkers, or that are not installed, have no check", "[deep]") {
    const auto settings = settings_with_checkers();
    Catalog catalog = made_catalog(settings);
    CHECK_FALSE(check_job("java", {"Main.java", "x"}, catalog));
    CHECK_FALSE(check_job("klingon", {"a", "x"}, catalog));
    for (Catalog::Entry& entry : catalog.entries) entry.version.reset();
    CHECK_FALSE(check_job("python", {"main.py", "x"}, catalog));
}

TEST_CASE("what the checkers print goes along, whatever their exit status", "[deep]") {
    Desk desk;
    desk.check("main.py");
    CHECK(desk.asks.empty());
    CHECK(desk.stage.boxes.boxes.at(desk.stage.boxes.last()).start.frame.stage ==
          wire::Stage::check);
    desk.print(0, "main.py:1:1: unused\n");
    desk.print(1, "a word\n");
    desk.stage.end(desk.stage.boxes.last(), 1);
    CHECK(desk.checked().problem == Problem::none);
    CHECK(desk.checked().exit_code == 1);
    CHECK(desk.checked().output == "main.py:1:1: unused\na word\n");
    CHECK(desk.asks.front().content == "x = 1\n");
    CHECK(desk.ears.events.empty()); // the client has not started a run
}

TEST_CASE("each way in which a check fails has its word", "[deep]") {
    struct End {
        isolate::Outcome outcome{};
        Problem problem = Problem::failed;
    };
    const auto killed = [](isolate::Verdict reason, Problem problem) {
        End end;
        end.outcome.ending.killed_for = reason;
        end.problem = problem;
        return end;
    };
    End signalled;
    signalled.outcome.ending.signal = SIGSEGV;
    for (const End& end : {killed(isolate::Verdict::wall_limit, Problem::late),
                           killed(isolate::Verdict::time_limit, Problem::late),
                           killed(isolate::Verdict::output_limit, Problem::none),
                           killed(isolate::Verdict::cancelled, Problem::failed),
                           killed(isolate::Verdict::internal_error, Problem::failed), signalled}) {
        Desk desk;
        desk.check("main.py");
        desk.stage.end_as(desk.stage.boxes.last(), end.outcome);
        CHECK(desk.checked().problem == end.problem);
        if (end.problem == Problem::none) CHECK(desk.checked().exit_code == 1); // not all was seen
    }
}

TEST_CASE("a check that cannot begin is no error of the analysis", "[deep]") {
    Desk desk;
    SECTION("no checkers") {
        desk.check("Main.java");
        CHECK(desk.checked().problem == Problem::absent);
    }
    SECTION("an unknown language is left to the analysis to refuse") {
        desk.check("a.zig");
        REQUIRE(desk.asks.size() == 1);
        CHECK_FALSE(desk.asks.front().checked);
    }
    SECTION("the box cannot be made") {
        desk.stage.boxes.fail_next_start = true;
        desk.check("main.py");
        CHECK(desk.checked().problem == Problem::busy);
    }
}

TEST_CASE("a check waits in the client's own queue, and is refused when that is full", "[deep]") {
    Executions::Bounds bounds;
    bounds.boxes = 1;
    bounds.runs_per_client = 1;
    bounds.queue_per_client = 1;
    Desk desk(bounds);
    desk.check("a.py");
    desk.check("b.py");
    CHECK(desk.stage.boxes.boxes.size() == 1);
    CHECK(desk.asks.empty());
    desk.check("c.py");
    CHECK(desk.checked().problem == Problem::busy);
    desk.stage.end(desk.stage.boxes.last());
    CHECK(desk.stage.boxes.boxes.size() == 1);
    desk.stage.end(desk.stage.boxes.last());
    CHECK(desk.asks.size() == 3);
}

TEST_CASE("nothing follows for a client that has left", "[deep]") {
    Desk desk;
    desk.check("main.py");
    const auto box = desk.stage.boxes.last();
    desk.stage.executions.close_client(desk.client);
    CHECK(desk.stage.boxes.boxes.at(box).killed);
    desk.stage.end(box);
    CHECK(desk.asks.empty());
}
