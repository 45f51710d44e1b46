// The state machine behind executions.h. An Execution is in its client's `waiting` list, then in
// `by_box_` while one of its boxes is under way, then answered (or held back while the client is
// congested) and gone. Events may make a listener close its own client, so nothing of a client is
// touched after `tell` without looking it up again.
#include "daemon/front/executions.h"

#include "daemon/front/reasons.h"

#include <algorithm>
#include <csignal>
#include <list>

namespace cloister::front {

using isolate::Verdict;
using std::chrono::nanoseconds;

namespace {

constexpr std::size_t kMaxChunk = 32 * isolate::kKiB; ///< data of one execution_output
constexpr std::chrono::milliseconds kRetryAfter{500};

/// What is kept of one stream.
struct Kept {
    std::string bytes{};
    std::uint64_t dropped = 0;
    bool open = true;
};

} // namespace

struct Executions::Execution {
    std::uint64_t number = 0;
    ClientId client = 0;
    Job job{};
    std::size_t step = 0;
    std::uint64_t box = 0;      ///< of the step under way; 0 while waiting
    std::uint64_t artifact = 0; ///< to release at the end
    bool cancelled = false;
    bool killing = false; ///< a kill frame is on its way
    Clock::time_point accepted{};
    nanoseconds queued{};
    nanoseconds setup{};
    std::string early_input{}; ///< arrived before the program started
    bool input_closed = false;
    std::array<Kept, 2> kept{};
    std::array<Utf8Repair, 2> repair{};
    std::uint64_t seq = 0;
    std::optional<isolate::Outcome> outcome{};
    std::optional<CompileResult> compile{};

    const JobStep& plan() const { return job.steps[step]; }
    bool is_program() const { return box != 0 && step + 1 == job.steps.size(); }
    std::size_t bytes() const { return job.bundle.size() + job.input.size(); }
    RunTag tag() const { return {"r" + std::to_string(number), job.id}; }
};

struct Executions::Client {
    Listener* listener = nullptr; ///< null: gone, its last boxes are being killed
    std::list<ExecutionPtr> waiting{};
    std::list<ExecutionPtr> running{};
    std::deque<Event> held{}; ///< answers that wait for the client to read
    bool congested = false;

