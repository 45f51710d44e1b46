// A small loop around Runs that feeds stdin and collects the streams by itself.
#include "daemon/keeper/local_runner.h"

#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/runs.h"
#include "daemon/keeper/unprivileged.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <sys/mman.h>
#include <thread>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

struct Pipe {
    Fd read;
    Fd write;
};

Pipe make_pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

void stop_blocking(const Fd& fd) { check(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl"); }

Fd seal(const std::string& bytes) {
    Fd file(check(::memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd"));
    if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        throw isolate::SysError(errno, "write the bundle");
    }
    check(
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
        "seal the bundle");
    return file;
}

/// One collected stream: what fits is kept, the rest counted.
struct Stream {
    Fd fd{};
    std::string* kept = nullptr;
    std::uint64_t* dropped = nullptr;
};

/// One run as its caller sees it.
struct Job {
    const LocalRun* request = nullptr;
    LocalResult result{};
    isolate::Limits limits{};
    Fd input{};
    std::size_t written = 0;
    std::array<Stream, 2> streams{};
    Fd files{};
    isolate::CollectionReader collection{{}, 0};
    std::optional<Clock::time_point> started{};
    bool ended = false;
    bool cancelled = false;
    bool signalled = false;

    bool is_over() const { return ended && !streams[0].fd && !streams[1].fd && !files; }
    void take_output(std::size_t stream, Fd fd) {
        stop_blocking(fd);
        const bool output = stream == 0;
        streams[stream] = {.fd = std::move(fd),
                           .kept = output ? &result.output : &result.error,
                           .dropped = output ? &result.output_dropped : &result.error_dropped};
    }
};

} // namespace

struct LocalRunner::State {
    const config::Settings settings;
    std::unique_ptr<isolate::Instance> instance;
    unsigned slots;
    Catalogue catalogue;
    Runs runs;
    std::uint64_t last_id = 0;
    std::unordered_map<std::uint64_t, Job*> jobs{};

    State(const config::Settings& from, const Pool::Bounds& pool)
        : settings(from), instance(make_instance(from)),
          slots(from.config.boxes != 0 ? from.config.boxes
                                       : 4 * std::max(1U, std::thread::hardware_concurrency())),
          catalogue(settings, instance->user_id(0), Runs::slots_for(slots, pool),
                    instance->means()),
          runs(*instance, catalogue, slots, pool, events()) {}

    Events events();
    void wait_until(const std::function<bool()>& done);
    void begin(Job& job);
    void give_streams(Job& job, RunFds& fds);
    void feed(Job& job);
    void collect(Job& job, Stream& stream);
    static void take_files(Job& job);
    void keep_time(Job& job, std::optional<Clock::time_point>& next);
    void settle(Job& job);
    void finish(std::vector<Job>& all, const Again& again = {});
};

Events LocalRunner::State::events() {
    return {.streams =
                [this](std::uint64_t id, Ends ends) {
                    Job& job = *jobs.at(id);
                    job.input = std::move(ends[0]);
                    for (std::size_t i = 0; i < 2; ++i) job.take_output(i, std::move(ends[i + 1]));
                    job.files = std::move(ends[kStreams]);
                    if (job.files) stop_blocking(job.files);
                },
            .started =
                [this](std::uint64_t id, std::chrono::nanoseconds, wire::Level level) {
                    jobs.at(id)->started = Clock::now();
                    jobs.at(id)->result.level = level;
                },
            .ended =
                [this](std::uint64_t id, const isolate::Outcome& outcome, std::uint64_t) {
                    Job& job = *jobs.at(id);
                    job.result.outcome = outcome;
                    job.ended = true;
                    job.input.reset();
                }};
}

void LocalRunner::State::wait_until(const std::function<bool()>& done) {
    while (!done()) {
        const auto next = runs.next_deadline();
        const auto left = next ? *next - Clock::now() : std::chrono::seconds(1);
        const auto wait =
            std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0);
        pollfd watched{.fd = runs.fd(), .events = POLLIN, .revents = 0};
        (void)::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(wait, 1000)));
        runs.dispatch();
    }
}

