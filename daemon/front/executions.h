// The flow of every run: accepted, queued fairly, started box by box, watched, answered once. A
// state machine without sockets, clocks or pipes of its own: it acts through Boxes and is told what
// happened by calls, so its tests drive it by hand. WebSocket and whatever comes beside it are
// adapters on this.
//
// Promises: each accepted job ends in exactly one Finished or Refused event, unless its client
// left; no client starves another; nothing grows beyond Bounds; no more boxes are under way than
// the keeper offers; a run whose client is gone is killed.
#pragma once

#include "daemon/front/jobs.h"
#include "daemon/front/utf8.h"
#include "daemon/wire/frames.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front {

using Clock = std::chrono::steady_clock;

/// What Executions needs from the keeper and the kernel; one box is one run frame.
class Boxes {
public:
    struct Start {
        wire::RunFrame frame{};
        std::string_view bundle{};
        bool terminal = false;
        bool live = false; ///< output is passed on soon rather than in large pieces
        std::uint16_t columns = 80;
        std::uint16_t rows = 24;
    };
    virtual ~Boxes() = default;
    /// Throws isolate::SysError when the streams cannot be made; then nothing was started.
    virtual void start(const Start& start) = 0;
    virtual void kill(std::uint64_t box, isolate::Verdict reason) = 0;
    virtual void signal(std::uint64_t box, int number) = 0;
    virtual void release(std::uint64_t artifact) = 0;
    virtual void write(std::uint64_t box, std::string_view bytes) = 0;
    /// End of stdin, after what was written.
    virtual void close_input(std::uint64_t box) = 0;
    /// Bytes written to the box that its program has not taken yet.
    virtual std::size_t unread_input(std::uint64_t box) = 0;
    virtual void resize(std::uint64_t box, std::uint16_t columns, std::uint16_t rows) = 0;
    /// Stops and resumes the reading of output, so that a fast program waits for a slow client.
    virtual void pause(std::uint64_t box, bool paused) = 0;
    /// Forgets the box, which has ended.
    virtual void forget(std::uint64_t box) = 0;
};

/// Whom an event is about.
struct RunTag {
    std::string run_id;
    std::optional<std::string> id{};
};

struct Started {
    RunTag run;
    std::string language;
    std::string version;
};

struct StageBegan {
    RunTag run;
    wire::Stage stage{};
};

struct Output {
    RunTag run;
    std::string_view stream; ///< "stdout", "stderr" or "tty"
    std::string data;        ///< text, or raw bytes when `base64`
    bool base64 = false;
    std::uint64_t seq = 0;
};

struct CompileResult {
    bool success = false;
    std::string output{};
    std::string error{};
    std::chrono::nanoseconds wall_time{};
};

struct Result {
    isolate::Verdict verdict = isolate::Verdict::internal_error;
    int exit_code = -1; ///< -1: a signal ended it, or it never ran
    int signal = 0;
    std::string output{}; ///< raw bytes
    std::string error{};  ///< raw bytes of stderr
    std::string reason{}; ///< why we ended it, one sentence; empty when it ended by itself well
    std::uint64_t output_dropped = 0;
    std::uint64_t error_dropped = 0;
    isolate::Usage usage{};
    std::chrono::nanoseconds queued_time{};
    std::chrono::nanoseconds setup_time{};
    std::optional<CompileResult> compile{};
};

struct Finished {
    RunTag run;
    std::string language;
    bool base64 = false;
    Result result;
};

/// An accepted job that could not be carried out.
struct Refused {
    Refusal refusal;
};

using Event = std::variant<Started, StageBegan, Output, Finished, Refused>;

class Listener {
public:
    virtual ~Listener() = default;
    virtual void on_event(const Event& event) = 0;
};

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
    };
    using SyscallName = std::function<std::string(int)>;

    Executions(Boxes& boxes, const Bounds& bounds, SyscallName syscall_name,
               std::function<Clock::time_point()> now);
    ~Executions();
    Executions(const Executions&) = delete;
    Executions& operator=(const Executions&) = delete;

    // from clients
    ClientId open_client(Listener& listener);
    /// Its waiting jobs are dropped, its runs killed; the listener is not called again.
    void close_client(ClientId client);
    /// The run's name, or why not.
    std::variant<std::string, Refusal> submit(ClientId client, Job job);
    std::optional<Refusal> input(ClientId client, const RunName& run, std::string_view data,
                                 bool eof);
    std::optional<Refusal> signal(ClientId client, const RunName& run, int number);
    std::optional<Refusal> resize(ClientId client, const RunName& run, std::uint16_t columns,
                                  std::uint16_t rows);
    std::optional<Refusal> cancel(ClientId client, const RunName& run);
    /// While a client is congested its programs wait and its results are held back.
    void set_congested(ClientId client, bool congested);

    // from the keeper and the streams; a box that is not known is ignored
    void on_started(std::uint64_t box, std::chrono::nanoseconds setup);
    void on_output(std::uint64_t box, std::size_t stream,
                   std::string_view bytes); ///< 0 stdout or tty, 1 stderr
    void on_stream_end(std::uint64_t box, std::size_t stream);
    void on_ended(std::uint64_t box, const isolate::Outcome& outcome);

    // shutdown
    void drain();      ///< refuse new jobs, answer waiting ones with busy
    void cancel_all(); ///< end what still runs
    bool is_idle() const { return running_ == 0 && waiting_ == 0 && held_ == 0; }
    /// Called when the last job of a draining service is answered.
    void when_idle(std::function<void()> action) { when_idle_ = std::move(action); }
    void set_boxes(std::size_t boxes) { bounds_.boxes = boxes; }
    /// Forgets everything without a word to anybody; for the end of the process.
    void abandon();

    std::size_t running() const { return running_; }
    std::size_t waiting() const { return waiting_; }

private:
    struct Execution;
    struct Client;
    using ExecutionPtr = std::shared_ptr<Execution>;

    Refusal busy(const Job& job, const std::string& message) const;
    Execution* find(ClientId client, const RunName& run, Refusal& refusal);
    Execution* by_box(std::uint64_t box);
    void pump();
    void start_step(Execution& execution);
    void end_step_when_complete(Execution& execution);
    void finish_compile(Execution& execution, isolate::Verdict verdict);
    void finish_run(Execution& execution, isolate::Verdict verdict);
    void refuse(Execution& execution, Refusal refusal);
    void answer(Execution& execution, Event event);
    void remove(Execution& execution);
    void tell(const Execution& execution, const Event& event);
    void tell_output(Execution& execution, std::size_t stream, std::string_view bytes, bool last);
    std::string reason_for(const Execution& execution, isolate::Verdict verdict) const;
    void check_idle();

    Boxes& boxes_;
    Bounds bounds_;
    SyscallName syscall_name_;
    std::function<Clock::time_point()> now_;
    std::function<void()> when_idle_{};
    std::map<ClientId, std::shared_ptr<Client>> clients_{};
    std::map<std::uint64_t, ExecutionPtr> by_box_{};
    std::deque<ClientId> turn_{}; ///< clients with waiting jobs, the next one first
    std::size_t running_ = 0;
    std::size_t waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::size_t held_ = 0; ///< answers held back from congested clients
    std::uint64_t last_client_ = 0;
    std::uint64_t last_execution_ = 0;
    std::uint64_t last_box_ = 0;
    bool draining_ = false;
    bool pumping_ = false;
};

} // namespace cloister::front
