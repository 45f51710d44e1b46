// Readiness by Asio, reading and writing by hand: one buffer serves every reader, since bytes are
// handed on before the next read.
#include "daemon/front/streams.h"

#include <array>
#include <poll.h>

#include <boost/asio/io_context.hpp>

namespace cloister::front {
namespace {

constexpr std::chrono::milliseconds kGather{8};
constexpr std::size_t kTakenKept =
    64 * 1024;                            ///< bytes that the pipe has and we still hold, at most
constexpr std::size_t kLarge = 16 * 1024; ///< a read of this size is worth a message of its own

std::array<char, 64 * 1024> shared_buffer;

} // namespace

StreamReader::StreamReader(boost::asio::io_context& io, isolate::Fd fd, bool live, OnBytes on_bytes,
                           OnEnd on_end)
    : stream_(io, fd.get()), timer_(io), on_bytes_(std::move(on_bytes)), on_end_(std::move(on_end)),
      live_(live) {
    (void)fd.release();                // now the descriptor's
    stream_.native_non_blocking(true); // here, since Asio would do it once more when asked to wait
}

void StreamReader::pause(bool paused) {
    paused_ = paused;
    if (paused || !stream_.is_open()) return;
    if (std::exchange(gathering_, false)) (void)timer_.cancel();
    wait();
}

void StreamReader::close() {
    on_bytes_ = nullptr;
    on_end_ = nullptr;
    boost::system::error_code ignored; // a close that fails has still closed
    (void)timer_.cancel();
    (void)stream_.close(ignored);
}

void StreamReader::wait() {
    if (waiting_ || paused_ || gathering_ || !stream_.is_open()) return;
    waiting_ = true;
    stream_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                           self->waiting_ = false;
                           if (!error && !self->paused_) self->read();
                       });
}

void StreamReader::read() {
    if (!stream_.is_open()) return;
    const auto keep = shared_from_this(); // the calls below may close us
    const ssize_t size =
        ::read(stream_.native_handle(), shared_buffer.data(), shared_buffer.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return wait();
    if (size <= 0) { // the end; a terminal says EIO when its last user is gone
        const OnEnd on_end = std::move(on_end_);
        close();
        if (on_end) on_end();
        return;
    }
    const OnBytes on_bytes = on_bytes_; // a copy: close() empties the member
    if (on_bytes) on_bytes(std::string_view(shared_buffer.data(), static_cast<std::size_t>(size)));
    if (live_ && static_cast<std::size_t>(size) < kLarge) gather();
    wait();
}

void StreamReader::gather() {
    if (!stream_.is_open() || paused_) return;
    gathering_ = true;
    timer_.expires_after(kGather);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error) return;
        self->gathering_ = false;
        self->wait();
    });
}

StreamWriter::StreamWriter(boost::asio::io_context& io, isolate::Fd fd) : stream_(io, fd.get()) {
    (void)fd.release();
    stream_.native_non_blocking(true);
}

void StreamWriter::write(std::string_view bytes) {
    if (!stream_.is_open() || finishing_) return;
    if (taken_ == pending_.size() || taken_ >= kTakenKept) {
        pending_.erase(0, taken_);
        taken_ = 0;
    }
    pending_ += bytes;
    flush();
}

void StreamWriter::finish() {
    finishing_ = true;
    flush();
}

void StreamWriter::close() {
    boost::system::error_code ignored; // a close that fails has still closed
    pending_.clear();
    taken_ = 0;
    (void)stream_.close(ignored);
    // A copy: who hears it may write, or close, again.
    const std::function<void()> on_room = on_room_;
    if (on_room) on_room();
}

bool StreamWriter::has_reader() {
    if (!stream_.is_open()) return false;
    pollfd watched{.fd = stream_.native_handle(), .events = 0, .revents = 0};
    return ::poll(&watched, 1, 0) == 0; // POLLERR needs no asking for
}

void StreamWriter::flush() {
    while (stream_.is_open() && taken_ < pending_.size()) {
        const ssize_t size =
            ::write(stream_.native_handle(), pending_.data() + taken_, pending_.size() - taken_);
        if (size >= 0) {
            taken_ += static_cast<std::size_t>(size);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return close(); // nobody reads any more
        if (std::exchange(waiting_, true)) return;
        stream_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               self->waiting_ = false;
                               if (!error) self->flush();
                           });
        return;
    }
    if (finishing_) return close();
    const std::function<void()> on_room = on_room_;
    if (on_room) on_room();
}

} // namespace cloister::front
