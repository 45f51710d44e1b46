// Both kinds of contender. Commands run with their streams on /dev/null, one thread for each loop;
// boxes run through one keeper, which is one thread, however many are under way.
#include "tests/bench/contender.h"

#include "daemon/config/settings.h"
#include "isolate/fd.h"

#include <atomic>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace cloister::bench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

using Words = std::vector<std::string>;

std::vector<Words> commands_of(const std::string& text, unsigned loop) {
    std::istringstream stream(text);
    std::vector<Words> commands(1);
    for (std::string word; stream >> word;) {
        if (word == ";") {
            commands.emplace_back();
            continue;
        }
        constexpr std::string_view kLoop = "{loop}";
        for (auto at = word.find(kLoop); at != std::string::npos; at = word.find(kLoop)) {
            word.replace(at, kLoop.size(), std::to_string(loop));
        }
        commands.back().push_back(word);
    }
    return commands;
}

void spawn_and_wait(const Words& command) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char* const environment[] = {path, nullptr};
    posix_spawn_file_actions_t actions;
    (void)::posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) {
        (void)::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    pid_t child = -1;
    const int error =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environment);
    (void)::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw isolate::SysError(error, "start " + command.front());
    int status = 0;
    pid_t ended = -1;
    do ended = ::waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    isolate::check(ended, "wait for " + command.front());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(command.front() + " failed");
    }
}

class CommandContender : public Contender {
public:
    CommandContender(std::string name, std::string text)
        : Contender(std::move(name)), text_(std::move(text)) {}

    void run() override {
        for (const Words& command : commands_of(text_, 0)) spawn_and_wait(command);
    }

    Slice run_in_loops(unsigned loops, std::chrono::nanoseconds length) override {
        Slice slice;
        std::mutex guard;
        std::exception_ptr error;
        const Clock::time_point begin = Clock::now();
        const auto loop = [&](unsigned number) {
            const std::vector<Words> commands = commands_of(text_, number);
            std::vector<std::chrono::nanoseconds> times;
            try {
                do {
                    const Clock::time_point start = Clock::now();
                    for (const Words& command : commands) spawn_and_wait(command);
                    times.push_back(Clock::now() - start);
                } while (!is_interrupted() && Clock::now() - begin < length);
            } catch (...) {
                const std::lock_guard lock(guard);
                error = std::current_exception();
            }
            const std::lock_guard lock(guard);
            slice.runs.insert(slice.runs.end(), times.begin(), times.end());
        };
        std::vector<std::thread> threads;
        for (unsigned number = 0; number < loops; ++number) threads.emplace_back(loop, number);
        for (std::thread& thread : threads) thread.join();
        slice.elapsed = Clock::now() - begin;
        if (error) std::rethrow_exception(error);
        return slice;
    }

private:
    std::string text_;
};

class BoxContender : public Contender {
public:
    BoxContender(std::string name, const config::Settings& settings, unsigned prepared)
        : Contender(std::move(name)), prepared_(prepared),
          runner_(settings, {.boxes = prepared, .memory = settings.config.prepared_memory}) {
        request_.runtime = "true";
    }

    void get_ready() override {
        if (prepared_ != 0 && !runner_.stand_ready(std::chrono::seconds(5)))
            throw std::runtime_error("no box stands ready");
    }

    void run() override {
        const keeper::LocalResult result = runner_.run(request_);
        last_ = result.run_id;
        if (const std::string bad = complaint_of(result); !bad.empty())
            throw std::runtime_error(bad);
        if (prepared_ != 0 && result.level != wire::Level::prepared)
            throw std::runtime_error("the box was not made ahead");
    }

    Slice run_in_loops(unsigned loops, std::chrono::nanoseconds length) override {
        Slice slice;
        const Clock::time_point begin = Clock::now();
        // Runs are numbered in the order in which they begin; the first ones begin together.
        std::unordered_map<std::uint64_t, Clock::time_point> begun;
        std::uint64_t next = last_ + 1;
        std::string bad;
        for (unsigned loop = 0; loop < loops; ++loop) begun.emplace(next++, begin);
        runner_.run_in_loops(request_, loops, [&](const keeper::LocalResult& result) {
            const Clock::time_point now = Clock::now();
            last_ = std::max(last_, result.run_id);
            // A throw from here would leave the other loops' boxes without their owner.
            if (bad.empty()) bad = complaint_of(result);
            slice.runs.push_back(now - begun.at(result.run_id));
            if (!bad.empty() || is_interrupted() || now - begin >= length) return false;
            begun.emplace(next++, now);
            return true;
        });
        slice.elapsed = Clock::now() - begin;
        if (!bad.empty()) throw std::runtime_error(bad);
        return slice;
    }

private:
    /// Empty when the run went well.
    static std::string complaint_of(const keeper::LocalResult& result) {
        if (result.verdict == isolate::Verdict::ok) return {};
        return "the box's verdict is " + std::string(isolate::name_of(result.verdict));
    }

    unsigned prepared_;
    keeper::LocalRunner runner_;
    keeper::LocalRun request_{};
    std::uint64_t last_ = 0; ///< number of the last run
};

} // namespace

bool is_interrupted() { return interrupted != 0; }

void watch_for_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) (void)::sigaction(number, &action, nullptr);
}

std::unique_ptr<Contender> make_command(std::string name, const std::string& text) {
    return std::make_unique<CommandContender>(std::move(name), text);
}

std::unique_ptr<Contender> make_boxes(std::string name, const config::Settings& settings,
                                      unsigned prepared) {
    return std::make_unique<BoxContender>(std::move(name), settings, prepared);
}

config::Settings settings_for_true(const std::string& policies_dir, unsigned loops) {
    config::Settings settings;
    settings.config.boxes = loops;
    settings.policy_texts = policies::read_texts(policies_dir);
    settings.policies = policies::parse(settings.policy_texts);
    runtimes::Runtime runtime;
    runtime.id = "true";
    runtime.name = "true";
    runtime.default_file = "main";
    runtime.run.command = {"/usr/bin/true"};
    runtime.run.mounts = {"/usr/bin/true", "?/lib64/ld-linux*", "?/lib/ld-linux-*",
                          "/usr/lib/*-linux-gnu*/libc.so.6"};
    runtime.version = runtime.run;
    settings.runtimes.emplace(runtime.id, runtime);
    return settings;
}

} // namespace cloister::bench
