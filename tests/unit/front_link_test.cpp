// Promises of the front's end of the pair, against a keeper that the test plays: a run travels with
// its bundle alone, its streams may come late or never, and a keeper that breaks the rules is gone.
#include "daemon/front/keeper_link.h"
#include "tests/unit/front_fixture.h"

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::isolate::check;
using cloister::isolate::Fd;
using cloister::isolate::Life;
using cloister::isolate::Outcome;
using cloister::isolate::Verdict;
namespace wire = cloister::wire;

namespace {

/// The program's ends of a run's pipes, and ours.
struct Pipes {
    Pipes() {
        for (std::size_t i = 0; i < ours.size(); ++i) {
            int ends[2];
            check(::pipe2(ends, O_CLOEXEC), "make a pipe");
            ours[i] = Fd(ends[i == 0 ? 1 : 0]);
            theirs[i] = Fd(ends[i == 0 ? 0 : 1]);
        }
    }
    std::string read_input() const {
        char bytes[4096];
        const auto size = ::read(theirs[0].get(), bytes, sizeof bytes);
        return size < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(size));
    }
    void say(std::size_t stream, std::string_view text) const {
        REQUIRE(::write(theirs[stream].get(), text.data(), text.size()) ==
                static_cast<ssize_t>(text.size()));
    }
    void end() {
        for (Fd& fd : theirs) fd.reset();
    }
    std::array<Fd, 3> ours{};
    std::array<Fd, 3> theirs{};
};

struct Pair {
    Pair()
        : link(io, make_socket(),
               {[](const wire::StatusReply&) {}, [] {},
                [this](const std::string& why) { gone = why; }}),
          executions(
              link, {}, [](int) { return std::string("ptrace"); }, [] { return Clock::now(); }) {
        link.start(executions);
        client = executions.open_client(ears);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() { executions.abandon(); }

    Fd make_socket() {
        int ends[2];
        check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
              "make a pair");
        keeper = Fd(ends[0]);
        return Fd(ends[1]);
    }

    Job job(bool open) const {
        Job made;
        made.id = "x";
        made.bundle = "bundle";
        made.input = "first ";
        made.input_open = open;
        made.steps.resize(1);
        return made;
    }
    /// Everything that is ready happens.
    void turn() {
        io.restart();
        while (io.poll() > 0) {}
    }
    void tell(wire::Kind kind, std::uint64_t box, const std::vector<int>& fds = {},
              wire::Level level = wire::Level::cold) {
        wire::Frame frame;
        frame.kind = kind;
        if (kind == wire::Kind::streams) frame.body.streams = {.run_id = box};
        if (kind == wire::Kind::started) {
            frame.body.started = {};
            frame.body.started.run_id = box;
            frame.body.started.level = level;
        }
        if (kind == wire::Kind::life_reply)
            frame.body.life = {.run_id = box, .stream = 0, .life = life};
        if (kind == wire::Kind::ended) {
            frame.body.ended = {};
            frame.body.ended.run_id = box;
            frame.body.ended.outcome.ending.exit_code = 0;
        }
        REQUIRE(wire::send(keeper.get(), frame, fds.data(), fds.size()));
        turn();
    }
    void hand_over(std::uint64_t box, Pipes& pipes) {
        tell(wire::Kind::streams, box,
             {pipes.ours[0].get(), pipes.ours[1].get(), pipes.ours[2].get()});
        for (Fd& fd : pipes.ours) fd.reset();
    }
    /// The next frame that the keeper gets.
    wire::Received asked() const { return wire::receive(keeper.get()); }

    Fd keeper{};
    boost::asio::io_context io{1};
    std::string gone{};
    Life life = Life::unknown; ///< of the next `life_reply`
    KeeperLink link;
    Ears ears{};
    Executions executions;
    ClientId client = 0;
};

RunName named(const std::string& id) {
    RunName name;
    name.id = id;
    return name;
}

bool is_pipe_closed(const Fd& reading_end) {
    char byte;
    return ::read(reading_end.get(), &byte, 1) == 0;
}

} // namespace