void LocalRunner::State::begin(Job& job) {
    const LocalRun& request = *job.request;
    const auto runtime = settings.runtimes.find(request.runtime);
    if (runtime == settings.runtimes.end())
        throw std::runtime_error("no runtime is called '" + request.runtime + "'");
    const runtimes::StepPlan& step =
        request.stage == wire::Stage::version   ? runtime->second.version
        : request.stage == wire::Stage::compile ? runtime->second.compile.value()
        : request.stage == wire::Stage::check   ? runtime->second.check.value()
                                                : runtime->second.run;
    const std::string policy_name = !request.policy.empty() ? request.policy
                                    : !step.policy.empty()  ? step.policy
                                                            : settings.config.run_policy;
    const auto policy = settings.policies.find(policy_name);
    if (policy == settings.policies.end())
        throw std::runtime_error("no policy is called '" + policy_name + "'");

    job.limits = request.limits.value_or(policy->second.limits);
    job.result.run_id = ++last_id;
    wire::RunFrame frame;
    frame.run_id = job.result.run_id;
    frame.runtime = static_cast<std::uint32_t>(std::distance(settings.runtimes.begin(), runtime));
    frame.policy = static_cast<std::uint32_t>(std::distance(settings.policies.begin(), policy));
    frame.stage = request.stage;
    frame.flags = request.live ? wire::kFlagLive : 0;
    if (request.level == wire::Level::warm) frame.flags |= wire::kFlagUsual;
    if (request.merged) frame.flags |= wire::kFlagMerge;
    frame.artifact = request.artifact;
    frame.limits = job.limits;
    if (!request.bundle.collect.empty()) {
        frame.flags |= wire::kFlagCollect;
        job.collection = {request.bundle.collect, request.bundle.collect_bytes};
    }

    RunFds fds;
    fds.bundle = seal(isolate::pack(request.bundle));
    if (request.stdin_fd >= 0 || request.stdout_fd >= 0 || request.stderr_fd >= 0)
        give_streams(job, fds);
    if (request.level != wire::Level::cold) {
        if (!runs.make_ahead(frame)) throw std::runtime_error("no box could be made ahead");
        wait_until([this] { return runs.making() == 0; });
    }
    jobs[frame.run_id] = &job;
    if (!runs.start(frame, std::move(fds)))
        throw std::runtime_error("the run asks for what it may not have");
    if (job.input) {
        stop_blocking(job.input);
        feed(job);
    }
}

/// Those that the caller brings, and pipes for the rest.
void LocalRunner::State::give_streams(Job& job, RunFds& fds) {
    const LocalRun& request = *job.request;
    if (request.stdin_fd >= 0) {
        fds.streams[0] = Fd(check(::fcntl(request.stdin_fd, F_DUPFD_CLOEXEC, 3), "dup"));
    } else {
        Pipe pipe = make_pipe();
        job.input = std::move(pipe.write);
        fds.streams[0] = std::move(pipe.read);
    }
    const std::array given = {request.stdout_fd, request.stderr_fd};
    for (std::size_t i = 0; i < 2; ++i) {
        if (given[i] >= 0) {
            fds.streams[i + 1] = Fd(check(::fcntl(given[i], F_DUPFD_CLOEXEC, 3), "dup"));
            continue;
        }
        Pipe pipe = make_pipe();
        job.take_output(i, std::move(pipe.read));
        fds.streams[i + 1] = std::move(pipe.write);
    }
}

void LocalRunner::State::feed(Job& job) {
    const std::string& input = job.request->input;
    while (job.written < input.size()) {
        const ssize_t size =
            ::write(job.input.get(), input.data() + job.written, input.size() - job.written);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return;
        if (size < 0) break; // the program no longer reads
        job.written += static_cast<std::size_t>(size);
    }
    job.input.reset();
}

void LocalRunner::State::collect(Job& job, Stream& stream) {
    std::array<char, 65536> chunk{};
    for (;;) {
        const ssize_t size = ::read(stream.fd.get(), chunk.data(), chunk.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            stream.fd.reset();
            return;
        }
        const auto bytes = static_cast<std::size_t>(size);
        const std::size_t room =
            job.limits.output_bytes -
            std::min<std::uint64_t>(job.limits.output_bytes, stream.kept->size());
        const std::size_t fits = std::min(room, bytes);
        stream.kept->append(chunk.data(), fits);
        *stream.dropped += bytes - fits;
        if (fits < bytes) runs.kill(job.result.run_id, isolate::Verdict::output_limit);
    }
}

void LocalRunner::State::take_files(Job& job) {
    std::array<char, 65536> chunk{};
    for (;;) {
        const ssize_t size = ::read(job.files.get(), chunk.data(), chunk.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            job.files.reset();
            return;
        }
        job.collection.take({chunk.data(), static_cast<std::size_t>(size)});
    }
}

void LocalRunner::State::keep_time(Job& job, std::optional<Clock::time_point>& next) {
    if (job.ended || !job.started) return;
    const Clock::time_point now = Clock::now();
    const auto due = [&](std::chrono::milliseconds after, bool& done) {
        if (done) return false;
        const Clock::time_point time = *job.started + after;
        if (time <= now) return done = true;
        next = next ? std::min(*next, time) : time;
        return false;
    };
    if (job.request->cancel_after && due(*job.request->cancel_after, job.cancelled)) {
        runs.kill(job.result.run_id, isolate::Verdict::cancelled);
    }
    if (job.request->signal_after && due(job.request->signal_after->first, job.signalled)) {
        runs.signal(job.result.run_id, job.request->signal_after->second);
    }
}

