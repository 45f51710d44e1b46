// What the server says about runs and to a new connection, as JSON texts.
#pragma once

#include "daemon/front/executions.h"

#include <string>

namespace cloister::front {

/// `execution_started`, `execution_stage`, `execution_output`, `execution_result` or `error`.
std::string to_text(const Event& event);

std::string pong(const std::optional<std::string>& id);

/// The first message on every connection.
std::string connection_established(const std::string& connection_id, const std::string& user_id,
                                   const config::Config& config);

} // namespace cloister::front
