// Which boxes to make ahead, and which to give up: pure bookkeeping over what was asked for. Demand
// is counted per shape; bounds on number and memory hold for all shapes together, and when they are
// reached the shape that was asked for longest ago gives way.
#pragma once

#include "daemon/wire/frames.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

namespace cloister::keeper {

using Clock = std::chrono::steady_clock;

/// Boxes of one shape can stand in for each other.
struct Shape {
    std::uint32_t runtime = 0;
    wire::Stage stage = wire::Stage::run;
    std::uint32_t policy = 0;
    bool live = false; ///< of a warm box, whose environment is fixed; else false
    bool warm = false;
    bool operator==(const Shape&) const = default;
    bool operator<(const Shape& other) const {
        const auto key = [](const Shape& shape) {
            return std::tie(shape.runtime, shape.stage, shape.policy, shape.live, shape.warm);
        };
        return key(*this) < key(other);
    }
};

class Pool {
public:
    struct Bounds {
        std::uint32_t boxes = 0; ///< warm ones included
        std::uint32_t warm = 0;
        std::uint64_t memory = 0; ///< bytes charged to all of them
    };
    /// What stands ready or is in the making.
    struct Stock {
        std::uint32_t boxes = 0;
        std::uint64_t memory = 0;
    };
    using Stocks = std::map<Shape, Stock>;
    struct Advice {
        bool make = false; ///< else give one up
        Shape shape{};
    };

    explicit Pool(const Bounds& bounds) : bounds_(bounds) {}

    /// One is kept of this shape as long as there is room, also before anybody asks.
    void expect(const Shape& shape);
    /// Somebody wanted such a box, whether one was there or not.
    void asked(const Shape& shape, Clock::time_point now);
    /// A box of this shape became ready.
    void made(const Shape& shape, std::uint64_t memory);
    /// One could not be made. After some in a row the shape is left alone for a while.
    void failed(const Shape& shape, Clock::time_point now);

    /// Runtimes with smaller numbers are asked for no more.
    void forget_before(std::uint32_t runtime) {
        std::erase_if(demands_, [&](const auto& entry) { return entry.first.runtime < runtime; });
    }

    std::optional<Advice> advice(const Stocks& stocks, Clock::time_point now);

private:
    struct Demand {
        Clock::time_point last{};  ///< asked for
        Clock::time_point burst{}; ///< begin of the present one
        std::uint32_t in_burst = 0;
        std::uint32_t peak = 0; ///< largest burst of late
        Clock::time_point peak_at{};
        std::uint64_t memory = 0; ///< that the latest one held; 0: none was made yet
        std::uint32_t failures = 0;
        Clock::time_point failed_at{};
        bool expected = false;
    };
    std::uint32_t wanted(const Demand& demand, Clock::time_point now) const;

    Bounds bounds_;
    std::map<Shape, Demand> demands_;
};

} // namespace cloister::keeper
