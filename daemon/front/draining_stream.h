// A TCP stream that ends politely. A server that closes a socket with unread bytes in it resets the
// connection, and a reset overtakes what was sent last: the close frame that says why. So the rest
// of what the peer sends is read and dropped first, for a moment. (Beast 1.81 means to do so too,
// but its asynchronous teardown stops after the first read.)
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace cloister::front {

inline constexpr std::chrono::seconds kDrainTime{3};
inline constexpr std::size_t kDrainBytes = std::size_t{8} << 20;

class DrainingStream : public boost::beast::tcp_stream {
public:
    explicit DrainingStream(boost::asio::ip::tcp::socket&& socket)
        : boost::beast::tcp_stream(std::move(socket)) {}
};

/// One ending. Lives until its handler is called; the stream outlives that.
template <typename Handler>
class Drain : public std::enable_shared_from_this<Drain<Handler>> {
public:
    using ErrorCode = boost::system::error_code;

    Drain(DrainingStream& stream, Handler handler)
        : stream_(stream), timer_(stream.get_executor()), handler_(std::move(handler)) {}

    void start() {
        ErrorCode ignored;
        stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
        timer_.expires_after(kDrainTime);
        timer_.async_wait([self = this->shared_from_this()](const ErrorCode& error) {
            ErrorCode late;
            if (!error && !self->done_) self->stream_.socket().cancel(late);
        });
        read();
    }

private:
    void read() {
        stream_.socket().async_read_some(
            boost::asio::buffer(waste_),
            [self = this->shared_from_this()](const ErrorCode& error, std::size_t size) {
                self->left_ -= std::min(size, self->left_);
                if (!error && self->left_ > 0) return self->read();
                self->finish();
            });
    }
    void finish() {
        done_ = true;
        (void)timer_.cancel();
        ErrorCode result;
        stream_.socket().close(result);
        auto executor = boost::asio::get_associated_executor(handler_, stream_.get_executor());
        boost::asio::dispatch(executor,
                              boost::beast::bind_front_handler(std::move(handler_), result));
    }

    DrainingStream& stream_;
    boost::asio::steady_timer timer_;
    Handler handler_;
    std::array<char, 16384> waste_{};
    std::size_t left_ = kDrainBytes;
    bool done_ = false;
};

/// Found by Beast beside its own ones.
template <typename Handler>
void async_teardown(boost::beast::role_type /*role*/, DrainingStream& stream, Handler&& handler) {
    std::make_shared<Drain<std::decay_t<Handler>>>(stream, std::forward<Handler>(handler))->start();
}

inline void teardown(boost::beast::role_type /*role*/, DrainingStream& stream,
                     boost::system::error_code& error) {
    stream.socket().close(error);
}

} // namespace cloister::front
