// A million edits by virtual clients on bad lines leave one text. Another seed each time; a failing
// plan is saved beside the tests and done again by `rooms_simulator --replay`.
#include "tests/rooms/simulator.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>

using namespace cloister::rooms::simulation;

namespace {

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text == nullptr ? otherwise : std::stoull(text);
}

} // namespace

TEST_CASE("virtual clients on bad lines end with one text", "[rooms][simulator]") {
    const std::uint64_t edits = number_in("CLOISTER_ROOMS_EDITS", 1'000'000);
    const std::uint64_t seed = number_in("CLOISTER_ROOMS_SEED", std::random_device{}());
    std::cout << "rooms simulator: seed " << seed << std::endl;
    Counts counts;
    for (std::uint64_t i = 0; counts.edits < edits; ++i) {
        const Plan plan = make_plan(seed + i, i % 10 == 0 ? 2'000 : 60);
        const std::string failure = run(plan, counts);
        if (failure.empty()) continue;
        std::ofstream file("rooms-failed.plan");
        save(shrunk(plan), file);
        FAIL("seed " << seed << ", run " << i << ": " << failure
                     << "; rooms_simulator --replay rooms-failed.plan");
    }
    // Every kind of trouble was there.
    CHECK(counts.drops > 0);
    CHECK(counts.restarts > 0);
    CHECK(counts.resumed > 0);
    CHECK(counts.again > 0);
    CHECK(counts.hashes > 0);
    std::cout << "rooms simulator: " << counts.runs << " runs, " << counts.edits << " edits, "
              << counts.drops << " drops, " << counts.restarts << " restarts\n";
}

TEST_CASE("a plan of the simulator is the same after it was saved", "[rooms][simulator]") {
    const Plan plan = make_plan(7, 50);
    std::stringstream file;
    save(plan, file);
    const Plan again = load(file);
    REQUIRE(again.steps.size() == plan.steps.size());
    Counts first;
    Counts second;
    CHECK(run(plan, first) == run(again, second));
    CHECK(first.edits == second.edits);
    CHECK(first.hashes == second.hashes);
    std::stringstream cut(file.str().substr(0, file.str().size() / 2));
    CHECK_THROWS(load(cut));
}
