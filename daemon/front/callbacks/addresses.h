// Which addresses a callback may be sent to: those of the public internet alone, whatever form a
// private one hides in. Pure.
#pragma once

#include <string>
#include <string_view>
#include <sys/socket.h>

namespace cloister::front::callbacks {

/// False for addresses of this machine, of private and link-local networks, of tests, multicast and
/// what is not for use; also for an IPv6 address that carries such an IPv4 address.
bool is_public(const sockaddr& address);

/// "http://HOST[:PORT][/PATH]" in its parts.
struct Url {
    std::string host{}; ///< without brackets
    std::string port = "80";
    std::string path = "/";  ///< with the query, without the fragment
    std::string authority{}; ///< for the Host field
    bool is_valid = false;
};
Url read_url(std::string_view url);

} // namespace cloister::front::callbacks
