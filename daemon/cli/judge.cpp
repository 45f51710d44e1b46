// A package is a stranger's: what reads it is never root. Root opens the package's folder and the
// files of the report, starts the daemon, and becomes the folder's owner, or nobody.
#include "daemon/cli/judge.h"

#include "daemon/cli/client.h"
#include "daemon/cli/daemon_link.h"
#include "daemon/cli/judge_run.h"
#include "daemon/cli/own_daemon.h"
#include "daemon/package/error.h"
#include "daemon/package/report.h"
#include "isolate/fd.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace cloister::cli {
namespace {

using isolate::check;
using isolate::Fd;

constexpr const char* kUsage =
    "usage: cloister judge DIR [--submission GLOB] [--time-limit S] [--skip-unavailable]\n"
    "                      [--json FILE|-] [--junit FILE] [--jobs N]\n"
    "                      [--daemon URL [--token-file F]]\n";
constexpr int kAsExpected = 0;
constexpr int kNotAsExpected = 1;
constexpr int kNotJudged = 2;
constexpr unsigned kNobody = 65534;
constexpr double kMostSeconds = 24 * 60 * 60;
constexpr std::uint32_t kMostJobs = 64;

struct Asked {
    std::string folder{};
    std::string submission{};
    std::optional<double> time_limit{};
    bool skip_unavailable = false;
    std::string json_file{}; ///< "-": our output, instead of the table
    std::string junit_file{};
    std::optional<std::uint32_t> jobs{};
    std::string daemon{};
    std::string token_file{};
};

template <typename Number>
Number read_number(const std::string& option, const std::string& word, Number least, Number most) {
    Number number{};
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc{} || stop != end || !(number >= least && number <= most))
        throw std::runtime_error(option + " takes a number up to " + std::to_string(most));
    return number;
}

Asked read_words(const std::vector<std::string>& words) {
    Asked asked;
    std::vector<std::string> rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const auto value = [&]() -> const std::string& {
            if (i + 1 == words.size()) throw std::runtime_error(word + " needs a value");
            return words[++i];
        };
        if (word == "--submission") asked.submission = value();
        else if (word == "--time-limit")
            asked.time_limit = read_number<double>(word, value(), 0.001, kMostSeconds);
        else if (word == "--skip-unavailable") asked.skip_unavailable = true;
        else if (word == "--json") asked.json_file = value();
        else if (word == "--junit") asked.junit_file = value();
        else if (word == "--jobs")
            asked.jobs = read_number<std::uint32_t>(word, value(), 1, kMostJobs);
        else if (word == "--daemon") asked.daemon = value();
        else if (word == "--token-file") asked.token_file = value();
        else if (word.starts_with("--"))
            throw std::runtime_error("unknown option '" + word + "'\n" + kUsage);
        else rest.push_back(word);
    }
    if (rest.size() != 1) throw std::runtime_error(std::string("one package is judged\n") + kUsage);
    asked.folder = rest.front();
    if (!asked.daemon.empty() && asked.jobs)
        throw std::runtime_error("--jobs is for a daemon of our own; what runs at one time on "
                                 "another is its judge_parallel");
    if (asked.daemon.empty() && !asked.token_file.empty())
        throw std::runtime_error("--token-file belongs to --daemon");
    return asked;
}

/// "http://HOST:PORT/" and the like as HOST:PORT.
std::string address_of_url(std::string url) {
    for (const char* scheme : {"https://", "wss://"})
        if (url.starts_with(scheme))
            throw std::runtime_error(
                "--daemon: there is no TLS in this client; give it a tunnel or "
                "a proxy's plain address");
    for (const std::string scheme : {"http://", "ws://"})
        if (url.starts_with(scheme)) url = url.substr(scheme.size());
    while (url.ends_with('/')) url.pop_back();
    if (url.find('/') != std::string::npos || url.rfind(':') == std::string::npos)
        throw std::runtime_error("--daemon takes http://HOST:PORT");
    return url;
}

std::string read_token(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return trimmed({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
}

/// A file of the report, opened before anything is judged, as the one who asked.
class ReportFile {
public:
    explicit ReportFile(const std::string& path) : path_(path) {
        if (path.empty() || path == "-") return;
        fd_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666));
        if (!fd_) throw isolate::SysError(errno, "write " + path);
    }
    void write(const std::string& text) {
        if (!fd_) return;
        (void)!::ftruncate(fd_.get(), 0); // of what is no plain file there is nothing to cut
        std::size_t done = 0;
        while (done < text.size()) {
            const ssize_t size = ::write(fd_.get(), text.data() + done, text.size() - done);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) throw isolate::SysError(errno, "write " + path_);
            done += static_cast<std::size_t>(size);
        }
    }

