// Notes in, requests out, answers in.
#include "daemon/front/analyst_link.h"

#include "daemon/front/utf8.h"
#include "isolate/packet.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <sstream>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace cloister::front {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using isolate::Fd;

std::array<unsigned char, 4> head_of(std::size_t size) {
    std::array<unsigned char, 4> head{};
    for (std::size_t i = 0; i < head.size(); ++i)
        head[i] = static_cast<unsigned char>(size >> (8 * i));
    return head;
}

std::uint32_t size_in(const std::array<unsigned char, 4>& head) {
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < head.size(); ++i) size |= std::uint32_t{head[i]} << (8 * i);
    return size;
}

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

/// One request and its answer. Lives as long as an operation on its socket is under way.
class AnalystLink::Exchange : public std::enable_shared_from_this<Exchange> {
public:
    /// Called once.
    using Done = std::function<void(const std::optional<std::string>& answer, bool late)>;

    Exchange(asio::io_context& io, Fd socket, std::uint64_t worker, Done done)
        : socket_(io, socket.get()), timer_(io), worker_(worker), done_(std::move(done)) {
        (void)socket.release(); // now the descriptor's
    }

    std::uint64_t worker() const { return worker_; }

    void start(const std::string& request) {
        head_ = head_of(request.size());
        text_ = request;
        timer_.expires_after(kPatience);
        timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->finish(std::nullopt, true);
        });
        const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_), asio::buffer(text_)};
        asio::async_write(
            socket_, parts,
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                if (error) return self->finish(std::nullopt, false);
                self->read_head();
            });
    }

    /// Nothing is called afterwards.
    void cancel() {
        done_ = {};
        close();
    }

private:
    void read_head() {
        asio::async_read(
            socket_, asio::buffer(head_),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                const std::uint32_t size = size_in(self->head_);
                if (error || size > wire::kMaxAnalystAnswer)
                    return self->finish(std::nullopt, false);
                self->read_text(size);
            });
    }

    void read_text(std::uint32_t size) {
        text_.assign(size, '\0');
        asio::async_read(
            socket_, asio::buffer(text_),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                if (error || !is_utf8(self->text_)) return self->finish(std::nullopt, false);
                self->finish(std::move(self->text_), false);
            });
    }

    void close() {
        boost::system::error_code ignored;
        (void)socket_.close(ignored);
        (void)timer_.cancel();
    }

    void finish(const std::optional<std::string>& answer, bool late) {
        close();
        if (Done done = std::exchange(done_, {})) done(answer, late);
    }

    stream_descriptor socket_;
    asio::steady_timer timer_;
    std::uint64_t worker_;
    Done done_;
    std::array<unsigned char, 4> head_{};
    std::string text_{};
};

AnalystLink::AnalystLink(asio::io_context& io, Analyses& analyses)
    : io_(io), timer_(io), analyses_(analyses) {
    analyses_.connect(
        [this](std::uint64_t job, const std::string& request) { return give(job, request); });
}

AnalystLink::~AnalystLink() {
    for (const auto& [job, exchange] : working_) exchange->cancel();
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
        // More than there can be, or one without its socket: this is no analyst of ours.
        if (!socket || idle_.size() >= wire::kAnalystWorkers ||
            ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0)
            return end();
        idle_.push_back({note.worker, std::move(socket)});
        return analyses_.on_worker();
    case Kind::failed:
        (void)std::fprintf(stderr, "cloister: the analyst cannot serve: %s\n",
                           plain(note.text).c_str());
        end();
        return analyses_.on_failed();
    default: return end();
    }
}

bool AnalystLink::give(std::uint64_t job, const std::string& request) {
    if (!ticking_ && analyses_.is_waiting()) tick();
    if (idle_.empty() || !control_) return false;
    Idle worker = std::move(idle_.front());
    idle_.pop_front();
    auto exchange =
        std::make_shared<Exchange>(io_, std::move(worker.socket), worker.name,
                                   [this, job](const std::optional<std::string>& answer,
                                               bool late) { finish(job, answer, late); });
    working_.emplace(job, exchange);
    exchange->start(request);
    return true;
}

void AnalystLink::finish(std::uint64_t job, const std::optional<std::string>& answer, bool late) {
    const auto found = working_.find(job);
    if (found == working_.end()) return;
    // One that answered ends by itself; one that did not may be anything.
    if (!answer) kill(found->second->worker());
    working_.erase(found);
    analyses_.on_answer(job, answer, late);
}

void AnalystLink::kill(std::uint64_t worker) {
    if (!control_) return;
    wire::AnalystNote note;
    note.kind = wire::AnalystNote::Kind::kill;
    note.worker = worker;
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
