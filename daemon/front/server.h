// The listener: accepts connections, answers HTTP, and hands upgraded ones to their sessions.
// Bounds how many connections there are, how many from one address, and how many have not said what
// they want yet.
#pragma once

#include "daemon/front/conversation.h"

#include <functional>
#include <memory>
#include <set>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace cloister::front {

/// A WebSocket session, as the server sees it.
class OpenSession {
public:
    virtual ~OpenSession() = default;
    /// Says what is still to be said, then closes with `code`.
    virtual void leave(unsigned code, std::string_view why) = 0;
};

using OpenSessions = std::set<OpenSession*>;

class Server {
public:
    /// Takes over `listener`, a listening TCP socket.
    Server(boost::asio::io_context& io, int listener, Service& service);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void start();
    void stop_accepting();
    /// Closes every session with 1001; `done` is called once, when the last one is gone.
    void close_all(std::function<void()> done);
    std::size_t connections() const; ///< all, WebSockets included
    std::size_t sessions() const;    ///< WebSockets
    /// "http://127.0.0.1:8000"
    std::string address() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

} // namespace cloister::front
