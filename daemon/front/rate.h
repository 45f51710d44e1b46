// A token bucket over a clock that the caller reads: no timer, sixteen bytes of state.
#pragma once

#include <algorithm>
#include <chrono>

namespace cloister::front {

/// `per_second` on average, `burst` at once.
class Bucket {
public:
    using Time = std::chrono::steady_clock::time_point;

    Bucket(double per_second, double burst, Time now)
        : per_second_(per_second), burst_(burst), tokens_(burst), last_(now) {}

    /// Takes one token; false when there is none.
    bool take(Time now) {
        const std::chrono::duration<double> passed = now - last_;
        last_ = now;
        tokens_ = std::min(burst_, tokens_ + std::max(0.0, passed.count()) * per_second_);
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

private:
    double per_second_;
    double burst_;
    double tokens_;
    Time last_;
};

} // namespace cloister::front
