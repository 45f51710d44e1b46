// The table of addresses, and the handshake's checks in the order in which they tell the least to
// those who may not know: shape, Host, Origin, address, token.
#include "daemon/front/routes.h"

#include "daemon/front/api/openapi.h"
#include "daemon/front/content.h"
#include "daemon/front/page.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace cloister::front {
namespace {

constexpr std::string_view kSockets = "/api/v1/ws/";
constexpr std::string_view kRooms = "/api/v1/ws/room/";
constexpr std::string_view kAssets = "/assets/";
constexpr std::string_view kRuntimes = "/api/v1/runtimes";
constexpr std::string_view kMetrics = "/metrics";
constexpr std::string_view kStatus = "/api/v1/status";
constexpr std::array<std::pair<std::string_view, Granted::Language>, 5> kOthersSockets = {{
    {"/api/v2/connect", Granted::Language::piston},
    {"/ws", Granted::Language::go_judge},
    {"/stream", Granted::Language::go_judge_stream},
    {"/go-judge/ws", Granted::Language::go_judge},
    {"/go-judge/stream", Granted::Language::go_judge_stream},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// The id of a socket's address; nothing when the path is no such address.
std::optional<Granted> read_address(std::string_view path, bool piston, bool go_judge) {
    Granted grant;
    for (const auto& [address, language] : kOthersSockets) {
        const bool served = language == Granted::Language::piston ? piston : go_judge;
        if (path != address || !served) continue;
        grant.language = language;
        return grant;
    }
    if (path.starts_with(kRooms)) {
        grant.room_id = path.substr(kRooms.size());
        if (!is_connection_id(grant.room_id)) return std::nullopt;
        return grant;
    }
    if (!path.starts_with(kSockets)) return std::nullopt;
    const std::string_view id = path.substr(kSockets.size());
    if (!is_connection_id(id)) return std::nullopt;
    if (id != "demo") grant.connection_id = id;
    return grant;
}

std::optional<Reply> check_head(const RequestHead& head) {
    if (auto wrong = check_head_shape(head)) return wrong;
    if (head.has_body) return error_reply(400, "bad_request", "This request must not have a body.");
    return std::nullopt;
}

/// What the page may do: nothing that is not served from here. What its libraries need beyond that:
/// style elements that carry the nonce, style attributes (a terminal's colours), pictures in data:
/// URLs, and sound and pictures of other members' devices.
std::string page_policy(std::string_view host, const std::string& nonce) {
    // Host passed the allow-list. Browsers differ on whether 'self' covers ws:, so it is spelled
    // out.
    const std::string at(host);
    return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce +
           "'; style-src-attr 'unsafe-inline'; connect-src 'self' ws://" + at + " wss://" + at +
           "; img-src 'self' data:; font-src 'self'; media-src 'self' blob:; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'";
}

/// Never the same twice, so it is neither compared nor kept.
Reply page_reply(std::string_view host, const std::string& nonce) {
    Reply reply;
    reply.type = "text/html; charset=utf-8";
    bool first = true;
    for (const std::string_view part : page::index()) {
        if (!std::exchange(first, false)) reply.body += nonce;
        reply.body += part;
    }
    reply.fields.emplace_back("Content-Security-Policy", page_policy(host, nonce));
    // Off until the page asks, and then the browser asks its user; no other origin can use them
    // here.
    reply.fields.emplace_back("Permissions-Policy",
                              "microphone=(self), camera=(self), display-capture=(self)");
    return reply;
}

/// The smallest form that the client takes. Every form has a tag of its own, as each is other
/// bytes.
Reply asset_reply(const RequestHead& head, const page::Asset& asset) {
    const std::string accepted = head.joined("Accept-Encoding");
    Coding coding = Coding::identity;
    Reply reply;
    reply.lasting = asset.plain;
    const auto prefer = [&](Coding other, std::string_view form) {
        if (form.empty() || form.size() >= reply.lasting.size() || !accepts(accepted, other))
            return;
        coding = other;
        reply.lasting = form;
    };
    prefer(Coding::gzip, asset.gzip);
    prefer(Coding::brotli, asset.brotli);

    std::string etag = "\"" + std::string(asset.hash);
    if (coding != Coding::identity) etag.append("-").append(name_of(coding));
    etag += '"';
    reply.type = asset.type;
    reply.fields.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    reply.fields.emplace_back("Vary", "Accept-Encoding");
    if (coding != Coding::identity)
        reply.fields.emplace_back("Content-Encoding", std::string(name_of(coding)));
    if (is_known(head.joined("If-None-Match"), etag)) {
        reply.status = 304;
        reply.type.clear();
        reply.lasting = {};
    }
    reply.fields.emplace_back("ETag", std::move(etag));
    return reply;
}

const page::Asset* find_asset(std::string_view path) {
    if (!path.starts_with(kAssets)) return nullptr;
    const auto assets = page::assets();
    const auto found =
        std::ranges::lower_bound(assets, path.substr(kAssets.size()), {}, &page::Asset::name);
    return found != assets.end() && found->name == path.substr(kAssets.size()) ? &*found : nullptr;
}

Reply text_reply(std::string type, std::string_view body) {
    Reply reply;
    reply.type = std::move(type);
    reply.body = body;
    return reply;
}

std::string runtimes_text(const Facts& facts) {
    JsonObject out;
    out.raw("runtimes", facts.runtimes_json);
    if (facts.boxes) {
        JsonObject boxes;
        boxes.count("total", facts.boxes->boxes).count("running", facts.boxes->running);
        boxes.count("prepared", facts.boxes->prepared).count("warm", facts.boxes->warm);
        out.raw("boxes", boxes.close());
    }
    return out.close();
}

} // namespace

std::optional<Reply> check_head_shape(const RequestHead& head) {
    if (!head.http_1_1) return error_reply(400, "bad_request", "HTTP/1.1 is needed.");
    if (head.fields.size() > kMaxHeaderFields)
        return error_reply(431, "too_large", "Too many header fields.");
    if (head.target.size() > kMaxTarget)
        return error_reply(414, "too_large", "The address is too long.");
    if (head.count("Host") != 1)
        return error_reply(400, "bad_request", "One Host field is needed.");
    return std::nullopt;
}

std::size_t RequestHead::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields, [&](const auto& field) { return same(field.first, name); }));
}

