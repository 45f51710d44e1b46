// Notes in, requests out, answers in.
#include "daemon/front/analyst_link.h"

#include "daemon/front/utf8.h"
#include "isolate/packet.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sstream>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace cloister::front {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using isolate::Fd;

/// For the log: one line, plain characters, whoever wrote it.
std::string plain(const std::array<char, 496>& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\0') break;
        out += c >= ' ' && c < '\x7f' ? c : '?';
    }
    return out;
}

} // namespace

/// What leads to one worker, and the request that is under way there. Lives as long as an operation
/// on its socket is.
class AnalystLink::Line : public std::enable_shared_from_this<Line> {
public:
    /// Called once.
    using Done = std::function<void(Analyses::Answer answer)>;

    Line(asio::io_context& io, Fd socket, std::uint64_t name, Worker worker,
         std::uint64_t generation)
        : socket_(io, socket.get()), timer_(io), name_(name), worker_(worker),
          generation_(generation) {
        (void)socket.release(); // now the descriptor's
    }

    /// As the analyst calls it.
    std::uint64_t name() const { return name_; }
    Worker worker() const { return worker_; }
    std::uint64_t generation() const { return generation_; }

    void ask(const Analyses::Order& order, Done done) {
        ++turn_;
        done_ = std::move(done);
        request_.size = static_cast<std::uint32_t>(order.request.size());
        request_.kind = order.kind;
        request_.text_bytes = order.text_bytes;
        request_.text_mark = order.text_mark;
        text_ = order.request;
        timer_.expires_after(kPatience);
        timer_.async_wait(
            [self = shared_from_this(), turn = turn_](const boost::system::error_code& error) {
                if (!error && self->turn_ == turn) self->fail(true);
            });
        const std::array<asio::const_buffer, 2> parts = {asio::buffer(&request_, sizeof request_),
                                                         asio::buffer(text_)};
        asio::async_write(
            socket_, parts,
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                if (error) return self->fail(false);
                self->read_head();
            });
    }

    /// Of one that waits: it has nothing to say yet but that it has ended.
    bool is_gone() {
        pollfd watched{.fd = socket_.native_handle(), .events = POLLIN | POLLRDHUP, .revents = 0};
        return ::poll(&watched, 1, 0) > 0;
    }

    /// Until the next request: there is nothing to hear but its end.
    void watch(const std::function<void()>& lost) {
        socket_.async_wait(stream_descriptor::wait_read,
                           [self = shared_from_this(), turn = turn_,
                            lost](const boost::system::error_code& error) {
                               if (!error && self->turn_ == turn) lost();
                           });
    }

    /// Nothing is called afterwards.
    void close() {
        ++turn_;
        done_ = {};
        boost::system::error_code ignored;
        (void)socket_.close(ignored);
        (void)timer_.cancel();
    }

private:
    void read_head() {
        asio::async_read(
            socket_, asio::buffer(&answer_, sizeof answer_),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                if (error || self->answer_.size > wire::kMaxAnalystAnswer) return self->fail(false);
                self->read_text(self->answer_.size);
            });
    }

    void read_text(std::uint32_t size) {
        text_.assign(size, '\0');
        asio::async_read(
            socket_, asio::buffer(text_),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                if (error || !is_utf8(self->text_)) return self->fail(false);
                Analyses::Answer answer;
                answer.text = std::exchange(self->text_, {});
                answer.text_mark = self->answer_.text_mark;
                answer.held_bytes = std::size_t{self->answer_.held_kib} * 1024;
                self->finish(std::move(answer));
            });
    }

    void fail(bool late) {
        Analyses::Answer answer;
        answer.late = late;
        finish(std::move(answer));
    }

    void finish(Analyses::Answer answer) {
        ++turn_;
        (void)timer_.cancel();
        answer.worker = worker_;
        if (const Done done = std::exchange(done_, {})) done(std::move(answer));
    }

    stream_descriptor socket_;
    asio::steady_timer timer_;
    std::uint64_t name_;
    Worker worker_;
    std::uint64_t generation_;
    std::uint64_t turn_ = 0; ///< goes on with each request, and when that is over
    Done done_{};
    wire::AnalystRequest request_{};
    wire::AnalystAnswer answer_{};
    std::string text_{};
};

AnalystLink::AnalystLink(asio::io_context& io, Analyses& analyses)
    : io_(io), timer_(io), analyses_(analyses) {
    analyses_.connect({.give = [this](const Analyses::Order& order) { return give(order); },
                       .drop = [this](Worker worker) { drop(worker); }});
}

AnalystLink::~AnalystLink() {
    for (const auto& [job, line] : working_) line->close();
    for (const auto& [worker, line] : holding_) line->close();
}

void AnalystLink::begin(Fd control) {
    end();
    analyses_.on_begun();
    if (!control) return;
    if (::fcntl(control.get(), F_SETFL, O_NONBLOCK) != 0) return;
    control_ = std::make_unique<stream_descriptor>(io_, control.get());
    (void)control.release();
    ++generation_;
    listen();
}

