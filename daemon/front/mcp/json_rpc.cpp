// A message is a request when it has a method and an id, a notification when it has a method alone,
// a response when it has neither but a result or an error.
#include "daemon/front/mcp/json_rpc.h"

#include "daemon/front/text.h"

#include <nlohmann/json.hpp>

namespace cloister::front::mcp {
namespace {

bool is_id(const nlohmann::json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>().size() <= kMaxIdBytes;
    return value.is_number_integer();
}

} // namespace

Kind kind_of(const nlohmann::json& message) {
    if (!message.is_object() || message.value("jsonrpc", nlohmann::json()) != "2.0")
        return Kind::invalid;
    const auto method = message.find("method");
    const auto id = message.find("id");
    if (method == message.end()) {
        const bool answers = message.contains("result") != message.contains("error");
        return answers && id != message.end() ? Kind::response : Kind::invalid;
    }
    const auto params = message.find("params");
    const bool fits = method->is_string() && (params == message.end() || params->is_object());
    if (!fits) return Kind::invalid;
    if (id == message.end()) return Kind::notification;
    return is_id(*id) ? Kind::request : Kind::invalid;
}

std::string id_text(const nlohmann::json& message) {
    if (!message.is_object()) return "null";
    const auto id = message.find("id");
    return id != message.end() && is_id(*id) ? id->dump() : "null";
}

std::string result_text(std::string_view id, std::string_view result) {
    JsonObject out;
    return out.text("jsonrpc", "2.0").raw("id", id).raw("result", result).close();
}

std::string error_text(std::string_view id, Code code, std::string_view message,
                       std::string_view data) {
    JsonObject error;
    error.number("code", static_cast<int>(code)).text("message", message);
    if (!data.empty()) error.raw("data", data);
    JsonObject out;
    return out.text("jsonrpc", "2.0").raw("id", id).raw("error", error.close()).close();
}

} // namespace cloister::front::mcp