std::string_view RequestHead::only(std::string_view name) const {
    std::string_view value;
    std::size_t seen = 0;
    for (const auto& [key, text] : fields) {
        if (!same(key, name)) continue;
        value = text;
        ++seen;
    }
    return seen == 1 ? value : std::string_view{};
}

std::string RequestHead::joined(std::string_view name) const {
    std::string all;
    for (const auto& [key, text] : fields) {
        if (same(key, name)) all.append(all.empty() ? "" : ",").append(text);
    }
    return all;
}

bool asks_for_websocket(const RequestHead& head) {
    return has_token(head.joined("Upgrade"), "websocket");
}

Handshake check_handshake(const RequestHead& head, const Access& access) {
    Handshake result;
    const auto refuse = [&](Reply reply) {
        result.refusal = std::move(reply);
        return result;
    };
    if (auto wrong = check_head(head)) return refuse(*std::move(wrong));
    if (head.method != "GET")
        return refuse(error_reply(405, "bad_request", "A WebSocket begins with GET."));
    if (!host_allowed(access, head.only("Host"), head.local)) {
        return refuse(
            error_reply(403, "forbidden", "This Host is not one of ours; see allowed_hosts."));
    }
    if (head.count("Origin") > 0 && !origin_allowed(access, head.only("Origin"), head.local)) {
        return refuse(error_reply(403, "forbidden",
                                  "Pages of this Origin may not connect; see allowed_origins."));
    }
    if (!has_token(head.joined("Connection"), "upgrade")) {
        return refuse(error_reply(400, "bad_request", "The Connection field must hold 'Upgrade'."));
    }
    if (head.only("Sec-WebSocket-Version") != "13") {
        Reply reply = error_reply(426, "bad_request", "WebSocket version 13 is needed.");
        reply.fields.emplace_back("Sec-WebSocket-Version", "13");
        reply.fields.emplace_back("Upgrade", "websocket");
        return refuse(std::move(reply));
    }
    if (!is_websocket_key(head.only("Sec-WebSocket-Key"))) {
        return refuse(error_reply(400, "bad_request",
                                  "One Sec-WebSocket-Key of 16 bytes in base64 is needed."));
    }
    const auto grant = read_address(path_of(head.target), access.piston, access.go_judge);
    if (!grant) return refuse(error_reply(404, "not_found", "No WebSocket lives at this address."));
    result.grant = *grant;
    const std::string protocols = head.joined("Sec-WebSocket-Protocol");
    const Subprotocols offered = read_subprotocols(protocols);
    result.grant.subprotocol = offered.cloister;
    if (!access.token.empty() &&
        !token_matches(access.token, bearer_token(head.only("Authorization"))) &&
        !token_matches(access.token, offered.token)) {
        Reply reply = error_reply(
            401, "unauthorized",
            "A token is needed: Authorization: Bearer, or the subprotocol bearer.TOKEN.");
        reply.fields.emplace_back("WWW-Authenticate", "Bearer");
        return refuse(std::move(reply));
    }
    result.granted = true;
    return result;
}

