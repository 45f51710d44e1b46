// Taking streams, packing frames. Our ends of pipes never block; the program's ends do, since
// O_NONBLOCK belongs to the open file and a program must find its stdin as it expects it.
#include "daemon/front/keeper_link.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <boost/asio/io_context.hpp>

namespace cloister::front {

using isolate::check;
using isolate::Fd;

struct KeeperLink::Streams {
    bool terminal = false;
    bool live = false;
    bool waiting = false;      ///< the keeper has not handed over the pipes yet
    std::string early_input{}; ///< for `input`, once it is there
    bool input_over = false;   ///< close `input` behind that
    bool paused = false;
    std::shared_ptr<StreamWriter> input{};
    std::array<std::shared_ptr<StreamReader>, 2> output{};
    /// One of its outputs that is another box's input.
    struct Outlet {
        std::uint64_t to = 0; ///< that box; 0: none
        bool held = false;    ///< it waits for that box to read
        bool silent = false;  ///< it is closed, and that box is not told yet
        std::unique_ptr<boost::asio::steady_timer> second_look{};
    };
    std::array<Outlet, 2> outlets{};
    struct Source {
        std::uint64_t box = 0;
        std::size_t stream = 0;
    };
    std::optional<Source> from{}; ///< whose output its input is
    bool over = false;            ///< nobody prints any more: what is left is a pipe's worth
    bool collects = false;        ///< the pipes are one more
    std::shared_ptr<StreamReader> files{}; ///< never paused: it is bounded, and its box waits
    int terminal_fd = -1; ///< borrowed from `output[0]`, for resizing; open as long as that is
};

/// A frame with the descriptors that travel beside it, until it is sent.
struct KeeperLink::Parcel {
    wire::Frame frame{};
    std::array<Fd, wire::kMaxFrameFds> fds{};
    std::size_t fd_count = 0;
};

namespace {

void set_size(int terminal, std::uint16_t columns, std::uint16_t rows) {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    (void)::ioctl(terminal, TIOCSWINSZ, &size); // a terminal that has just closed needs no size
}

/// The bundle in memory that nobody can change or truncate any more, so the box may trust its
/// length.
Fd sealed(std::string_view bytes) {
    Fd memory(check(::memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                    "make the bundle's memory"));
    while (!bytes.empty()) {
        const ssize_t size =
            check(::write(memory.get(), bytes.data(), bytes.size()), "fill the bundle");
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    check(::fcntl(memory.get(), F_ADD_SEALS, kSeals), "seal the bundle");
    return memory;
}

constexpr std::size_t kStreams = 3; ///< stdin, stdout, stderr
/// Where the keeper cannot ask the kernel: for it to close all streams of a process that ends. It
/// lets others run between one and the next, and a box that is full of others may wait for its next
/// share of a processor then, which is a tenth of a second away.
constexpr std::chrono::milliseconds kClosingTime{250};
constexpr std::size_t kMostUnread = 64 * 1024;     ///< of a box's input, before its peer waits
constexpr std::size_t kMostStreams = kStreams + 1; ///< and collected files

wire::Level level_of(const wire::StartedFrame& started) {
    if (static_cast<std::size_t>(started.level) >= wire::kLevelNames.size())
        throw std::runtime_error("the keeper sent a level that there is not");
    return started.level;
}

} // namespace

KeeperLink::KeeperLink(boost::asio::io_context& io, Fd socket, Handlers handlers)
    : io_(io), socket_(io, socket.get()), handlers_(std::move(handlers)) {
    (void)socket.release(); // now the descriptor's
}

KeeperLink::~KeeperLink() {
    for (auto& [box, streams] : boxes_) {
        if (streams->input) {
            streams->input->when_taken({});
            streams->input->close();
        }
        for (const auto& reader : streams->output) {
            if (reader) reader->close();
        }
        if (streams->files) streams->files->close();
    }
}

void KeeperLink::start(Executions& executions) {
    executions_ = &executions;
    listen();
}

void KeeperLink::ask_status() {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::status;
    send(std::move(parcel));
}

void KeeperLink::tell_ready() {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::ready;
    send(std::move(parcel));
}

void KeeperLink::tell_reloaded(bool taken) {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::reloaded;
    parcel.frame.body.reloaded = {.taken = taken ? 1U : 0U, .reserved = 0};
    send(std::move(parcel));
}

std::shared_ptr<StreamReader> KeeperLink::reader(std::uint64_t box, Fd fd, bool live,
                                                 std::size_t stream) {
    return std::make_shared<StreamReader>(
        io_, std::move(fd), live,
        [this, box, stream](std::string_view bytes) {
            pass_on(box, stream, bytes);
            executions_->on_output(box, stream, bytes);
        },
        [this, box, stream] {
            fell_silent(box, stream);
            executions_->on_stream_end(box, stream);
        });
}

std::shared_ptr<StreamReader> KeeperLink::files_reader(std::uint64_t box, Fd fd) {
    return std::make_shared<StreamReader>(
        io_, std::move(fd), false,
        [this, box](std::string_view bytes) { executions_->on_files(box, bytes); },
        [this, box] { executions_->on_stream_end(box, Executions::kFiles); });
}

void KeeperLink::start(const Start& start) {
    auto streams = std::make_unique<Streams>();
    streams->terminal = start.terminal;
    streams->live = start.live;
    streams->collects = (start.frame.flags & wire::kFlagCollect) != 0;
    Parcel parcel;
    parcel.frame.body.run = start.frame;
    const std::uint64_t box = start.frame.run_id;
    if (start.terminal) {
        Fd master(check(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK),
                        "open a terminal"));
        int locked = 0;
        check(::ioctl(master.get(), TIOCSPTLCK, &locked), "unlock a terminal");
        set_size(master.get(), start.columns, start.rows);
        Fd slave(check(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                       "open a terminal's other side"));
        // One descriptor is watched once, so reading and writing each have their own.
        Fd writing(check(::fcntl(master.get(), F_DUPFD_CLOEXEC, 3), "copy a terminal"));
        parcel.frame.kind = wire::Kind::run_on_terminal;
        parcel.fds[0] = std::move(slave);
        parcel.fds[1] = sealed(start.bundle);
        parcel.fd_count = 2;
        streams->input = std::make_shared<StreamWriter>(io_, std::move(writing));
        streams->terminal_fd = master.get();
        streams->output[0] = reader(box, std::move(master), start.live, 0);
        streams->output[0]->start();
    } else {
        parcel.frame.kind = wire::Kind::run;
        parcel.fds[0] = sealed(start.bundle);
        parcel.fd_count = 1;
        const std::size_t pipes = streams->collects ? kMostStreams : kStreams;
        reserve(awaited_ + pipes);
        streams->waiting = true;
        awaited_ += pipes;
    }
    boxes_[box] = std::move(streams);
    send(std::move(parcel));
}

// Descriptors that find no free number on their way in are lost, and with them a run that has
// begun. So a run takes the numbers for its streams before it is asked for, and is refused when
// there are none; they are free for the moment in which a frame may bring the streams.
void KeeperLink::reserve(std::size_t pipes) {
    if (reserve_.size() > pipes) reserve_.resize(pipes);
    while (reserve_.size() < pipes) {
        reserve_.emplace_back(check(::fcntl(socket_.native_handle(), F_DUPFD_CLOEXEC, 3),
                                    "reserve a stream's descriptor"));
    }
}

wire::Received KeeperLink::receive() {
    reserve(awaited_ - std::min(awaited_, kMostStreams));
    wire::Received received = wire::receive(socket_.native_handle());
    if (received.fd_count == 0) reserve(awaited_);
    return received;
}

/// The keeper's answer to a run: the pipes that it made.
void KeeperLink::take_streams(wire::Received& received) {
    const std::uint64_t box = received.frame.body.streams.run_id;
    Streams* streams = find(box);
    if (streams == nullptr) return; // forgotten meanwhile: they close here
    if (!streams->waiting) throw std::runtime_error("the keeper sent a run's streams twice");
    if (streams->collects != (received.fd_count == kMostStreams))
        throw std::runtime_error("the keeper sent other streams than a run has");
    streams->waiting = false;
    awaited_ -= received.fd_count;
    reserve(awaited_); // of those that were free for this frame it may not have needed all
    // Most programs get no input: then this end closes with the frame.
    const bool no_input = streams->input_over && streams->early_input.empty();
    if (!no_input) streams->input = std::make_shared<StreamWriter>(io_, std::move(received.fds[0]));
    if (streams->input && streams->from)
        streams->input->when_taken([this, box] { take_more(box); });
    for (std::size_t i = 0; i < streams->output.size(); ++i) {
        streams->output[i] = reader(box, std::move(received.fds[i + 1]), streams->live, i);
        if (streams->paused) streams->output[i]->pause(true);
        streams->output[i]->start();
    }
    if (streams->collects) {
        streams->files = files_reader(box, std::move(received.fds[kStreams]));
        streams->files->start();
    }
    if (!streams->early_input.empty()) streams->input->write(streams->early_input);
    streams->early_input = {};
    if (streams->input_over && streams->input) streams->input->finish();
}

/// A run that was refused inside the keeper has no streams, and so no end of them to wait for.
void KeeperLink::take_end(const wire::EndedFrame& ended) {
    Streams* streams = find(ended.run_id);
    if (streams != nullptr) {
        streams->over = true;
        for (const Streams::Outlet& outlet : streams->outlets) {
            if (outlet.silent) close_input(outlet.to);
        }
    }
    const bool never_began = streams != nullptr && streams->waiting;
    const std::size_t outputs = streams != nullptr && streams->collects ? 3 : 2;
    executions_->on_ended(ended.run_id, ended.outcome, ended.artifact_bytes);
    if (!never_began) return;
    for (std::size_t i = 0; i < outputs; ++i) executions_->on_stream_end(ended.run_id, i);
}

void KeeperLink::kill(std::uint64_t box, isolate::Verdict reason) {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::kill;
    wire::KillFrame kill;
    kill.run_id = box;
    kill.reason = reason;
    parcel.frame.body.kill = kill;
    send(std::move(parcel));
}

void KeeperLink::signal(std::uint64_t box, int number) {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::kill;
    wire::KillFrame kill;
    kill.run_id = box;
    kill.signal = static_cast<std::uint32_t>(number);
    parcel.frame.body.kill = kill;
    // One that still waits is not sent twice, as one that is pending is not delivered twice.
    const auto is_same = [&](const Parcel& other) {
        return other.frame.kind == wire::Kind::kill && other.frame.body.kill.run_id == box &&
               other.frame.body.kill.signal == kill.signal;
    };
    if (std::none_of(unsent_.begin(), unsent_.end(), is_same)) send(std::move(parcel));
}

void KeeperLink::release(std::uint64_t artifact) {
    Parcel parcel;
    parcel.frame.kind = wire::Kind::release;
    parcel.frame.body.release.run_id = artifact;
    send(std::move(parcel));
}

KeeperLink::Streams* KeeperLink::find(std::uint64_t box) {
    const auto found = boxes_.find(box);
    return found == boxes_.end() ? nullptr : found->second.get();
}

void KeeperLink::write(std::uint64_t box, std::string_view bytes) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    if (streams->input) return streams->input->write(bytes);
    if (!streams->input_over) streams->early_input += bytes;
}

