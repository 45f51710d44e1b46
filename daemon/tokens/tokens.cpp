// A token is `payload.signature`, both in base64 for addresses without padding. The payload is the
// kind of token and its fields, parted by line feeds, so that one kind is never taken for another.
#include "daemon/tokens/tokens.h"

#include <charconv>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <vector>

namespace cloister::tokens {
namespace {

constexpr std::string_view kIdentity = "client";
constexpr std::string_view kRoomPass = "room";
constexpr char kBetween = '\n';
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes) {
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) out.push_back(kAlphabet[bits >> (count - 6) & 63]);
    }
    if (count > 0) out.push_back(kAlphabet[bits << (6 - count) & 63]);
    return out;
}

/// Absent when `text` is not exactly what encode() makes of some bytes.
std::optional<std::string> decode(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::size_t value = kAlphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
    if (encode(out) != text) return std::nullopt;
    return out;
}

std::string signature(const Secret& secret, std::string_view payload) {
    hmac_sha256_ctx context{};
    ::nettle_hmac_sha256_set_key(&context, secret.size(), secret.data());
    ::nettle_hmac_sha256_update(&context, payload.size(),
                                reinterpret_cast<const unsigned char*>(payload.data()));
    std::array<unsigned char, SHA256_DIGEST_SIZE> digest{};
    ::nettle_hmac_sha256_digest(&context, digest.size(), digest.data());
    return {digest.begin(), digest.end()};
}

std::string sign_payload(const Secret& secret, const std::string& payload) {
    return encode(payload) + "." + encode(signature(secret, payload));
}

/// The fields behind the kind, of a token that we have signed; none of one that we have not.
std::vector<std::string> fields_of(const Secret& secret, std::string_view token,
                                   std::string_view kind) {
    const std::size_t dot = token.find('.');
    if (token.size() > kMaxTokenBytes || dot == std::string_view::npos) return {};
    const auto payload = decode(token.substr(0, dot));
    const auto given = decode(token.substr(dot + 1));
    if (!payload || !given) return {};
    const std::string wanted = signature(secret, *payload);
    if (given->size() != wanted.size() ||
        ::nettle_memeql_sec(given->data(), wanted.data(), wanted.size()) == 0)
        return {};
    std::vector<std::string> fields;
    for (std::string_view rest = *payload;;) {
        const std::size_t end = rest.find(kBetween);
        fields.emplace_back(rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    if (fields.front() != kind) return {};
    return fields;
}

} // namespace

std::string sign(const Secret& secret, const Identity& identity) {
    return sign_payload(secret, std::string(kIdentity) + kBetween + identity.client_id + kBetween +
                                    identity.user_id);
}

std::optional<Identity> read_identity(const Secret& secret, std::string_view token) {
    auto fields = fields_of(secret, token, kIdentity);
    if (fields.size() != 3) return std::nullopt;
    return Identity{std::move(fields[1]), std::move(fields[2])};
}

std::string sign(const Secret& secret, const RoomPass& pass) {
    return sign_payload(secret, std::string(kRoomPass) + kBetween + pass.room_id + kBetween +
                                    pass.role + kBetween + std::to_string(pass.expires));
}

std::optional<RoomPass> read_room_pass(const Secret& secret, std::string_view token) {
    auto fields = fields_of(secret, token, kRoomPass);
    if (fields.size() != 4) return std::nullopt;
    RoomPass pass{std::move(fields[1]), std::move(fields[2])};
    const std::string& expires = fields[3];
    const auto [end, error] =
        std::from_chars(expires.data(), expires.data() + expires.size(), pass.expires);
    if (error != std::errc() || end != expires.data() + expires.size()) return std::nullopt;
    return pass;
}

} // namespace cloister::tokens
