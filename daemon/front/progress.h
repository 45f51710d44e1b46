// How much of what we sent a peer has taken. In a file of its own, since the kernel's header that
// knows and the C library's cannot be included together.
#pragma once

#include <cstdint>

namespace cloister::front {

/// Bytes that the other end of a TCP socket has acknowledged so far; 0 where the kernel does not
/// say.
std::uint64_t bytes_acknowledged(int socket);

} // namespace cloister::front
