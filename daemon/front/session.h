// One WebSocket: the transport around a Conversation. Included by server.cpp and session.cpp alone,
// since Beast costs half a minute of compiling.
#pragma once

#include "daemon/front/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

namespace cloister::front {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// Carries the session from its granted handshake to its end, by itself. `sessions` outlives it;
/// `held` is let go when it is over.
void start_session(boost::asio::ip::tcp::socket socket, UpgradeRequest request, Granted grant,
                   Service& service, std::shared_ptr<OpenSessions> sessions,
                   std::shared_ptr<void> held);

} // namespace cloister::front
