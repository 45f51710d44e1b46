// Promises against a taken front: whatever it sends, the keeper does what the permit table allows
// or ends both. Each front here is a process of its own that says one thing too much.
#include "daemon/keeper/service.h"
#include "daemon/wire/frames.h"
#include "isolate/bundle.h"
#include "tests/box/box.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <iterator>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

using isolate::Fd;
using wire::Frame;
using wire::Kind;

const config::Settings& settings() {
    static const config::Settings two_boxes = [] {
        config::Settings own = actor_settings();
        own.config.boxes = 2;
        own.config.prepared_boxes = 0;
        return own;
    }();
    return two_boxes;
}

/// The front's side of the pair.
class Link {
public:
    explicit Link(int fd) : fd_(fd) {}
    int fd() const { return fd_; }

    void send(const Frame& frame, const std::vector<int>& fds = {}) const {
        while (!wire::send(fd_, frame, fds.data(), fds.size())) wait(POLLOUT);
    }
    /// The next frame of that kind, or nothing once the keeper is gone.
    std::optional<Frame> next(Kind kind) const {
        for (;;) {
            const wire::Received received = wire::receive(fd_);
            if (received.state == wire::Received::State::closed) return std::nullopt;
            if (received.state == wire::Received::State::nothing) wait(POLLIN);
            else if (received.frame.kind == kind) return received.frame;
        }
    }

    /// Until the keeper has closed its end.
    void wait_for_end() const { wait(0); }

private:
    void wait(short events) const {
        pollfd watched{.fd = fd_, .events = events, .revents = 0};
        (void)::poll(&watched, 1, -1);
    }
    int fd_;
};

using Front = std::function<void(const Link&)>;

/// What the keeper said at its end, which is a failure unless it drained.
std::string said_to(const Front& front) {
    int ends[2];
    isolate::check(::pipe2(ends, O_CLOEXEC), "pipe");
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    const config::Settings& with = settings();
    const pid_t keeper = isolate::check(::fork(), "fork");
    if (keeper == 0) {
        (void)::alarm(static_cast<unsigned>(20 * slowness())); // nobody waits for ever
        (void)::dup2(write_end.get(), 2);
        const auto start_front = [&](int front_end, uid_t) {
            const pid_t pid = ::fork();
            if (pid != 0) return pid;
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)::dup2(front_end, 3);
            (void)::close_range(4, ~0U, 0); // the keeper's end, above all
            const Link link(3);
            try {
                front(link);
            } catch (const std::exception&) {} // the keeper is gone
            ::_exit(0);
        };
        ::_exit(keeper::serve(with, "", start_front));
    }
    write_end.reset();
    std::string said;
    char block[1024];
    for (ssize_t size; (size = ::read(read_end.get(), block, sizeof block)) > 0;)
        said.append(block, static_cast<std::size_t>(size));
    int status = 0;
    while (::waitpid(keeper, &status, 0) < 0 && errno == EINTR) {}
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) said += "(the keeper did not fail)";
    return said;
}

