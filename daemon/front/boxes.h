// What the flow of runs needs from the keeper and the kernel, as calls. KeeperLink is the real one;
// the tests have one on paper.
#pragma once

#include "daemon/wire/frames.h"

#include <cstdint>
#include <string_view>

namespace cloister::front {

/// One box is one run frame.
class Boxes {
public:
    struct Start {
        wire::RunFrame frame{};
        std::string_view bundle{};
        bool terminal = false;
        bool live = false; ///< output is passed on soon rather than in large pieces
        std::uint16_t columns = 80;
        std::uint16_t rows = 24;
    };
    virtual ~Boxes() = default;
    /// Throws isolate::SysError when there is no room for the streams; then nothing was started.
    virtual void start(const Start& start) = 0;
    virtual void kill(std::uint64_t box, isolate::Verdict reason) = 0;
    virtual void signal(std::uint64_t box, int number) = 0;
    virtual void release(std::uint64_t artifact) = 0;
    virtual void write(std::uint64_t box, std::string_view bytes) = 0;
    /// From now on what `from` prints to `stream` (0 stdout, 1 stderr) is the input of `to`, and
    /// its end that input's end; who prints faster than the other reads waits, as at a pipe. Both
    /// have just been started; each stream and each input is connected once. When a program ends,
    /// others hear of it after the keeper has said how it ended: so whoever ends because another
    /// one did, ends after it.
    virtual void connect(std::uint64_t from, std::size_t stream, std::uint64_t to) = 0;
    /// End of stdin, after what was written.
    virtual void close_input(std::uint64_t box) = 0;
    /// Bytes written to the box that its program has not taken yet.
    virtual std::size_t unread_input(std::uint64_t box) = 0;
    virtual void resize(std::uint64_t box, std::uint16_t columns, std::uint16_t rows) = 0;
    /// Stops and resumes the reading of output, so that a fast program waits for a slow client.
    virtual void pause(std::uint64_t box, bool paused) = 0;
    /// Forgets the box, which has ended.
    virtual void forget(std::uint64_t box) = 0;
};

} // namespace cloister::front
