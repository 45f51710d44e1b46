// The one plain sentence that tells a person why a run was ended.
#pragma once

#include "isolate/verdict.h"

#include <functional>
#include <string>

namespace cloister::front {

/// Empty for `ok` and `nonzero_exit`, where the program speaks for itself.
std::string reason_of(isolate::Verdict verdict, const isolate::Outcome& outcome,
                      const isolate::Limits& limits,
                      const std::function<std::string(int)>& syscall_name);

} // namespace cloister::front
