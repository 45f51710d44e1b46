// The two answers that take their time: a client that waits for the end of its submission, and one
// that is sent its events. Knows the connection by two calls, so that it needs no Beast.
#pragma once

#include "daemon/front/endpoint.h"

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cloister::front {

class Peer {
public:
    virtual ~Peer() = default;
    /// False when the peer is gone, or takes nothing for too long.
    virtual boost::asio::awaitable<bool> write(std::string text) = 0;
    virtual boost::asio::ip::tcp::socket& socket() = 0;
};

/// Ends when the submission has, or, with `or_gone`, when the peer will send nothing more: then it
/// is cancelled.
boost::asio::awaitable<void> wait_for_end(Peer& peer, Submissions& submissions, std::string id,
                                          bool or_gone);

/// Writes head and events until the last one, a comment now and then, so that a dead peer is found.
/// `format` outlives it. With `or_gone` the submission is cancelled when the peer is gone or will
/// send nothing more.
boost::asio::awaitable<void> send_events(Peer& peer, Submissions& submissions, std::string id,
                                         std::uint64_t after, const EventFormat& format,
                                         bool or_gone);

} // namespace cloister::front
