// Many WebSocket connections to one server of this machine, held by one thread that costs as little
// as can be: raw frames on sockets that do not block, and a mask of zeros, so that nothing is
// masked. Knows text frames, answers pings, and gives up at everything else.
#pragma once

#include "isolate/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::bench {

using Clock = std::chrono::steady_clock;

class Crowd {
public:
    using OnMessage = std::function<void(std::size_t member, std::string_view text)>;

    Crowd(std::uint16_t port, std::string path);

    /// Opens connections until there are `count`, a few at a time, and takes the greeting of each.
    void open(std::size_t count);
    /// Closes those from number `count` on, with a reset: the port is free at once.
    void close(std::size_t count);
    std::size_t size() const { return members_.size(); }

    void send(std::size_t member, std::string_view text);
    /// Waits until something is there, then hands over each whole message. False when nothing came
    /// in time.
    bool receive(std::chrono::milliseconds most, const OnMessage& on_message);

private:
    struct Member {
        isolate::Fd socket;
        std::string held{};   ///< the beginning of a frame that is not whole
        std::string unsent{}; ///< what the kernel had no room for
        bool is_upgraded = false;
    };

    void begin(std::size_t member);
    void watch(std::size_t member, int operation, bool for_writing) const;
    void flush(std::size_t member);
    void read(std::size_t member, const OnMessage& on_message);
    std::size_t take_frames(std::size_t member, std::string_view bytes,
                            const OnMessage& on_message);
    void write_frame(std::size_t member, unsigned opcode, std::string_view payload);

    std::uint16_t port_;
    std::string path_;
    isolate::Fd epoll_;
    std::vector<Member> members_{};
    std::string buffer_;
    std::string frame_{};
};

} // namespace cloister::bench
