// cloister, the command line: a client when a daemon is running, and as root without one a driver
// of the same boxes in its own process.
#include "daemon/cli/check.h"
#include "daemon/cli/client.h"
#include "daemon/cli/docker_image.h"
#include "daemon/cli/judge.h"
#include "daemon/cli/room_token.h"
#include "daemon/cli/top.h"
#include "daemon/config/settings.h"
#include "daemon/keeper/local_runner.h"
#include "isolate/seccomp_program.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace cloister;

constexpr const char* kUsage =
    "usage: cloister run [--language L] [--address ADDR:PORT] [--token-file F] [--local] FILE "
    "[ARG...]\n"
    "       cloister judge DIR [--submission GLOB] [--time-limit S] [--json FILE|-] [--junit "
    "FILE]\n"
    "                      [--skip-unavailable] [--jobs N] [--daemon URL [--token-file F]]\n"
    "       cloister runtimes [--address ADDR:PORT] [--token-file F] [--local]\n"
    "       cloister top [--once] [--address ADDR:PORT] [--token-file F]\n"
    "       cloister check\n"
    "       cloister docker-image [--config FILE] [LANGUAGE...]\n"
    "       cloister show-policy [NAME]\n"
    "       cloister show-filter [NAME]\n"
    "       cloister room-token ROOM ROLE [--hours N] [--state-dir DIR] [--config FILE]\n"
    "run        run a program in a box; exits as it does (128 + N for signal N, 124 at a time "
    "limit,\n"
    "           125 when it was ended for another limit or could not be run)\n"
    "judge      judge a problem package: 0 when its submissions get the verdicts that it expects, "
    "1 when\n"
    "           not, 2 when it is wrong or cannot be judged\n"
    "runtimes   the languages, their versions, what to install for the missing ones; of a daemon "
    "also "
    "how\n"
    "           many boxes stand ready\n"
    "top        what a daemon runs now, a screen a second\n"
    "check      what this host offers for isolation, and what to do about what it lacks\n"
    "docker-image  makes the images of the Docker executor, from what is installed here\n"
    "room-token a token that lets its bearer into a room of the daemon on this machine, as owner,\n"
    "           editor, runner (edits and runs) or viewer, for 24 hours or N\n"
    "--local    do not look for a daemon; make the box here (needs root)\n";

constexpr int kEndedAtTimeLimit = 124;
constexpr int kNotRun = 125;

struct Options {
    std::string language{};
    std::string address = "127.0.0.1:8000";
    std::string token_file{};
    bool local = false;
    bool once = false;
    std::vector<std::string> rest{};
};

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            if (i + 1 == argc) throw std::runtime_error(word + " needs a value");
            return argv[++i];
        };
        if (word == "--language" || word == "-l") options.language = value();
        else if (word == "--address") options.address = value();
        else if (word == "--token-file") options.token_file = value();
        else if (word == "--local") options.local = true;
        else if (word == "--once") options.once = true;
        else if (word.starts_with("--"))
            throw std::runtime_error("unknown option '" + word + "'\n" + kUsage);
        else {
            options.rest.assign(argv + i, argv + argc); // what follows FILE is the program's
            break;
        }
    }
    return options;
}

