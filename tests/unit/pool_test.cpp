// The pool's decisions, with a clock of the test's own.
#include "daemon/keeper/pool.h"

#include <catch2/catch.hpp>

namespace cloister::keeper {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;
const Shape kPython{.runtime = 1, .stage = wire::Stage::run, .policy = 0, .warm = true};
const Shape kNode{.runtime = 2, .stage = wire::Stage::run, .policy = 0, .warm = true};
const Shape kPlain{.runtime = 3, .stage = wire::Stage::run, .policy = 0};

/// Follows the pool's advice until it has none, at once.
struct Fixture {
    Pool pool;
    Pool::Stocks stocks{};
    Clock::time_point now{1h};
    int given_up = 0;
    std::uint64_t memory_each = 5 * kMiB;

    explicit Fixture(Pool::Bounds bounds) : pool(bounds) {}

    void settle() {
        for (int turn = 0; turn < 1000; ++turn) {
            const auto advice = pool.advice(stocks, now);
            if (!advice) return;
            Pool::Stock& stock = stocks[advice->shape];
            if (advice->make) {
                ++stock.boxes;
                stock.memory += memory_each;
                pool.made(advice->shape, memory_each);
            } else {
                REQUIRE(stock.boxes > 0);
                --stock.boxes;
                stock.memory -= memory_each;
                ++given_up;
            }
        }
        FAIL("the pool never comes to rest");
    }
    std::uint32_t have(const Shape& shape) const {
        const auto found = stocks.find(shape);
        return found == stocks.end() ? 0 : found->second.boxes;
    }
    std::uint32_t all() const {
        std::uint32_t sum = 0;
        for (const auto& [shape, stock] : stocks) sum += stock.boxes;
        return sum;
    }
    void ask(const Shape& shape, int times = 1) {
        for (int i = 0; i < times; ++i) pool.asked(shape, now);
    }
};

} // namespace

TEST_CASE("a pool keeps one of what is expected before anybody asks") {
    Fixture fixture({.boxes = 8, .warm = 4, .memory = 512 * kMiB});
    fixture.pool.expect(kPython);
    fixture.pool.expect(kPlain);
    fixture.settle();
    CHECK(fixture.have(kPython) == 1);
    CHECK(fixture.have(kPlain) == 1);
    fixture.now += 24h;
    fixture.settle();
    CHECK(fixture.all() == 2);
}

TEST_CASE("a burst makes a pool deeper, and silence makes it shallower again") {
    Fixture fixture({.boxes = 16, .warm = 8, .memory = 512 * kMiB});
    fixture.ask(kPython, 5);
    fixture.settle();
    CHECK(fixture.have(kPython) == 5);
    fixture.now += 45s;
    fixture.settle();
    CHECK(fixture.have(kPython) == 3);
    fixture.now += 5min;
    fixture.settle();
    CHECK(fixture.have(kPython) == 1);
    fixture.now += 1h;
    fixture.settle();
    CHECK(fixture.have(kPython) == 0);
}

TEST_CASE("requests one after the other need one box, however many they are") {
    Fixture fixture({.boxes = 16, .warm = 8, .memory = 512 * kMiB});
    for (int i = 0; i < 100; ++i) {
        fixture.ask(kPython);
        fixture.now += 400ms;
    }
    fixture.settle();
    CHECK(fixture.have(kPython) == 1);
}

TEST_CASE("a pool stays within its bounds") {
    const auto [boxes, warm, memory, expected] =
        GENERATE(table<std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t>(
            {{6, 8, 512 * kMiB, 6},  // number of boxes
             {16, 3, 512 * kMiB, 3}, // of warm ones
             {16, 8, 22 * kMiB, 4},  // memory: four of 5 MiB
             {0, 8, 512 * kMiB, 0},
             {16, 0, 512 * kMiB, 0},
             {16, 8, 0, 0}}));
    Fixture fixture({.boxes = boxes, .warm = warm, .memory = memory});
    fixture.ask(kPython, 1); // its size becomes known
    fixture.settle();
    fixture.ask(kPython, 50);
    fixture.settle();
    CHECK(fixture.all() == expected);
}

TEST_CASE("in a full pool what was asked for longest ago gives way") {
    Fixture fixture({.boxes = 4, .warm = 4, .memory = 512 * kMiB});
    fixture.ask(kNode, 4);
    fixture.settle();
    REQUIRE(fixture.have(kNode) == 4);
    fixture.now += 1s;
    fixture.ask(kPython, 2);
    fixture.settle();
    CHECK(fixture.have(kPython) == 0); // not at once: the two would take turns
    fixture.now += 10s;
    fixture.ask(kPython, 2);
    fixture.settle();
    CHECK(fixture.have(kPython) == 2);
    CHECK(fixture.have(kNode) == 2);
    CHECK(fixture.given_up == 2);
}

TEST_CASE("a shape that cannot be made is left alone for a while") {
    Fixture fixture({.boxes = 4, .warm = 4, .memory = 512 * kMiB});
    fixture.ask(kPython);
    for (int i = 0; i < 3; ++i) {
        const auto advice = fixture.pool.advice({}, fixture.now);
        REQUIRE(advice);
        CHECK(advice->make);
        fixture.pool.failed(kPython, fixture.now);
    }
    CHECK_FALSE(fixture.pool.advice({}, fixture.now));
    fixture.now += 6min;
    CHECK(fixture.pool.advice({}, fixture.now));
}

} // namespace cloister::keeper
