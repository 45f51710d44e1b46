// A connection to a daemon, for the command line's own parts. What is Beast stays in the source: it
// costs half a minute for each file that knows it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json_fwd.hpp>

namespace cloister::cli {

using ErrorCode = boost::system::error_code;

/// A WebSocket.
class Connection {
public:
    explicit Connection(boost::asio::io_context& io);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `place`: ADDR:PORT, IPv6 in brackets. `error` is set when nobody is there; throws
    /// std::runtime_error, a sentence, when who is there does not let us in.
    boost::asio::awaitable<void> open(std::string place, std::string token, ErrorCode& error);
    boost::asio::awaitable<void> read(std::string& message, ErrorCode& error);
    /// One at a time; `message` lives until `done` is called.
    void write(const std::string& message, std::function<void(const ErrorCode&)> done);
    /// With the handshake; an end that is not clean is one, too.
    boost::asio::awaitable<void> close();
    /// What the daemon said when it closed the connection; may be empty.
    std::string reason() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Runs `io` with `task` to their end; what the task throws is thrown here.
void run_to_end(boost::asio::io_context& io, boost::asio::awaitable<void> task);

/// What a path of the daemon's answers, an object. Nothing when nobody is at `place`. Throws
/// std::runtime_error when it refuses.
std::optional<nlohmann::json> fetch_json(const std::string& place, const std::string& token,
                                         const char* path);

} // namespace cloister::cli
