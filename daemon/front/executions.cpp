// What clients ask of executions.h, and its end: clients that come and go, jobs, words to a run
// under way, shutdown. Whose turn it is: queue.cpp. What happens in the boxes: steps.cpp.
#include "daemon/front/execution.h"

#include <algorithm>
#include <csignal>

namespace cloister::front {

using isolate::Verdict;

namespace {

constexpr std::chrono::milliseconds kRetryAfter{500};

} // namespace

Executions::Executions(Boxes& boxes, const Bounds& bounds, SyscallName syscall_name,
                       std::function<Clock::time_point()> now)
    : boxes_(boxes), bounds_(bounds), syscall_name_(std::move(syscall_name)), now_(std::move(now)),
      artifacts_({.bytes = bounds.artifact_bytes, .unused = wire::kKeptArtifacts - kMaxHolds},
                 [this](std::uint64_t artifact) { boxes_.release(artifact); }) {}

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
    for (auto* list : {&client.waiting, &client.parked}) {
        while (!list->empty()) (void)withdraw(client, *list->front());
    }
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

std::variant<std::string, Refusal> Executions::submit(ClientId id, Job job, const Named& named) {
    return accept(id, made(id, std::move(job)), named);
}

Executions::ExecutionPtr Executions::made(ClientId client, Job job) {
    auto execution = std::make_shared<Execution>();
    execution->client = client;
    execution->job = std::move(job);
    execution->accepted = now_();
    return execution;
}

std::variant<std::string, Refusal> Executions::accept(ClientId id, const ExecutionPtr& execution,
                                                      const Named& named) {
    const Job& job = execution->job;
    const auto found = clients_.find(id);
    if (draining_ || found == clients_.end()) return busy(job, "The service is stopping.");
    Client& client = *found->second;
    const std::size_t waiting = client.waiting.size() + client.held.size();
    if (waiting >= bounds_.queue_per_client) {
        return busy(job,
                    "This connection has " + std::to_string(waiting) + " runs waiting already.");
    }
    const std::size_t bytes = execution->bytes();
    if (waiting_ >= bounds_.queue || waiting_bytes_ + bytes > bounds_.queue_bytes) {
        return busy(job, "The server's queue is full.");
    }
    execution->number = ++last_execution_;
    for (const ExecutionPtr& one : execution->others) one->number = ++last_execution_;
    std::string run_id = execution->tag().run_id;
    if (client.waiting.empty()) turn_.push_back(id);
    client.waiting.push_back(execution);
    ++waiting_;
    waiting_bytes_ += bytes;
    if (named) named(run_id);
    pump();
    if (execution->job.stream) {
        for (const auto& [one, position] : positions()) {
            if (one == execution) tell_position(execution, position);
        }
    }
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
        for (auto* list : {&client.running, &client.parked, &client.waiting}) {
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
    const ExecutionPtr keep = withdraw(*clients_.at(id), *execution);
    if (!keep) return std::nullopt; // about to start: sees the mark
    keep->queued = now_() - keep->accepted;
    Result result;
    result.verdict = Verdict::cancelled;
    result.reason = reason_for(*keep, Verdict::cancelled);
    result.queued_time = keep->queued;
    answer(*keep,
           Finished{keep->tag(), keep->job.language, keep->job.base64, result, keep->job.method});
    for (const ExecutionPtr& other : keep->others) {
        answer(*other, Finished{other->tag(), other->job.language, other->job.base64, result,
                                other->job.method});
    }
    check_idle();
    return std::nullopt;
}

std::optional<std::uint64_t> Executions::hold(const Job& job) {
    if (!job.has_compiler() || holds_ >= kMaxHolds) return std::nullopt;
    const auto kept = artifacts_.take(artifact_key(job));
    if (!kept) return std::nullopt;
    ++holds_;
    return kept->artifact;
}

void Executions::let_go(std::uint64_t artifact) {
    --holds_;
    artifacts_.give_back(artifact);
}

void Executions::set_congested(ClientId id, bool congested) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second->congested == congested) return;
    Client& client = *found->second;
    client.congested = congested;
    for (const ExecutionPtr& execution : client.running) {
        // A compiler never waits for its client: others may wait for the compiler.
        if (execution->job.stream && execution->is_program() && !execution->outcome)
            boxes_.pause(execution->box, congested);
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

std::vector<Executions::UnderWay> Executions::under_way() const {
    std::vector<UnderWay> all;
    for (const auto& [box, execution] : by_box_) {
        const auto age = now_() - execution->accepted - execution->queued;
        all.push_back({execution->tag().run_id, execution->job.language, execution->plan().stage,
                       age, execution->level});
    }
    return all;
}

// ---- shutdown

void Executions::drain() {
    draining_ = true;
    std::vector<ClientId> ids;
    for (const auto& [id, client] : clients_) ids.push_back(id);
    for (const ClientId id : ids) {
        const auto found = clients_.find(id);
        if (found == clients_.end()) continue;
        Client& client = *found->second;
        std::list<ExecutionPtr> refused;
        for (auto* list : {&client.parked, &client.waiting}) {
            while (!list->empty()) refused.push_back(withdraw(client, *list->front()));
        }
        for (const ExecutionPtr& execution : refused) {
            std::vector<ExecutionPtr> group = {execution};
            group.insert(group.end(), execution->others.begin(), execution->others.end());
            for (const ExecutionPtr& one : group) {
                Refusal refusal = busy(one->job, "The service is stopping.");
                refusal.run_id = one->tag().run_id;
                answer(*one, Refused{std::move(refusal)});
            }
        }
    }
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
    followers_.clear();
    turn_.clear();
    clients_.clear();
    when_idle_ = nullptr;
    when_queue_moves_ = nullptr;
}

void Executions::check_idle() {
    if (draining_ && is_idle() && when_idle_) when_idle_();
}

} // namespace cloister::front
