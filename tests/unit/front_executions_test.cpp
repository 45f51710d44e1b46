// Promises of the flow of runs: one answer for each accepted job, output kept to the byte, input
// refused whole, nothing left when a client goes.
#include "daemon/front/replies.h"
#include "tests/unit/front_fixture.h"

#include <csignal>

#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::isolate::Outcome;
using cloister::isolate::Verdict;
namespace isolate = cloister::isolate;
namespace wire = cloister::wire;

namespace {

RunName by_id(const std::string& id) {
    RunName name;
    name.id = id;
    return name;
}

} // namespace

TEST_CASE("a run ends in one result with everything known about it", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    const auto run_id = stage.executions.submit(client, stage.job("mine"));
    REQUIRE(accepted(run_id));
    const auto box = stage.boxes.last();
    CHECK(stage.boxes.boxes.at(box).bundle == "bundle of mine");
    CHECK(stage.boxes.boxes.at(box).input_closed);
    stage.executions.on_started(box, std::chrono::milliseconds(2), wire::Level::warm);
    stage.executions.on_output(box, 0, "out");
    stage.executions.on_output(box, 1, "err");
    Outcome outcome;
    outcome.ending.exit_code = 3;
    outcome.usage.wall_time = std::chrono::milliseconds(40);
    stage.executions.on_ended(box, outcome);
    CHECK(ears.events.empty()); // the streams may still hold something
    stage.executions.on_output(box, 0, "put");
    stage.executions.on_stream_end(box, 0);
    stage.executions.on_stream_end(box, 1);
    REQUIRE(ears.events.size() == 1);
    const auto finished = ears.all<Finished>().at(0);
    CHECK(finished.run.run_id == std::get<std::string>(run_id));
    CHECK(finished.run.id == "mine");
    CHECK(finished.result.verdict == Verdict::nonzero_exit);
    CHECK(finished.result.output == "output");
    CHECK(finished.result.error == "err");
    CHECK(finished.result.reason.empty());
    CHECK(finished.result.setup_time == std::chrono::milliseconds(2));
    CHECK(finished.result.level == wire::Level::warm);
    CHECK(stage.boxes.boxes.empty());
    CHECK(stage.executions.is_idle());
    stage.executions.on_ended(box, outcome); // a box that is over is nobody's
    CHECK(ears.events.size() == 1);
}

TEST_CASE("the order of the last words does not matter", "[front]") {
    for (int order = 0; order < 3; ++order) {
        Stage stage;
        Ears ears;
        const ClientId client = stage.executions.open_client(ears);
        (void)stage.executions.submit(client, stage.job());
        const auto box = stage.boxes.last();
        for (int i = 0; i < 3; ++i) {
            const int what = (i + order) % 3;
            CHECK(ears.events.empty());
            if (what == 0)
                stage.executions.on_ended(box, {.ending = {.exit_code = 0}, .usage = {}});
            if (what == 1) stage.executions.on_stream_end(box, 0);
            if (what == 2) stage.executions.on_stream_end(box, 1);
        }
        CHECK(ears.all<Finished>().size() == 1);
    }
}

TEST_CASE("output is kept to the last byte, then the run is ended once", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job());
    const auto box = stage.boxes.last();
    stage.executions.on_output(box, 0, std::string(1000, 'a'));
    stage.executions.on_output(box, 1, std::string(1000, 'b'));
    CHECK(stage.boxes.log.empty());
    stage.executions.on_output(box, 0, "x");
    stage.executions.on_output(box, 0, "yz");
    stage.executions.on_output(box, 1, "q");
    CHECK(stage.boxes.log ==
          std::vector<std::string>{"kill " + std::to_string(box) + " output_limit"});
    Outcome outcome;
    outcome.ending.killed_for = Verdict::output_limit;
    stage.end_as(box, outcome);
    const Result result = ears.all<Finished>().at(0).result;
    CHECK(result.verdict == Verdict::output_limit);
    CHECK(result.output == std::string(1000, 'a'));
    CHECK(result.output_dropped == 3);
    CHECK(result.error_dropped == 1);
    CHECK(result.reason.find("1000 bytes") != std::string::npos);
}

