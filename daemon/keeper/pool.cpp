// Bursts make the pool deeper, silence makes it shallower.
#include "daemon/keeper/pool.h"

#include <algorithm>
#include <vector>

namespace cloister::keeper {
namespace {

/// What is asked for within this time could not have been made again in between.
constexpr std::chrono::milliseconds kBurst{300};
/// How long the depth that a burst needed is kept; then one box less for each such time.
constexpr std::chrono::seconds kDepthKept{20};
/// How long one box is kept of a shape that nobody asks for any more.
constexpr std::chrono::minutes kKept{10};
/// A shape gives way to another only when it was asked for this much earlier.
constexpr std::chrono::seconds kGiveWay{5};
constexpr std::uint32_t kMaxFailures = 3;
constexpr std::chrono::minutes kLeftAlone{5};
/// Before one was seen.
constexpr std::uint64_t kMemoryGuess = 1 << 20;
constexpr std::uint64_t kWarmMemoryGuess = 32 << 20;

} // namespace

void Pool::expect(const Shape& shape) { demands_[shape].expected = true; }

void Pool::asked(const Shape& shape, Clock::time_point now) {
    Demand& demand = demands_[shape];
    if (now - demand.burst > kBurst) {
        demand.burst = now;
        demand.in_burst = 0;
    }
    ++demand.in_burst;
    const std::uint32_t left = wanted(demand, now);
    if (demand.in_burst >= left) {
        demand.peak = demand.in_burst;
        demand.peak_at = now;
    }
    demand.last = now;
}

void Pool::made(const Shape& shape, std::uint64_t memory) {
    Demand& demand = demands_[shape];
    demand.memory = memory;
    demand.failures = 0;
}

void Pool::failed(const Shape& shape, Clock::time_point now) {
    Demand& demand = demands_[shape];
    ++demand.failures;
    demand.failed_at = now;
}

std::uint32_t Pool::wanted(const Demand& demand, Clock::time_point now) const {
    if (demand.failures >= kMaxFailures && now - demand.failed_at < kLeftAlone) return 0;
    const bool asked = demand.last != Clock::time_point{};
    if (!asked || now - demand.last > kKept) return demand.expected ? 1 : 0;
    const auto steps = static_cast<std::uint64_t>((now - demand.peak_at) / kDepthKept);
    return steps >= demand.peak ? 1 : std::max(1U, demand.peak - static_cast<std::uint32_t>(steps));
}

std::optional<Pool::Advice> Pool::advice(const Stocks& stocks, Clock::time_point now) {
    Stock all;
    std::uint32_t warm = 0;
    const auto stock_of = [&](const Shape& shape) {
        const auto found = stocks.find(shape);
        return found == stocks.end() ? Stock{} : found->second;
    };
    for (const auto& [shape, stock] : stocks) {
        all.boxes += stock.boxes;
        all.memory += stock.memory;
        if (shape.warm) warm += stock.boxes;
    }
    // Those asked for last come first.
    std::vector<std::pair<Clock::time_point, Shape>> shapes;
    for (const auto& [shape, demand] : demands_) shapes.emplace_back(demand.last, shape);
    std::sort(shapes.begin(), shapes.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    /// The one to give up so that `needed`, asked for at `last`, gets its place.
    const auto victim = [&](bool warm_place, const Shape& needed, Clock::time_point last) {
        std::optional<Shape> oldest;
        for (const auto& [time, shape] : shapes) {
            const Stock stock = stock_of(shape);
            if (stock.boxes == 0 || (warm_place && !shape.warm) || shape == needed) continue;
            const bool surplus = stock.boxes > wanted(demands_.at(shape), now);
            if (surplus || time + kGiveWay < last) oldest = shape;
        }
        return oldest;
    };
    for (const auto& [last, shape] : shapes) {
        const Demand& demand = demands_.at(shape);
        const std::uint32_t have = stock_of(shape).boxes;
        if (have >= wanted(demand, now)) continue;
        // A guess does not keep the first one from being tried, whose size is then known.
        const std::uint64_t guess =
            std::min(shape.warm ? kWarmMemoryGuess : kMemoryGuess, bounds_.memory);
        const std::uint64_t memory = demand.memory != 0 ? demand.memory : guess;
        if (memory > bounds_.memory || bounds_.memory == 0 || bounds_.boxes == 0 ||
            (shape.warm && bounds_.warm == 0))
            continue;
        const bool no_warm_place = shape.warm && warm >= bounds_.warm;
        const bool no_place = all.boxes >= bounds_.boxes || all.memory + memory > bounds_.memory;
        if (!no_warm_place && !no_place) return Advice{.make = true, .shape = shape};
        if (const auto given_up = victim(no_warm_place, shape, last))
            return Advice{.make = false, .shape = *given_up};
    }
    for (const auto& [last, shape] : shapes) {
        const Demand& demand = demands_.at(shape);
        if (stock_of(shape).boxes > wanted(demand, now) && now - last > kDepthKept)
            return Advice{.make = false, .shape = shape};
    }
    // What nobody has asked for in a long time is forgotten.
    std::erase_if(demands_, [&](const auto& entry) {
        return !entry.second.expected && now - entry.second.last > kKept &&
               stock_of(entry.first).boxes == 0;
    });
    return std::nullopt;
}

} // namespace cloister::keeper