/// What is at work gets no answer any more: its sockets close with their workers.
void AnalystLink::end() {
    if (!control_) return;
    control_.reset();
    idle_.clear();
    for (const auto& [worker, line] : std::exchange(holding_, {})) {
        const bool works = std::ranges::any_of(
            working_, [&, one = line](const auto& each) { return each.second == one; });
        if (!works) line->close();
    }
    analyses_.on_gone();
}

void AnalystLink::listen() {
    control_->async_wait(stream_descriptor::wait_read,
                         [this, generation = generation_](const boost::system::error_code& error) {
                             if (error || generation != generation_ || !control_) return;
                             for (;;) {
                                 wire::AnalystNote note;
                                 auto packet = isolate::receive_packet(
                                     control_->native_handle(), isolate::writable_bytes_of(note));
                                 if (packet.size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                                     return listen();
                                 if (packet.size < 0 && errno == EINTR) continue;
                                 if (packet.size != sizeof note || packet.cut) return end();
                                 take(note, std::move(packet.fds[0]));
                                 if (generation != generation_ || !control_) return;
                             }
                         });
}

void AnalystLink::take(const wire::AnalystNote& note, Fd socket) {
    using Kind = wire::AnalystNote::Kind;
    switch (note.kind) {
    case Kind::ready: {
        std::istringstream words(plain(note.text));
        std::set<std::string> languages;
        for (std::string word; words >> word;) languages.insert(word);
        return analyses_.on_ready(std::move(languages));
    }
    case Kind::worker:
        // One that died while it waited for its first request is replaced by now.
        std::erase_if(idle_, [](const LinePtr& line) { return line->is_gone(); });
        // More than there can be, or one without its socket: this is no analyst of ours.
        if (!socket || idle_.size() >= wire::kAnalystWorkers ||
            ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0)
            return end();
        idle_.push_back(std::make_shared<Line>(io_, std::move(socket), note.worker, ++last_worker_,
                                               generation_));
        return analyses_.on_worker();
    case Kind::failed:
        (void)std::fprintf(stderr, "cloister: the analyst cannot serve: %s\n",
                           plain(note.text).c_str());
        end();
        return analyses_.on_failed();
    default: return end();
    }
}

bool AnalystLink::give(const Analyses::Order& order) {
    if (!ticking_ && analyses_.is_waiting()) tick();
    if (!control_) return false;
    LinePtr line;
    if (order.worker == 0) {
        if (idle_.empty()) return false;
        line = std::move(idle_.front());
        idle_.pop_front();
    } else {
        const auto found = holding_.find(order.worker);
        if (found == holding_.end()) return false;
        line = found->second;
    }
    working_.emplace(order.job, line);
    line->ask(order, [this, job = order.job, line](Analyses::Answer answer) {
        finish(job, line, std::move(answer));
    });
    return true;
}

void AnalystLink::finish(std::uint64_t job, const LinePtr& line, Analyses::Answer answer) {
    if (working_.erase(job) == 0) return;
    const Worker worker = line->worker();
    const bool is_of_now = line->generation() == generation_ && control_ != nullptr;
    if (!is_of_now || !answer.text) answer.held_bytes = 0;
    if (answer.held_bytes > 0) {
        if (holding_.emplace(worker, line).second) tell(wire::AnalystNote::Kind::hold, *line);
        line->watch([this, worker] { lose(worker); });
    } else {
        // One that answered ends by itself; one that did not may be anything.
        if (!answer.text && is_of_now) tell(wire::AnalystNote::Kind::kill, *line);
        holding_.erase(worker);
        line->close();
    }
    analyses_.on_answer(job, answer, std::chrono::steady_clock::now());
}

/// It ended, or speaks without having been asked.
void AnalystLink::lose(Worker worker) {
    analyses_.on_lost(worker);
    drop(worker);
}

void AnalystLink::drop(Worker worker) {
    const auto found = holding_.find(worker);
    if (found == holding_.end()) return;
    const LinePtr line = found->second;
    holding_.erase(found);
    line->close();
    tell(wire::AnalystNote::Kind::kill, *line);
}

void AnalystLink::tell(wire::AnalystNote::Kind kind, const Line& line) {
    if (!control_) return;
    wire::AnalystNote note;
    note.kind = kind;
    note.worker = line.name();
    // An analyst that takes no notes any more is replaced.
    if (!isolate::send_packet(control_->native_handle(), isolate::bytes_of(note), {}, MSG_DONTWAIT))
        end();
}

/// While something waits, looks whether it waits too long.
void AnalystLink::tick() {
    ticking_ = true;
    timer_.expires_after(std::chrono::milliseconds(250));
    timer_.async_wait([this](const boost::system::error_code& error) {
        ticking_ = false;
        if (error) return;
        analyses_.expire(std::chrono::steady_clock::now());
        if (analyses_.is_waiting()) tick();
    });
}

} // namespace cloister::front
