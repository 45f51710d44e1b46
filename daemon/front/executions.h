// The flow of every run: accepted, queued fairly, started box by box, watched, answered once. A
// state machine without sockets, clocks or pipes of its own: it acts through Boxes and is told what
// happened by calls, so its tests drive it by hand. WebSocket and whatever comes beside it are
// adapters on this.
//
// Promises: each accepted job ends in exactly one Finished or Refused event, unless its client
// left; no client starves another; nothing grows beyond Bounds; no more boxes are under way than
// the keeper offers; a run whose client is gone is killed. What is compiled already is not compiled
// again (artifacts.h), and what somebody is just compiling is waited for, once.
#pragma once

#include "daemon/front/artifacts.h"
#include "daemon/front/boxes.h"
#include "daemon/front/events.h"
#include "daemon/front/jobs.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cloister::front {

using Clock = std::chrono::steady_clock;
using ClientId = std::uint64_t;

class Executions {
public:
    struct Bounds {
        std::size_t boxes = 1; ///< from the keeper
        std::size_t queue = 1024;
        std::size_t queue_bytes = 64 * isolate::kMiB; ///< sources and input of waiting jobs
        std::size_t runs_per_client = 4;
        std::size_t queue_per_client = 16;
        std::size_t input_bytes = 256 * isolate::kKiB;
        std::uint64_t artifact_bytes = 0; ///< of compiled programs that are kept; 0: none is
    };
    /// Artifacts that are held at one time, of those that the keeper keeps while no run uses them.
    static constexpr std::size_t kMaxHolds = wire::kKeptArtifacts / 4;
    using SyscallName = std::function<std::string(int)>;

    Executions(Boxes& boxes, const Bounds& bounds, SyscallName syscall_name,
               std::function<Clock::time_point()> now);
    ~Executions();
    Executions(const Executions&) = delete;
    Executions& operator=(const Executions&) = delete;

    /// Hears every answer, a Finished or a Refused, also where nobody is left to be told.
    void observe(std::function<void(const Event&)> observer) { observer_ = std::move(observer); }

    // from clients
    ClientId open_client(Listener& listener);
    /// Its waiting jobs are dropped, its runs killed; the listener is not called again.
    void close_client(ClientId client);
    /// The run's name, or why not. `named` hears the name before anything happens in the run.
    using Named = std::function<void(const std::string& run_id)>;
    std::variant<std::string, Refusal> submit(ClientId client, Job job, const Named& named = {});
    /// Programs that talk with each other, at most kMostTogether: what one prints is the input of
    /// another. Their turn comes when there are places for all, and comes to all; each is answered
    /// as one that was submitted alone, though when one of them does not begin those that have not
    /// begun either are `cancelled`. One that nobody talks to has its own input, and what one says
    /// to nobody is its result's, as of any other.
    static constexpr std::size_t kMostTogether = 8;
    bool has_room_for(std::size_t programs) const { return bounds_.boxes >= programs; }
    struct Wire {
        std::size_t from = 0;     ///< by their places in the list
        std::size_t stream = 0;   ///< 0 stdout, 1 stderr
        std::size_t to = 0;       ///< not `from`
        std::uint64_t record = 0; ///< bytes of what passes that are the speaker's result's as well
    };
    struct Group {
        std::vector<Job> jobs{};      ///< two at least
        std::vector<Wire> wires{};    ///< each stream and each input at one end at most
        bool stands_or_falls = false; ///< when the box of one fails, the others are ended, too
    };
    /// The name of the first, or why not.
    std::variant<std::string, Refusal> submit_group(ClientId client, Group group);
    std::optional<Refusal> input(ClientId client, const RunName& run, std::string_view data,
                                 bool eof);
    std::optional<Refusal> signal(ClientId client, const RunName& run, int number);
    std::optional<Refusal> resize(ClientId client, const RunName& run, std::uint16_t columns,
                                  std::uint16_t rows);
    std::optional<Refusal> cancel(ClientId client, const RunName& run);
    /// Keeps what the compiler of `job` left for runs to come, until it is let go. Nothing when it
    /// is not there (any more), or too much is held.
    std::optional<std::uint64_t> hold(const Job& job);
    void let_go(std::uint64_t artifact);
    /// While a client is congested its programs wait and its results are held back.
    void set_congested(ClientId client, bool congested);

    // from the keeper and the streams; a box that is not known is ignored
    void on_started(std::uint64_t box, std::chrono::nanoseconds setup, wire::Level level);
    void on_usage(const wire::UsageFrame& usage);
    void on_output(std::uint64_t box, std::size_t stream,
                   std::string_view bytes);                    ///< 0 stdout or tty, 1 stderr
    void on_stream_end(std::uint64_t box, std::size_t stream); ///< kFiles, too
    /// Of the stream that brings collected files.
    void on_files(std::uint64_t box, std::string_view bytes);
    static constexpr std::size_t kFiles = 2;
    /// The keeper's last word about it.
    void on_ended(std::uint64_t box, const isolate::Outcome& outcome,
                  std::uint64_t artifact_bytes = 0);

