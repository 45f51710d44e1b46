// Promises to those who wait and watch: where in the queue a run is, and what it uses.
#include "daemon/front/replies.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
namespace wire = cloister::wire;

namespace {

std::vector<std::size_t> positions_of(const Ears& ears, const std::string& id) {
    std::vector<std::size_t> found;
    for (const Queued& queued : ears.all<Queued>()) {
        if (queued.run.id == id) found.push_back(queued.position);
    }
    return found;
}

wire::UsageFrame sample(std::uint64_t box) {
    return {.run_id = box, .wall_ns = 250'000'000, .cpu_ns = 120'000'000, .memory_bytes = 9 << 20};
}

} // namespace

TEST_CASE("who waits and watches is told where it stands, and when that changes", "[front]") {
    Stage stage(bounds_with(1));
    std::size_t moves = 0;
    stage.executions.when_queue_moves([&] { ++moves; });
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    REQUIRE(accepted(stage.executions.submit(client, stage.job("first", true))));
    CHECK(ears.all<Queued>().empty()); // it runs
    CHECK(moves == 0);
    REQUIRE(accepted(stage.executions.submit(client, stage.job("second", true))));
    REQUIRE(accepted(stage.executions.submit(client, stage.job("silent"))));
    REQUIRE(accepted(stage.executions.submit(client, stage.job("third", true))));
    CHECK(positions_of(ears, "second") == std::vector<std::size_t>{1});
    CHECK(positions_of(ears, "silent").empty()); // it did not ask to watch
    CHECK(positions_of(ears, "third") == std::vector<std::size_t>{3});
    CHECK(moves > 0);

    stage.executions.tell_positions(); // nothing is new
    CHECK(ears.all<Queued>().size() == 2);
    stage.end(stage.boxes.last());
    CHECK(ears.all<Queued>().size() == 2); // not before it is asked for
    stage.executions.tell_positions();
    CHECK(positions_of(ears, "second") == std::vector<std::size_t>{1});
    CHECK(positions_of(ears, "third") == (std::vector<std::size_t>{3, 2}));
}

TEST_CASE("positions follow the turns that clients take", "[front]") {
    Stage stage(bounds_with(1));
    Ears greedy;
    Ears modest;
    const ClientId many = stage.executions.open_client(greedy);
    const ClientId one = stage.executions.open_client(modest);
    for (const char* id : {"runs", "a", "b", "c"})
        REQUIRE(accepted(stage.executions.submit(many, stage.job(id, true))));
    REQUIRE(accepted(stage.executions.submit(one, stage.job("d", true))));
    CHECK(positions_of(modest, "d") == std::vector<std::size_t>{2});
    stage.executions.tell_positions();
    CHECK(positions_of(greedy, "a") == std::vector<std::size_t>{1});
    CHECK(positions_of(greedy, "b") == (std::vector<std::size_t>{2, 3}));
    CHECK(positions_of(greedy, "c") == (std::vector<std::size_t>{3, 4}));

    // What was said is what happens.
    std::vector<std::string> order;
    while (!stage.boxes.boxes.empty()) {
        const std::string bundle = stage.boxes.boxes.begin()->second.bundle;
        order.push_back(bundle.substr(bundle.rfind(' ') + 1));
        stage.end(stage.boxes.boxes.begin()->first);
    }
    CHECK(order == (std::vector<std::string>{"runs", "a", "d", "b", "c"}));
}

TEST_CASE("a run that leaves the queue moves the others up", "[front]") {
    Stage stage(bounds_with(1));
    std::size_t moves = 0;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    for (const char* id : {"runs", "a", "b"})
        REQUIRE(accepted(stage.executions.submit(client, stage.job(id, true))));
    stage.executions.when_queue_moves([&] { ++moves; });
    RunName name;
    name.id = "a";
    CHECK_FALSE(stage.executions.cancel(client, name));
    CHECK(moves > 0);
    stage.executions.tell_positions();
    CHECK(positions_of(ears, "b") == (std::vector<std::size_t>{2, 1}));
    CHECK(positions_of(ears, "a") == std::vector<std::size_t>{1});
}

TEST_CASE("a client that does not read is told where it stands once it does", "[front]") {
    Stage stage(bounds_with(1));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    REQUIRE(accepted(stage.executions.submit(client, stage.job("runs", true))));
    stage.executions.set_congested(client, true);
    REQUIRE(accepted(stage.executions.submit(client, stage.job("a", true))));
    stage.executions.tell_positions();
    CHECK(ears.all<Queued>().empty());
    stage.executions.set_congested(client, false);
    stage.executions.tell_positions();
    CHECK(positions_of(ears, "a") == std::vector<std::size_t>{1});
}

TEST_CASE("what a program uses is told to who asked, and to nobody else", "[front]") {
    Stage stage(bounds_with(2));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job asking = stage.job("asks", true);
    asking.usage = true;
    REQUIRE(accepted(stage.executions.submit(client, std::move(asking))));
    const auto box = stage.boxes.last();
    CHECK((stage.boxes.boxes.at(box).start.frame.flags & wire::kFlagUsage) != 0);
    REQUIRE(accepted(stage.executions.submit(client, stage.job("does not", true))));
    const auto other = stage.boxes.last();
    CHECK((stage.boxes.boxes.at(other).start.frame.flags & wire::kFlagUsage) == 0);

    stage.executions.on_started(box, std::chrono::milliseconds(1), wire::Level::cold);
    stage.executions.on_usage(sample(box));
    stage.executions.on_usage(sample(other));
    stage.executions.on_usage(sample(12345));
    REQUIRE(ears.all<UsageSample>().size() == 1);
    const Event event = ears.all<UsageSample>().front();
    CHECK(to_text(event) == R"({"type":"execution_usage","run_id":"r1","id":"asks",)"
                            R"("wall_time":0.25,"cpu_time":0.12,"memory":9437184})");

    stage.executions.set_congested(client, true);
    stage.executions.on_usage(sample(box));
    CHECK(ears.all<UsageSample>().size() == 1);
    stage.executions.set_congested(client, false);
    stage.executions.on_ended(box, {}); // its pipes still hold something
    stage.executions.on_usage(sample(box));
    CHECK(ears.all<UsageSample>().size() == 1);
}

TEST_CASE("a compiler's use is not the program's", "[front]") {
    Stage stage;
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Job job = stage.compiled_job("c", true);
    job.usage = true;
    REQUIRE(accepted(stage.executions.submit(client, std::move(job))));
    const auto compiler = stage.boxes.last();
    CHECK((stage.boxes.boxes.at(compiler).start.frame.flags & wire::kFlagUsage) == 0);
    stage.executions.on_usage(sample(compiler));
    stage.end(compiler);
    stage.executions.on_usage(sample(stage.boxes.last()));
    CHECK(ears.all<UsageSample>().size() == 1);
}

TEST_CASE("a position as a message", "[front]") {
    const Event event = Queued{{"r7", "mine"}, 3};
    CHECK(to_text(event) ==
          R"({"type":"execution_queued","run_id":"r7","id":"mine","position":3})");
}
