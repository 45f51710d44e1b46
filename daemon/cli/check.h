// `cloister check`: what this host offers for isolation and for even timing, and what to do about
// what it lacks.
#pragma once

#include "daemon/config/settings.h"

namespace cloister::cli {

/// Prints one line per finding. Returns 0 when boxes can be made here (as far as this user can
/// tell), 1 otherwise.
int check_host(const config::Settings& settings);

} // namespace cloister::cli