    /// `action` is called whenever waiting runs may have moved; soon afterwards, and not for each
    /// of these calls, tell_positions() is due.
    void when_queue_moves(std::function<void()> action) { when_queue_moves_ = std::move(action); }
    /// Tells those who watch and wait where they stand, if that is news.
    void tell_positions();

    // shutdown
    void drain();      ///< refuse new jobs, answer waiting ones with busy
    void cancel_all(); ///< end what still runs
    bool is_idle() const { return running_ == 0 && waiting_ == 0 && held_ == 0; }
    /// Called when the last job of a draining service is answered.
    void when_idle(std::function<void()> action) { when_idle_ = std::move(action); }
    void set_boxes(std::size_t boxes) { bounds_.boxes = boxes; }
    /// Forgets everything without a word to anybody; for the end of the process.
    void abandon();

    /// What is under way: a run has one box at a time.
    struct UnderWay {
        std::string run_id;
        std::string language;
        wire::Stage stage{};
        std::chrono::nanoseconds age{}; ///< since its turn came
        wire::Level level{};            ///< of its box
    };
    std::vector<UnderWay> under_way() const;

    std::size_t running() const { return running_; }
    std::size_t waiting() const { return waiting_; }

private:
    struct Execution;
    struct Circle;
    struct Client;
    using ExecutionPtr = std::shared_ptr<Execution>;

    std::variant<std::string, Refusal> accept(ClientId client, const ExecutionPtr& execution,
                                              const Named& named);
    ExecutionPtr made(ClientId client, Job job);
    bool begin_box(Execution& execution);
    void begin_together(const std::shared_ptr<Circle>& circle);
    void leave_circle(Execution& execution);
    void finish_cancelled(Execution& execution);
    void take_talk(Execution& execution, std::size_t stream, std::string_view bytes);
    Refusal busy(const Job& job, const std::string& message) const;
    Execution* find(ClientId client, const RunName& run, Refusal& refusal);
    Execution* by_box(std::uint64_t box);
    ExecutionPtr withdraw(Client& client, const Execution& execution);
    void pump();
    void begin(Client& client, const ExecutionPtr& execution);
    bool find_artifact(const ExecutionPtr& execution);
    void wake_followers(Execution& compiler);
    std::vector<std::pair<ExecutionPtr, std::size_t>> positions() const;
    void tell_position(const ExecutionPtr& execution, std::size_t position);
    void queue_moved() const;
    void start_step(Execution& execution);
    void start_box(Execution& execution, bool program);
    void feed_program(Execution& execution);
    void end_step_when_complete(Execution& execution);
    void finish_compile(Execution& execution, isolate::Verdict verdict);
    void finish_run(Execution& execution, isolate::Verdict verdict);
    static std::vector<ResultFile> take_files(Execution& execution);
    void refuse(Execution& execution, Refusal refusal);
    void answer(Execution& execution, Event event);
    void remove(Execution& execution);
    void tell(const Execution& execution, const Event& event);
    void tell_started(Execution& execution, std::optional<wire::Level> level);
    void tell_stage(Execution& execution);
    void tell_output(Execution& execution, std::size_t stream, std::string_view bytes, bool last);
    std::string reason_for(const Execution& execution, isolate::Verdict verdict) const;
    void check_idle();

    Boxes& boxes_;
    Bounds bounds_;
    SyscallName syscall_name_;
    std::function<Clock::time_point()> now_;
    std::function<void()> when_idle_{};
    std::function<void()> when_queue_moves_{};
    std::function<void(const Event&)> observer_{};
    std::map<ClientId, std::shared_ptr<Client>> clients_{};
    std::map<std::uint64_t, ExecutionPtr> by_box_{};
    Artifacts artifacts_;
    std::multimap<std::uint64_t, ExecutionPtr> followers_{}; ///< parked ones, by the number of
                                                             ///< whom they wait for
    std::deque<ClientId> turn_{}; ///< clients with waiting jobs, the next one first
    std::size_t running_ = 0;
    std::size_t waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::size_t holds_ = 0; ///< of artifacts
    std::size_t held_ = 0;  ///< answers held back from congested clients
    std::uint64_t last_client_ = 0;
    std::uint64_t last_execution_ = 0;
    std::uint64_t last_box_ = 0;
    bool draining_ = false;
    bool pumping_ = false;
};

} // namespace cloister::front
