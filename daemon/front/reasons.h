// The one plain sentence that tells a person why a run was ended, or could not begin.
#pragma once

#include "daemon/front/protocol.h"
#include "isolate/verdict.h"

#include <functional>
#include <optional>
#include <string>

namespace cloister::front {

/// Empty for `ok` and `nonzero_exit`, where the program speaks for itself.
std::string reason_of(isolate::Verdict verdict, const isolate::Outcome& outcome,
                      const isolate::Limits& limits,
                      const std::function<std::string(int)>& syscall_name);

/// What looks like a failure of ours, but is the asker's: files that could not be unpacked in the
/// box. Nothing in every other case.
std::optional<Refusal> refusal_of(isolate::Verdict verdict, const isolate::Ending& ending,
                                  const isolate::Limits& limits);

} // namespace cloister::front