    std::size_t occupied() const { return running.size() + held.size(); }
};

Executions::Executions(Boxes& boxes, const Bounds& bounds, SyscallName syscall_name,
                       std::function<Clock::time_point()> now)
    : boxes_(boxes), bounds_(bounds), syscall_name_(std::move(syscall_name)), now_(std::move(now)) {
}

Executions::~Executions() = default;

// ---- clients

ClientId Executions::open_client(Listener& listener) {
    const ClientId id = ++last_client_;
    auto client = std::make_shared<Client>();
    client->listener = &listener;
    clients_.emplace(id, std::move(client));
    return id;
}

void Executions::close_client(ClientId id) {
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    Client& client = *found->second;
    client.listener = nullptr;
    for (const ExecutionPtr& execution : client.waiting) {
        --waiting_;
        waiting_bytes_ -= execution->bytes();
    }
    client.waiting.clear();
    std::erase(turn_, id);
    held_ -= client.held.size();
    client.held.clear();
    for (const ExecutionPtr& execution : client.running) {
        execution->cancelled = true;
        if (execution->box == 0) continue;   // about to start: sees the mark
        boxes_.pause(execution->box, false); // what it still writes is dropped, not waited for
        if (!std::exchange(execution->killing, true))
            boxes_.kill(execution->box, Verdict::cancelled);
    }
    if (client.running.empty()) clients_.erase(found);
    check_idle();
}

Refusal Executions::busy(const Job& job, const std::string& message) const {
    Refusal refusal;
    refusal.code = "busy";
    refusal.message = message;
    refusal.id = job.id;
    refusal.retry_after = kRetryAfter;
    return refusal;
}

std::variant<std::string, Refusal> Executions::submit(ClientId id, Job job) {
    const auto found = clients_.find(id);
    if (draining_ || found == clients_.end()) return busy(job, "The service is stopping.");
    Client& client = *found->second;
    const std::size_t waiting = client.waiting.size() + client.held.size();
    if (waiting >= bounds_.queue_per_client) {
        return busy(job,
                    "This connection has " + std::to_string(waiting) + " runs waiting already.");
    }
    const std::size_t bytes = job.bundle.size() + job.input.size();
    if (waiting_ >= bounds_.queue || waiting_bytes_ + bytes > bounds_.queue_bytes) {
        return busy(job, "The server's queue is full.");
    }
    auto execution = std::make_shared<Execution>();
    execution->number = ++last_execution_;
    execution->client = id;
    execution->job = std::move(job);
    execution->accepted = now_();
    std::string run_id = execution->tag().run_id;
    if (client.waiting.empty()) turn_.push_back(id);
    client.waiting.push_back(std::move(execution));
    ++waiting_;
    waiting_bytes_ += bytes;
    pump();
    return run_id;
}

Executions::Execution* Executions::find(ClientId id, const RunName& run, Refusal& refusal) {
    const auto found = clients_.find(id);
    const auto is_meant = [&](const ExecutionPtr& execution) {
        return run.run_id ? *run.run_id == execution->tag().run_id
                          : run.id && run.id == execution->job.id;
    };
    if (found != clients_.end()) {
        Client& client = *found->second;
        for (auto* list : {&client.running, &client.waiting}) {
            const auto match = std::ranges::find_if(*list, is_meant);
            if (match != list->end()) return match->get();
        }
    }
    refusal.code = "no_such_run";
    refusal.message = "No such run of this connection is under way.";
    refusal.id = run.id;
    refusal.run_id = run.run_id;
    return nullptr;
}

std::optional<Refusal> Executions::input(ClientId client, const RunName& run, std::string_view data,
                                         bool eof) {
    Refusal refusal;
    Execution* execution = find(client, run, refusal);
    if (execution == nullptr) return refusal;
    refusal.id = run.id;
    refusal.run_id = execution->tag().run_id;
    if (!execution->job.input_open || execution->input_closed) {
        refusal.code = "bad_message";
        refusal.message = "The stdin of this run is closed; open it with \"interactive\": true.";
        return refusal;
    }
    const bool program = execution->is_program();
    const std::size_t unread =
        program ? boxes_.unread_input(execution->box) : execution->early_input.size();
    if (data.size() > bounds_.input_bytes || unread > bounds_.input_bytes - data.size()) {
        refusal.code = "too_large";
        refusal.message = "The program has " + std::to_string(unread) +
                          " bytes of input to read first; nothing of this input was taken.";
        return refusal;
    }
    if (program) {
        boxes_.write(execution->box, data);
        if (eof) boxes_.close_input(execution->box);
    } else {
        execution->early_input += data;
    }
    // A terminal stays open behind its ^D, as it does at a desk.
    if (eof && (!execution->job.terminal || !program)) execution->input_closed = true;
    return std::nullopt;
}

std::optional<Refusal> Executions::signal(ClientId client, const RunName& run, int number) {
    Refusal refusal;
    Execution* execution = find(client, run, refusal);
    if (execution == nullptr) return refusal;
    if (execution->is_program()) {
        boxes_.signal(execution->box, number);
        return std::nullopt;
    }
    // There is no program yet; what would end it ends the run.
    constexpr std::array kEnding = {SIGINT, SIGTERM, SIGKILL, SIGQUIT, SIGHUP};
    if (std::ranges::find(kEnding, number) != kEnding.end()) return cancel(client, run);
    refusal.code = "bad_message";
    refusal.message = "The program has not started yet.";
    refusal.id = run.id;
    refusal.run_id = execution->tag().run_id;
    return refusal;
}

std::optional<Refusal> Executions::resize(ClientId client, const RunName& run,
                                          std::uint16_t columns, std::uint16_t rows) {
    Refusal refusal;
    Execution* execution = find(client, run, refusal);
    if (execution == nullptr) return refusal;
    if (!execution->job.terminal) {
        refusal.code = "bad_message";
        refusal.message = "This run has no terminal.";
        refusal.id = run.id;
        refusal.run_id = execution->tag().run_id;
        return refusal;
    }
    execution->job.columns = columns;
    execution->job.rows = rows;
    if (execution->is_program()) boxes_.resize(execution->box, columns, rows);
    return std::nullopt;
}

std::optional<Refusal> Executions::cancel(ClientId id, const RunName& run) {
    Refusal refusal;
    Execution* execution = find(id, run, refusal);
    if (execution == nullptr) return refusal;
    execution->cancelled = true;
    if (execution->box != 0) {
        if (!std::exchange(execution->killing, true))
            boxes_.kill(execution->box, Verdict::cancelled);
        return std::nullopt;
    }
    Client& client = *clients_.at(id);
    const auto match =
        std::ranges::find(client.waiting, execution, [](const auto& one) { return one.get(); });
    if (match == client.waiting.end()) return std::nullopt; // about to start: sees the mark
    const ExecutionPtr keep = *match;
    client.waiting.erase(match);
    if (client.waiting.empty()) std::erase(turn_, id);
    --waiting_;
    waiting_bytes_ -= keep->bytes();
    keep->queued = now_() - keep->accepted;
    Result result;
    result.verdict = Verdict::cancelled;
    result.reason = reason_for(*keep, Verdict::cancelled);
    result.queued_time = keep->queued;
    answer(*keep, Finished{keep->tag(), keep->job.language, keep->job.base64, std::move(result)});
    check_idle();
    return std::nullopt;
}

void Executions::set_congested(ClientId id, bool congested) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second->congested == congested) return;
    Client& client = *found->second;
    client.congested = congested;
    for (const ExecutionPtr& execution : client.running) {
        if (execution->job.stream && !execution->outcome) boxes_.pause(execution->box, congested);
    }
    // Each answer may fill the client's queue again, and may even end the client.
    for (auto at = found;
         at != clients_.end() && !at->second->congested && !at->second->held.empty();
         at = clients_.find(id)) {
        const Event event = std::move(at->second->held.front());
        at->second->held.pop_front();
        --held_;
        at->second->listener->on_event(event);
    }
    pump();
    check_idle();
}

