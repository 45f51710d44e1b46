// How long one run of /bin/true takes, by a bare posix_spawn, in a cold box of ours and in each
// other sandbox named on the command line. One round runs every contender once, in turn, so that
// all of them meet the same machine. Prints a line per run: contender, round, nanoseconds.
//
//   box_bench POLICIES ROUNDS [NAME=COMMAND...]      COMMAND is split at spaces
#include "daemon/config/settings.h"
#include "daemon/keeper/local_runner.h"
#include "isolate/fd.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using cloister::config::Settings;

constexpr int kWarmUpRounds = 3;

struct Contender {
    std::string name;
    std::function<void()> run;
};

/// Settings with one runtime whose program is /bin/true, and the shipped policies.
Settings settings_for_true(const std::string& policies_dir) {
    Settings settings;
    settings.policy_texts = cloister::policies::read_texts(policies_dir);
    settings.policies = cloister::policies::parse(settings.policy_texts);
    cloister::runtimes::Runtime runtime;
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

void spawn_and_wait(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
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
    if (error != 0) throw cloister::isolate::SysError(error, "start " + command.front());
    int status = 0;
    cloister::isolate::check(::waitpid(child, &status, 0), "wait for " + command.front());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(command.front() + " failed");
    }
}

void run_box(cloister::keeper::LocalRunner& runner) {
    cloister::keeper::LocalRun request;
    request.runtime = "true";
    const auto result = runner.run(request);
    if (result.verdict != cloister::isolate::Verdict::ok) {
        throw std::runtime_error("the box's verdict is " +
                                 std::string(cloister::isolate::name_of(result.verdict)));
    }
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

void measure(std::vector<Contender> contenders, int rounds) {
    for (int round = -kWarmUpRounds; round < rounds; ++round) {
        for (auto contender = contenders.begin(); contender != contenders.end();) {
            const auto begin = Clock::now();
            try {
                contender->run();
            } catch (const std::exception& error) {
                // One that does not work on this host takes no further part.
                std::fprintf(stderr, "%s: %s\n", contender->name.c_str(), error.what());
                contender = contenders.erase(contender);
                continue;
            }
            const std::chrono::nanoseconds took = Clock::now() - begin;
            if (round >= 0) {
                std::printf("%s,%d,%lld\n", contender->name.c_str(), round,
                            static_cast<long long>(took.count()));
            }
            ++contender;
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: box_bench POLICIES ROUNDS [NAME=COMMAND...]\n", stderr);
        return 2;
    }
    try {
        cloister::keeper::LocalRunner runner(settings_for_true(argv[1]));
        std::vector<Contender> contenders;
        contenders.push_back({"posix_spawn", [] { spawn_and_wait({"/bin/true"}); }});
        contenders.push_back({"cloister", [&runner] { run_box(runner); }});
        for (int i = 3; i < argc; ++i) {
            const std::string text = argv[i];
            const auto equals = text.find('=');
            if (equals == std::string::npos) throw std::runtime_error("not NAME=COMMAND: " + text);
            contenders.push_back(
                {text.substr(0, equals),
                 [command = words_of(text.substr(equals + 1))] { spawn_and_wait(command); }});
        }
        measure(std::move(contenders), std::atoi(argv[2]));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "box_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
