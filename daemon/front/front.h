// The front: everything that faces clients, in a process of its own without any privilege.
#pragma once

#include <sys/types.h>

namespace cloister::front {

/// What the keeper hands over. All three are the front's to close.
struct FrontFds {
    int keeper = -1;       ///< SOCK_SEQPACKET to the keeper
    int listener = -1;     ///< bound and listening TCP socket
    int settings = -1;     ///< memfd with config::to_text of the keeper's settings
    uid_t fallback_id = 0; ///< user and group where config.user is no account
};

/// Serves until the keeper says drain (then 0) or goes away, or something of ours breaks (then 1).
/// Starts as root; gives that up before the first client is accepted.
int serve(const FrontFds& fds);

} // namespace cloister::front
