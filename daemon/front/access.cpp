// The checks behind access.h. Host and scheme compare without case, as URLs do.
#include "daemon/front/access.h"

#include "daemon/front/text.h"

#include <algorithm>

namespace cloister::front {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool listed(const std::vector<std::string>& list, std::string_view value) {
    return std::ranges::any_of(list, [&](const std::string& entry) { return same(entry, value); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Cuts the next comma-separated item off `list`.
std::string_view next_item(std::string_view& list) {
    const auto comma = list.find(',');
    const std::string_view item = trimmed(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return item;
}

bool is_own_address(std::string_view host, const LocalAddress& local) {
    const std::string port = ":" + std::to_string(local.port);
    const auto matches = [&](const std::string& name) {
        return same(host, name + port) || (local.port == 80 && same(host, name));
    };
    const bool v6 = local.text.find(':') != std::string::npos;
    if (matches(v6 ? "[" + local.text + "]" : local.text)) return true;
    return local.loopback && (matches("localhost") || matches("127.0.0.1") || matches("[::1]"));
}

} // namespace

bool host_allowed(const Access& access, std::string_view host, const LocalAddress& local) {
    return is_own_address(host, local) || listed(access.hosts, host);
}

bool origin_allowed(const Access& access, std::string_view origin, const LocalAddress& local) {
    constexpr std::string_view kScheme = "http://";
    if (listed(access.origins, origin)) return true;
    return origin.size() > kScheme.size() && same(origin.substr(0, kScheme.size()), kScheme) &&
           is_own_address(origin.substr(kScheme.size()), local);
}

bool token_matches(std::string_view expected, std::string_view given) {
    if (expected.empty()) return false;
    unsigned difference = expected.size() == given.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto wanted = static_cast<unsigned char>(expected[i % expected.size()]);
        difference |= static_cast<unsigned>(wanted ^ static_cast<unsigned char>(given[i]));
    }
    return difference == 0;
}

std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view kScheme = "Bearer ";
    if (authorization.size() <= kScheme.size() ||
        !same(authorization.substr(0, kScheme.size()), kScheme))
        return {};
    return trimmed(authorization.substr(kScheme.size()));
}

Subprotocols read_subprotocols(std::string_view header) {
    constexpr std::string_view kToken = "bearer.";
    Subprotocols offered;
    while (!header.empty()) {
        const std::string_view item = next_item(header);
        if (item == "cloister.v2") offered.cloister = true;
        if (item.starts_with(kToken) && offered.token.empty())
            offered.token = item.substr(kToken.size());
    }
    return offered;
}

bool is_websocket_key(std::string_view key) {
    if (key.size() != 24) return false;
    const auto bytes = from_base64(key);
    return bytes && bytes->size() == 16;
}

bool has_token(std::string_view header, std::string_view token) {
    while (!header.empty()) {
        if (same(next_item(header), token)) return true;
    }
    return false;
}

bool is_connection_id(std::string_view id) {
    const auto plain = [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, plain);
}

} // namespace cloister::front