TEST_CASE("a run that ended by itself over its output limit is still over it", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job());
    const auto box = stage.boxes.last();
    stage.executions.on_ended(box, {.ending = {.exit_code = 0}, .usage = {}});
    stage.executions.on_output(box, 0, std::string(1001, 'a'));
    stage.executions.on_stream_end(box, 0);
    stage.executions.on_stream_end(box, 1);
    CHECK(ears.all<Finished>().at(0).result.verdict == Verdict::output_limit);
    CHECK(stage.boxes.log.empty()); // nothing to kill any more
}

TEST_CASE("a streamed run tells its start, its output in order, and repairs text across reads",
          "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("s", true));
    const auto box = stage.boxes.last();
    CHECK(ears.events.empty()); // nothing runs yet
    stage.executions.on_started(box, std::chrono::milliseconds(1), wire::Level::prepared);
    REQUIRE(ears.all<Started>().size() == 1);
    CHECK(ears.all<Started>().at(0).level == wire::Level::prepared);
    stage.executions.on_output(box, 0, "a\xED\x95");
    stage.executions.on_output(box, 0, "\x9C");
    stage.executions.on_output(box, 1, "\xFF");
    stage.executions.on_output(box, 0, "\xE2\x82");
    stage.end(box);
    std::string text;
    std::uint64_t seq = 0;
    for (const Output& output : ears.all<Output>()) {
        CHECK(output.seq == ++seq);
        if (output.stream == "stdout") text += output.data;
    }
    CHECK(text == "a\xED\x95\x9C\xEF\xBF\xBD");
    CHECK(std::holds_alternative<Finished>(ears.events.back()));
}

TEST_CASE("the start of a run is told once and first, whoever is faster: keeper, output or end",
          "[front]") {
    for (int order = 0; order < 3; ++order) {
        Stage stage;
        Ears ears;
        const ClientId client = stage.executions.open_client(ears);
        (void)stage.executions.submit(client, stage.job("s", true));
        const auto box = stage.boxes.last();
        if (order == 0)
            stage.executions.on_started(box, std::chrono::milliseconds(1), wire::Level::cold);
        if (order < 2) stage.executions.on_output(box, 0, "words");
        stage.executions.on_started(box, std::chrono::milliseconds(1), wire::Level::cold);
        stage.end(box);
        REQUIRE(ears.all<Started>().size() == 1);
        CHECK(std::holds_alternative<Started>(ears.events.front()));
        CHECK(std::holds_alternative<Finished>(ears.events.back()));
    }
}

TEST_CASE("a step that a warm interpreter can take is marked for the keeper", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.compiled_job();
    job.steps[0].usual = true;
    (void)stage.executions.submit(client, std::move(job));
    const auto compile = stage.boxes.last();
    CHECK(stage.boxes.boxes.at(compile).start.frame.flags == wire::kFlagUsual);
    stage.end(compile);
    CHECK(stage.boxes.boxes.at(stage.boxes.last()).start.frame.flags == 0);
}

TEST_CASE("an output message holds at most 32 KiB", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.job("s", true);
    job.steps[0].limits.output_bytes = 1 << 20;
    (void)stage.executions.submit(client, std::move(job));
    stage.executions.on_output(stage.boxes.last(), 0, std::string(65536 + 1, 'x'));
    const auto outputs = ears.all<Output>();
    REQUIRE(outputs.size() == 3);
    CHECK(outputs[0].data.size() == 32768);
    CHECK(outputs[2].data.size() == 1);
}

TEST_CASE("a compiled run passes its artifact on and releases it", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.compiled_job("c", true);
    job.input = "in";
    (void)stage.executions.submit(client, std::move(job));
    const auto compile = stage.boxes.last();
    CHECK(stage.boxes.boxes.at(compile).start.frame.stage == wire::Stage::compile);
    CHECK(stage.boxes.boxes.at(compile).input.empty());
    stage.executions.on_output(compile, 1, "warning");
    CHECK(ears.all<Output>().empty()); // a compiler's words are not the program's
    stage.end(compile);
    const auto run = stage.boxes.last();
    REQUIRE(run != compile);
    CHECK(stage.boxes.boxes.at(run).start.frame.artifact == compile);
    CHECK(stage.boxes.boxes.at(run).input == "in");
    stage.end(run);
    const Result result = ears.all<Finished>().at(0).result;
    CHECK(result.verdict == Verdict::ok);
    REQUIRE(result.compile.has_value());
    CHECK(result.compile->success);
    CHECK(result.compile->error == "warning");
    CHECK(stage.boxes.log == std::vector<std::string>{"release " + std::to_string(compile)});
    CHECK(ears.all<StageBegan>().size() == 2);
}

