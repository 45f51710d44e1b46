// The executor `local`: the native one's boxes, as far as an ordinary user can make them. What is
// missing is said in words: by `cloister check`, by the daemon when it starts, and in each result.
#pragma once

#include "daemon/config/settings.h"
#include "isolate/instance.h"
#include "isolate/means.h"

#include <memory>
#include <string>
#include <vector>

namespace cloister::keeper {

/// What a run is not protected from, as `result.unprotected` spells it (docs/executors.md).
std::vector<std::string> unprotected(isolate::Means means);

/// Makes this process, which has one thread, ready to make boxes as the ordinary user that it is,
/// notes in `settings` what results tell, and says so on stderr and in the journal. Throws
/// std::runtime_error for root, and where boxes cannot be made.
void become_local(config::Settings& settings);

/// Whether that came to file rules and filters alone.
bool is_fenced();

/// The owner of this process's boxes, by the executor that `settings.method` names.
std::unique_ptr<isolate::Instance> make_instance(const config::Settings& settings);

} // namespace cloister::keeper