// Through this process, not by a pipe between the boxes: so any box will do, also one that was made
// ahead with its pipes; what is printed is held against the limit byte for byte; and the keeper
// needs not know of it. The price is a turn of this loop for each message.
void KeeperLink::connect(std::uint64_t from, std::size_t stream, std::uint64_t to) {
    Streams* speaker = find(from);
    Streams* listener = find(to);
    if (speaker == nullptr || listener == nullptr) return;
    speaker->outlets.at(stream).to = to;
    listener->from = Streams::Source{.box = from, .stream = stream};
}

/// What `box` printed, to who listens. One that is over reads nothing any more.
void KeeperLink::pass_on(std::uint64_t box, std::size_t stream, std::string_view bytes) {
    Streams* from = find(box);
    if (from == nullptr) return;
    Streams::Outlet& outlet = from->outlets.at(stream);
    if (outlet.to == 0 || find(outlet.to) == nullptr) return;
    write(outlet.to, bytes);
    if (from->over || unread_input(outlet.to) < kMostUnread) return;
    outlet.held = true;
    from->output.at(stream)->pause(true);
}

/// `box` has read all that there was.
void KeeperLink::take_more(std::uint64_t box) {
    const Streams* to = find(box);
    if (to == nullptr || !to->from) return;
    const Streams::Source source = *to->from;
    Streams* from = find(source.box);
    if (from == nullptr || !std::exchange(from->outlets.at(source.stream).held, false)) return;
    if (!from->paused) from->output.at(source.stream)->pause(false);
}

