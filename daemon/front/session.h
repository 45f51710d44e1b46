// One WebSocket: the transport around a Conversation. Included by server.cpp and session.cpp alone,
// since Beast costs half a minute of compiling.
#pragma once

#include "daemon/front/server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

namespace cloister::front {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// Carries the session from its granted handshake to its end. `sessions` outlives it.
boost::asio::awaitable<void> run_session(boost::beast::tcp_stream stream, UpgradeRequest request,
                                         Granted grant, Service& service,
                                         std::shared_ptr<OpenSessions> sessions);

} // namespace cloister::front
