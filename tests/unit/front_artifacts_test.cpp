// Promises of kept artifacts: the same bytes are compiled once, whatever else differs is compiled
// again, what a run uses is not released, and nobody's failure or cancel is another one's.
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::isolate::Outcome;
using cloister::isolate::Verdict;
namespace isolate = cloister::isolate;
namespace wire = cloister::wire;

namespace {

Executions::Bounds bounds_of(std::size_t boxes, std::uint64_t bytes = 1 << 20) {
    Executions::Bounds bounds = bounds_with(boxes);
    bounds.artifact_bytes = bytes;
    return bounds;
}

/// A stage in which jobs are compiled, with one client.
struct Workshop : Stage {
    explicit Workshop(const Executions::Bounds& bounds = bounds_of(4)) : Stage(bounds) {
        client = executions.open_client(ears);
    }
    Job of(const std::string& sources, const std::string& id = "x", bool stream = false) {
        Job made = compiled_job(id, stream);
        made.bundle = sources;
        return made;
    }
    void submit(const std::string& sources, const std::string& id = "x", bool stream = false) {
        REQUIRE(std::holds_alternative<std::string>(
            executions.submit(client, of(sources, id, stream))));
    }
    /// The compiler in `box` ends well and leaves so many bytes.
    void leave(std::uint64_t box, std::uint64_t bytes = 100) {
        Outcome outcome;
        outcome.ending.exit_code = 0;
        outcome.usage.wall_time = std::chrono::milliseconds(70);
        executions.on_ended(box, outcome, bytes);
        executions.on_stream_end(box, 0);
        executions.on_stream_end(box, 1);
    }
    wire::Stage stage_of(std::uint64_t box) { return boxes.boxes.at(box).start.frame.stage; }
    std::uint64_t artifact_of(std::uint64_t box) {
        return boxes.boxes.at(box).start.frame.artifact;
    }
    /// Compiles and runs to the end; the artifact.
    std::uint64_t make(const std::string& sources, std::uint64_t bytes = 100) {
        submit(sources);
        const auto compiler = boxes.last();
        REQUIRE(stage_of(compiler) == wire::Stage::compile);
        leave(compiler, bytes);
        end(boxes.last());
        return compiler;
    }
    bool released(std::uint64_t artifact) const {
        return boxes.logged("release " + std::to_string(artifact));
    }
    /// True when the next run of these sources compiles; that run is then over.
    bool compiles(const std::string& sources) {
        submit(sources);
        const bool does = stage_of(boxes.last()) == wire::Stage::compile;
        if (does) leave(boxes.last());
        end(boxes.last());
        return does;
    }
    RunName named(const std::string& id) {
        RunName name;
        name.id = id;
        return name;
    }

    Ears ears{};
    ClientId client = 0;
};

} // namespace

TEST_CASE("the same sources are compiled once, whoever asks and however they are run", "[front]") {
    Workshop shop;
    shop.submit("sources", "first");
    const auto compiler = shop.boxes.last();
    shop.executions.on_output(compiler, 0, "note");
    shop.executions.on_output(compiler, 1, "warning");
    shop.leave(compiler);
    shop.end(shop.boxes.last());
    const auto first = shop.ears.all<Finished>().at(0).result;
    CHECK(!first.compile->cached);
    CHECK(first.compile->wall_time == std::chrono::milliseconds(70));

    Ears other;
    const ClientId stranger = shop.executions.open_client(other);
    Job job = shop.of("sources", "second", true);
    job.compile_bundle = "sources";
    job.bundle = "sources and arguments";
    job.input = "other input";
    job.steps[1].limits.memory_bytes /= 2;
    (void)shop.executions.submit(stranger, std::move(job));
    const auto run = shop.boxes.last();
    CHECK(shop.stage_of(run) == wire::Stage::run);
    CHECK(shop.artifact_of(run) == compiler);
    CHECK(shop.boxes.boxes.at(run).bundle == "sources and arguments");
    CHECK(shop.boxes.boxes.at(run).input == "other input");
    shop.executions.on_started(run, std::chrono::milliseconds(1), wire::Level::prepared);
    shop.end(run);
    REQUIRE(other.events.size() == 3);
    CHECK(std::get<Started>(other.events[0]).level == wire::Level::prepared);
    CHECK(std::get<StageBegan>(other.events[1]).stage == wire::Stage::run);
    const Result result = other.all<Finished>().at(0).result;
    CHECK(result.compile->success);
    CHECK(result.compile->cached);
    CHECK(result.compile->output == "note");
    CHECK(result.compile->error == "warning");
    CHECK(result.compile->wall_time.count() == 0);
    CHECK(!shop.released(compiler));
    CHECK(shop.executions.is_idle());
}

