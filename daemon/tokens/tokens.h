// What the server hands out and believes when it comes back: who somebody is, and what somebody may
// do in a room. Signed with HMAC-SHA256, so nothing about them is kept anywhere.
#pragma once

#include "daemon/tokens/secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::tokens {

/// Whoever has the token of an identity can come back as that client.
struct Identity {
    std::string client_id;
    std::string user_id;
};
std::string sign(const Secret& secret, const Identity& identity);
std::optional<Identity> read_identity(const Secret& secret, std::string_view token);

/// What its bearer is in one room, until then.
struct RoomPass {
    std::string room_id;
    std::string role;
    std::int64_t expires = 0; ///< seconds since 1970
};
std::string sign(const Secret& secret, const RoomPass& pass);
/// Absent when it was not signed by us; whether it is still good the caller decides.
std::optional<RoomPass> read_room_pass(const Secret& secret, std::string_view token);

inline constexpr std::size_t kMaxTokenBytes = 1024;

} // namespace cloister::tokens
