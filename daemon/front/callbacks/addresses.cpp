// The tables are those of the IANA's special-purpose address registries (RFC 6890 and what follows
// it), by prefix.
#include "daemon/front/callbacks/addresses.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <span>

namespace cloister::front::callbacks {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct Prefix {
    std::array<std::uint8_t, 16> bytes;
    unsigned bits;
};

constexpr std::array kPrivate4 = {
    Prefix{{0}, 8},             // this network
    Prefix{{10}, 8},            // private
    Prefix{{100, 64}, 10},      // carriers' own
    Prefix{{127}, 8},           // this machine
    Prefix{{169, 254}, 16},     // link-local, where clouds tell machines their secrets
    Prefix{{172, 16}, 12},      // private
    Prefix{{192, 0, 0}, 24},    // protocols
    Prefix{{192, 0, 2}, 24},    // documentation
    Prefix{{192, 88, 99}, 24},  // 6to4 relays
    Prefix{{192, 168}, 16},     // private
    Prefix{{198, 18}, 15},      // benchmarks
    Prefix{{198, 51, 100}, 24}, // documentation
    Prefix{{203, 0, 113}, 24},  // documentation
    Prefix{{224}, 4},           // multicast
    Prefix{{240}, 4},           // reserved, broadcast
};

/// Of 2000::/3, beside which nothing is public.
constexpr std::array kPrivate6 = {
    Prefix{{0x20, 0x01, 0x00}, 23},       // protocols: Teredo, ORCHID, benchmarks
    Prefix{{0x20, 0x01, 0x0d, 0xb8}, 32}, // documentation
    Prefix{{0x3f, 0xff}, 20},             // documentation
};
constexpr Prefix kGlobal6{{0x20}, 3};
constexpr Prefix kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}; // ::ffff:a.b.c.d
constexpr Prefix kTranslated{{0, 0x64, 0xff, 0x9b}, 96};                  // 64:ff9b::a.b.c.d
constexpr Prefix kSixToFour{{0x20, 0x02}, 16};                            // 2002:aabb:ccdd::

bool is_within(Bytes address, const Prefix& prefix) {
    for (unsigned bit = 0; bit < prefix.bits; ++bit) {
        const unsigned difference = address[bit / 8] ^ prefix.bytes.at(bit / 8);
        if ((difference >> (7 - bit % 8) & 1U) != 0) return false;
    }
    return true;
}

bool is_public4(Bytes address) {
    return std::ranges::none_of(kPrivate4,
                                [&](const Prefix& one) { return is_within(address, one); });
}

bool is_public6(Bytes address) {
    if (is_within(address, kMapped) || is_within(address, kTranslated))
        return is_public4(address.subspan(12, 4));
    if (is_within(address, kSixToFour)) return is_public4(address.subspan(2, 4));
    return is_within(address, kGlobal6) && std::ranges::none_of(kPrivate6, [&](const Prefix& one) {
               return is_within(address, one);
           });
}

} // namespace

bool is_public(const sockaddr& address) {
    std::array<std::uint8_t, 16> bytes{};
    if (address.sa_family == AF_INET) {
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
        return is_public4(bytes);
    }
    if (address.sa_family != AF_INET6) return false;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
    return is_public6(bytes);
}

Url read_url(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    Url url;
    const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
    if (!plain || !text.starts_with(kScheme)) return url;
    text.remove_prefix(kScheme.size());
    const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
    std::string_view rest = text.substr(authority.size());
    rest = rest.substr(0, rest.find('#'));
    url.path = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
    url.authority = authority;
    std::string_view host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos) return url;
        port = host.substr(end + 1);
        host = host.substr(1, end - 1);
    } else {
        const auto colon = std::min(host.find(':'), host.size());
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    const bool has_port = port.size() > 1 && port.size() <= 6 && port.front() == ':' &&
                          port.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (!port.empty() && !has_port) return url;
    if (has_port) url.port = port.substr(1);
    url.host = host;
    const bool has_user = authority.find('@') != std::string_view::npos;
    url.is_valid = !host.empty() && !has_user;
    return url;
}

} // namespace cloister::front::callbacks
