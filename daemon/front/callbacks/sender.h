// The process that sends callbacks. The front may open no socket, so it starts this one before it
// reads a secret: same user, no capability, no file that can be written, no program that can be
// started; it can connect, and is asked for nothing but to send a text to an address.
#pragma once

#include "daemon/front/confine.h"
#include "isolate/fd.h"

#include <cstdint>

namespace cloister::front::callbacks {

inline constexpr int kTries = 3;
inline constexpr int kSecondsPerTry = 5;
inline constexpr std::size_t kAtOnce = 8; ///< deliveries, each a thread of the sender

/// With 1 descriptor: a memfd with the address, a NUL and the body.
struct Request {
    std::uint64_t number = 0;
};

enum class Delivery : std::uint32_t {
    sent,    ///< answered with a 2xx
    failed,  ///< not reached, or answered otherwise, three times
    refused, ///< the address leads into a network that callbacks may not enter
};
struct Answer {
    std::uint64_t number = 0;
    Delivery delivery = Delivery::failed;
    std::uint32_t status = 0; ///< of the last answer; 0: none came
};

/// Starts the sender, which becomes `identity`, and answers our end of a SOCK_SEQPACKET pair to it.
/// `anywhere`: also into private networks and this machine. To be called while there is one thread,
/// and nothing in memory that a stranger may not have. Throws isolate::SysError.
isolate::Fd start_sender(const Identity& identity, bool anywhere);

} // namespace cloister::front::callbacks