TEST_CASE("files that were asked for come with the result, which waits for them", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.compiled_job("f");
    job.collect = {"a", "b"};
    job.collect_bytes = 100;
    (void)stage.executions.submit(client, std::move(job));
    const auto compile = stage.boxes.last();
    CHECK((stage.boxes.boxes.at(compile).start.frame.flags & wire::kFlagCollect) == 0);
    stage.end(compile);
    const auto run = stage.boxes.last();
    CHECK((stage.boxes.boxes.at(run).start.frame.flags & wire::kFlagCollect) != 0);
    const std::string stream = collection_of({"abc"});
    stage.executions.on_files(run, stream.substr(0, 10));
    Outcome outcome;
    outcome.ending.exit_code = 0;
    stage.executions.on_ended(run, outcome);
    for (const std::size_t output : {std::size_t{0}, std::size_t{1}})
        stage.executions.on_stream_end(run, output);
    CHECK(ears.all<Finished>().empty());
    stage.executions.on_files(run, stream.substr(10));
    stage.executions.on_stream_end(run, Executions::kFiles);
    const Finished finished = ears.all<Finished>().at(0);
    REQUIRE(finished.result.files.size() == 2);
    CHECK(finished.result.files[0].path == "a");
    CHECK(finished.result.files[0].file.content == "abc");
    CHECK(finished.result.files[1].file.state == isolate::Collected::not_collected);
    const std::string text = result_text(finished);
    CHECK(text.find(R"("files":[{"path":"a","content":"abc","encoding":"utf8","bytes":3},)"
                    R"({"path":"b","error":"not_collected"}])") != std::string::npos);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a compile that fails is the answer", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.compiled_job());
    const auto compile = stage.boxes.last();
    stage.executions.on_output(compile, 1, "main.c:1: error\n");
    stage.end(compile, 1);
    Result result = ears.all<Finished>().at(0).result;
    CHECK(result.verdict == Verdict::compile_error);
    CHECK(result.error == "main.c:1: error\n");
    CHECK(stage.boxes.order.size() == 1);
    CHECK(stage.executions.is_idle());

    (void)stage.executions.submit(client, stage.compiled_job());
    Outcome outcome;
    outcome.ending.killed_for = Verdict::memory_limit;
    stage.end_as(stage.boxes.last(), outcome);
    result = ears.all<Finished>().at(1).result;
    CHECK(result.verdict == Verdict::compile_error);
    CHECK(result.reason.starts_with("The compiler was ended: it needed more than"));
    CHECK(result.compile->error == result.reason);
}

TEST_CASE("cancelling ends a waiting run at once and a running one by its box", "[front]") {
    Stage stage(bounds_with(1));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("a"));
    (void)stage.executions.submit(client, stage.job("b"));
    CHECK_FALSE(stage.executions.cancel(client, by_id("b")).has_value());
    CHECK(ears.all<Finished>().at(0).result.verdict == Verdict::cancelled);
    CHECK(ears.all<Finished>().at(0).run.id == "b");
    CHECK_FALSE(stage.executions.cancel(client, by_id("a")).has_value());
    CHECK_FALSE(stage.executions.cancel(client, by_id("a")).has_value());
    CHECK(stage.boxes.log.size() == 1);
    Outcome outcome;
    outcome.ending.killed_for = Verdict::cancelled;
    stage.end_as(stage.boxes.last(), outcome);
    CHECK(ears.all<Finished>().at(1).result.verdict == Verdict::cancelled);
    CHECK(stage.executions.cancel(client, by_id("a"))->code == "no_such_run");
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a cancel that comes as the compiler succeeds starts no program", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.compiled_job("a"));
    const auto compile = stage.boxes.last();
    CHECK_FALSE(stage.executions.cancel(client, by_id("a")).has_value());
    stage.end(compile);
    CHECK(stage.boxes.order.size() == 1);
    CHECK(ears.all<Finished>().at(0).result.verdict == Verdict::cancelled);
    CHECK(stage.boxes.logged("release " + std::to_string(compile)));
}

