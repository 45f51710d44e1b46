// The fields that several messages have in common: a program, limits, texts that may be base64. For
// the sources that parse; what is wrong is thrown as fields::Wrong.
#pragma once

#include "daemon/front/program.h"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cloister::config {
struct Config;
}

namespace cloister::front {

/// The program in `object`, without what only a single run has: stdin, a terminal.
ExecuteCode read_program(const nlohmann::json& object, const config::Config& bounds);
/// The same with what only a single run has.
ExecuteCode read_run_fields(const nlohmann::json& object, const config::Config& bounds);
/// `limits` of `object`.
LimitsAsked read_limits_of(const nlohmann::json& object);
/// The text under `key`, empty when absent, decoded when `encoding` of `object` says base64.
std::string decoded_text(const nlohmann::json& object, const char* key);

} // namespace cloister::front
