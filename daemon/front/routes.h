// What a request's head asks for and whether it may: HTTP answers, and the checks before a
// WebSocket is granted. Pure; the server fills in RequestHead and sends what comes back.
#pragma once

#include "daemon/front/access.h"
#include "daemon/wire/frames.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::front {

struct RequestHead {
    std::string_view method{};
    std::string_view target{};
    bool http_1_1 = false;
    bool has_body = false;
    std::uint64_t body_bytes = 0; ///< that it says to have; 0 when it does not say
    std::vector<std::pair<std::string_view, std::string_view>> fields{};
    LocalAddress local{};

    /// The field's value; empty when absent or given more than once, which no single-valued field
    /// may be.
    std::string_view only(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    /// All values of a field that may be repeated, joined by commas.
    std::string joined(std::string_view name) const;
};

struct Reply {
    unsigned status = 200;
    std::string type = "application/json"; ///< empty: there is nothing to tell the kind of
    std::string body{};
    std::string_view lasting{}; ///< instead of `body`: bytes that outlive every answer
    std::shared_ptr<const std::string> shared{}; ///< likewise: bytes that others have, too
    std::vector<std::pair<std::string, std::string>> fields{};

    std::string_view content() const {
        if (shared) return *shared;
        return lasting.empty() ? body : lasting;
    }
};

/// What is wrong with the shape of any request: version, number of fields, length, Host.
std::optional<Reply> check_head_shape(const RequestHead& head);
/// What is wrong, in sentences for the operator; empty where nothing is.
struct Health {
    std::string unhealthy{}; ///< for /healthz: starting the service anew may help
    std::string unready{};   ///< for /readyz: clients had better go elsewhere
};

/// What the server knows when it answers.
struct Facts {
    const Access* access = nullptr;
    bool ready = false; ///< false: the service is stopping
    Health health{};
    std::string_view runtimes_json{};
    std::string nonce{};  ///< fresh for each request
    std::string report{}; ///< of a path that asks for one, once the boxes were asked for
    std::optional<wire::StatusReply> boxes{}; ///< absent: not asked for, or not answered
};

inline constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
inline constexpr std::size_t kMaxHeaderFields = 100;
inline constexpr std::size_t kMaxTarget = 2 * 1024;

bool asks_for_websocket(const RequestHead& head);

struct Granted {
    std::string connection_id{}; ///< empty: a fresh one is to be made
    std::string room_id{};       ///< not empty: joined already
    bool subprotocol = false;    ///< answer with "cloister.v2"
    /// Whose words are spoken.
    enum class Language : std::uint8_t { own, piston, go_judge, go_judge_stream };
    Language language = Language::own;
};

struct Handshake {
    bool granted = false;
    Granted grant{};
    Reply refusal{};
};

/// Every check of RFC 6455 4.2.1 and ours: address, Host, Origin, token.
Handshake check_handshake(const RequestHead& head, const Access& access);

/// True when the answer tells of the boxes, and may be told to this asker.
bool asks_for_boxes(const RequestHead& head);

/// True for what operators alone ask for: /metrics and /api/v1/status.
bool asks_for_report(const RequestHead& head);

/// The answer to a plain HTTP request.
Reply route(const RequestHead& head, const Facts& facts);

/// `{"error": …}` with the status.
Reply error_reply(unsigned status, std::string_view code, std::string_view message);

/// Headers that every answer carries, beside a page's own policy.
const std::vector<std::pair<std::string, std::string>>& security_fields();

} // namespace cloister::front
