// Promises of the queue: clients take turns, and its bounds are reached, answered and kept.
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;

TEST_CASE("no more boxes run than the keeper has, and no more of a client than its share",
          "[front]") {
    Stage stage(bounds_with(6));
    Ears one;
    Ears two;
    const ClientId first = stage.executions.open_client(one);
    const ClientId second = stage.executions.open_client(two);
    for (int i = 0; i < 8; ++i) REQUIRE(accepted(stage.executions.submit(first, stage.job())));
    CHECK(stage.executions.running() == 4);
    for (int i = 0; i < 8; ++i) REQUIRE(accepted(stage.executions.submit(second, stage.job())));
    CHECK(stage.executions.running() == 6);
    while (!stage.boxes.boxes.empty()) stage.end(stage.boxes.boxes.begin()->first);
    CHECK(one.all<Finished>().size() == 8);
    CHECK(two.all<Finished>().size() == 8);
    CHECK(stage.boxes.most == 6);
    CHECK(stage.executions.is_idle());
}

TEST_CASE("clients take turns: a newcomer waits for one run, not for a queue", "[front]") {
    Stage stage(bounds_with(1));
    Ears greedy;
    Ears small;
    const ClientId first = stage.executions.open_client(greedy);
    const ClientId second = stage.executions.open_client(small);
    for (int i = 0; i < 10; ++i) (void)stage.executions.submit(first, stage.job());
    (void)stage.executions.submit(second, stage.job());
    stage.end(stage.boxes.last());
    stage.end(stage.boxes.last());
    stage.end(stage.boxes.last());
    CHECK(small.all<Finished>().size() == 1);
    CHECK(greedy.all<Finished>().size() == 2);
}

TEST_CASE("full queues answer busy and take nothing", "[front]") {
    Executions::Bounds bounds = bounds_with(1);
    bounds.queue = 20;
    Stage stage(bounds);
    Ears ears;
    const ClientId first = stage.executions.open_client(ears);
    for (int i = 0; i < 17; ++i) REQUIRE(accepted(stage.executions.submit(first, stage.job())));
    const auto refused = stage.executions.submit(first, stage.job("late"));
    REQUIRE_FALSE(accepted(refused));
    CHECK(std::get<Refusal>(refused).code == "busy");
    CHECK(std::get<Refusal>(refused).id == "late");
    CHECK(std::get<Refusal>(refused).retry_after.count() > 0);
    const ClientId second = stage.executions.open_client(ears);
    for (int i = 0; i < 4; ++i) REQUIRE(accepted(stage.executions.submit(second, stage.job())));
    CHECK_FALSE(accepted(stage.executions.submit(second, stage.job())));
    CHECK(stage.executions.waiting() == 20);
}

TEST_CASE("waiting sources are bounded in bytes", "[front]") {
    Executions::Bounds bounds = bounds_with(1);
    bounds.queue_bytes = 1000;
    Stage stage(bounds);
    Ears ears;
    const ClientId client = stage.executions.open_client(ears);
    (void)stage.executions.submit(client, stage.job());
    Job large = stage.job();
    large.bundle = std::string(600, 'x');
    CHECK(accepted(stage.executions.submit(client, large)));
    CHECK_FALSE(accepted(stage.executions.submit(client, large)));
    stage.end(stage.boxes.last());
    CHECK(accepted(stage.executions.submit(client, large)));
}
