// What the journal is told of runs: numbers and words of ours. Sources, input, output, the names
// that clients give to runs and rooms, and tokens are never in it.
#pragma once

#include "daemon/front/events.h"

#include <string>
#include <string_view>

namespace cloister::front {

/// The line for a run that has ended; empty when `which` (config::Config::log_runs) leaves it out.
std::string run_line(const Finished& finished, std::string_view which);
void log_run(const Finished& finished, std::string_view which);

/// The line for an accepted run that could not be carried out.
std::string refusal_line(const Refusal& refusal);
void log_refusal(const Refusal& refusal);

} // namespace cloister::front