// ---- the queue

void Executions::pump() {
    if (std::exchange(pumping_, true)) return; // a step that fails to start comes back here
    std::size_t passed_over = 0; // clients in a row that may not start another run now
    while (running_ < bounds_.boxes && passed_over < turn_.size()) {
        const ClientId id = turn_.front();
        turn_.pop_front();
        Client& client = *clients_.at(id);
        if (client.occupied() >= bounds_.runs_per_client) {
            turn_.push_back(id);
            ++passed_over;
            continue;
        }
        passed_over = 0;
        const ExecutionPtr execution = client.waiting.front();
        client.waiting.pop_front();
        if (!client.waiting.empty()) turn_.push_back(id);
        client.running.push_back(execution);
        --waiting_;
        waiting_bytes_ -= execution->bytes();
        ++running_;
        execution->queued = now_() - execution->accepted;
        if (execution->job.is_live()) {
            tell(*execution,
                 Started{execution->tag(), execution->job.language, execution->job.version});
        }
        start_step(*execution);
    }
    pumping_ = false;
}

void Executions::start_step(Execution& execution) {
    const JobStep& plan = execution.plan();
    const bool program = execution.step + 1 == execution.job.steps.size();
    if (execution.job.stream && execution.job.steps.size() > 1)
        tell(execution, StageBegan{execution.tag(), plan.stage});
    if (execution.cancelled) { // its listener left while it was told
        Result result;
        result.verdict = Verdict::cancelled;
        answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                                   std::move(result)});
        remove(execution);
        return;
    }
    Boxes::Start start;
    start.frame.run_id = ++last_box_;
    start.frame.runtime = execution.job.runtime;
    start.frame.policy = plan.policy;
    start.frame.stage = plan.stage;
    start.frame.limits = plan.limits;
    start.frame.artifact = execution.artifact;
    start.bundle = execution.job.bundle;
    if (program) {
        start.terminal = execution.job.terminal;
        start.live = execution.job.is_live();
        start.columns = execution.job.columns;
        start.rows = execution.job.rows;
        if (start.terminal) start.frame.flags |= wire::kFlagTerminal;
        if (start.live) start.frame.flags |= wire::kFlagLive;
    }
    execution.kept = {};
    execution.repair = {};
    execution.outcome.reset();
    execution.kept[1].open = !start.terminal; // a terminal is one stream
    try {
        boxes_.start(start);
    } catch (const isolate::SysError& error) {
        refuse(execution,
               busy(execution.job, std::string("The server lacks the means to start a run now: ") +
                                       error.code().message() + "."));
        return;
    }
    execution.box = start.frame.run_id;
    const auto& running = clients_.at(execution.client)->running;
    by_box_[execution.box] =
        *std::ranges::find(running, &execution, [](const auto& one) { return one.get(); });
    if (!program) {
        boxes_.close_input(execution.box);
        return;
    }
    execution.job.bundle = {};
    if (!execution.job.input.empty()) boxes_.write(execution.box, execution.job.input);
    if (!execution.early_input.empty()) boxes_.write(execution.box, execution.early_input);
    execution.job.input = {};
    execution.early_input = {};
    if (!execution.job.input_open || execution.input_closed) boxes_.close_input(execution.box);
    if (execution.job.stream && clients_.at(execution.client)->congested)
        boxes_.pause(execution.box, true);
}