config::Settings local_settings() {
    config::Sources sources;
    for (const char* name :
         {"MAX_EXECUTION_TIME", "MAX_MEMORY_LIMIT", "MAX_CPU_QUOTA", "DOCKER_ENABLED"}) {
        if (const char* value = std::getenv(name)) sources.environment[name] = value;
    }
    return config::load(sources);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string name_of_file(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const runtimes::Runtime& runtime_for(const config::Settings& settings, const Options& options,
                                     const std::string& file) {
    if (!options.language.empty()) {
        if (const auto* runtime = runtimes::find(settings.runtimes, options.language))
            return *runtime;
        throw std::runtime_error("no runtime is called '" + options.language + "'");
    }
    for (const auto& [id, runtime] : settings.runtimes) {
        for (const std::string& extension : runtime.extensions) {
            if (file.ends_with(extension)) return runtime;
        }
    }
    throw std::runtime_error("no runtime is known for " + file + "; name one with --language");
}

/// One plain sentence for an ending that was not the program's own; empty otherwise.
std::string sentence(const keeper::LocalResult& result) {
    const isolate::Ending& ending = result.outcome.ending;
    switch (result.verdict) {
    case isolate::Verdict::ok:
    case isolate::Verdict::nonzero_exit:
    case isolate::Verdict::signalled:
    case isolate::Verdict::compile_error: return {};
    case isolate::Verdict::time_limit: return "Ended: it used up its CPU time.";
    case isolate::Verdict::wall_limit: return "Ended: it used up its wall time.";
    case isolate::Verdict::memory_limit: return "Ended: it used up its memory.";
    case isolate::Verdict::output_limit: return "Ended: it wrote more than is kept.";
    case isolate::Verdict::process_limit: return "It reached its limit of processes.";
    case isolate::Verdict::forbidden_syscall:
        return "Ended: it called " + isolate::syscall_name(ending.forbidden_syscall) +
               ", which is forbidden.";
    case isolate::Verdict::cancelled: return "Cancelled.";
    case isolate::Verdict::internal_error:
        return "It could not be run: step " + std::string(isolate::name_of(ending.failed_step)) +
               ": " + std::generic_category().message(ending.error) + ".";
    }
    return {};
}

int exit_status(const keeper::LocalResult& result) {
    using isolate::Verdict;
    const isolate::Ending& ending = result.outcome.ending;
    switch (result.verdict) {
    case Verdict::ok: return 0;
    case Verdict::nonzero_exit:
    case Verdict::process_limit: return ending.signal != 0 ? 128 + ending.signal : ending.exit_code;
    case Verdict::signalled: return 128 + ending.signal;
    case Verdict::compile_error: return 1;
    case Verdict::time_limit:
    case Verdict::wall_limit: return kEndedAtTimeLimit;
    default: return kNotRun;
    }
}

int run_here(const Options& options) {
    if (::geteuid() != 0)
        throw std::runtime_error("no daemon answers at " + options.address +
                                 ", and making a box here needs root");
    const config::Settings settings = local_settings();
    const std::string& path = options.rest.front();
    const runtimes::Runtime& runtime = runtime_for(settings, options, path);
    keeper::LocalRun request;
    request.runtime = runtime.id;
    const std::string name = name_of_file(path);
    request.bundle.files.push_back({.path = name, .content = read_file(path), .source = true});
    request.bundle.entry = name;
    request.bundle.main_name = name.substr(0, name.rfind('.'));
    request.bundle.arguments.assign(options.rest.begin() + 1, options.rest.end());
    request.live = true;
    request.stdin_fd = 0;
    config::Settings only = settings;
    std::erase_if(only.runtimes, [&](const auto& entry) { return entry.first != runtime.id; });
    keeper::LocalRunner runner(only);
    request.stdout_fd = 1;
    request.stderr_fd = 2;
    const keeper::LocalResult result = runner.compile_and_run(request);
    std::cout << result.output;
    std::cerr << result.error;
    const isolate::Ending& ending = result.outcome.ending;
    if (ending.failed_step == isolate::Step::enter_root && ending.error == ENOENT) {
        std::string packages;
        for (const std::string& package : runtime.packages) packages += " " + package;
        throw std::runtime_error(runtime.name +
                                 " is not installed here; Debian packages:" + packages);
    }
    if (const std::string text = sentence(result); !text.empty())
        std::cerr << "cloister: " << text << "\n";
    return exit_status(result);
}

int run(const Options& options) {
    if (options.rest.empty()) throw std::runtime_error(std::string("run needs a file\n") + kUsage);
    if (!options.local) {
        cli::ClientRun request;
        request.address = options.address;
        request.token = options.token_file.empty() ? std::string()
                                                   : cli::trimmed(read_file(options.token_file));
        request.language = options.language;
        request.file_name = name_of_file(options.rest.front());
        request.code = read_file(options.rest.front());
        request.arguments.assign(options.rest.begin() + 1, options.rest.end());
        if (request.language.empty()) {
            const auto found =
                cli::find_language(request.address, request.token, request.file_name);
            if (!found) return run_here(options);
            request.language = *found;
        }
        if (const std::optional<int> status = cli::run_through_daemon(request)) return *status;
    }
    return run_here(options);
}

std::string first_version(const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t end = std::min(text.find_first_not_of("0123456789.", i), text.size());
        const std::string word = text.substr(i, end - i);
        const auto dot = word.find('.');
        if (dot != std::string::npos && dot > 0 && dot + 1 < word.size())
            return word.substr(0, word.find_last_not_of('.') + 1);
        if (end > i) i = end;
    }
    return "?";
}

int show_runtimes(const Options& options) {
    if (!options.local) {
        const std::string token = options.token_file.empty()
                                      ? std::string()
                                      : cli::trimmed(read_file(options.token_file));
        if (const auto text = cli::fetch_runtimes(options.address, token)) {
            std::cout << *text;
            return 0;
        }
    }
    if (::geteuid() != 0)
        throw std::runtime_error("no daemon answers at " + options.address +
                                 ", and asking the runtimes here needs root");
    const config::Settings settings = local_settings();
    keeper::LocalRunner runner(settings);
    for (const auto& [id, runtime] : settings.runtimes) {
        if (runtime.hidden) continue;
        keeper::LocalRun request;
        request.runtime = id;
        request.stage = wire::Stage::version;
        const keeper::LocalResult result = runner.run(request);
        std::string state;
        if (result.verdict == isolate::Verdict::ok) {
            state = first_version(result.output + result.error);
        } else {
            state = "not installed; Debian packages:";
            for (const std::string& package : runtime.packages) state += " " + package;
        }
        std::cout << id << std::string(id.size() < 12 ? 12 - id.size() : 1, ' ') << state << "\n";
    }
    return 0;
}

const policies::Policy& policy_named(const config::Settings& settings, const Options& options) {
    const std::string name =
        options.rest.empty() ? settings.config.run_policy : options.rest.front();
    const auto found = settings.policies.find(name);
    if (found != settings.policies.end()) return found->second;
    std::string known;
    for (const auto& [other, policy] : settings.policies) known += " " + other;
    throw std::runtime_error("no policy is called '" + name + "'; known:" + known);
}

int command(int argc, char** argv) {
    const std::string name = argc > 1 ? argv[1] : "--help";
    if (name == "room-token") return cli::make_room_token({argv + 2, argv + argc});
    if (name == "judge") return cli::judge_command({argv + 2, argv + argc});
    if (name == "docker-image") return cli::make_docker_images({argv + 2, argv + argc});
    const Options options = read_options(argc, argv);
    if (name == "run") return run(options);
    if (name == "runtimes") return show_runtimes(options);
    if (name == "top") {
        const std::string token = options.token_file.empty()
                                      ? std::string()
                                      : cli::trimmed(read_file(options.token_file));
        return cli::show_top(options.address, token, options.once);
    }
    if (name == "check") return cli::check_host(local_settings());
    if (name == "show-policy") {
        std::cout << policies::describe(policy_named(local_settings(), options));
        return 0;
    }
    if (name == "show-filter") {
        const config::Settings settings = local_settings();
        const policies::Policy& policy = policy_named(settings, options);
        const isolate::SeccompProgram program(policy.syscalls);
        std::cout << "# policy " << policy.name << ": " << program.instructions().size()
                  << " BPF instructions\n"
                  << isolate::explain(policy.syscalls);
        return 0;
    }
    if (name == "--version") {
        std::puts("cloister " CLOISTER_VERSION);
        return 0;
    }
    std::fputs(kUsage, name == "--help" || name == "-h" ? stdout : stderr);
    return name == "--help" || name == "-h" ? 0 : 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return command(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "cloister: " << error.what() << "\n";
        return kNotRun;
    }
}