// A program that ends closes its streams before anybody can know how it ended, and others would
// hear of it first: whether one failed by itself, or because another one left, could then be told
// by luck alone. So the end of one that has left is passed on only when it is known. One that has
// closed nothing but its output goes on, perhaps until its own input ends, so who listens is told
// at once. Which of the two it is the keeper asks the kernel.
void KeeperLink::fell_silent(std::uint64_t box, std::size_t stream) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    Streams::Outlet& outlet = streams->outlets.at(stream);
    if (outlet.to == 0) return;
    if (streams->over) return close_input(outlet.to);
    outlet.silent = true;
    Parcel parcel;
    parcel.frame.kind = wire::Kind::life;
    parcel.frame.body.life = {.run_id = box,
                              .stream = static_cast<std::uint32_t>(stream),
                              .life = isolate::Life::unknown};
    send(std::move(parcel));
}

void KeeperLink::take_life(const wire::LifeFrame& answer) {
    Streams* streams = find(answer.run_id);
    if (streams == nullptr) return;
    if (answer.stream >= streams->outlets.size())
        throw std::runtime_error("the keeper answered what nobody asked");
    Streams::Outlet& outlet = streams->outlets.at(answer.stream);
    if (!outlet.silent) return;
    if (answer.life == isolate::Life::unknown) return look_again(answer.run_id, answer.stream);
    if (answer.life == isolate::Life::ends) return; // the keeper's next word will be of it
    outlet.silent = false;
    close_input(outlet.to);
}

