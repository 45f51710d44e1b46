// What a WebSocket session carries: somebody who is told texts and says texts, and who may end the
// connection. Our own protocol (conversation.h) is one; other interfaces are others.
#pragma once

#include "daemon/front/rate.h"
#include "daemon/front/send_queue.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace cloister::front {

struct Granted;

/// What a dialogue may do with its connection.
struct Line {
    /// `bulk`: see SendQueue::push.
    using Send = std::function<void(const MessagePtr& message, bool bulk)>;
    Send send{};
    /// Closes with `code`, once all that was sent is said. May be called within an event.
    std::function<void(unsigned code, std::string_view why)> leave{};
};

class Dialogue {
public:
    /// A close code that receive() asks for; 0: none, go on.
    static constexpr unsigned kGoOn = 0;
    static constexpr unsigned kBadText = 1007;
    static constexpr unsigned kTooFast = 4429;

    virtual ~Dialogue() = default;
    /// The connection is there.
    virtual void begin(const Granted& grant) = 0;
    /// Takes one message; the answer is a close code, or kGoOn.
    virtual unsigned receive(std::string_view text, bool binary, Bucket::Time now) = 0;
    /// The client does not read fast enough, or does again.
    virtual void set_congested(bool congested) = 0;
    /// The client is gone; nothing is sent any more. Twice is harmless.
    virtual void end() = 0;
    /// After so long lose_patience() is due, once; 0: never.
    virtual std::chrono::milliseconds patience() const { return {}; }
    virtual void lose_patience() {}
    /// True when what it says are bytes, not texts.
    virtual bool is_binary() const { return false; }
};

} // namespace cloister::front