// ---- the boxes

Executions::Execution* Executions::by_box(std::uint64_t box) {
    const auto found = by_box_.find(box);
    return found == by_box_.end() ? nullptr : found->second.get();
}

void Executions::on_started(std::uint64_t box, nanoseconds setup) {
    Execution* execution = by_box(box);
    if (execution != nullptr) execution->setup += setup;
}

void Executions::on_output(std::uint64_t box, std::size_t stream, std::string_view bytes) {
    Execution* execution = by_box(box);
    if (execution == nullptr || stream >= execution->kept.size()) return;
    Kept& kept = execution->kept[stream];
    const std::size_t room = execution->plan().limits.output_bytes - kept.bytes.size();
    const std::string_view taken = bytes.substr(0, room);
    kept.bytes += taken;
    kept.dropped += bytes.size() - taken.size();
    if (kept.dropped > 0 && !execution->outcome && !std::exchange(execution->killing, true)) {
        boxes_.kill(box, Verdict::output_limit);
    }
    if (execution->is_program() && execution->job.stream)
        tell_output(*execution, stream, taken, false);
}

void Executions::on_stream_end(std::uint64_t box, std::size_t stream) {
    Execution* execution = by_box(box);
    if (execution == nullptr || stream >= execution->kept.size() || !execution->kept[stream].open)
        return;
    execution->kept[stream].open = false;
    if (execution->is_program() && execution->job.stream) tell_output(*execution, stream, {}, true);
    // The listener may have left meanwhile; the execution stays in by_box_ until it has ended.
    end_step_when_complete(*execution);
}

void Executions::on_ended(std::uint64_t box, const isolate::Outcome& outcome) {
    Execution* execution = by_box(box);
    if (execution == nullptr || execution->outcome) return;
    execution->outcome = outcome;
    boxes_.pause(box, false); // every writer is dead: what is left is a pipe's worth
    end_step_when_complete(*execution);
}

void Executions::end_step_when_complete(Execution& execution) {
    if (!execution.outcome || execution.kept[0].open || execution.kept[1].open) return;
    const std::uint64_t box = execution.box;
    const ExecutionPtr keep = by_box_.at(box);
    by_box_.erase(box);
    boxes_.forget(box);
    execution.box = 0;
    execution.killing = false;

    Verdict verdict = isolate::judge(execution.outcome->ending, execution.outcome->usage);
    const bool by_itself =
        verdict == Verdict::ok || verdict == Verdict::nonzero_exit || verdict == Verdict::signalled;
    if (by_itself && execution.kept[0].dropped + execution.kept[1].dropped > 0)
        verdict = Verdict::output_limit;
    if (execution.plan().stage == wire::Stage::compile) {
        execution.artifact = box;
        finish_compile(execution, verdict);
    } else {
        finish_run(execution, verdict);
    }
    pump();
    check_idle();
}

void Executions::finish_compile(Execution& execution, Verdict verdict) {
    CompileResult compile;
    compile.success = verdict == Verdict::ok;
    compile.output = std::move(execution.kept[0].bytes);
    compile.error = std::move(execution.kept[1].bytes);
    compile.wall_time = execution.outcome->usage.wall_time;
    if (compile.success && !execution.cancelled) {
        execution.compile = std::move(compile);
        ++execution.step;
        start_step(execution);
        return;
    }
    if (execution.cancelled) verdict = Verdict::cancelled;
    const bool compiler_failed =
        verdict != Verdict::cancelled && verdict != Verdict::internal_error;
    Result result;
    result.verdict = compiler_failed ? Verdict::compile_error : verdict;
    result.reason = reason_for(execution, verdict);
    if (result.reason.starts_with("The program")) result.reason.replace(0, 11, "The compiler");
    result.exit_code = execution.outcome->ending.exit_code;
    result.signal = execution.outcome->ending.signal;
    if (!compile.success) result.error = compile.output + compile.error;
    if (!result.reason.empty() && !compile.success) {
        if (!compile.error.empty() && compile.error.back() != '\n') compile.error += '\n';
        compile.error += result.reason;
    }
    result.usage = execution.outcome->usage;
    result.usage.wall_time = {}; // of the run, which did not happen
    result.queued_time = execution.queued;
    result.setup_time = execution.setup;
    result.compile = std::move(compile);
    answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                               std::move(result)});
    remove(execution);
}

