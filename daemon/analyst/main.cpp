// cloister-analyst DATA: the analyst's first process, pid 2 of its box. It compiles all queries
// once, then starts workers by fork, so that one costs a millisecond, and replaces each that ends.
// It reads no byte of a client's: those go to a worker, straight from the front. Standard input is
// the control socket.
#include "daemon/analyst/worker.h"
#include "daemon/wire/analyst.h"
#include "isolate/fd.h"
#include "isolate/packet.h"

#include <csignal>
#include <cstring>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

namespace {

using cloister::analyst::Languages;
using cloister::isolate::Fd;
using cloister::wire::AnalystNote;

constexpr int kControl = 0;
constexpr int kRetryMs = 100; ///< when a worker could not be started

struct Worker {
    std::uint64_t name = 0;
    pid_t pid = 0;
    Fd process{};
    bool holds = false; ///< a document, and so nobody else's request can go to it
};

bool tell(AnalystNote::Kind kind, const std::string& text) {
    AnalystNote note;
    note.kind = kind;
    const std::size_t size = std::min(text.size(), note.text.size() - 1);
    std::memcpy(note.text.data(), text.data(), size);
    return cloister::isolate::send_packet(kControl, cloister::isolate::bytes_of(note));
}

class Zygote {
public:
    explicit Zygote(const Languages& languages) : languages_(languages) {}

    /// Until the front is gone.
    void serve() {
        for (;;) {
            bool whole = true;
            while (whole && workers_.size() - holding_ < cloister::wire::kAnalystWorkers)
                whole = start_worker();
            std::vector<pollfd> watched = {{.fd = kControl, .events = POLLIN, .revents = 0}};
            for (const Worker& one : workers_)
                watched.push_back({.fd = one.process.get(), .events = POLLIN, .revents = 0});
            (void)::poll(watched.data(), watched.size(), whole ? -1 : kRetryMs);
            if (watched[0].revents != 0 && !take_note()) return;
            reap();
        }
    }

private:
    bool start_worker() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
        const Fd front_end(ends[0]);
        const Fd worker_end(ends[1]);
        const pid_t pid = ::fork();
        if (pid < 0) return false;
        if (pid == 0) become_worker(worker_end.get());
        Worker made;
        made.name = ++last_name_;
        made.pid = pid;
        made.process = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        AnalystNote note;
        note.kind = AnalystNote::Kind::worker;
        note.worker = made.name;
        const int fds[] = {front_end.get()};
        // Without the front there is nobody to serve; without a descriptor nothing can be watched,
        // and a fresh start helps. The kernel takes the workers along.
        const bool told =
            cloister::isolate::send_packet(kControl, cloister::isolate::bytes_of(note), fds);
        if (!told || !made.process) ::_exit(1);
        workers_.push_back(std::move(made));
        return true;
    }

    [[noreturn]] void become_worker(int socket) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // 0 to 2 are the control socket and streams that lead nowhere; the worker has one socket,
        // and nothing of its neighbours'.
        if (::dup2(socket, kControl) < 0) ::_exit(1);
        for (int fd = 1; fd < 64; ++fd) (void)::close(fd); // as many as it may have
        cloister::analyst::be_worker(languages_, kControl);
    }

    /// False when the front is gone.
    bool take_note() {
        AnalystNote note;
        const auto packet =
            cloister::isolate::receive_packet(kControl, cloister::isolate::writable_bytes_of(note));
        if (packet.size <= 0) return packet.size < 0 && errno == EINTR;
        if (packet.size != sizeof note) return true;
        for (Worker& one : workers_) {
            if (one.name != note.worker) continue;
            if (note.kind == AnalystNote::Kind::kill) kill(one);
            if (note.kind == AnalystNote::Kind::hold) hold(one);
        }
        return true;
    }

    static void kill(const Worker& one) {
        (void)::syscall(SYS_pidfd_send_signal, one.process.get(), SIGKILL, nullptr, 0);
    }

    /// More than there may be are not held.
    void hold(Worker& one) {
        if (one.holds) return;
        const rlimit seconds{cloister::analyst::kHoldingSeconds,
                             cloister::analyst::kHoldingSeconds};
        // It is not reaped yet, so its number is its own.
        const bool lives_longer = holding_ < cloister::wire::kAnalystHeld &&
                                  ::prlimit(one.pid, RLIMIT_CPU, &seconds, nullptr) == 0;
        if (!lives_longer) return kill(one);
        one.holds = true;
        ++holding_;
    }

    void reap() {
        std::erase_if(workers_, [this](const Worker& one) {
            const bool gone = ::waitpid(one.pid, nullptr, WNOHANG) == one.pid;
            if (gone && one.holds) --holding_;
            return gone;
        });
    }

    const Languages& languages_;
    std::vector<Worker> workers_{};
    std::size_t holding_ = 0; ///< of the workers
    std::uint64_t last_name_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Languages languages;
    try {
        languages = cloister::analyst::load_languages(argv[1]);
    } catch (const std::exception& error) {
        (void)tell(AnalystNote::Kind::failed, error.what());
        return 1;
    }
    std::string names;
    for (const auto& [id, language] : languages) names += (names.empty() ? "" : " ") + id;
    if (!tell(AnalystNote::Kind::ready, names)) return 0;
    Zygote(languages).serve();
    return 0;
}
