// Promises of programs that talk with each other: all of a group have their places or none has,
// whatever else waits; they are begun together and connected; what passes is counted, and kept as
// far as it was asked for; one that cannot begin ends them all, and so does their client.
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::isolate::Outcome;
namespace wire = cloister::wire;

namespace {

/// `size` programs, each of which talks to the next one.
Executions::Group chain(Stage& stage, std::size_t size, const std::string& name = "g") {
    Executions::Group group;
    for (std::size_t i = 0; i < size; ++i) {
        group.jobs.push_back(stage.job(name + std::to_string(i)));
        if (i > 0) group.wires.push_back({.from = i - 1, .stream = 0, .to = i, .record = 0});
    }
    return group;
}

void end_well(Stage& stage, std::uint64_t box) {
    Outcome outcome;
    outcome.ending.exit_code = 0;
    outcome.ended_at = std::chrono::milliseconds(1);
    stage.end_as(box, outcome);
}

std::size_t cancelled(const Ears& ears) {
    const auto all = ears.all<Finished>();
    return static_cast<std::size_t>(std::ranges::count_if(all, [](const Finished& one) {
        return one.result.verdict == cloister::isolate::Verdict::cancelled;
    }));
}

} // namespace

TEST_CASE("programs that talk are begun together and connected, each stream to its input",
          "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Executions::Group group = chain(stage, 3);
    group.wires.push_back({.from = 2, .stream = 1, .to = 0, .record = 0}); // a ring, by stderr
    const auto begun = stage.executions.submit_group(client, std::move(group));
    REQUIRE(accepted(begun));
    REQUIRE(stage.boxes.order.size() == 3);
    CHECK(stage.boxes.log ==
          std::vector<std::string>{"connect 1 2", "connect 2 3", "connect 3 1 of stderr"});
    for (const auto& [number, box] : stage.boxes.boxes) {
        CHECK_FALSE(box.input_closed);
        CHECK((box.start.frame.flags & wire::kFlagTalks) != 0);
    }
    for (const std::uint64_t box : {2U, 1U, 3U}) end_well(stage, box);
    CHECK(ears.all<Finished>().size() == 3);
    CHECK(cancelled(ears) == 0);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a group waits for all its places, and those that come free stay free for it",
          "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    Ears singles;
    const ClientId first = stage.executions.open_client(singles);
    const ClientId second = stage.executions.open_client(ears);
    for (int i = 0; i < 2; ++i) REQUIRE(accepted(stage.executions.submit(first, stage.job())));
    REQUIRE(accepted(stage.executions.submit_group(second, chain(stage, 3))));
    for (int i = 0; i < 2; ++i) REQUIRE(accepted(stage.executions.submit(first, stage.job())));
    CHECK(stage.executions.running() == 2); // one place is free, for a third of the group
    end_well(stage, 1);
    CHECK(stage.executions.running() == 1);
    end_well(stage, 2);
    CHECK(stage.executions.running() == 3);
    CHECK(stage.boxes.logged("connect 3 4"));
    while (!stage.boxes.boxes.empty()) end_well(stage, stage.boxes.boxes.begin()->first);
    CHECK(ears.all<Finished>().size() == 3);
    CHECK(singles.all<Finished>().size() == 4);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("groups that need all boxes never hold some each and wait for others", "[front]") {
    const std::size_t boxes = 8;
    Stage stage(bounds_with(boxes));
    std::vector<std::unique_ptr<Ears>> ears;
    std::size_t programs = 0;
    for (std::size_t i = 0; i < 12; ++i) {
        ears.push_back(std::make_unique<Ears>());
        const ClientId client = stage.executions.open_client(*ears.back());
        for (const std::size_t size : {2 + i % 7, std::size_t{8}}) {
            REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, size))));
            programs += size;
        }
        REQUIRE(accepted(stage.executions.submit(client, stage.job())));
        ++programs;
    }
    for (std::size_t round = 0; !stage.boxes.boxes.empty() && round < 1000; ++round) {
        // In no order in particular.
        auto next = stage.boxes.boxes.begin();
        std::advance(next, round * 5 % stage.boxes.boxes.size());
        end_well(stage, next->first);
    }
    std::size_t answered = 0;
    for (const auto& one : ears) answered += one->all<Finished>().size() - cancelled(*one);
    CHECK(answered == programs);
    CHECK(stage.boxes.most <= boxes);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a group that is larger than the server is refused at once", "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    const auto refused = stage.executions.submit_group(client, chain(stage, 4));
    REQUIRE_FALSE(accepted(refused));
    CHECK(std::get<Refusal>(refused).code == "runtime_unavailable");
    CHECK(std::get<Refusal>(refused).message ==
          "4 boxes at one time are needed, and this server has 3.");
    CHECK(ears.events.empty());
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a group above its client's share has its turn when nothing else of the client runs",
          "[front]") {
    Executions::Bounds bounds = bounds_with(8);
    bounds.runs_per_client = 2;
    Stage stage(bounds);
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    REQUIRE(accepted(stage.executions.submit(client, stage.job())));
    REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, 4))));
    CHECK(stage.executions.running() == 1);
    end_well(stage, 1);
    CHECK(stage.executions.running() == 4);
    REQUIRE(accepted(stage.executions.submit(client, stage.job())));
    for (const std::uint64_t box : {2U, 3U}) end_well(stage, box);
    CHECK(stage.executions.running() == 2);
    end_well(stage, 4);
    CHECK(stage.executions.running() == 2); // the single one, too
    while (!stage.boxes.boxes.empty()) end_well(stage, stage.boxes.boxes.begin()->first);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("one of a group that can have no box, or does not compile, ends it", "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    SECTION("no box") {
        stage.boxes.fail_next_start = true;
        REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, 3))));
        CHECK(ears.all<Refused>().size() == 1);
        CHECK(stage.boxes.boxes.empty());
        CHECK(cancelled(ears) == 2);
    }
    SECTION("no program") {
        Executions::Group group = chain(stage, 3);
        group.jobs[1] = stage.compiled_job("bad");
        const auto begun = stage.executions.submit_group(client, std::move(group));
        REQUIRE(accepted(begun));
        REQUIRE(stage.boxes.boxes.size() == 1); // the compiler; the others wait, in no box
        stage.end(1, 1);
        CHECK(ears.all<Finished>().size() == 3);
        CHECK(cancelled(ears) == 2);
    }
    CHECK(stage.boxes.boxes.empty());
    CHECK(stage.executions.is_idle());
}

