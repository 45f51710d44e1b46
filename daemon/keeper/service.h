// The keeper as a service: root's loop between the front's frames and the runs.
#pragma once

#include "daemon/config/settings.h"
#include "isolate/fd.h"

#include <functional>
#include <string>
#include <sys/types.h>

namespace cloister::keeper {

/// What was read again; throws a sentence for the operator instead.
struct Reread {
    config::Settings settings{};
    isolate::Fd text{}; ///< the same, sealed, for the front
    bool restart_needed = false;
};

/// `analyst_program`: the analyst's executable; empty when there is none.
/// Starts the front (by `start_front`, with the front's end of the pair and the user id to fall
/// back on; it returns the child's pid) and serves until it ends or a signal says so. SIGTERM and
/// SIGINT drain. Returns the exit status: 0 after a drain, 1 when the front died or broke the
/// protocol.
/// SIGHUP reads policies and runtimes again, by `reread`; without it, SIGHUP changes nothing.
int serve(const config::Settings& settings, const std::string& analyst_program,
          const std::function<pid_t(int front_end, uid_t fallback_id)>& start_front,
          const std::function<Reread()>& reread = {});

} // namespace cloister::keeper
