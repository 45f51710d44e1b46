// Start, versions, serving, drain. The order at the start matters: everything that needs root is
// read first, then root is given up, and only then is there a loop.
#include "daemon/front/front.h"

#include "daemon/config/settings.h"
#include "daemon/front/analyst_link.h"
#include "daemon/front/callbacks/outbox.h"
#include "daemon/front/confine.h"
#include "daemon/front/go_judge/endpoint.h"
#include "daemon/front/judge0/endpoint.h"
#include "daemon/front/keeper_link.h"
#include "daemon/front/mcp/endpoint.h"
#include "daemon/front/piston/endpoint.h"
#include "daemon/front/pushed_analyses.h"
#include "daemon/front/rest.h"
#include "daemon/front/run_log.h"
#include "daemon/front/server.h"
#include "daemon/front/sources.h"
#include "daemon/front/status_text.h"
#include "daemon/front/store_archive.h"
#include "daemon/front/text.h"
#include "daemon/front/version_probe.h"
#include "daemon/tokens/secret.h"
#include "daemon/wire/journal.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
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
constexpr std::chrono::seconds kKeeperPatience{10}; ///< for its answer to a heartbeat
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

/// What was read while that took root.
struct Secrets {
    std::string token{};
    tokens::Secret rooms{};
};

/// What can be had only before the front locks itself in.
struct Outside {
    judge0::Machine machine{};
    Fd callbacks{}; ///< the socket to their sender; empty: none are sent
};

class Front {
public:
    Front(const FrontFds& fds, config::Settings settings, Secrets secrets, StoreArchive& archive,
          Outside outside)
        : settings_(std::move(settings)), catalog_(settings_),
          hub_(
              settings_.config, secrets.rooms, &archive,
              [this](std::string_view path) { return language_of(path); }, wall_clock),
          analyses_(settings_.runtimes, {.busy = wire::kAnalystBusy}),
          pushed_(
              hub_, analyses_, {.source_bytes = settings_.config.code_bytes},
              [] { return Clock::now(); }, [this](Clock::time_point at) { push_at(at); }),
          io_(1), timer_(io_), ticks_(io_), positions_(io_), pushes_(io_),
          link_(
              io_, Fd(fds.keeper),
              {[this](const wire::StatusReply& status) { on_status(status); }, [this] { drain(); },
               [this](const std::string& why) { stop(1, why); },
               [this](const wire::ReloadFrame& frame, Fd text) { reload(frame, std::move(text)); },
               [this](Fd control) {
                   metrics_.count_analyst();
                   analyst_.begin(std::move(control));
               }}),
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
        service_.endpoints.push_back(rest_.get());
        mcp_ = std::make_unique<mcp::McpEndpoint>(settings_, catalog_, service_.access,
                                                  *executions_, *judgings_, wall_clock);
        service_.endpoints.push_back(mcp_.get());
        if (settings_.config.piston_api) {
            piston_ = std::make_unique<piston::HttpInterface>(settings_, catalog_, service_.access,
                                                              *executions_);
            service_.endpoints.push_back(piston_.get());
            service_.access.piston = true;
        }
        if (settings_.config.judge0_api) open_judge0(std::move(outside));
        if (settings_.config.go_judge_api)
            open_go_judge(); // behind Judge0, whose /version is first
        service_.metrics = &metrics_;
        service_.report = [this](bool status, const auto& boxes) {
            return status ? status_text(numbers(boxes), executions_->under_way())
                          : metrics_.text(numbers(boxes));
        };
        service_.health = [this] { return health(); };
        executions_->observe([this](const Event& event) { count(event); });
        hub_.on_refusal([this](std::string_view code) { metrics_.count_refusal(code); });
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

