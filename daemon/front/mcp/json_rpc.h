// JSON-RPC 2.0 as the Model Context Protocol uses it: what kind a message is, and how answers are
// written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::mcp {

enum class Code : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    server_error = -32000,        ///< of the transport: a session or a revision is missing
    session_not_found = -32001,   ///< likewise
    header_mismatch = -32020,     ///< of 2026-07-28: header and body differ
    unsupported_version = -32022, ///< likewise
    request_cancelled = -32800,   ///< only where HTTP leaves no way to say nothing
};

enum class Kind : std::uint8_t { request, notification, response, invalid };

inline constexpr std::size_t kMaxIdBytes = 256;

/// A request's id is a whole number or a text of at most kMaxIdBytes.
Kind kind_of(const nlohmann::json& message);
/// The id as JSON; "null" when there is none that could be repeated.
std::string id_text(const nlohmann::json& message);
/// `result` is JSON.
std::string result_text(std::string_view id, std::string_view result);
/// `data` is JSON; empty: none.
std::string error_text(std::string_view id, Code code, std::string_view message,
                       std::string_view data = {});

} // namespace cloister::front::mcp