void Executions::finish_run(Execution& execution, Verdict verdict) {
    Result result;
    result.verdict = verdict;
    result.exit_code = execution.outcome->ending.exit_code;
    result.signal = execution.outcome->ending.signal;
    result.reason = reason_for(execution, verdict);
    result.output = std::move(execution.kept[0].bytes);
    result.error = std::move(execution.kept[1].bytes);
    result.output_dropped = execution.kept[0].dropped;
    result.error_dropped = execution.kept[1].dropped;
    result.usage = execution.outcome->usage;
    result.queued_time = execution.queued;
    result.setup_time = execution.setup;
    result.compile = std::move(execution.compile);
    answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                               std::move(result)});
    remove(execution);
}

std::string Executions::reason_for(const Execution& execution, Verdict verdict) const {
    const bool stopping = draining_ && verdict == Verdict::cancelled;
    if (stopping) return "The run was ended because the service is stopping.";
    const isolate::Outcome none{};
    return reason_of(verdict, execution.outcome ? *execution.outcome : none,
                     execution.plan().limits, syscall_name_);
}

// ---- answers

void Executions::refuse(Execution& execution, Refusal refusal) {
    refusal.id = execution.job.id;
    refusal.run_id = execution.tag().run_id;
    answer(execution, Refused{std::move(refusal)});
    remove(execution);
}

void Executions::tell(const Execution& execution, const Event& event) {
    const auto client = clients_.find(execution.client);
    if (client != clients_.end() && client->second->listener != nullptr)
        client->second->listener->on_event(event);
}

void Executions::tell_output(Execution& execution, std::size_t stream, std::string_view bytes,
                             bool last) {
    constexpr std::array<std::string_view, 2> kStreams = {"stdout", "stderr"};
    while (!bytes.empty() || last) {
        Output output;
        const std::string_view piece = bytes.substr(0, kMaxChunk);
        bytes.remove_prefix(piece.size());
        if (execution.job.base64) {
            output.data = piece;
        } else {
            execution.repair[stream].feed(piece, output.data);
            if (last && bytes.empty()) execution.repair[stream].finish(output.data);
        }
        if (bytes.empty()) last = false;
        if (output.data.empty()) continue;
        output.run = execution.tag();
        output.stream = execution.job.terminal ? "tty" : kStreams[stream];
        output.base64 = execution.job.base64;
        output.seq = ++execution.seq;
        tell(execution, output);
    }
}

void Executions::answer(Execution& execution, Event event) {
    const auto found = clients_.find(execution.client);
    if (found == clients_.end() || found->second->listener == nullptr) return;
    Client& client = *found->second;
    if (client.congested) {
        client.held.push_back(std::move(event));
        ++held_;
    } else {
        client.listener->on_event(event);
    }
}

/// The execution is over: its slot and its artifact are free.
void Executions::remove(Execution& execution) {
    if (execution.artifact != 0) boxes_.release(execution.artifact);
    --running_;
    const auto found = clients_.find(execution.client);
    Client& client = *found->second;
    const auto gone = [&](const ExecutionPtr& one) { return one.get() == &execution; };
    const auto match = std::ranges::find_if(client.running, gone);
    const ExecutionPtr keep = *match; // the caller still holds a reference
    client.running.erase(match);
    if (client.listener == nullptr && client.running.empty()) clients_.erase(found);
}

// ---- shutdown

void Executions::drain() {
    draining_ = true;
    std::vector<ClientId> ids;
    for (const auto& [id, client] : clients_) ids.push_back(id);
    for (const ClientId id : ids) {
        const auto found = clients_.find(id);
        if (found == clients_.end()) continue;
        const std::list<ExecutionPtr> waiting = std::exchange(found->second->waiting, {});
        for (const ExecutionPtr& execution : waiting) {
            --waiting_;
            waiting_bytes_ -= execution->bytes();
            Refusal refusal = busy(execution->job, "The service is stopping.");
            refusal.run_id = execution->tag().run_id;
            answer(*execution, Refused{std::move(refusal)});
        }
    }
    turn_.clear();
    check_idle();
}

void Executions::cancel_all() {
    for (const auto& [box, execution] : by_box_) {
        execution->cancelled = true;
        boxes_.pause(box, false);
        if (!std::exchange(execution->killing, true)) boxes_.kill(box, Verdict::cancelled);
    }
}

void Executions::abandon() {
    by_box_.clear();
    turn_.clear();
    clients_.clear();
    when_idle_ = nullptr;
}

void Executions::check_idle() {
    if (draining_ && is_idle() && when_idle_) when_idle_();
}

} // namespace cloister::front