TEST_CASE("without a cache each run compiles and its artifact goes with it", "[front]") {
    Workshop shop(bounds_of(4, 0));
    const auto first = shop.make("sources");
    CHECK(shop.released(first));
    const auto second = shop.make("sources");
    CHECK(first != second);
    CHECK(shop.released(second));
    shop.submit("sources", "a");
    shop.submit("sources", "b"); // and nobody waits for another one's compiler
    CHECK(shop.boxes.boxes.size() == 2);
}

TEST_CASE("every part of what a compiler is given makes another key", "[front]") {
    Stage stage;
    const Job job = stage.compiled_job();
    const std::string key = artifact_key(job);
    CHECK(artifact_key(stage.compiled_job("another id", true)).size() > key.size()); // its bundle
    const auto differs = [&](const std::function<void(Job&)>& change) {
        Job other = job;
        change(other);
        return artifact_key(other) != key;
    };
    CHECK(differs([](Job& j) { j.runtime = 7; }));
    CHECK(differs([](Job& j) { j.steps[0].policy = 7; }));
    CHECK(differs([](Job& j) { j.bundle += '\0'; }));
    CHECK(differs([](Job& j) { j.compile_bundle = "other"; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.memory_bytes; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.cpu_percent; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.wall_time; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.cpu_time; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.processes; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.output_bytes; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.file_bytes; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.file_count; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.open_files; }));
    CHECK(differs([](Job& j) { ++j.steps[0].limits.stack_bytes; }));

    CHECK(!differs([](Job& j) { j.steps[1].limits.memory_bytes = 1; }));
    CHECK(!differs([](Job& j) { j.input = "input"; }));
    CHECK(!differs([](Job& j) { j.stream = j.base64 = j.terminal = true; }));
    CHECK(!differs([](Job& j) {
        j.compile_bundle = j.bundle;
        j.bundle = "with arguments";
    }));
}

TEST_CASE("a request's key is made of its files and names, not of its arguments", "[front]") {
    const auto settings = made_settings();
    const Catalog catalog = made_catalog(settings);
    const auto key = [&](const std::function<void(ExecuteCode&)>& change) {
        ExecuteCode request;
        request.language = "c";
        request.code = "int main() { return 0; }";
        change(request);
        return artifact_key(std::get<Job>(make_job(std::move(request), catalog)));
    };
    const std::string plain = key([](ExecuteCode&) {});
    CHECK(key([](ExecuteCode& r) { r.arguments = {"one", "two"}; }) == plain);
    CHECK(key([](ExecuteCode& r) { r.input = "words"; }) == plain);
    CHECK(key([](ExecuteCode& r) { r.limits.memory = 1 << 20; }) == plain);
    CHECK(key([](ExecuteCode& r) { r.id = "mine"; }) == plain);
    CHECK(key([](ExecuteCode& r) { *r.code += ' '; }) != plain);
    CHECK(key([](ExecuteCode& r) { r.file_path = "other.c"; }) != plain);
    CHECK(key([](ExecuteCode& r) { r.language = "java"; }) != plain);
    CHECK(key([](ExecuteCode& r) { r.files = {{"a.txt", ""}}; }) != plain);
    const auto two = [&](const char* first, const char* second, const char* entry) {
        return key([&](ExecuteCode& r) {
            r.code.reset();
            r.files = {{"a.c", first}, {"b.c", second}};
            r.entry = entry;
        });
    };
    CHECK(two("x", "y", "a.c") != two("x", "y", "b.c"));
    CHECK(two("x", "y", "a.c") != two("y", "x", "a.c"));
    CHECK(two("xy", "", "a.c") != two("x", "y", "a.c"));
}

TEST_CASE("arguments reach the program, not its compiler", "[front]") {
    const auto settings = made_settings();
    const Catalog catalog = made_catalog(settings);
    ExecuteCode request;
    request.language = "c";
    request.code = "int main() { return 0; }";
    request.arguments = {"secret"};
    const Job job = std::get<Job>(make_job(std::move(request), catalog));
    CHECK(job.bundle_of(job.steps[0]).find("secret") == std::string::npos);
    CHECK(job.bundle_of(job.steps[1]).find("secret") != std::string::npos);
}

TEST_CASE("a compile that fails, is cancelled or is ended is not kept", "[front]") {
    Workshop shop;
    shop.submit("sources");
    shop.end(shop.boxes.last(), 1);
    shop.submit("sources");
    CHECK(shop.stage_of(shop.boxes.last()) == wire::Stage::compile);
    Outcome outcome;
    outcome.ending.exit_code = 0;
    outcome.ending.killed_for = Verdict::wall_limit;
    shop.end_as(shop.boxes.last(), outcome);
    shop.submit("sources", "gone");
    CHECK(shop.stage_of(shop.boxes.last()) == wire::Stage::compile);
    CHECK(!shop.executions.cancel(shop.client, shop.named("gone")));
    shop.leave(shop.boxes.last());
    CHECK(shop.ears.all<Finished>().back().result.verdict == Verdict::cancelled);
    CHECK(shop.compiles("sources"));
    CHECK(!shop.compiles("sources"));
}

