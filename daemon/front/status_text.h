// What `/api/v1/status` tells `cloister top`: what runs now, and how much of everything there is.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/metrics.h"

#include <string>
#include <vector>

namespace cloister::front {

/// A JSON object (docs/operations.md).
std::string status_text(const Metrics::Now& now,
                        const std::vector<Executions::UnderWay>& under_way);

} // namespace cloister::front