    void open_judge0(Outside outside) {
        judge0::HttpInterface::Tell tell{};
        if (outside.callbacks) {
            outbox_ = std::make_unique<callbacks::Outbox>(io_, std::move(outside.callbacks));
            tell = [this](const std::string& id, const std::string& url, const std::string& body) {
                outbox_->send(id, url, body);
            };
        }
        judge0_ = std::make_unique<judge0::HttpInterface>(judge0::HttpInterface::Parts{
            settings_, catalog_, service_.access, *executions_, *submissions_,
            std::move(outside.machine), [this] { return std::size_t{boxes_}; }, std::move(tell)});
        service_.endpoints.push_back(judge0_.get());
    }

    void open_go_judge() {
        go_judge::FileStore::Bounds bounds;
        bounds.files = settings_.config.go_judge_files;
        bounds.bytes = settings_.config.go_judge_file_bytes;
        bounds.keep = std::chrono::minutes(settings_.config.go_judge_file_minutes);
        left_files_ = std::make_unique<go_judge::FileStore>(bounds, wall_clock);
        commands_ = std::make_unique<go_judge::Commands>(catalog_, *executions_, *left_files_);
        go_judge_ =
            std::make_unique<go_judge::HttpInterface>(settings_, service_.access, *commands_);
        service_.endpoints.push_back(go_judge_.get());
        service_.commands = commands_.get();
        service_.access.go_judge = true;
    }

