// The two ends of a program's streams that we hold: a reader that can be told to wait, and a writer
// that keeps what the program has not taken yet. Both belong to the one thread of the front.
#pragma once

#include "isolate/fd.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cloister::front {

class StreamReader : public std::enable_shared_from_this<StreamReader> {
public:
    using OnBytes = std::function<void(std::string_view)>;
    using OnEnd = std::function<void()>;

    /// Makes `fd` not block. A `live` stream is passed on at once, then at most every few
    /// milliseconds, so that a program which prints letter by letter does not become a message per
    /// letter.
    StreamReader(boost::asio::io_context& io, isolate::Fd fd, bool live, OnBytes on_bytes,
                 OnEnd on_end);
    void start() { wait(); }
    /// Resuming also ends a pause that gathers output.
    void pause(bool paused);
    /// Nothing is called afterwards.
    void close();
    bool is_open() const { return stream_.is_open(); }

private:
    void wait();
    void read();
    void gather();

    boost::asio::posix::stream_descriptor stream_;
    boost::asio::steady_timer timer_;
    OnBytes on_bytes_;
    OnEnd on_end_;
    bool live_;
    bool paused_ = false;
    bool waiting_ = false;
    bool gathering_ = false;
};

class StreamWriter : public std::enable_shared_from_this<StreamWriter> {
public:
    StreamWriter(boost::asio::io_context& io, isolate::Fd fd);
    /// What a program that closed its stdin does not take is dropped.
    void write(std::string_view bytes);
    /// `on_room` is called whenever all that was written is taken, or nobody will take it.
    void when_taken(std::function<void()> on_room) { on_room_ = std::move(on_room); }
    /// Closes the stream behind what was written.
    void finish();
    void close();
    std::size_t unread() const { return pending_.size() - taken_; }
    /// False when nobody will ever read what is written: no process has the other end, or we have
    /// closed this one.
    bool has_reader();

private:
    void flush();

    boost::asio::posix::stream_descriptor stream_;
    std::string pending_{};
    std::size_t taken_ = 0; ///< bytes at the front of `pending_` that the pipe has
    bool finishing_ = false;
    bool waiting_ = false;
    std::function<void()> on_room_{};
};

} // namespace cloister::front