Fd bundle(bool sealed = true) {
    isolate::Bundle content;
    content.arguments = {"exit", "0"}; // needs nobody who reads
    const std::string bytes = isolate::pack(content);
    Fd file(isolate::check(::memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd"));
    isolate::check(::write(file.get(), bytes.data(), bytes.size()), "write");
    if (sealed)
        isolate::check(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
                       "seal");
    return file;
}

Frame run_frame(std::uint64_t id = 1) {
    const auto place_of = [](const auto& map, const char* name) {
        return static_cast<std::uint32_t>(std::distance(map.begin(), map.find(name)));
    };
    Frame frame;
    frame.kind = Kind::run;
    frame.body.run.run_id = id;
    frame.body.run.runtime = place_of(settings().runtimes, "actor");
    frame.body.run.policy = place_of(settings().policies, "default");
    frame.body.run.limits = settings().policies.at("default").limits;
    return frame;
}

/// A run frame that is changed, with so many bundles beside it, and then silence; or, instead, what
/// `otherwise` does.
struct Breach {
    const char* said = "";
    void (*change)(Frame&) = nullptr;
    std::size_t bundles = 1;
    void (*otherwise)(const Link&) = nullptr;

    void commit(const Link& link) const {
        if (otherwise != nullptr) return otherwise(link);
        Frame frame = run_frame();
        change(frame);
        const Fd file = bundle();
        link.send(frame, std::vector<int>(bundles, file.get()));
        (void)link.next(Kind::drain);
    }
};

void sends_unsealed(const Link& link) {
    const Fd file = bundle(false);
    link.send(run_frame(), {file.get()});
    (void)link.next(Kind::drain);
}

void sends_one_number_twice(const Link& link) {
    const Fd file = bundle();
    link.send(run_frame(), {file.get()});
    link.send(run_frame(), {file.get()});
    (void)link.next(Kind::drain);
}

/// A run that is handed no pipes cannot have one for its files.
void sends_terminal_with_files(const Link& link) {
    const Fd master(isolate::check(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "terminal"));
    isolate::check(::unlockpt(master.get()), "unlock a terminal");
    const Fd slave(isolate::check(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                                  "open a terminal's other side"));
    Frame frame = run_frame();
    frame.kind = Kind::run_on_terminal;
    frame.body.run.flags = wire::kFlagCollect;
    const Fd file = bundle();
    link.send(frame, {slave.get(), file.get()});
    (void)link.next(Kind::drain);
}

void sends_half_a_frame(const Link& link) {
    const Frame frame;
    (void)::send(link.fd(), &frame, sizeof frame / 2, 0);
    (void)link.next(Kind::drain);
}

/// Makes the keeper hold the pipes of one run after the other.
void never_reads(const Link& link) {
    for (int i = 0; i < 1500; ++i) link.send({}); // more answers than a socket holds
    const Fd file = bundle();
    for (std::uint64_t id = 1; id <= 20; ++id) {
        link.send(run_frame(id), {file.get()});
        std::this_thread::sleep_for(30ms * slowness()); // so that the next one finds a place
    }
    link.wait_for_end();
}

constexpr const char* kTooMuch = "a run beyond what it may ask for";
constexpr const char* kWrongCount = "the wrong descriptors";
constexpr Breach kBreaches[] = {
    {"an unknown frame", [](Frame& frame) { frame.kind = static_cast<Kind>(9); }},
    {"an unknown frame", [](Frame& frame) { frame.kind = Kind::ended; }, 0},
    {kWrongCount, [](Frame&) {}, 0},
    {kWrongCount, [](Frame&) {}, 3},
    {kWrongCount, [](Frame& frame) { frame.kind = Kind::status; }},
    {"not one whole frame", nullptr, 0, sends_half_a_frame},
    {"not sealed", nullptr, 1, sends_unsealed},
    {"a terminal that is none", [](Frame& frame) { frame.kind = Kind::run_on_terminal; }, 2},
    {"an unknown flag", [](Frame& frame) { frame.body.run.flags = 1U << 31; }},
    {kTooMuch, nullptr, 1, sends_terminal_with_files},
    {kTooMuch, [](Frame& frame) { frame.body.run.run_id = 0; }},
    {kTooMuch, nullptr, 1, sends_one_number_twice},
    {kTooMuch, [](Frame& frame) { frame.body.run.runtime = 99; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.policy = 99; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.stage = static_cast<wire::Stage>(7); }},
    {kTooMuch, [](Frame& frame) { frame.body.run.stage = wire::Stage::compile; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.artifact = 7; }},
    {kTooMuch, [](Frame& frame) { ++frame.body.run.limits.memory_bytes; }},
    {kTooMuch, [](Frame& frame) { ++frame.body.run.limits.processes; }},
    {kTooMuch, [](Frame& frame) { ++frame.body.run.limits.cpu_percent; }},
    {kTooMuch, [](Frame& frame) { ++frame.body.run.limits.wall_time; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.limits.wall_time = -1ms; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.limits.file_bytes = 0; }},
    {kTooMuch, [](Frame& frame) { frame.body.run.limits.file_count = 0; }},
    {"an unknown signal",
     [](Frame& frame) {
         frame.kind = Kind::kill;
         frame.body.kill = {.run_id = 1, .signal = 65, .reason = Verdict::cancelled};
     },
     0},
    {"an unknown signal",
     [](Frame& frame) {
         frame.kind = Kind::kill;
         frame.body.kill = {.run_id = 1, .signal = 33, .reason = Verdict::cancelled};
     },
     0},
    {"an unknown reason",
     [](Frame& frame) {
         frame.kind = Kind::kill;
         frame.body.kill = {.run_id = 1, .signal = 0, .reason = Verdict::ok};
     },
     0},
    {"a stream that there is not",
     [](Frame& frame) {
         frame.kind = Kind::life;
         frame.body.life = {.run_id = 1, .stream = 2, .life = isolate::Life::unknown};
     },
     0},
    {"no longer reading", nullptr, 1, never_reads},
};

} // namespace

TEST_CASE("a front that asks for what it may gets it", "[box][root]") {
    const std::string said = said_to([](const Link& link) {
        link.send({});
        const Fd file = bundle();
        Frame question; // after a run that there is not: nobody answers
        question.kind = Kind::life;
        question.body.life = {.run_id = 1, .stream = 0, .life = isolate::Life::unknown};
        link.send(question);
        link.send(run_frame(), {file.get()});
        if (!link.next(Kind::status_reply) || !link.next(Kind::streams)) ::_exit(2);
        const auto ended = link.next(Kind::ended);
        if (!ended || ended->body.ended.outcome.ending.exit_code != 0) ::_exit(3);
    });
    CHECK(said == "cloisterd: the front ended (status 0); ending\n");
}

TEST_CASE("a front that asks for more is ended, and the keeper with it", "[box][root][any-host]") {
    for (const Breach& breach : kBreaches) {
        const std::string said = said_to([&](const Link& link) { breach.commit(link); });
        INFO(breach.said);
        CHECK_THAT(said, Catch::Contains(breach.said));
        CHECK_THAT(said, Catch::Contains("ending both"));
    }
    CHECK(actors().empty());
}

} // namespace cloister::box_test
