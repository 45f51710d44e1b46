// The front's end of the analyst: the control socket, the workers that it brings, and the clock
// that a worker must not outlast. Whatever comes from there comes from processes that read
// strangers' bytes: it is bounded, and what does not fit ends that worker or that analyst, nothing
// else.
#pragma once

#include "daemon/front/analyses.h"
#include "daemon/wire/analyst.h"
#include "isolate/fd.h"

#include <deque>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cloister::front {

class AnalystLink {
public:
    /// A worker that has not answered by then is killed: more than its own budget, which it keeps
    /// when the parser lets it.
    static constexpr std::chrono::milliseconds kPatience{600};

    AnalystLink(boost::asio::io_context& io, Analyses& analyses);
    ~AnalystLink();

    /// The control socket of an analyst that begins; one before it is over. An empty one could not
    /// be received: closing it has ended that analyst, and the next one comes.
    void begin(isolate::Fd control);

private:
    class Exchange;
    struct Idle {
        std::uint64_t name = 0;
        isolate::Fd socket{};
    };

    void listen();
    void take(const wire::AnalystNote& note, isolate::Fd socket);
    void end();
    bool give(std::uint64_t job, const std::string& request);
    void finish(std::uint64_t job, const std::optional<std::string>& answer, bool late);
    void kill(std::uint64_t worker);
    void tick();

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<boost::asio::posix::stream_descriptor> control_{};
    std::uint64_t generation_ = 0; ///< of the control socket
    std::deque<Idle> idle_{};
    std::map<std::uint64_t, std::shared_ptr<Exchange>> working_{}; ///< by job
    bool ticking_ = false;
    Analyses& analyses_;
};

} // namespace cloister::front
