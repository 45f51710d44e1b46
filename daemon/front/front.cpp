// Start, versions, serving, drain. The order at the start matters: everything that needs root is
// read first, then root is given up, and only then is there a loop.
#include "daemon/front/front.h"

#include "daemon/config/settings.h"
#include "daemon/front/analyst_link.h"
#include "daemon/front/confine.h"
#include "daemon/front/keeper_link.h"
#include "daemon/front/rest.h"
#include "daemon/front/server.h"
#include "daemon/front/sources.h"
#include "daemon/front/store_archive.h"
#include "daemon/front/text.h"
#include "daemon/tokens/secret.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <seccomp.h>

namespace cloister::front {
namespace {

using isolate::check;
using isolate::Fd;

constexpr std::chrono::seconds kKillTime{2};  ///< for runs that are cut when the drain time is over
constexpr std::chrono::seconds kCloseTime{2}; ///< for closing handshakes
constexpr std::chrono::milliseconds kTick{250}; ///< while somebody is in a room
constexpr std::chrono::milliseconds kIdleTick{1'000};
constexpr std::chrono::milliseconds kPositionsPause{500}; ///< between two words on the queue
constexpr std::chrono::seconds kHeartbeat{2}; ///< by which the keeper knows that this loop turns
constexpr std::size_t kMaxTokenBytes = 4096;
constexpr std::size_t kMaxStatusTakers = 256;

std::string read_all(const Fd& fd, const char* action) {
    std::string text;
    std::string piece(64 * 1024, '\0');
    for (;;) {
        const auto size = check(
            ::pread(fd.get(), piece.data(), piece.size(), static_cast<off_t>(text.size())), action);
        if (size == 0) return text;
        text.append(piece, 0, static_cast<std::size_t>(size));
    }
}

/// The first line of the token file, which only root needs to be able to read.
std::string read_token(const std::string& path) {
    if (path.empty()) return {};
    const Fd file(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open the token file"));
    std::string text = read_all(file, "read the token file");
    text.resize(std::min(text.size(), text.find_first_of("\r\n")));
    if (text.size() < 16 || text.size() > kMaxTokenBytes) {
        throw std::runtime_error("the token in " + path + " must be 16 to 4096 characters long");
    }
    return text;
}

std::string syscall_name(int number) {
    char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name == nullptr) return "system call " + std::to_string(number);
    std::string copy = name;
    std::free(name); // NOLINT(cppcoreguidelines-no-malloc): libseccomp's
    return copy;
}

Executions::Bounds bounds_of(const config::Config& config) {
    Executions::Bounds bounds;
    bounds.queue = config.queue;
    bounds.runs_per_client = config.runs_per_client;
    bounds.queue_per_client = config.queue_per_client;
    bounds.artifact_bytes = config.artifact_cache;
    bounds.input_bytes = static_cast<std::size_t>(config.input_queue_bytes);
    return bounds;
}

Submissions::Bounds submission_bounds(const config::Config& config) {
    Submissions::Bounds bounds;
    bounds.under_way = config.submissions;
    bounds.keep = std::chrono::minutes(config.submission_keep_minutes);
    return bounds;
}

/// Asks each runtime for its version, once, through boxes like any other run: as many at a time as
/// a client may.
class VersionProbe : public Listener {
public:
    VersionProbe(Catalog& catalog, Executions& executions, std::function<void()> done)
        : catalog_(catalog), executions_(executions), done_(std::move(done)) {}

    void start() {
        client_ = executions_.open_client(*this);
        ask();
    }

    void on_event(const Event& event) override {
        if (const auto* finished = std::get_if<Finished>(&event)) {
            const Result& result = finished->result;
            if (result.verdict == isolate::Verdict::ok)
                entry(finished->run).version = version_in(result.output + "\n" + result.error);
            if (result.verdict == isolate::Verdict::internal_error) {
                (void)std::fprintf(stderr, "cloister: %s: %s\n", finished->language.c_str(),
                                   result.reason.c_str());
            }
            answered();
        } else if (const auto* refused = std::get_if<Refused>(&event)) {
            (void)std::fprintf(stderr, "cloister: a version could not be asked for: %s\n",
                               refused->refusal.message.c_str());
            answered();
        }
    }

private:
    void ask() {
        for (; next_ < catalog_.entries.size(); ++next_) {
            Job job = version_job(catalog_, catalog_.entries[next_]);
            job.id = std::to_string(next_);
            ++pending_; // the answer may come before submit() returns
            if (!std::holds_alternative<Refusal>(executions_.submit(client_, std::move(job))))
                continue;
            --pending_;
            if (pending_ > 0) return; // after the next answer
            (void)std::fprintf(stderr, "cloister: %s: its version could not be asked for\n",
                               catalog_.entries[next_].runtime->id.c_str());
        }
        if (pending_ == 0) done_();
    }

    Catalog::Entry& entry(const RunTag& run) {
        return catalog_.entries.at(std::stoul(run.id.value_or("0")));
    }

    void answered() {
        --pending_;
        ask();
    }

    Catalog& catalog_;
    Executions& executions_;
    std::function<void()> done_;
    ClientId client_ = 0;
    std::size_t next_ = 0;
    std::size_t pending_ = 0;
};

/// What was read while that took root.
struct Secrets {
    std::string token{};
    tokens::Secret rooms{};
};

class Front {
public:
    Front(const FrontFds& fds, config::Settings settings, Secrets secrets, StoreArchive& archive)
        : settings_(std::move(settings)), catalog_(settings_),
          hub_(
              settings_.config, secrets.rooms, &archive,
              [this](std::string_view path) { return language_of(path); }, wall_clock),
          analyses_(settings_.runtimes, {.busy = wire::kAnalystBusy}), io_(1), timer_(io_),
          ticks_(io_), positions_(io_),
          link_(io_, Fd(fds.keeper),
                {[this](const wire::StatusReply& status) { on_status(status); },
                 [this] { drain(); }, [this](const std::string& why) { stop(1, why); },
                 [this](Fd control) { analyst_.begin(std::move(control)); }}),
          analyst_(io_, analyses_), listener_(fds.listener) {
        executions_ = std::make_unique<Executions>(link_, bounds_of(settings_.config), syscall_name,
                                                   [] { return Clock::now(); });
        probe_ = std::make_unique<VersionProbe>(catalog_, *executions_, [this] { open(); });
        service_.settings = &settings_;
        service_.catalog = &catalog_;
        service_.executions = executions_.get();
        service_.analyses = &analyses_;
        service_.hub = &hub_;
        submissions_ = std::make_unique<Submissions>(&archive, submission_bounds(settings_.config),
                                                     wall_clock);
        runs_ = std::make_unique<SubmittedRuns>(*executions_, *submissions_);
        Judgings::Bounds judging;
        judging.per_client = settings_.config.runs_per_client;
        judging.parallel = settings_.config.judge_parallel;
        judgings_ = std::make_unique<Judgings>(*executions_, catalog_, settings_, judging);
        service_.judgings = judgings_.get();
        judged_ = std::make_unique<SubmittedJudgings>(*judgings_, *submissions_);
        rest_ = std::make_unique<Rest>(settings_, catalog_, service_.access, *submissions_, *runs_,
                                       *judged_);
        service_.rest = rest_.get();
        service_.ask_status = [this](StatusTaker taker) { ask_status(std::move(taker)); };
        service_.access.hosts = settings_.config.allowed_hosts;
        service_.access.origins = settings_.config.allowed_origins;
        service_.access.token = std::move(secrets.token);
        executions_->when_queue_moves([this] { tell_positions_soon(); });
        tick();
    }

    int run() {
        link_.start(*executions_);
        link_.ask_status();
        while (!io_.stopped()) {
            try {
                io_.run();
            } catch (const std::exception& error) {
                // One connection's trouble (memory, a descriptor) is not the others'.
                (void)std::fprintf(stderr, "cloister: front: %s\n", error.what());
            }
        }
        executions_->abandon();
        return status_;
    }

private:
    using StatusTaker = std::function<void(const wire::StatusReply&)>;

    void tick() {
        ticks_.expires_after(hub_.is_lively() ? kTick : kIdleTick);
        ticks_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            tick();
            hub_.tick();
            beat();
            judgings_->tick();
            submissions_->tick();
        });
    }

