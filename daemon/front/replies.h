// What the server says about runs and to a new connection, as JSON texts.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/hub.h"

#include <string>

namespace cloister::front {

/// How others than the one who asked are told of a run: by whom, and without that one's own id.
struct AsSeen {
    const rooms::Person* by = nullptr;
};

/// `execution_started`, `_stage`, `_output`, `_usage`, `_queued`, `_result` or `error`.
std::string to_text(const Event& event, const AsSeen& seen = {});

/// The `result` of an execution_result, by itself.
std::string result_text(const Finished& event);

/// What happened on the way to a result, as a submission's event.
struct NamedEvent {
    std::string submission{}; ///< the run's own id
    std::string name{};       ///< "started", "stage" or "output"
    std::string data{};       ///< JSON, one line
};
NamedEvent named_event(const Event& event);

std::string pong(const std::optional<std::string>& id);

/// The first message on every connection.
std::string connection_established(const Self& self, const std::string& resume_token,
                                   const config::Config& config);

} // namespace cloister::front