TEST_CASE("when a client goes its runs are killed, its queue dropped, and it hears nothing more",
          "[front]") {
    Stage stage(bounds_with(2));
    Ears ears;
    Ears other;
    const ClientId client = stage.executions.open_client(ears);
    const ClientId second = stage.executions.open_client(other);
    (void)stage.executions.submit(client, stage.compiled_job("a"));
    (void)stage.executions.submit(client, stage.job("b", true));
    (void)stage.executions.submit(client, stage.job("c"));
    (void)stage.executions.submit(second, stage.job("d"));
    const std::size_t heard = ears.events.size();
    const auto boxes = stage.boxes.order;
    stage.executions.close_client(client);
    stage.executions.close_client(client);
    CHECK(stage.boxes.boxes.at(boxes[0]).killed);
    CHECK(stage.boxes.boxes.at(boxes[1]).killed);
    stage.executions.on_output(boxes[1], 0, "late");
    stage.end(boxes[0]);
    stage.end(boxes[1]);
    CHECK(ears.events.size() == heard);
    CHECK(stage.boxes.logged("release " + std::to_string(boxes[0])));
    stage.end(stage.boxes.last());
    CHECK(other.all<Finished>().size() == 1);
    CHECK(stage.executions.is_idle());
    CHECK(stage.boxes.order.size() == 3);
}

TEST_CASE("a client may leave in the middle of any event", "[front]") {
    for (std::size_t at = 1; at < 6; ++at) {
        Stage stage;
        Ears ears;
        const ClientId client = stage.executions.open_client(ears);
        std::size_t heard = 0;
        ears.react = [&](const Event&) {
            if (++heard == at) stage.executions.close_client(client);
        };
        (void)stage.executions.submit(client, stage.compiled_job("a", true));
        while (!stage.boxes.boxes.empty()) {
            const auto box = stage.boxes.boxes.begin()->first;
            stage.executions.on_output(box, 0, std::string(100, 'x'));
            stage.end(box);
        }
        CHECK(heard == std::min<std::size_t>(at, 5)); // started, two stages, output, result
        CHECK(stage.executions.is_idle());
    }
}

TEST_CASE("streams that cannot be made are one error, and the queue goes on", "[front]") {
    Stage stage(bounds_with(1));
    stage.boxes.fails_as_a_library = GENERATE(false, true);
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    stage.boxes.fail_next_start = true;
    REQUIRE(accepted(stage.executions.submit(client, stage.job("a"))));
    REQUIRE(ears.all<Refused>().size() == 1);
    CHECK(ears.all<Refused>()[0].refusal.code == "busy");
    CHECK(ears.all<Refused>()[0].refusal.id == "a");
    CHECK(stage.executions.is_idle());
    // The same in the middle of a compiled run: the artifact does not stay behind.
    (void)stage.executions.submit(client, stage.compiled_job("b"));
    const auto compile = stage.boxes.last();
    stage.boxes.fail_next_start = true;
    stage.end(compile);
    CHECK(ears.all<Refused>().size() == 2);
    CHECK(stage.boxes.logged("release " + std::to_string(compile)));
    CHECK(stage.executions.is_idle());
}

