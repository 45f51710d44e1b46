// Making streams, packing frames. Our ends of pipes never block; the program's ends do, since
// O_NONBLOCK belongs to the open file and a program must find its stdin as it expects it.
#include "daemon/front/keeper_link.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <boost/asio/io_context.hpp>

namespace cloister::front {

using isolate::check;
using isolate::Fd;

struct KeeperLink::Streams {
    bool terminal = false;
    std::shared_ptr<StreamWriter> input{};
    std::array<std::shared_ptr<StreamReader>, 2> output{};
    int terminal_fd = -1; ///< borrowed from `output[0]`, for resizing; open as long as that is
};

/// A frame with the descriptors that travel beside it, until it is sent.
struct KeeperLink::Parcel {
    wire::Frame frame{};
    std::array<Fd, wire::kMaxFrameFds> fds{};
    std::size_t fd_count = 0;
};

namespace {

struct Pipe {
    Fd read;
    Fd write;
};

void set_nonblocking(const Fd& fd) {
    const int flags = check(::fcntl(fd.get(), F_GETFL), "read a stream's flags");
    check(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK), "make a stream not block");
}

Pipe make_pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "make a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

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

} // namespace

KeeperLink::KeeperLink(boost::asio::io_context& io, Fd socket, Handlers handlers)
    : io_(io), socket_(io, socket.get()), handlers_(std::move(handlers)) {
    (void)socket.release(); // now the descriptor's
}

KeeperLink::~KeeperLink() {
    for (auto& [box, streams] : boxes_) {
        if (streams->input) streams->input->close();
        for (const auto& reader : streams->output) {
            if (reader) reader->close();
        }
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

void KeeperLink::start(const Start& start) {
    auto streams = std::make_unique<Streams>();
    streams->terminal = start.terminal;
    Parcel parcel;
    parcel.frame.kind = wire::Kind::run;
    parcel.frame.body.run = start.frame;
    parcel.fd_count = 4;
    const std::uint64_t box = start.frame.run_id;
    const auto reader = [&](Fd fd, std::size_t stream) {
        return std::make_shared<StreamReader>(
            io_, std::move(fd), start.live,
            [this, box, stream](std::string_view bytes) {
                executions_->on_output(box, stream, bytes);
            },
            [this, box, stream] { executions_->on_stream_end(box, stream); });
    };
    if (start.terminal) {
        Fd master(check(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK),
                        "open a terminal"));
        int locked = 0;
        check(::ioctl(master.get(), TIOCSPTLCK, &locked), "unlock a terminal");
        set_size(master.get(), start.columns, start.rows);
        Fd slave(check(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                       "open a terminal's other side"));
        for (std::size_t i = 0; i < 3; ++i) {
            parcel.fds[i] = Fd(check(::fcntl(slave.get(), F_DUPFD_CLOEXEC, 3), "copy a terminal"));
        }
        // One descriptor is watched once, so reading and writing each have their own.
        Fd writing(check(::fcntl(master.get(), F_DUPFD_CLOEXEC, 3), "copy a terminal"));
        streams->input = std::make_shared<StreamWriter>(io_, std::move(writing));
        streams->terminal_fd = master.get();
        streams->output[0] = reader(std::move(master), 0);
    } else {
        Pipe input = make_pipe();
        Pipe output = make_pipe();
        Pipe error = make_pipe();
        set_nonblocking(input.write);
        set_nonblocking(output.read);
        set_nonblocking(error.read);
        parcel.fds[0] = std::move(input.read);
        parcel.fds[1] = std::move(output.write);
        parcel.fds[2] = std::move(error.write);
        streams->input = std::make_shared<StreamWriter>(io_, std::move(input.write));
        streams->output[0] = reader(std::move(output.read), 0);
        streams->output[1] = reader(std::move(error.read), 1);
    }
    parcel.fds[3] = sealed(start.bundle);
    for (const auto& one : streams->output) {
        if (one) one->start();
    }
    boxes_[box] = std::move(streams);
    send(std::move(parcel));
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
    send(std::move(parcel));
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
    if (streams != nullptr) streams->input->write(bytes);
}

void KeeperLink::close_input(std::uint64_t box) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    if (streams->terminal)
        return streams->input->write("\x04"); // ^D, as people end input at a terminal
    streams->input->finish();
}

std::size_t KeeperLink::unread_input(std::uint64_t box) {
    Streams* streams = find(box);
    return streams == nullptr ? 0 : streams->input->unread();
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
    for (const auto& reader : streams->output) {
        if (reader) reader->pause(paused);
    }
}

void KeeperLink::forget(std::uint64_t box) {
    Streams* streams = find(box);
    if (streams == nullptr) return;
    streams->input->close();
    for (const auto& reader : streams->output) {
        if (reader) reader->close();
    }
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
                                   const wire::Received received =
                                       wire::receive(socket_.native_handle());
                                   if (received.state == wire::Received::State::nothing) break;
                                   if (received.state == wire::Received::State::closed)
                                       return gone("the keeper is gone");
                                   take(received.frame);
                               }
                           } catch (const std::exception& broken) {
                               return gone(broken.what());
                           }
                           listen();
                       });
}

void KeeperLink::take(const wire::Frame& frame) {
    switch (frame.kind) {
    case wire::Kind::started:
        return executions_->on_started(frame.body.started.run_id,
                                       std::chrono::nanoseconds(frame.body.started.setup_ns));
    case wire::Kind::ended:
        return executions_->on_ended(frame.body.ended.run_id, frame.body.ended.outcome);
    case wire::Kind::status_reply: return handlers_.on_status(frame.body.status);
    case wire::Kind::drain: return handlers_.on_drain();
    default: throw std::runtime_error("the keeper sent a frame that it may not send");
    }
}

void KeeperLink::gone(const std::string& why) { handlers_.on_gone(why); }

} // namespace cloister::front
