// The checks in the order in which they tell the least to those who may not know: shape, Host,
// Origin; whoever serves an address adds its methods, then the token, then the body.
#include "daemon/front/endpoint.h"

#include "daemon/front/text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

bool is_json(std::string_view type) {
    constexpr std::string_view kJson = "application/json";
    const std::string_view main = type.substr(0, type.find(';'));
    const std::string_view bare = main.substr(0, main.find_last_not_of(" \t") + 1);
    return std::ranges::equal(bare, kJson, [](char given, char wanted) {
        return (given >= 'A' && given <= 'Z' ? static_cast<char>(given - 'A' + 'a') : given) ==
               wanted;
    });
}

} // namespace

Reply Endpoint::complaint(unsigned status, std::string_view code, std::string_view message) const {
    return error_reply(status, code, message);
}

Reply Endpoint::in_own_words(const Reply& wrong) const {
    const auto error = nlohmann::json::parse(wrong.body).at("error");
    Reply reply = complaint(wrong.status, error.value("code", ""), error.value("message", ""));
    for (const auto& field : wrong.fields) reply.fields.push_back(field);
    return reply;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<Reply> check_asker(const RequestHead& head, const Access& access) {
    if (auto wrong = check_head_shape(head)) return wrong;
    if (!host_allowed(access, head.only("Host"), head.local))
        return error_reply(403, "forbidden", "This Host is not one of ours; see allowed_hosts.");
    // Any page may send requests to this machine; only ours may have them obeyed.
    if (head.count("Origin") > 0 && !origin_allowed(access, head.only("Origin"), head.local))
        return error_reply(403, "forbidden",
                           "Pages of this Origin may not send requests; see allowed_origins.");
    return std::nullopt;
}

std::optional<Reply> check_token(const RequestHead& head, const Access& access) {
    if (access.token.empty() ||
        token_matches(access.token, bearer_token(head.only("Authorization"))))
        return std::nullopt;
    Reply reply =
        error_reply(401, "unauthorized", "A token is needed: Authorization: Bearer TOKEN.");
    reply.fields.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
}

std::optional<Reply> check_json_body(const RequestHead& head, const config::Config& config) {
    if (!is_json(head.only("Content-Type")))
        return error_reply(415, "bad_request", "The Content-Type must be application/json.");
    if (head.count("Content-Encoding") > 0)
        return error_reply(415, "bad_request", "The body must come without a Content-Encoding.");
    if (head.body_bytes > config.body_bytes) {
        return error_reply(413, "too_large",
                           "The body may hold " + readable_bytes(config.body_bytes) + ".");
    }
    if (head.count("Expect") > 0 && head.only("Expect") != "100-continue")
        return error_reply(417, "bad_request", "Only 100-continue may be expected.");
    return std::nullopt;
}

Reply wrong_method(std::string_view methods) {
    Reply reply = error_reply(405, "bad_request", "This address has no such method.");
    reply.fields.emplace_back("Allow", methods);
    return reply;
}

Reply json_reply(unsigned status, std::string body) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

std::string event_stream_head() {
    std::string head = "HTTP/1.1 200 OK\r\nServer: cloister\r\nContent-Type: text/event-stream\r\n";
    for (const auto& [name, value] : security_fields()) head += name + ": " + value + "\r\n";
    // The second is for proxies that would gather what is to be seen at once.
    return head + "Connection: close\r\nX-Accel-Buffering: no\r\n\r\n";
}

} // namespace cloister::front