TEST_CASE(
    "input reaches an interactive run, waits for its start, and is refused whole beyond its bound",
    "[front]") {
    Executions::Bounds bounds = bounds_with(1);
    bounds.input_bytes = 10;
    Stage stage(bounds);
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.compiled_job("a");
    job.input = "given ";
    job.input_open = true;
    (void)stage.executions.submit(client, std::move(job));
    CHECK_FALSE(stage.executions.input(client, by_id("a"), "early", false).has_value());
    CHECK(stage.executions.input(client, by_id("a"), "123456", false)->code == "too_large");
    CHECK_FALSE(stage.executions.input(client, by_id("a"), "12345", false).has_value());
    stage.end(stage.boxes.last());
    const auto box = stage.boxes.last();
    CHECK(stage.boxes.boxes.at(box).input == "given early12345");
    CHECK_FALSE(stage.boxes.boxes.at(box).input_closed);
    CHECK(stage.executions.input(client, by_id("a"), "x", false)->code == "too_large");
    stage.boxes.boxes.at(box).input.clear(); // the program has read it
    CHECK(stage.executions.input(client, by_id("a"), std::string(11, 'x'), true)->code ==
          "too_large");
    CHECK_FALSE(stage.boxes.boxes.at(box).input_closed); // refused whole, its eof too
    CHECK_FALSE(stage.executions.input(client, by_id("a"), std::string(10, 'x'), true).has_value());
    CHECK(stage.boxes.boxes.at(box).input_closed);
    CHECK(stage.executions.input(client, by_id("a"), "y", false)->code == "bad_message");
}

TEST_CASE("a run that was not opened for input takes none", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("a"));
    CHECK(stage.executions.input(client, by_id("a"), "x", false)->code == "bad_message");
    CHECK(stage.executions.resize(client, by_id("a"), 1, 1)->code == "bad_message");
}

TEST_CASE("signals reach the program; before there is one, those that end it cancel", "[front]") {
    Stage stage(bounds_with(1));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("a"));
    const auto box = stage.boxes.last();
    CHECK_FALSE(stage.executions.signal(client, by_id("a"), SIGUSR1).has_value());
    CHECK(stage.boxes.logged("signal " + std::to_string(box) + " " + std::to_string(SIGUSR1)));
    (void)stage.executions.submit(client, stage.job("b"));
    CHECK(stage.executions.signal(client, by_id("b"), SIGUSR1)->code == "bad_message");
    CHECK_FALSE(stage.executions.signal(client, by_id("b"), SIGINT).has_value());
    CHECK(ears.all<Finished>().at(0).result.verdict == Verdict::cancelled);
}

TEST_CASE("a terminal is one stream and takes its size", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.job("t", true);
    job.terminal = true;
    job.input_open = true;
    job.columns = 91;
    (void)stage.executions.submit(client, std::move(job));
    const auto box = stage.boxes.last();
    CHECK(stage.boxes.boxes.at(box).start.frame.flags == wire::kFlagLive);
    CHECK(stage.boxes.boxes.at(box).start.columns == 91);
    CHECK_FALSE(stage.executions.resize(client, by_id("t"), 10, 5).has_value());
    CHECK(stage.boxes.logged("resize " + std::to_string(box) + " 10x5"));
    CHECK_FALSE(stage.executions.input(client, by_id("t"), "", true).has_value());
    CHECK_FALSE(stage.executions.input(client, by_id("t"), "still open", false).has_value());
    stage.executions.on_output(box, 0, "screen");
    stage.end(box);
    CHECK(ears.all<Output>().at(0).stream == "tty");
    CHECK(ears.all<Finished>().size() == 1);
}

TEST_CASE("a run belongs to its connection", "[front]") {
    Stage stage;
    Ears ears;
    Ears other;
    const ClientId client = stage.executions.open_client(ears);
    const ClientId stranger = stage.executions.open_client(other);
    RunName name;
    name.run_id = std::get<std::string>(stage.executions.submit(client, stage.job("a")));
    CHECK(stage.executions.cancel(stranger, name)->code == "no_such_run");
    CHECK(stage.executions.input(stranger, name, "x", false)->code == "no_such_run");
    CHECK(stage.executions.signal(stranger, by_id("a"), SIGKILL)->code == "no_such_run");
    CHECK(stage.boxes.log.empty());
}

