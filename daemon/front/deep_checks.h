// "depth": "deep": before the analyst reads a source, the language's own checkers look at it in a
// box, as one more run of the client's, with its place in the queue and within its bounds. Whatever
// comes of them, the analysis follows.
#pragma once

#include "daemon/front/analyses.h"
#include "daemon/front/executions.h"
#include "daemon/front/jobs.h"

#include <functional>

namespace cloister::front {

/// Calls `then` once, at once or later, with the request and what its `checked` is; never after
/// `client` was closed.
void check_deeply(Executions& executions, ClientId client, const Analyses& analyses,
                  const Catalog& catalog, AskAnalyst ask,
                  const std::function<void(AskAnalyst)>& then);

} // namespace cloister::front
