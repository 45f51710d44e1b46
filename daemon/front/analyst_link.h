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
    using Worker = Analyses::Worker;

    /// A worker that has not answered by then is killed: more than its own budget, which it keeps
    /// when the parser lets it.
    static constexpr std::chrono::milliseconds kPatience{600};

    AnalystLink(boost::asio::io_context& io, Analyses& analyses);
    ~AnalystLink();

    /// The control socket of an analyst that begins; one before it is over. An empty one could not
    /// be received: closing it has ended that analyst, and the next one comes.
    void begin(isolate::Fd control);

private:
    class Line;
    using LinePtr = std::shared_ptr<Line>;

    void listen();
    void take(const wire::AnalystNote& note, isolate::Fd socket);
    void end();
    bool give(const Analyses::Order& order);
    void finish(std::uint64_t job, const LinePtr& line, Analyses::Answer answer);
    void lose(Worker worker);
    void drop(Worker worker);
    void tell(wire::AnalystNote::Kind kind, const Line& line);
    void tick();

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<boost::asio::posix::stream_descriptor> control_{};
    std::uint64_t generation_ = 0; ///< of the control socket
    Worker last_worker_ = 0;       ///< numbers of ours: an analyst that comes again begins anew
    std::deque<LinePtr> idle_{};
    std::map<std::uint64_t, LinePtr> working_{}; ///< by job
    std::map<Worker, LinePtr> holding_{};        ///< at work or not
    bool ticking_ = false;
    Analyses& analyses_;
};

} // namespace cloister::front