private:
    std::string path_;
    Fd fd_{};
};

/// For good: the package's owner, or nobody when that is root.
void stop_being_root(const package::Folder& folder) {
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::geteuid() != 0) return;
    struct stat info {};
    check(::fstat(folder.descriptor(), &info), "look at the package");
    const uid_t user = info.st_uid != 0 ? info.st_uid : kNobody;
    const gid_t group = info.st_uid != 0 && info.st_gid != 0 ? info.st_gid : kNobody;
    check(::setgroups(0, nullptr), "leave root's groups");
    check(::setresgid(group, group, group), "leave root's group");
    check(::setresuid(user, user, user), "stop being root");
}

/// From reading to the report, as nobody in particular.
class Command {
public:
    explicit Command(Asked asked)
        : asked_(std::move(asked)), json_(asked_.json_file), junit_(asked_.junit_file) {}

    int run();

private:
    package::Report judge(const package::Folder& folder, const package::Problem& problem,
                          const std::string& address, const std::string& token);
    void fail(const std::string& what);
    bool prints_json() const { return asked_.json_file == "-"; }

    Asked asked_;
    ReportFile json_;
    ReportFile junit_;
    std::unique_ptr<OwnDaemon> daemon_{};
    std::string name_{};
};

package::Report Command::judge(const package::Folder& folder, const package::Problem& problem,
                               const std::string& address, const std::string& token) {
    JudgeWishes wishes;
    wishes.time_limit = asked_.time_limit;
    wishes.skip_unavailable = asked_.skip_unavailable;
    wishes.say = [this](const std::string& text) {
        if (!prints_json()) std::cout << text << std::flush;
    };
    DaemonLink link(address, token);
    const Judge judge = greet(link, available_languages(address, token), daemon_ != nullptr);
    return judge_package(folder, problem, judge, wishes);
}

void Command::fail(const std::string& what) {
    std::cerr << "cloister: " << what << "\n";
    if (prints_json()) std::cout << package::failure_to_json(what) << std::flush;
    json_.write(package::failure_to_json(what));
    junit_.write(package::failure_to_junit(name_, what));
}

int Command::run() {
    (void)std::signal(SIGPIPE, SIG_IGN);
    name_ = asked_.folder;
    try {
        std::string address;
        std::string token;
        if (asked_.daemon.empty() && ::geteuid() != 0)
            throw CannotJudge("making boxes needs root; or name a daemon with --daemon URL");
        if (!asked_.daemon.empty()) {
            address = address_of_url(asked_.daemon);
            token = read_token(asked_.token_file);
        }
        const package::Folder folder(asked_.folder);
        name_ = folder.name();
        if (asked_.daemon.empty()) {
            const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
            daemon_ = std::make_unique<OwnDaemon>(asked_.jobs.value_or(std::max(1U, cores / 2)));
            address = daemon_->address();
            token = daemon_->token();
        }
        stop_being_root(folder);
        const package::Problem problem = package::read_problem(folder, asked_.submission);
        name_ = problem.name;
        const package::Report report = judge(folder, problem, address, token);
        if (prints_json()) std::cout << package::to_json(report) << std::flush;
        json_.write(package::to_json(report));
        junit_.write(package::to_junit(report));
        return report.ok() ? kAsExpected : kNotAsExpected;
    } catch (const DaemonLink::Interrupted& interrupted) {
        std::cerr << "cloister: interrupted\n";
        return 128 + interrupted.signal;
    } catch (const CannotJudge& error) {
        fail(package::shown(error.what(), 16'384));
    } catch (const package::Wrong& error) {
        fail(package::shown(error.what(), 16'384));
    } catch (const std::exception& error) {
        std::string what = error.what();
        if (daemon_) what += "\n" + daemon_->last_words();
        fail(package::shown(what, 16'384));
    }
    return kNotJudged;
}

} // namespace

int judge_command(const std::vector<std::string>& words) {
    try {
        return Command(read_words(words)).run();
    } catch (const std::exception& error) {
        std::cerr << "cloister: " << error.what() << "\n";
        return kNotJudged;
    }
}

} // namespace cloister::cli