void LocalRunner::State::settle(Job& job) {
    job.result.verdict = isolate::judge(job.result.outcome.ending, job.result.outcome.usage);
    const bool overflowed = job.result.output_dropped + job.result.error_dropped > 0;
    if (overflowed && !job.result.outcome.ending.killed_for)
        job.result.verdict = isolate::Verdict::output_limit;
    job.result.files = job.collection.finish();
    jobs.erase(job.result.run_id);
}

void LocalRunner::State::finish(std::vector<Job>& all, const Again& again) {
    const auto is_over = [](const Job& job) { return job.is_over(); };
    while (!std::all_of(all.begin(), all.end(), is_over)) {
        std::optional<Clock::time_point> next = runs.next_deadline();
        std::vector<pollfd> watched = {{.fd = runs.fd(), .events = POLLIN, .revents = 0}};
        for (Job& job : all) {
            keep_time(job, next);
            if (job.input)
                watched.push_back({.fd = job.input.get(), .events = POLLOUT, .revents = 0});
            for (const Stream& stream : job.streams) {
                if (stream.fd)
                    watched.push_back({.fd = stream.fd.get(), .events = POLLIN, .revents = 0});
            }
            if (job.files)
                watched.push_back({.fd = job.files.get(), .events = POLLIN, .revents = 0});
        }
        timespec wait{};
        if (next) {
            const auto left = std::max<std::chrono::nanoseconds>(*next - Clock::now(),
                                                                 std::chrono::nanoseconds::zero());
            wait.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
            wait.tv_nsec = (left % std::chrono::seconds(1)).count();
        }
        (void)::ppoll(watched.data(), watched.size(), next ? &wait : nullptr, nullptr);
        runs.dispatch();
        for (Job& job : all) {
            if (job.input) feed(job);
            for (Stream& stream : job.streams) {
                if (stream.fd) collect(job, stream);
            }
            if (job.files) take_files(job);
            if (!again || !job.is_over() || !jobs.contains(job.result.run_id)) continue;
            settle(job);
            if (!again(job.result)) continue;
            const LocalRun* request = job.request;
            job = Job{};
            job.request = request;
            begin(job);
        }
    }
    for (Job& job : all) {
        if (jobs.contains(job.result.run_id)) settle(job);
    }
}

LocalRunner::LocalRunner(const config::Settings& settings, const Pool::Bounds& pool) {
    // A program that stops reading its input must not end this process.
    (void)std::signal(SIGPIPE, SIG_IGN);
    state_ = std::make_unique<State>(settings, pool);
}

LocalRunner::~LocalRunner() = default;
LocalRunner::LocalRunner(LocalRunner&&) noexcept = default;

LocalResult LocalRunner::run(const LocalRun& request) { return run_all({request}).front(); }

std::vector<LocalResult> LocalRunner::run_all(const std::vector<LocalRun>& requests) {
    std::vector<Job> all(requests.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].request = &requests[i];
        state_->begin(all[i]);
    }
    state_->finish(all);
    std::vector<LocalResult> results;
    results.reserve(all.size());
    for (Job& job : all) results.push_back(std::move(job.result));
    return results;
}

void LocalRunner::run_in_loops(const LocalRun& request, unsigned loops, const Again& again) {
    std::vector<Job> all(loops);
    for (Job& job : all) {
        job.request = &request;
        state_->begin(job);
    }
    state_->finish(all, again);
}

LocalResult LocalRunner::compile_and_run(LocalRun request) {
    const auto runtime = state_->settings.runtimes.find(request.runtime);
    if (runtime == state_->settings.runtimes.end() || !runtime->second.compile) return run(request);
    LocalRun compile = request;
    compile.stage = wire::Stage::compile;
    compile.policy.clear();
    compile.input.clear();
    compile.limits.reset();
    compile.stdin_fd = compile.stdout_fd = compile.stderr_fd = -1;
    compile.cancel_after.reset();
    compile.signal_after.reset();
    LocalResult compiled = run(compile);
    if (compiled.verdict != isolate::Verdict::ok) {
        if (compiled.verdict != isolate::Verdict::internal_error)
            compiled.verdict = isolate::Verdict::compile_error;
        return compiled;
    }
    request.artifact = compiled.run_id;
    LocalResult result = run(request);
    release(compiled.run_id);
    return result;
}

bool LocalRunner::stand_ready(std::chrono::milliseconds most) {
    const Clock::time_point give_up = Clock::now() + most;
    const auto is_ready = [this] { return state_->runs.ready(false) > 0; };
    state_->wait_until(
        [&] { return (is_ready() && state_->runs.making() == 0) || Clock::now() >= give_up; });
    return is_ready();
}

bool LocalRunner::make_kits() {
    state_->runs.want_kits();
    state_->wait_until([this] { return state_->runs.kits_due() == 0; });
    return state_->runs.kits_failed() == 0;
}

void LocalRunner::release(std::uint64_t artifact) { state_->runs.release(artifact); }

} // namespace cloister::keeper
