// The revision 2026-07-28 of the protocol, which has no sessions: every request says of itself what
// it is, in its body and once more in header fields, which others on the way may have believed. The
// two are held against each other before anything of it is done. Pure.
#pragma once

#include "daemon/front/routes.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::mcp {

inline constexpr std::string_view kStateless = "2026-07-28";

/// True when it is of that revision, by its header or by naming one in its body, as only requests
/// of such a revision do.
bool is_stateless(const RequestHead& head, const nlohmann::json& message);

/// What is wrong with a request that is; nothing: its method may be looked at. `versions`: all that
/// are served here.
std::optional<Reply> check_stateless(const RequestHead& head, const nlohmann::json& message,
                                     std::span<const std::string_view> versions);
/// The answer to a revision that is none of `versions`.
Reply unsupported_version(std::string_view id, std::string_view asked,
                          std::span<const std::string_view> versions);

/// `result` is a JSON object; with what every result says: that it is whole, and whose it is.
std::string complete(std::string_view result);
/// One that may be asked for again only after a minute.
std::string cacheable(std::string_view result);
/// The result of server/discover, not complete yet.
std::string discovered(std::span<const std::string_view> versions, std::string_view instructions);
/// All that there is to tell to who subscribes to changes: that there will be none, and the end.
std::string subscribed(std::string_view id);

} // namespace cloister::front::mcp