/// One that goes on is known by its own input, which still has a reader after a while; but a
/// process that the kernel stops between closing the one and the other looks like it.
void KeeperLink::look_again(std::uint64_t box, std::size_t stream) {
    Streams::Outlet& outlet = find(box)->outlets.at(stream);
    outlet.second_look = std::make_unique<boost::asio::steady_timer>(io_, kClosingTime);
    outlet.second_look->async_wait([this, box, stream](const boost::system::error_code& error) {
        Streams* still = error ? nullptr : find(box);
        const bool listens = still != nullptr && still->input && still->input->has_reader();
        if (!listens) return;
        Streams::Outlet& then = still->outlets.at(stream);
        if (std::exchange(then.silent, false)) close_input(then.to);
    });
}

void KeeperLink::close_input(std::uint64_t box) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    if (streams->terminal)
        return streams->input->write("\x04"); // ^D, as people end input at a terminal
    if (streams->input) return streams->input->finish();
    streams->input_over = true;
}

std::size_t KeeperLink::unread_input(std::uint64_t box) {
    Streams* streams = find(box);
    if (streams == nullptr) return 0;
    return streams->input ? streams->input->unread() : streams->early_input.size();
}

void KeeperLink::resize(std::uint64_t box, std::uint16_t columns, std::uint16_t rows) {
    Streams* streams = find(box);
    if (streams != nullptr && streams->terminal && streams->output[0]->is_open()) {
        set_size(streams->terminal_fd, columns, rows);
    }
}

