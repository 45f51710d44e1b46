// Each rule is one of the specification's: "Request Metadata" of its streamable HTTP, "Caching",
// "Subscriptions".
#include "daemon/front/mcp/stateless.h"

#include "daemon/front/endpoint.h"
#include "daemon/front/mcp/json_rpc.h"
#include "daemon/front/text.h"

#include <nlohmann/json.hpp>

namespace cloister::front::mcp {
namespace {

using nlohmann::json;

constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view kServerInfoKey = "io.modelcontextprotocol/serverInfo";
constexpr std::string_view kSubscriptionKey = "io.modelcontextprotocol/subscriptionId";
constexpr std::uint64_t kFreshMs = 60'000;
constexpr std::size_t kMaxShown = 64; ///< bytes of what was asked for, in an error

/// The request's own words about itself; null: none.
const json* meta_of(const json& message) {
    if (!message.is_object()) return nullptr;
    const auto params = message.find("params");
    if (params == message.end() || !params->is_object()) return nullptr;
    const auto meta = params->find("_meta");
    return meta == params->end() || !meta->is_object() ? nullptr : &*meta;
}

/// A field's value as it was before it became one; nothing when it is no such value.
std::optional<std::string> decoded(std::string_view value) {
    constexpr std::string_view kBegin = "=?base64?";
    constexpr std::string_view kEnd = "?=";
    const bool encoded = value.size() >= kBegin.size() + kEnd.size() && value.starts_with(kBegin) &&
                         value.ends_with(kEnd);
    if (!encoded) return std::string(value);
    value.remove_prefix(kBegin.size());
    value.remove_suffix(kEnd.size());
    return from_base64(value);
}

std::string list_of(std::span<const std::string_view> texts) {
    std::string list;
    for (const std::string_view text : texts) {
        list += list.empty() ? "[" : ",";
        append_quoted(list, text);
    }
    return list + "]";
}

std::string server_info() {
    JsonObject info;
    return info.text("name", "cloister")
        .text("title", "Cloister")
        .text("version", CLOISTER_VERSION)
        .close();
}

/// `object` with `more` in it; both are JSON objects.
std::string joined(std::string_view object, std::string_view more) {
    std::string text(object.substr(0, object.size() - 1));
    if (text.size() > 1 && more.size() > 2) text += ',';
    text += more.substr(1);
    return text;
}

} // namespace

bool is_stateless(const RequestHead& head, const json& message) {
    if (head.only("MCP-Protocol-Version") == kStateless) return true;
    const json* meta = meta_of(message);
    return meta != nullptr && meta->contains(kVersionKey);
}

std::optional<Reply> check_stateless(const RequestHead& head, const json& message,
                                     std::span<const std::string_view> versions) {
    const std::string id = id_text(message);
    const auto wrong = [&](Code code, const std::string& why) {
        return json_reply(400, error_text(id, code, why));
    };
    const json* meta = meta_of(message);
    const auto version = meta == nullptr ? json::const_iterator() : meta->find(kVersionKey);
    const auto abilities = meta == nullptr ? json::const_iterator() : meta->find(kCapabilitiesKey);
    const bool whole = meta != nullptr && version != meta->end() && version->is_string() &&
                       abilities != meta->end() && abilities->is_object();
    if (!whole)
        return wrong(Code::invalid_params, std::string("A request needs ") + kVersionKey + " and " +
                                               kCapabilitiesKey + " in its _meta.");
    const auto& asked = version->get_ref<const std::string&>();
    if (head.only("MCP-Protocol-Version") != asked)
        return wrong(Code::header_mismatch, "MCP-Protocol-Version is not what the body says.");
    if (asked != kStateless) return unsupported_version(id, asked, versions);
    const auto& method = message.at("method").get_ref<const std::string&>();
    if (head.only("Mcp-Method") != method)
        return wrong(Code::header_mismatch, "Mcp-Method is not the method of the body.");
    if (method != "tools/call") return std::nullopt;
    const json& params = message.at("params"); // which has _meta
    const auto name = params.find("name");
    if (name == params.end() || !name->is_string())
        return wrong(Code::invalid_params, "The name of a tool is missing.");
    const auto told = decoded(head.only("Mcp-Name"));
    if (head.count("Mcp-Name") != 1 || !told || *told != name->get_ref<const std::string&>())
        return wrong(Code::header_mismatch, "Mcp-Name is not the name in the body.");
    return std::nullopt;
}

Reply unsupported_version(std::string_view id, std::string_view asked,
                          std::span<const std::string_view> versions) {
    JsonObject data;
    data.raw("supported", list_of(versions)).text("requested", asked.substr(0, kMaxShown));
    return json_reply(400, error_text(id, Code::unsupported_version,
                                      "This revision of the protocol is not served here.",
                                      data.close()));
}

std::string complete(std::string_view result) {
    JsonObject meta;
    meta.raw(kServerInfoKey, server_info());
    JsonObject more;
    return joined(result, more.text("resultType", "complete").raw("_meta", meta.close()).close());
}

std::string cacheable(std::string_view result) {
    JsonObject more;
    // Not for who stands between: with a token, what is here is nobody else's business.
    return joined(result, more.count("ttlMs", kFreshMs).text("cacheScope", "private").close());
}

std::string discovered(std::span<const std::string_view> versions, std::string_view instructions) {
    JsonObject out;
    out.raw("supportedVersions", list_of(versions)).raw("capabilities", R"({"tools":{}})");
    return out.text("instructions", instructions).close();
}

std::string subscribed(std::string_view id) {
    JsonObject meta;
    const std::string whose = meta.raw(kSubscriptionKey, id).close();
    JsonObject params;
    params.raw("_meta", whose).raw("notifications", "{}");
    JsonObject told;
    told.text("jsonrpc", "2.0").text("method", "notifications/subscriptions/acknowledged");
    JsonObject result;
    result.text("resultType", "complete").raw("_meta", whose);
    return "event: message\ndata: " + told.raw("params", params.close()).close() +
           "\n\nevent: message\ndata: " + result_text(id, result.close()) + "\n\n";
}

} // namespace cloister::front::mcp
