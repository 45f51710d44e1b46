// The time limit that a package's own submissions imply.
#pragma once

#include "daemon/package/problem.h"

#include <string>

namespace cloister::package {

/// The limit for a slowest accepted run of `slowest` seconds, as the format says: legacy, whole
/// seconds of at least one; 2025-09, the smallest multiple of time_resolution that is enough.
double derive_time_limit(const Limits& limits, Format format, double slowest);

/// Up to where programs are run, so that it shows whether they exceed the limit by its margin.
double margin_of(const Limits& limits, double time_limit);

} // namespace cloister::package