bool asks_for_boxes(const RequestHead& head) {
    const std::string_view path = path_of(head.target);
    return path == kRuntimes || asks_for_report(head);
}

bool asks_for_report(const RequestHead& head) {
    const std::string_view path = path_of(head.target);
    return path == kMetrics || path == kStatus;
}

Reply route(const RequestHead& head, const Facts& facts) {
    if (auto wrong = check_head(head)) return *std::move(wrong);
    const std::string_view host = head.only("Host");
    if (!host_allowed(*facts.access, host, head.local)) {
        return error_reply(403, "forbidden", "This Host is not one of ours; see allowed_hosts.");
    }
    const std::string_view path = path_of(head.target);
    if (head.method != "GET" && head.method != "HEAD") {
        Reply reply = error_reply(405, "bad_request", "Only GET is served here.");
        reply.fields.emplace_back("Allow", "GET, HEAD");
        return reply;
    }
    if (path == "/healthz") {
        if (!facts.health.unhealthy.empty())
            return error_reply(503, "unhealthy", facts.health.unhealthy);
        return text_reply("application/json",
                          R"({"status":"ok","version":")" CLOISTER_VERSION "\"}");
    }
    if (path == "/readyz") {
        if (!facts.ready) return error_reply(503, "busy", "The service is stopping.");
        const std::string& why =
            facts.health.unhealthy.empty() ? facts.health.unready : facts.health.unhealthy;
        if (!why.empty()) return error_reply(503, "busy", why);
        return text_reply("application/json", R"({"status":"ready"})");
    }
    if (asks_for_report(head)) {
        // Who may not run anything may not watch those who do, either.
        if (!facts.access->token.empty() &&
            !token_matches(facts.access->token, bearer_token(head.only("Authorization")))) {
            Reply reply =
                error_reply(401, "unauthorized", "A token is needed: Authorization: Bearer.");
            reply.fields.emplace_back("WWW-Authenticate", "Bearer");
            return reply;
        }
        const char* const type =
            path == kStatus ? "application/json" : "text/plain; version=0.0.4; charset=utf-8";
        return text_reply(type, facts.report);
    }
    if (path == kRuntimes) return text_reply("application/json", runtimes_text(facts));
    if (path == "/api/v1/openapi.json") return text_reply("application/json", openapi());
    if (const page::Asset* asset = find_asset(path)) return asset_reply(head, *asset);
    if (path == "/api/v1/ws/demo" || (path.starts_with(kRooms) && read_address(path, false, false)))
        return page_reply(host, facts.nonce);
    if (path == "/") {
        Reply reply = text_reply("text/plain; charset=utf-8", "The page is at /api/v1/ws/demo\n");
        reply.status = 302;
        reply.fields.emplace_back("Location", "/api/v1/ws/demo");
        return reply;
    }
    return error_reply(404, "not_found", "Nothing lives at this address.");
}

Reply error_reply(unsigned status, std::string_view code, std::string_view message) {
    Reply reply;
    reply.status = status;
    JsonObject error;
    error.text("code", code).text("message", message);
    reply.body = JsonObject().raw("error", error.close()).close();
    return reply;
}

const std::vector<std::pair<std::string, std::string>>& security_fields() {
    static const std::vector<std::pair<std::string, std::string>> kFields = {
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
    };
    return kFields;
}

} // namespace cloister::front