TEST_CASE("a run travels with its bundle alone, and what was written meets its stdin", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    const wire::Received asked = pair.asked();
    REQUIRE(asked.frame.kind == wire::Kind::run);
    REQUIRE(asked.fd_count == 1);
    const std::uint64_t box = asked.frame.body.run.run_id;
    CHECK(!pair.executions.input(pair.client, named("x"), "second", true));
    CHECK(pair.link.unread_input(box) == 12);

    Pipes pipes;
    pair.hand_over(box, pipes);
    CHECK(pair.link.unread_input(box) == 0);
    CHECK(pipes.read_input() == "first second");
    CHECK(pipes.read_input().empty()); // the end
    pipes.say(1, "out");
    pipes.say(2, "err");
    pipes.end();
    pair.turn();
    CHECK(pair.ears.events.empty());
    pair.tell(wire::Kind::ended, box);
    REQUIRE(pair.ears.all<Finished>().size() == 1);
    CHECK(pair.ears.all<Finished>()[0].result.output == "out");
    CHECK(pair.ears.all<Finished>()[0].result.error == "err");
    CHECK(pair.gone.empty());
}

TEST_CASE("input that waits for the streams is bounded as any", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    CHECK(!pair.executions.input(pair.client, named("x"), std::string(200'000, 'x'), false));
    const auto refusal =
        pair.executions.input(pair.client, named("x"), std::string(200'000, 'x'), false);
    REQUIRE(refusal.has_value());
    CHECK(refusal->code == "too_large");
}

TEST_CASE("a run may be paused and killed before its streams are there", "[front]") {
    Pair pair;
    Job job = pair.job(false);
    job.stream = true;
    (void)pair.executions.submit(pair.client, std::move(job));
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    pair.executions.set_congested(pair.client, true);
    CHECK(!pair.executions.cancel(pair.client, named("x")));
    CHECK(pair.asked().frame.kind == wire::Kind::kill);
    Pipes pipes;
    pipes.say(1, "words");
    pair.hand_over(box, pipes);
    CHECK(pair.ears.all<Output>().empty()); // nobody reads yet
    pair.executions.set_congested(pair.client, false);
    pair.turn();
    CHECK(pair.ears.all<Output>().size() == 1);
    pipes.end();
    pair.tell(wire::Kind::ended, box);
    CHECK(pair.ears.all<Finished>().size() == 1);
}

TEST_CASE("a run that was refused inside the keeper ends without streams", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    pair.tell(wire::Kind::ended, box);
    CHECK(pair.ears.all<Finished>().size() == 1);
    CHECK(pair.executions.is_idle());
    Pipes late;
    pair.hand_over(box, late);
    CHECK(is_pipe_closed(late.theirs[0]));
    CHECK(pair.gone.empty());
}

TEST_CASE("a keeper that hands over the wrong descriptors is gone", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    Pipes pipes;
    SECTION("too few") {
        pair.tell(wire::Kind::streams, box, {pipes.ours[0].get(), pipes.ours[1].get()});
    }
    SECTION("too many") {
        const int one = pipes.ours[0].get();
        pair.tell(wire::Kind::streams, box, {one, one, one, one});
    }
    SECTION("where none belong") {
        pair.tell(wire::Kind::ended, box, {pipes.ours[0].get()});
        CHECK(pair.ears.events.empty());
    }
    SECTION("twice") {
        pair.hand_over(box, pipes);
        CHECK(pair.gone.empty());
        Pipes more;
        pair.hand_over(box, more);
    }
    CHECK(!pair.gone.empty());
}

TEST_CASE("a keeper that says what there is not is gone", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    SECTION("a level") { pair.tell(wire::Kind::started, box, {}, static_cast<wire::Level>(3)); }
    SECTION("a frame of the front's") { pair.tell(wire::Kind::release, box); }
    SECTION("a frame of nobody's") { pair.tell(static_cast<wire::Kind>(99), box); }
    CHECK(pair.ears.events.empty());
    CHECK(!pair.gone.empty());
}

TEST_CASE("signals that the keeper does not read do not pile up", "[front]") {
    Pair pair;
    (void)pair.executions.submit(pair.client, pair.job(true));
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    Pipes pipes;
    pair.hand_over(box, pipes);
    pair.tell(wire::Kind::started, box);
    constexpr int kSent = 5000;
    for (int i = 0; i < kSent; ++i) {
        CHECK(!pair.executions.signal(pair.client, named("x"), SIGUSR1));
        if (i % 2 == 0) CHECK(!pair.executions.signal(pair.client, named("x"), SIGUSR2));
    }
    int held = 0; // by the socket, and by the link when that is full
    for (bool more = true; more; pair.turn()) {
        more = false;
        while (pair.asked().state == wire::Received::State::frame) {
            more = true;
            ++held;
        }
    }
    CHECK(held > 2);
    CHECK(held < kSent / 2);
    CHECK(!pair.executions.signal(pair.client, named("x"), SIGUSR1)); // and later ones arrive
    CHECK(pair.asked().frame.body.kill.signal == SIGUSR1);
}

TEST_CASE("a terminal is ours: its run travels with the program's side and brings no streams",
          "[front]") {
    Pair pair;
    Job job = pair.job(true);
    job.terminal = true;
    (void)pair.executions.submit(pair.client, std::move(job));
    wire::Received asked = pair.asked();
    REQUIRE(asked.frame.kind == wire::Kind::run_on_terminal);
    REQUIRE(asked.fd_count == 2);
    CHECK(::isatty(asked.fds[0].get()) == 1);
    CHECK(asked.frame.body.run.flags == wire::kFlagLive);
    const std::uint64_t box = asked.frame.body.run.run_id;
    asked.fds[0].reset();
    pair.turn();
    pair.tell(wire::Kind::ended, box);
    CHECK(pair.ears.all<Finished>().size() == 1);
    CHECK(pair.gone.empty());
}

TEST_CASE("without descriptors for its streams a run is not begun", "[front]") {
    Pair pair;
    pair.executions.set_boxes(2);
    std::array<Fd, 4> free{}; // numbers: three for the streams, one for the bundle's memory
    for (Fd& fd : free) fd = Fd(check(::fcntl(pair.keeper.get(), F_DUPFD_CLOEXEC, 3), "copy"));
    rlimit before{};
    check(::getrlimit(RLIMIT_NOFILE, &before), "read the limit");
    rlimit few = before;
    few.rlim_cur = static_cast<rlim_t>(free.back().get()) + 1;
    for (Fd& fd : free) fd.reset();
    check(::setrlimit(RLIMIT_NOFILE, &few), "lower the limit");
    (void)pair.executions.submit(pair.client, pair.job(false));
    const auto refused = pair.ears.all<Refused>();
    (void)pair.executions.submit(pair.client, pair.job(false));
    const auto refused_then = pair.ears.all<Refused>();
    check(::setrlimit(RLIMIT_NOFILE, &before), "restore the limit");
    CHECK(refused.empty());
    REQUIRE(refused_then.size() == 1);
    CHECK(refused_then[0].refusal.code == "busy");
    // The first one's streams find their places, though there is no other descriptor left.
    Pipes pipes;
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    check(::setrlimit(RLIMIT_NOFILE, &few), "lower the limit");
    pair.hand_over(box, pipes);
    check(::setrlimit(RLIMIT_NOFILE, &before), "restore the limit");
    CHECK(pair.gone.empty());
    pipes.say(1, "out");
    pipes.end();
    pair.turn();
    pair.tell(wire::Kind::ended, box);
    REQUIRE(pair.ears.all<Finished>().size() == 1);
    CHECK(pair.ears.all<Finished>()[0].result.output == "out");
}

namespace {

/// Two programs that talk, with the ends of their pipes in the test's hands.
struct Talk : Pair {
    Talk() {
        (void)std::signal(SIGPIPE, SIG_IGN); // as the front does: one of two may close its stdin
        Job first = job(false);
        first.input.clear();
        Job second = first;
        second.id = "y";
        executions.set_boxes(2);
        Executions::Group group;
        group.jobs = {std::move(first), std::move(second)};
        group.wires = {{0, 0, 1, 0}, {1, 0, 0, 0}};
        const auto begun = executions.submit_group(client, std::move(group));
        REQUIRE(accepted(begun));
        turn();
        for (std::uint64_t& box : boxes) {
            const wire::Received run = asked();
            REQUIRE(run.frame.kind == wire::Kind::run);
            CHECK((run.frame.body.run.flags & wire::kFlagTalks) != 0);
            box = run.frame.body.run.run_id;
        }
    }
    /// The link has asked whether the program goes on: what it hears.
    void answer(std::size_t which, Life said, std::uint32_t stream = 0) {
        const wire::Received question = asked();
        REQUIRE(question.frame.kind == wire::Kind::life);
        REQUIRE(question.frame.body.life.run_id == boxes.at(which));
        REQUIRE(question.frame.body.life.stream == stream);
        life = said;
        tell(wire::Kind::life_reply, boxes.at(which));
    }
    void begin(std::size_t which) { hand_over(boxes[which], pipes[which]); }
    /// As long as nobody is waited for where the kernel does not say who ends.
    void look_again() {
        io.restart();
        (void)io.run_for(std::chrono::milliseconds(600));
    }
    void end(std::size_t which) {
        pipes[which].end();
        tell(wire::Kind::ended, boxes[which]);
    }
    std::array<std::uint64_t, 2> boxes{};
    std::array<Pipes, 2> pipes{};
};

void stop_blocking(const Fd& fd) { REQUIRE(::fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0); }

/// As much as the pipe takes; how much that was.
std::size_t say_much(const Fd& fd) {
    const std::string piece(4096, 'x');
    std::size_t said = 0;
    for (ssize_t size; (size = ::write(fd.get(), piece.data(), piece.size())) > 0;)
        said += static_cast<std::size_t>(size);
    return said;
}

std::size_t hear_much(const Fd& fd) {
    std::string piece(65536, '\0');
    std::size_t heard = 0;
    for (ssize_t size; (size = ::read(fd.get(), piece.data(), piece.size())) > 0;)
        heard += static_cast<std::size_t>(size);
    return heard;
}

} // namespace

TEST_CASE("what one of two prints is the other's input, and its end that input's end",
          "[front][link]") {
    Talk talk;
    talk.begin(0);
    talk.pipes[0].say(1, "early");
    talk.turn();
    talk.begin(1);
    CHECK(talk.pipes[1].read_input() == "early");
    talk.pipes[1].say(1, "back");
    talk.turn();
    CHECK(talk.pipes[0].read_input() == "back");
    talk.pipes[0].say(1, "last");
    talk.pipes[0].theirs[1].reset(); // its stdout alone
    talk.turn();
    CHECK(talk.pipes[1].read_input() == "last");
    stop_blocking(talk.pipes[1].theirs[0]);
    CHECK_FALSE(is_pipe_closed(talk.pipes[1].theirs[0]));
    talk.answer(0, Life::goes_on);
    CHECK(is_pipe_closed(talk.pipes[1].theirs[0]));
    talk.pipes[1].say(1, "still");
    talk.turn();
    CHECK(talk.pipes[0].read_input() == "still");
    talk.end(0);
    REQUIRE(talk.ears.all<Finished>().size() == 1);
    CHECK(talk.ears.all<Finished>()[0].result.output.empty());
    // Nobody reads any more: what is said is lost, and ends nobody.
    stop_blocking(talk.pipes[1].theirs[1]);
    for (int round = 0; round < 20; ++round) {
        CHECK(say_much(talk.pipes[1].theirs[1]) > 0);
        talk.turn();
    }
    talk.end(1);
    CHECK(talk.ears.all<Finished>().size() == 2);
    CHECK(talk.executions.is_idle());
    CHECK(talk.gone.empty());
}

TEST_CASE("the end of one that has left is told when it is known how it ended", "[front][link]") {
    Talk talk;
    talk.begin(0);
    talk.begin(1);
    const Fd& input = talk.pipes[1].theirs[0];
    stop_blocking(input);
    talk.pipes[0].say(1, "last");
    // It ends, and is stopped by the kernel when it has closed its output: it has its input still.
    talk.pipes[0].theirs[1].reset();
    talk.turn();
    talk.answer(0, Life::ends);
    talk.look_again();
    CHECK(talk.pipes[1].read_input() == "last");
    CHECK_FALSE(is_pipe_closed(input));
    talk.pipes[0].end();
    talk.look_again();
    CHECK_FALSE(is_pipe_closed(input));
    talk.tell(wire::Kind::ended, talk.boxes[0]);
    REQUIRE(talk.ears.all<Finished>().size() == 1);
    CHECK(is_pipe_closed(input));
    talk.end(1);
    CHECK(talk.executions.is_idle());
}

TEST_CASE("where the kernel does not say who ends, one that still reads goes on", "[front][link]") {
    const bool reads = GENERATE(true, false);
    Talk talk;
    talk.begin(0);
    talk.begin(1);
    const Fd& input = talk.pipes[1].theirs[0];
    stop_blocking(input);
    if (reads) talk.pipes[0].theirs[1].reset();
    else talk.pipes[0].end();
    talk.turn();
    talk.answer(0, Life::unknown);
    CHECK_FALSE(is_pipe_closed(input));
    talk.look_again();
    CHECK(is_pipe_closed(input) == reads);
    talk.end(0);
    CHECK(is_pipe_closed(input));
    talk.end(1);
    CHECK(talk.executions.is_idle());
}

TEST_CASE("a keeper that answers for a stream that there is not breaks the rules",
          "[front][link]") {
    Talk talk;
    talk.begin(0);
    wire::Frame frame;
    frame.kind = wire::Kind::life_reply;
    frame.body.life = {.run_id = talk.boxes[0], .stream = 2, .life = Life::goes_on};
    REQUIRE(wire::send(talk.keeper.get(), frame));
    talk.turn();
    CHECK_FALSE(talk.gone.empty());
}

TEST_CASE("an end that is known already is told at once", "[front][link]") {
    Talk talk;
    talk.begin(0);
    talk.begin(1);
    stop_blocking(talk.pipes[1].theirs[0]);
    talk.tell(wire::Kind::ended, talk.boxes[0]); // before its streams
    CHECK_FALSE(is_pipe_closed(talk.pipes[1].theirs[0]));
    talk.pipes[0].end();
    talk.turn();
    CHECK(is_pipe_closed(talk.pipes[1].theirs[0]));
    talk.end(1);
    CHECK(talk.executions.is_idle());
}

TEST_CASE("who prints faster than the other reads waits, and nothing is lost", "[front][link]") {
    Talk talk;
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
        talk.begin(which);
        stop_blocking(talk.pipes[which].theirs[0]);
        stop_blocking(talk.pipes[which].theirs[1]);
    }
    std::size_t said = 0;
    for (int round = 0; round < 50; ++round) {
        said += say_much(talk.pipes[0].theirs[1]);
        talk.turn();
    }
    CHECK(said < 512 * 1024); // two pipes and what is held between them
    std::size_t heard = 0;
    for (int round = 0; round < 200; ++round) {
        heard += hear_much(talk.pipes[1].theirs[0]);
        said += round < 100 ? say_much(talk.pipes[0].theirs[1]) : 0;
        talk.turn();
    }
    CHECK(heard == said);
    CHECK(said > 1024 * 1024);
    talk.end(0);
    talk.end(1);
    CHECK(talk.executions.is_idle());
}

TEST_CASE("a box that has ended is drained although its partner does not read", "[front][link]") {
    Talk talk;
    talk.begin(0);
    talk.begin(1);
    stop_blocking(talk.pipes[0].theirs[1]);
    for (int round = 0; round < 20; ++round) {
        (void)say_much(talk.pipes[0].theirs[1]);
        talk.turn();
    }
    talk.end(0);
    CHECK(talk.ears.all<Finished>().size() == 1);
    talk.end(1);
    CHECK(talk.ears.all<Finished>().size() == 2);
    CHECK(talk.executions.is_idle());
}

TEST_CASE("a run that asked for files has one pipe more, whose bytes are its files",
          "[front][link]") {
    Pair pair;
    Job job = pair.job(false);
    job.collect = {"a"};
    job.collect_bytes = 10;
    (void)pair.executions.submit(pair.client, std::move(job));
    pair.turn();
    const std::uint64_t box = pair.asked().frame.body.run.run_id;
    Pipes pipes;
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "make a pipe");
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    pair.tell(wire::Kind::streams, box,
              {pipes.ours[0].get(), pipes.ours[1].get(), pipes.ours[2].get(), read_end.get()});
    for (Fd& fd : pipes.ours) fd.reset();
    pipes.end();
    pair.tell(wire::Kind::ended, box);
    CHECK(pair.ears.events.empty());
    const std::string stream = collection_of({"text"});
    REQUIRE(::write(write_end.get(), stream.data(), stream.size()) ==
            static_cast<ssize_t>(stream.size()));
    write_end.reset();
    pair.turn();
    const Finished finished = pair.ears.all<Finished>().at(0);
    CHECK(finished.result.files.at(0).file.content == "text");
    CHECK(pair.gone.empty());
}

TEST_CASE("a keeper that brings other pipes than a run has is gone", "[front][link]") {
    for (const bool collects : {false, true}) {
        Pair pair;
        Job job = pair.job(false);
        if (collects) job.collect = {"a"};
        (void)pair.executions.submit(pair.client, std::move(job));
        pair.turn();
        const std::uint64_t box = pair.asked().frame.body.run.run_id;
        Pipes pipes;
        std::vector<int> fds = {pipes.ours[0].get(), pipes.ours[1].get(), pipes.ours[2].get()};
        if (!collects) fds.push_back(pipes.theirs[0].get());
        pair.tell(wire::Kind::streams, box, fds);
        CHECK_FALSE(pair.gone.empty());
    }
}