    void tell_positions_soon() {
        if (std::exchange(positions_due_, true)) return;
        positions_.expires_after(kPositionsPause);
        positions_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            positions_due_ = false;
            executions_->tell_positions();
        });
    }

    /// The keeper passes it on to the service manager's watchdog.
    void beat() {
        const Clock::time_point now = Clock::now();
        if (now < next_beat_) return;
        next_beat_ = now + kHeartbeat;
        link_.ask_status();
    }

    std::string language_of(std::string_view path) const {
        const std::string_view extension = extension_of(path);
        for (const auto& [id, runtime] : settings_.runtimes) {
            if (std::ranges::find(runtime.extensions, extension) != runtime.extensions.end())
                return id;
        }
        return {};
    }

    /// One question serves all who ask before it is answered. A keeper that keeps so many waiting
    /// answers nobody in time.
    void ask_status(StatusTaker taker) {
        if (status_takers_.size() >= kMaxStatusTakers) return;
        status_takers_.push_back(std::move(taker));
        if (status_takers_.size() == 1) link_.ask_status();
    }

    void on_status(const wire::StatusReply& status) {
        executions_->set_boxes(std::max(1U, status.boxes));
        if (!std::exchange(probing_, true)) probe_->start();
        for (const StatusTaker& taker : std::exchange(status_takers_, {})) taker(status);
    }

    /// The versions are known: clients may come.
    void open() {
        if (draining_ || server_ != nullptr) return;
        service_.runtimes_json = catalog_.to_json();
        service_.ready = true;
        server_ = std::make_unique<Server>(io_, listener_.release(), service_);
        server_->start();
        link_.tell_ready();
        (void)std::printf("cloister: serving %s/api/v1/ws/demo  (%s)\n", server_->address().c_str(),
                          catalog_.summary().c_str());
        (void)std::fflush(stdout);
    }

    void drain() {
        if (std::exchange(draining_, true)) return;
        service_.ready = false;
        if (server_ != nullptr) server_->stop_accepting();
        after(settings_.config.drain_time, [this] {
            executions_->cancel_all();
            after(kKillTime, [this] { close(); });
        });
        executions_->when_idle([this] { close(); });
        judgings_->drain();
        executions_->drain();
    }

    /// Every run is answered, or time is up.
    void close() {
        if (std::exchange(closing_, true)) return;
        if (server_ == nullptr) return stop(0, "");
        after(kCloseTime, [this] { stop(0, ""); });
        server_->close_all([this] { stop(0, ""); });
    }

    void after(std::chrono::seconds time, std::function<void()> action) {
        timer_.expires_after(time);
        timer_.async_wait([action = std::move(action)](const boost::system::error_code& error) {
            if (!error) action();
        });
    }

    void stop(int status, const std::string& why) {
        if (!why.empty()) (void)std::fprintf(stderr, "cloister: front: %s\n", why.c_str());
        status_ = status;
        io_.stop();
    }

    config::Settings settings_;
    Catalog catalog_;
    Service service_;
    std::unique_ptr<Executions> executions_; ///< it and the hub outlive io_, whose last coroutines
                                             ///< still say goodbye to them
    std::unique_ptr<Submissions> submissions_;
    std::unique_ptr<SubmittedRuns> runs_;
    std::unique_ptr<Judgings> judgings_;
    std::unique_ptr<SubmittedJudgings> judged_;
    std::unique_ptr<Rest> rest_;
    Hub hub_;
    Analyses analyses_; ///< likewise
    boost::asio::io_context io_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer ticks_;
    boost::asio::steady_timer positions_;
    KeeperLink link_;
    AnalystLink analyst_;
    std::vector<StatusTaker> status_takers_{};
    std::unique_ptr<VersionProbe> probe_;
    std::unique_ptr<Server> server_;
    Fd listener_;
    Clock::time_point next_beat_{};
    int status_ = 1;
    bool probing_ = false;
    bool draining_ = false;
    bool closing_ = false;
    bool positions_due_ = false;
};

} // namespace

int serve(const FrontFds& fds) {
    try {
        // The keeper decides when to stop and says so by a frame; a Ctrl-C in its terminal must not
        // end this process first.
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
            (void)std::signal(number, SIG_IGN);
        config::Settings settings;
        {
            const Fd memory(fds.settings);
            settings = config::from_text(read_all(memory, "read the settings"));
        }
        Secrets secrets;
        secrets.token = read_token(settings.config.token_file);
        secrets.rooms = tokens::load_secret(settings.config.state_dir);
        become(find_identity(settings.config.user, fds.fallback_id));
        StoreArchive archive(settings.config); // all of its files are open now
        lock_in();
        Front front(fds, std::move(settings), std::move(secrets), archive);
        return front.run();
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: front: %s\n", error.what());
        return 1;
    }
}

} // namespace cloister::front