    void tick() {
        ticks_.expires_after(hub_.is_lively() ? kTick : kIdleTick);
        ticks_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            tick();
            hub_.tick();
            beat();
            judgings_->tick();
            submissions_->tick();
            mcp_->tick();
        });
    }

    /// The earliest counts: what is due later is asked for again then.
    void push_at(Clock::time_point at) {
        if (push_due_ <= at) return;
        push_due_ = at;
        pushes_.expires_at(at);
        pushes_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            push_due_ = Clock::time_point::max();
            pushed_.on_time();
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

    void count(const Event& event) {
        if (const auto* finished = std::get_if<Finished>(&event)) {
            metrics_.count_run(*finished);
            log_run(*finished, settings_.config.log_runs);
        }
        if (const auto* refused = std::get_if<Refused>(&event)) {
            metrics_.count_refusal(refused->refusal.code);
            log_refusal(refused->refusal);
        }
    }

    Metrics::Now numbers(const std::optional<wire::StatusReply>& boxes) const {
        Metrics::Now now;
        now.waiting = executions_->waiting();
        now.connections = server_ == nullptr ? 0 : server_->connections();
        now.sessions = server_ == nullptr ? 0 : server_->sessions();
        now.rooms = hub_.rooms();
        now.room_bytes = hub_.memory();
        now.divergences = hub_.divergences();
        now.ready = service_.ready && health().unready.empty();
        now.reloads = reloads_;
        if (outbox_ != nullptr) now.callbacks = outbox_->counts();
        now.boxes = boxes;
        return now;
    }

    Health health() const {
        Health health;
        if (Clock::now() - heard_ > kKeeperPatience)
            health.unhealthy = "The keeper, which makes the boxes, has not answered for " +
                               readable_seconds(kKeeperPatience) + ".";
        if (boxes_ == 0)
            health.unready = "No box can be made: every slot is quarantined, since what was in it "
                             "could not be proven gone.";
        return health;
    }

    void on_status(const wire::StatusReply& status) {
        heard_ = Clock::now();
        boxes_ = status.boxes;
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
        wire::JournalLine("serving")
            .text("address", server_->address())
            .text("version", CLOISTER_VERSION)
            .write();
        (void)std::printf("cloister: serving %s/api/v1/ws/demo  (%s)\n", server_->address().c_str(),
                          catalog_.summary().c_str());
        (void)std::fflush(stdout);
    }

    /// New policies and runtimes. Their versions are asked for first, through boxes as always; then
    /// all of it holds at once. What was accepted before keeps what it began with.
    void reload(const wire::ReloadFrame& frame, Fd text) {
        try {
            if (!text) throw std::runtime_error("no descriptor was free for them");
            next_ = std::make_unique<Next>(config::from_text(read_all(text, "read the settings")),
                                           frame);
        } catch (const std::exception& error) {
            (void)std::fprintf(stderr, "cloister: the new settings: %s\n", error.what());
            return link_.tell_reloaded(false);
        }
        next_->probe = std::make_unique<VersionProbe>(next_->catalog, *executions_, [this] {
            boost::asio::post(io_, [this] { take_over(); }); // the probe that says so goes with it
        });
        next_->probe->start();
    }

    void take_over() {
        if (next_ == nullptr) return;
        Next& next = *next_;
        if (!next.probe->whole()) {
            next_.reset();
            return link_.tell_reloaded(false);
        }
        // In place: others hold references, and what the catalogue points to moves along.
        settings_.policies.swap(next.settings.policies);
        settings_.runtimes.swap(next.settings.runtimes);
        settings_.policy_texts.swap(next.settings.policy_texts);
        settings_.runtime_texts.swap(next.settings.runtime_texts);
        catalog_.entries = std::move(next.catalog.entries);
        catalog_.first_policy = next.catalog.first_policy;
        catalog_.command = std::move(next.catalog.command);
        judgings_->renew();
        service_.runtimes_json = catalog_.to_json();
        next_.reset();
        ++reloads_;
        link_.tell_reloaded(true);
    }

    void drain() {
        if (std::exchange(draining_, true)) return;
        service_.ready = false;
        wire::JournalLine("drain_begins")
            .number("running", static_cast<std::int64_t>(executions_->running()))
            .number("waiting", static_cast<std::int64_t>(executions_->waiting()))
            .write();
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
        wire::JournalLine("drain_ends").flag("all_answered", executions_->is_idle()).write();
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
    std::unique_ptr<mcp::McpEndpoint> mcp_;
    std::unique_ptr<piston::HttpInterface> piston_;
    std::unique_ptr<judge0::HttpInterface> judge0_;
    std::unique_ptr<go_judge::FileStore> left_files_;
    std::unique_ptr<go_judge::Commands> commands_;
    std::unique_ptr<go_judge::HttpInterface> go_judge_;
    Hub hub_;
    Analyses analyses_; ///< likewise
    PushedAnalyses pushed_;
    Clock::time_point push_due_ = Clock::time_point::max();
    Metrics metrics_;
    boost::asio::io_context io_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer ticks_;
    boost::asio::steady_timer positions_;
    boost::asio::steady_timer pushes_;
    KeeperLink link_;
    AnalystLink analyst_;
    std::unique_ptr<callbacks::Outbox> outbox_; ///< none: callbacks are off
    std::vector<StatusTaker> status_takers_{};
    std::unique_ptr<VersionProbe> probe_;
    /// Settings that will hold soon.
    struct Next {
        Next(config::Settings from, const wire::ReloadFrame& frame)
            : settings(std::move(from)),
              catalog(settings, frame.first_runtime, frame.first_policy) {}
        config::Settings settings;
        Catalog catalog;
        std::unique_ptr<VersionProbe> probe{};
    };
    std::unique_ptr<Next> next_;
    std::uint64_t reloads_ = 0;
    std::unique_ptr<Server> server_;
    Fd listener_;
    Clock::time_point next_beat_{};
    Clock::time_point heard_ = Clock::now(); ///< from the keeper
    std::uint32_t boxes_ = 1;                ///< that it offers
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
        const Identity identity = find_identity(settings.config.user, fds.fallback_id);
        Outside outside;
        outside.machine = judge0::this_machine();
        // Before the secrets are read: what strangers' servers talk to is not to have them.
        const std::string& sends = settings.config.judge0_callbacks;
        if (settings.config.judge0_api && sends != "off")
            outside.callbacks = callbacks::start_sender(identity, sends == "anywhere");
        Secrets secrets;
        secrets.token = read_token(settings.config.token_file);
        secrets.rooms = tokens::load_secret(settings.config.state_dir);
        become(identity);
        StoreArchive archive(settings.config); // all of its files are open now
        lock_in();
        Front front(fds, std::move(settings), std::move(secrets), archive, std::move(outside));
        return front.run();
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: front: %s\n", error.what());
        return 1;
    }
}

} // namespace cloister::front