TEST_CASE("what was not used for the longest time makes room", "[front]") {
    Workshop shop(bounds_of(4, 950));
    const auto first = shop.make("first", 250);
    const auto second = shop.make("second", 250);
    CHECK(!shop.compiles("first"));
    const auto third = shop.make("third", 250);
    CHECK(!shop.released(first));
    CHECK(shop.released(second));
    CHECK(!shop.released(third));
    CHECK(!shop.compiles("first"));
    const auto large = shop.make("large", 10'000); // more than all the room there is
    CHECK(shop.released(large));
    CHECK(!shop.compiles("first"));
    CHECK(!shop.compiles("third"));
}

TEST_CASE("as many are kept as the keeper holds beside those of its boxes", "[front]") {
    const std::size_t boxes = GENERATE(8U, 300U);
    Workshop shop(bounds_of(boxes, 1 << 30));
    std::vector<std::uint64_t> made;
    const std::size_t most = wire::kKeptArtifacts - Executions::kMaxHolds; // some may be held
    for (std::size_t i = 0; i < most + 2; ++i)
        made.push_back(shop.make("sources " + std::to_string(i), 0));
    CHECK(shop.released(made[0]));
    CHECK(shop.released(made[1]));
    CHECK(!shop.released(made[2]));
    CHECK(!shop.released(made.back()));
}

TEST_CASE("an artifact in use is not released, whatever else needs room", "[front]") {
    Workshop shop(bounds_of(4, 600));
    shop.submit("used");
    const auto used = shop.boxes.last();
    shop.leave(used, 250);
    const auto run = shop.boxes.last();
    const auto second = shop.make("second", 250);
    CHECK(shop.released(second)); // it came last, but the other one stays
    CHECK(!shop.released(used));
    shop.submit("used");
    const auto again = shop.boxes.last();
    CHECK(shop.artifact_of(again) == used);
    shop.end(run);
    (void)shop.make("third", 250);
    CHECK(!shop.released(used));
    shop.end(again);
    (void)shop.make("fourth", 250);
    CHECK(shop.released(used));
}

TEST_CASE("who wants what is just being compiled waits for it, without a box", "[front]") {
    Workshop shop(bounds_of(3));
    shop.submit("sources", "a");
    const auto compiler = shop.boxes.last();
    Ears other;
    const ClientId stranger = shop.executions.open_client(other);
    (void)shop.executions.submit(stranger, shop.of("sources", "b", true));
    shop.submit("sources", "c");
    CHECK(shop.boxes.boxes.size() == 1);
    CHECK(other.events.empty());
    shop.submit("others", "d"); // whose box is free
    const auto busy = shop.boxes.last();
    CHECK(shop.boxes.boxes.size() == 2);
    shop.leave(compiler);
    std::vector<std::uint64_t> runs;
    for (const auto& [box, what] : shop.boxes.boxes) {
        if (what.start.frame.stage == wire::Stage::run) runs.push_back(box);
    }
    CHECK(runs.size() == 2); // as many as there are boxes
    shop.end(busy, 1);
    while (!shop.boxes.boxes.empty()) {
        const auto box = shop.boxes.boxes.begin()->first;
        CHECK(shop.artifact_of(box) == compiler);
        shop.end(box);
    }
    CHECK(shop.ears.all<Finished>().size() == 3);
    REQUIRE(other.all<Finished>().size() == 1);
    CHECK(other.all<Finished>()[0].result.compile->cached);
    CHECK(!shop.released(compiler));
    CHECK(shop.executions.is_idle());
}

TEST_CASE("when the one that compiles for others is cancelled, they compile", "[front]") {
    for (const bool leaves : {false, true}) {
        Workshop shop;
        Ears other;
        const ClientId stranger = shop.executions.open_client(other);
        (void)shop.executions.submit(stranger, shop.of("sources", "leader"));
        const auto compiler = shop.boxes.last();
        shop.submit("sources", "a");
        shop.submit("sources", "b");
        CHECK(shop.boxes.boxes.size() == 1);
        if (leaves) shop.executions.close_client(stranger);
        if (!leaves) CHECK(!shop.executions.cancel(stranger, shop.named("leader")));
        Outcome outcome;
        outcome.ending.killed_for = Verdict::cancelled;
        shop.end_as(compiler, outcome);
        // Each has waited for another one's compiler once, and does not again.
        REQUIRE(shop.boxes.boxes.size() == 2);
        const auto first = shop.boxes.boxes.begin()->first;
        const auto second = shop.boxes.boxes.rbegin()->first;
        shop.leave(first);
        shop.leave(second);
        while (!shop.boxes.boxes.empty()) shop.end(shop.boxes.boxes.begin()->first);
        const auto finished = shop.ears.all<Finished>();
        REQUIRE(finished.size() == 2);
        for (const Finished& one : finished) CHECK(one.result.verdict == Verdict::ok);
        CHECK(!shop.released(first));
        CHECK(shop.released(second)); // one of the same is enough
        CHECK(!shop.compiles("sources"));
    }
}

TEST_CASE("a failed compile fails nobody else", "[front]") {
    Workshop shop;
    shop.submit("sources", "a");
    const auto compiler = shop.boxes.last();
    shop.submit("sources", "b");
    shop.end(compiler, 1);
    const auto second = shop.boxes.last();
    REQUIRE(second != compiler);
    shop.leave(second);
    shop.end(shop.boxes.last());
    REQUIRE(shop.ears.all<Finished>().size() == 2);
    CHECK(shop.ears.all<Finished>()[1].result.verdict == Verdict::ok);
}

TEST_CASE("a run that waits for another one's compiler can be cancelled, and its client can leave",
          "[front]") {
    Workshop shop;
    Ears other;
    const ClientId stranger = shop.executions.open_client(other);
    shop.submit("sources", "leader");
    const auto compiler = shop.boxes.last();
    (void)shop.executions.submit(stranger, shop.of("sources", "leaves"));
    shop.submit("sources", "cancelled");
    shop.submit("sources", "stays");
    CHECK(shop.executions.waiting() == 3);
    CHECK(!shop.executions.cancel(shop.client, shop.named("cancelled")));
    REQUIRE(shop.ears.all<Finished>().size() == 1);
    CHECK(shop.ears.all<Finished>()[0].result.verdict == Verdict::cancelled);
    shop.executions.close_client(stranger);
    CHECK(shop.executions.waiting() == 1);
    shop.leave(compiler);
    CHECK(shop.boxes.boxes.size() == 2);
    while (!shop.boxes.boxes.empty()) shop.end(shop.boxes.boxes.begin()->first);
    CHECK(shop.ears.all<Finished>().size() == 3);
    CHECK(other.events.empty());
    CHECK(shop.executions.is_idle());
}

TEST_CASE("runs that wait for a compiler count in their client's share", "[front]") {
    Workshop shop(bounds_of(16));
    shop.submit("sources", "leader");
    for (int i = 0; i < 10; ++i) shop.submit("sources", std::to_string(i));
    shop.submit("others"); // behind four that are under way
    CHECK(shop.boxes.boxes.size() == 1);
    Ears other;
    const ClientId stranger = shop.executions.open_client(other);
    (void)shop.executions.submit(stranger, shop.of("others"));
    CHECK(shop.boxes.boxes.size() == 2);
}

TEST_CASE("a service that stops answers those that wait for a compiler, too", "[front]") {
    Workshop shop;
    shop.submit("sources", "leader");
    const auto compiler = shop.boxes.last();
    shop.submit("sources", "follower");
    bool idle = false;
    shop.executions.when_idle([&] { idle = true; });
    shop.executions.drain();
    REQUIRE(shop.ears.all<Refused>().size() == 1);
    CHECK(shop.ears.all<Refused>()[0].refusal.code == "busy");
    CHECK(!idle);
    shop.leave(compiler);
    shop.end(shop.boxes.last());
    CHECK(idle);
    CHECK(shop.boxes.boxes.empty());
}

TEST_CASE("a compiler does not wait for a client that reads slowly", "[front]") {
    Workshop shop;
    shop.submit("sources", "x", true);
    const auto compiler = shop.boxes.last();
    shop.executions.set_congested(shop.client, true);
    CHECK(!shop.boxes.boxes.at(compiler).paused);
    shop.leave(compiler);
    CHECK(shop.boxes.boxes.at(shop.boxes.last()).paused);
}

TEST_CASE("what was lost is said once, and then compiled again", "[front]") {
    Workshop shop;
    const auto lost = shop.make("sources");
    shop.submit("sources", "unlucky");
    const auto box = shop.boxes.last();
    REQUIRE(shop.artifact_of(box) == lost);
    Outcome outcome;
    outcome.ending.failed_step = isolate::Step::attach_artifact;
    shop.executions.on_ended(box, outcome, 0);
    shop.executions.on_stream_end(box, 0);
    shop.executions.on_stream_end(box, 1);
    CHECK(shop.ears.all<Finished>().back().result.verdict == isolate::Verdict::internal_error);
    CHECK(shop.released(lost));
    CHECK(shop.compiles("sources"));
    CHECK(!shop.compiles("sources"));
    CHECK(shop.executions.is_idle());
}