TEST_CASE("a slow client's streams pause, its results wait, and its share stays taken", "[front]") {
    Stage stage(bounds_with(20));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    for (int i = 0; i < 6; ++i)
        (void)stage.executions.submit(client, stage.job(std::to_string(i), i == 0));
    const auto boxes = stage.boxes.order;
    REQUIRE(boxes.size() == 4);
    stage.executions.set_congested(client, true);
    CHECK(stage.boxes.boxes.at(boxes[0]).paused);
    CHECK_FALSE(stage.boxes.boxes.at(boxes[1]).paused);
    const std::size_t heard = ears.events.size();
    stage.end(boxes[1]);
    stage.end(boxes[2]);
    CHECK(ears.events.size() == heard);
    CHECK(stage.boxes.order.size() == 4); // unread results are not traded for new runs
    CHECK_FALSE(stage.executions.is_idle());
    stage.executions.set_congested(client, false);
    CHECK_FALSE(stage.boxes.boxes.at(boxes[0]).paused);
    CHECK(ears.all<Finished>().size() == 2);
    CHECK(stage.boxes.order.size() == 6);
}

TEST_CASE("an ended run is drained even for a slow client", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("a", true));
    const auto box = stage.boxes.last();
    stage.executions.set_congested(client, true);
    stage.executions.on_ended(box, {.ending = {.exit_code = 0}, .usage = {}});
    CHECK_FALSE(stage.boxes.boxes.at(box).paused);
}

TEST_CASE("results that a client takes one by one come one by one", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    ears.react = [&](const Event&) { stage.executions.set_congested(client, true); };
    stage.executions.set_boxes(4);
    for (int i = 0; i < 4; ++i) (void)stage.executions.submit(client, stage.job());
    while (!stage.boxes.boxes.empty()) stage.end(stage.boxes.boxes.begin()->first);
    for (std::size_t i = 1; i <= 4; ++i) {
        CHECK(ears.all<Finished>().size() == i);
        stage.executions.set_congested(client, false);
    }
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a stopping service answers what waits, finishes what runs, takes nothing new",
          "[front]") {
    Stage stage(bounds_with(1));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job("a"));
    (void)stage.executions.submit(client, stage.job("b"));
    int idle = 0;
    stage.executions.when_idle([&] { ++idle; });
    stage.executions.drain();
    REQUIRE(ears.all<Refused>().size() == 1);
    CHECK(ears.all<Refused>()[0].refusal.id == "b");
    CHECK_FALSE(accepted(stage.executions.submit(client, stage.job("c"))));
    CHECK(idle == 0);
    stage.executions.cancel_all();
    CHECK(stage.boxes.log.size() == 1);
    Outcome outcome;
    outcome.ending.killed_for = Verdict::cancelled;
    stage.end_as(stage.boxes.last(), outcome);
    CHECK(ears.all<Finished>().at(0).result.reason.find("stopping") != std::string::npos);
    CHECK(idle >= 1);
}

TEST_CASE("each ending has its sentence", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    const auto reason = [&](const Outcome& outcome) {
        (void)stage.executions.submit(client, stage.job());
        stage.end_as(stage.boxes.last(), outcome);
        return ears.all<Finished>().back().result.reason;
    };
    Outcome outcome;
    outcome.ending.killed_for = Verdict::time_limit;
    CHECK(reason(outcome) == "The program was ended: it used its 10 s of processor time.");
    outcome.ending.killed_for = Verdict::wall_limit;
    CHECK(reason(outcome) == "The program was ended: it ran for its 10 s.");
    outcome.ending.killed_for = Verdict::memory_limit;
    CHECK(reason(outcome) == "The program was ended: it needed more than its 128 MiB of memory.");
    outcome.ending.killed_for = Verdict::forbidden_syscall;
    outcome.ending.forbidden_syscall = 101;
    CHECK(reason(outcome) == "The program was ended: it called ptrace, which is forbidden here.");
    outcome.ending.forbidden_syscall = -1;
    CHECK(reason(outcome).find("foreign ABI") != std::string::npos);
    outcome = {};
    outcome.ending.signal = SIGSEGV;
    CHECK(reason(outcome) ==
          "The program was ended by SIGSEGV (it touched memory that it does not own).");
    outcome = {};
    outcome.ending.failed_step = cloister::isolate::Step::mount_proc;
    outcome.ending.error = EPERM;
    CHECK(reason(outcome) ==
          "The box could not be made: step mount_proc failed (Operation not permitted).");
    outcome = {};
    outcome.usage.forks_refused = 1;
    outcome.ending.exit_code = 1;
    CHECK(reason(outcome).find("64 at one time") != std::string::npos);
}
