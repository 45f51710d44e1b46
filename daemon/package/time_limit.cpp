// Each format has its own way of rounding.
#include "daemon/package/time_limit.h"

#include <algorithm>
#include <cmath>

namespace cloister::package {

double derive_time_limit(const Limits& limits, Format format, double slowest) {
    const double least = slowest * limits.ac_to_time_limit;
    if (format == Format::legacy) return std::max(1.0, std::floor(0.5 + least));
    const double step = limits.time_resolution.value_or(1.0);
    constexpr double kNoise = 1e-9; // of the division, not of the clock
    return step * std::max(1.0, std::ceil(least / step - kNoise));
}

double margin_of(const Limits& limits, double time_limit) {
    return time_limit * limits.time_limit_to_tle;
}

} // namespace cloister::package
