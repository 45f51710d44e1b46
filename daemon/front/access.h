// Who may connect: the Host and Origin allow-lists that keep other web pages out, the token for
// addresses beyond this machine, and the strict shape of handshake fields. All pure.
//
// Browsers let any page open a WebSocket to 127.0.0.1, so without the Origin check every site a
// user visits could run code here; DNS rebinding gets past Origin alone, hence the Host check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front {

struct Access {
    std::vector<std::string> hosts{};   ///< accepted Host values beside our own addresses
    std::vector<std::string> origins{}; ///< accepted Origin values beside our own addresses
    std::string token{};                ///< empty: none is asked for
    bool piston = false;                ///< Piston's WebSocket is served, too
    bool go_judge = false;              ///< and those of go-judge
};

/// The address of ours that a connection came in on.
struct LocalAddress {
    std::string text; ///< "127.0.0.1", "::1", without brackets
    std::uint16_t port = 0;
    bool loopback = false;
};

/// A Host is ours when it is the literal address that the client reached (a rebound name never is),
/// or localhost on loopback, or on the operator's list.
bool host_allowed(const Access& access, std::string_view host, const LocalAddress& local);

/// An Origin is ours when it is http:// plus a Host of our own address, or on the operator's list.
/// "null" (sandboxed frames, files) never is.
bool origin_allowed(const Access& access, std::string_view origin, const LocalAddress& local);

/// Compares in a time that does not tell how much of `given` was right.
bool token_matches(std::string_view expected, std::string_view given);

/// The token of "Bearer TOKEN"; empty when it is something else.
std::string_view bearer_token(std::string_view authorization);

/// What a client offered in Sec-WebSocket-Protocol.
struct Subprotocols {
    bool cloister = false;    ///< "cloister.v2", which we then select
    std::string_view token{}; ///< of "bearer.TOKEN": the one header that a browser's script can set
};
Subprotocols read_subprotocols(std::string_view header);

/// 24 characters of base64 that stand for exactly 16 bytes.
bool is_websocket_key(std::string_view key);

/// True when the comma-separated `header` holds `token`, any case.
bool has_token(std::string_view header, std::string_view token);

/// `[A-Za-z0-9_-]{1,64}`
bool is_connection_id(std::string_view id);

} // namespace cloister::front