void KeeperLink::pause(std::uint64_t box, bool paused) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    streams->paused = paused; // for readers that are not there yet
    for (Streams::Outlet& outlet : streams->outlets) outlet.held = false;
    for (const auto& reader : streams->output) {
        if (reader) reader->pause(paused);
    }
}

void KeeperLink::forget(std::uint64_t box) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    if (streams->waiting) {
        awaited_ -= streams->collects ? kMostStreams : kStreams;
        reserve(awaited_);
    }
    take_more(box); // whoever waited for it to read does so no longer
    if (streams->input) streams->input->close();
    for (const auto& reader : streams->output) {
        if (reader) reader->close();
    }
    if (streams->files) streams->files->close();
    boxes_.erase(box);
}

void KeeperLink::send(Parcel parcel) {
    unsent_.push_back(std::move(parcel));
    flush();
}

void KeeperLink::flush() {
    try {
        while (!unsent_.empty()) {
            const Parcel& parcel = unsent_.front();
            std::array<int, wire::kMaxFrameFds> fds{};
            for (std::size_t i = 0; i < parcel.fd_count; ++i) fds[i] = parcel.fds[i].get();
            if (!wire::send(socket_.native_handle(), parcel.frame, fds.data(), parcel.fd_count))
                break;
            unsent_.pop_front();
        }
    } catch (const std::exception& error) {
        return gone(error.what());
    }
    if (unsent_.empty() || std::exchange(waiting_, true)) return;
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                       [this](const boost::system::error_code& error) {
                           waiting_ = false;
                           if (!error) flush();
                       });
}

void KeeperLink::listen() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                           if (error) return;
                           try {
                               for (;;) {
                                   wire::Received received = receive();
                                   if (received.state == wire::Received::State::nothing) break;
                                   if (received.state == wire::Received::State::closed)
                                       return gone("the keeper is gone");
                                   take(received);
                               }
                           } catch (const std::exception& broken) {
                               return gone(broken.what());
                           }
                           listen();
                       });
}

void KeeperLink::take(wire::Received& received) {
    const wire::Frame& frame = received.frame;
    // An analyst's socket that found no free number ends that analyst, and the next one comes; new
    // settings that found none are not taken over.
    const bool one_at_most = frame.kind == wire::Kind::analyst || frame.kind == wire::Kind::reload;
    const bool streams = frame.kind == wire::Kind::streams;
    const std::size_t least = streams ? kStreams : 0;
    const std::size_t most = one_at_most ? 1 : streams ? kMostStreams : 0;
    if (received.fd_count < least || received.fd_count > most)
        throw std::runtime_error("the keeper sent a frame with the wrong descriptors");
    switch (frame.kind) {
    case wire::Kind::streams: return take_streams(received);
    case wire::Kind::started:
        return executions_->on_started(frame.body.started.run_id,
                                       std::chrono::nanoseconds(frame.body.started.setup_ns),
                                       level_of(frame.body.started));
    case wire::Kind::usage: return executions_->on_usage(frame.body.usage);
    case wire::Kind::ended: return take_end(frame.body.ended);
    case wire::Kind::life_reply: return take_life(frame.body.life);
    case wire::Kind::status_reply: return handlers_.on_status(frame.body.status);
    case wire::Kind::drain: return handlers_.on_drain();
    case wire::Kind::reload:
        return handlers_.on_reload(frame.body.reload, std::move(received.fds[0]));
    case wire::Kind::analyst:
        if (handlers_.on_analyst) handlers_.on_analyst(std::move(received.fds[0]));
        return;
    default: throw std::runtime_error("the keeper sent a frame that it may not send");
    }
}

void KeeperLink::gone(const std::string& why) { handlers_.on_gone(why); }

} // namespace cloister::front