TEST_CASE("one whose box failed ends the others where they stand or fall together", "[front]") {
    const bool together = GENERATE(true, false);
    Stage stage(bounds_with(3));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Executions::Group group = chain(stage, 3);
    group.stands_or_falls = together;
    const auto begun = stage.executions.submit_group(client, std::move(group));
    REQUIRE(accepted(begun));
    end_well(stage, 3); // one that ends well, or ill, ends nobody
    CHECK_FALSE(stage.boxes.boxes.at(1).killed);
    Outcome never;
    never.ending.failed_step = cloister::isolate::Step::start_program;
    stage.end_as(2, never);
    CHECK(stage.boxes.boxes.at(1).killed == together);
    end_well(stage, 1);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("of what passes is kept what was asked for, and all of it counts", "[front]") {
    Stage stage(bounds_with(2));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Executions::Group group = chain(stage, 2);
    group.wires[0].record = 5;
    const auto begun = stage.executions.submit_group(client, std::move(group));
    REQUIRE(accepted(begun));
    stage.executions.on_output(1, 0, "abc");
    stage.executions.on_output(1, 0, "defg");
    stage.executions.on_output(1, 1, "why");
    SECTION("its own result") {
        end_well(stage, 1);
        const Finished said = ears.all<Finished>().at(0);
        CHECK(said.result.output == "abcde");
        CHECK(said.result.error == "why");
        CHECK(said.result.output_dropped == 0);
    }
    SECTION("above the limit") {
        stage.executions.on_output(1, 0, std::string(994, 'x'));
        CHECK(stage.boxes.logged("kill 1 output_limit"));
        end_well(stage, 1);
        CHECK(ears.all<Finished>().at(0).result.output == "abcde");
    }
    SECTION("when nobody listens any more it is recorded, and does not count") {
        end_well(stage, 2);
        stage.executions.on_output(1, 0, std::string(5000, 'x'));
        CHECK_FALSE(stage.boxes.boxes.at(1).killed);
        end_well(stage, 1);
        CHECK(ears.all<Finished>().at(1).result.output == "abcde");
    }
    while (!stage.boxes.boxes.empty()) end_well(stage, stage.boxes.boxes.begin()->first);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a record is never more than the speaker may print", "[front]") {
    Stage stage(bounds_with(2));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    Executions::Group group = chain(stage, 2);
    group.wires[0].record = ~std::uint64_t{0};
    const auto begun = stage.executions.submit_group(client, std::move(group));
    REQUIRE(accepted(begun));
    for (int i = 0; i < 3; ++i) stage.executions.on_output(1, 0, std::string(900, 'x'));
    while (!stage.boxes.boxes.empty()) end_well(stage, stage.boxes.boxes.begin()->first);
    CHECK(ears.all<Finished>().at(0).result.output.size() == 1000);
}

TEST_CASE("a client that leaves ends its group, wherever that is", "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    Ears others;
    const ClientId client = stage.executions.open_client(ears);
    const ClientId other = stage.executions.open_client(others);
    SECTION("under way") {
        REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, 3))));
        stage.executions.close_client(client);
        for (const auto& [number, box] : stage.boxes.boxes) CHECK(box.killed);
        while (!stage.boxes.boxes.empty()) end_well(stage, stage.boxes.boxes.begin()->first);
    }
    SECTION("in the queue") {
        REQUIRE(accepted(stage.executions.submit(other, stage.job())));
        REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, 3))));
        REQUIRE(accepted(stage.executions.submit(other, stage.job())));
        CHECK(stage.executions.running() == 1);
        stage.executions.close_client(client);
        end_well(stage, 1);
        CHECK(stage.executions.running() == 1); // the place is nobody's any more
        end_well(stage, 2);
    }
    CHECK(ears.events.empty());
    CHECK(stage.executions.is_idle());
}

TEST_CASE("a group that is cancelled in the queue is answered whole", "[front]") {
    Stage stage(bounds_with(3));
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    REQUIRE(accepted(stage.executions.submit(client, stage.job())));
    REQUIRE(accepted(stage.executions.submit_group(client, chain(stage, 3))));
    const bool drained = GENERATE(true, false);
    if (drained) {
        stage.executions.drain();
        CHECK(ears.all<Refused>().size() == 3);
    } else {
        RunName run;
        run.id = "g0";
        CHECK_FALSE(stage.executions.cancel(client, run));
        CHECK(cancelled(ears) == 3);
    }
    end_well(stage, 1);
    CHECK(stage.executions.is_idle());
}
