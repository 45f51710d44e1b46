// The boxes of an execution, one after the other, from the first to the answer: the part of
// executions.h that the keeper and the streams drive. Events may make a listener close its own
// client, so nothing of a client is touched after `tell` without looking it up again.
#include "daemon/front/execution.h"
#include "daemon/front/reasons.h"

#include <algorithm>

namespace cloister::front {

using isolate::Verdict;
using std::chrono::nanoseconds;

namespace {

constexpr std::size_t kMaxChunk = 32 * isolate::kKiB; ///< data of one execution_output
/// Whoever writes byte by byte to both streams in turn is remembered in 1 MiB.
constexpr std::size_t kMaxPieces = 64 * isolate::kKiB;

void note_piece(std::vector<Piece>& order, bool error, std::size_t bytes) {
    if (bytes == 0) return;
    const bool same = !order.empty() && order.back().error == error;
    if (!same && order.size() >= kMaxPieces) return; // what no piece names comes last
    if (same) order.back().bytes += bytes;
    else order.push_back({error, bytes});
}

} // namespace

void Executions::start_step(Execution& execution) {
    const bool program = execution.step + 1 == execution.job.steps.size();
    if (!program) tell_started(execution, {}); // else with the box's start
    if (execution.told_started) tell_stage(execution);
    if (execution.cancelled) { // its listener left while it was told
        Result result;
        result.verdict = Verdict::cancelled;
        answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                                   std::move(result), execution.job.method});
        remove(execution);
        return;
    }
    if (!program || !execution.circle) return (void)begin_box(execution);
    execution.waits = true;
    begin_together(execution.circle);
}

/// False when it could not be made; then the execution is over.
bool Executions::begin_box(Execution& execution) {
    const bool program = execution.step + 1 == execution.job.steps.size();
    try {
        start_box(execution, program);
    } catch (const isolate::SysError& error) {
        refuse(execution,
               busy(execution.job, std::string("The server lacks the means to start a run now: ") +
                                       error.code().message() + "."));
        return false;
    } catch (const std::exception&) { // of a library: memory, or a descriptor it could not watch
        refuse(execution, busy(execution.job, "The server lacks the means to start a run now."));
        return false;
    }
    const auto& running = clients_.at(execution.client)->running;
    by_box_[execution.box] =
        *std::ranges::find(running, &execution, [](const auto& one) { return one.get(); });
    if (program) feed_program(execution);
    else boxes_.close_input(execution.box);
    return true;
}

void Executions::start_box(Execution& execution, bool program) {
    const JobStep& plan = execution.plan();
    Boxes::Start start;
    start.frame.run_id = ++last_box_;
    start.frame.runtime = execution.job.runtime;
    start.frame.policy = plan.policy;
    start.frame.stage = plan.stage;
    start.frame.limits = plan.limits;
    start.frame.artifact = execution.artifact;
    start.bundle = execution.job.bundle_of(plan);
    if (plan.usual) start.frame.flags |= wire::kFlagUsual;
    if (program) {
        start.terminal = execution.job.terminal;
        start.live = execution.job.is_live();
        start.columns = execution.job.columns;
        start.rows = execution.job.rows;
        if (execution.job.merged) start.frame.flags |= wire::kFlagMerge;
        if (execution.circle) start.frame.flags |= wire::kFlagTalks;
        if (start.live) start.frame.flags |= wire::kFlagLive;
        if (execution.job.usage) start.frame.flags |= wire::kFlagUsage;
        if (!execution.job.collect.empty()) start.frame.flags |= wire::kFlagCollect;
    }
    execution.kept = {};
    execution.order.clear();
    execution.repair = {};
    execution.outcome.reset();
    execution.level = wire::Level::cold;
    execution.kept[1].open = !start.terminal; // a terminal is one stream
    execution.files_open = (start.frame.flags & wire::kFlagCollect) != 0;
    execution.files.reset();
    if (execution.files_open)
        execution.files.emplace(execution.job.collect, execution.job.collect_bytes);
    boxes_.start(start);
    execution.box = start.frame.run_id;
}

void Executions::feed_program(Execution& execution) {
    Job& job = execution.job;
    job.bundle = {};
    job.compile_bundle = {};
    if (!job.input.empty()) boxes_.write(execution.box, job.input);
    if (!execution.early_input.empty()) boxes_.write(execution.box, execution.early_input);
    job.input = {};
    execution.early_input = {};
    const bool open = job.input_open || execution.listens;
    if (!open || execution.input_closed) boxes_.close_input(execution.box);
    if (job.stream && clients_.at(execution.client)->congested) boxes_.pause(execution.box, true);
}

// ---- the boxes

Executions::Execution* Executions::by_box(std::uint64_t box) {
    const auto found = by_box_.find(box);
    return found == by_box_.end() ? nullptr : found->second.get();
}

void Executions::on_started(std::uint64_t box, nanoseconds setup, wire::Level level) {
    Execution* execution = by_box(box);
    if (execution == nullptr) return;
    execution->setup += setup;
    execution->level = level;
    if (execution->is_program()) tell_started(*execution, level);
}

/// A client that is slow to read misses some; the next one says more.
void Executions::on_usage(const wire::UsageFrame& usage) {
    Execution* execution = by_box(usage.run_id);
    if (execution == nullptr || !execution->is_program() || !execution->job.usage) return;
    const auto client = clients_.find(execution->client);
    if (execution->outcome || client == clients_.end() || client->second->congested) return;
    tell_started(*execution, {});
    tell(*execution, UsageSample{execution->tag(), nanoseconds(usage.wall_ns),
                                 nanoseconds(usage.cpu_ns), usage.memory_bytes});
}

void Executions::on_output(std::uint64_t box, std::size_t stream, std::string_view bytes) {
    Execution* execution = by_box(box);
    if (execution == nullptr || stream >= execution->kept.size()) return;
    if (execution->is_program() && execution->speech.at(stream).connected)
        return take_talk(*execution, stream, bytes);
    KeptStream& kept = execution->kept[stream];
    const std::size_t room = execution->plan().limits.output_bytes - kept.bytes.size();
    const std::string_view taken = bytes.substr(0, room);
    kept.bytes += taken;
    kept.dropped += bytes.size() - taken.size();
    if (execution->job.ordered) note_piece(execution->order, stream == 1, taken.size());
    if (kept.dropped > 0 && !execution->outcome && !std::exchange(execution->killing, true)) {
        boxes_.kill(box, Verdict::output_limit);
    }
    if (!execution->is_program() || !execution->job.stream) return;
    tell_started(*execution, {}); // its pipe may be faster than the keeper's word
    tell_output(*execution, stream, taken, false);
}

void Executions::on_files(std::uint64_t box, std::string_view bytes) {
    Execution* execution = by_box(box);
    if (execution != nullptr && execution->files) execution->files->take(bytes);
}

void Executions::on_stream_end(std::uint64_t box, std::size_t stream) {
    Execution* execution = by_box(box);
    if (execution != nullptr && stream == kFiles) {
        execution->files_open = false;
        return end_step_when_complete(*execution);
    }
    if (execution == nullptr || stream >= execution->kept.size() || !execution->kept[stream].open)
        return;
    execution->kept[stream].open = false;
    if (execution->is_program() && execution->job.stream) tell_output(*execution, stream, {}, true);
    // The listener may have left meanwhile; the execution stays in by_box_ until it has ended.
    end_step_when_complete(*execution);
}

void Executions::on_ended(std::uint64_t box, const isolate::Outcome& outcome,
                          std::uint64_t artifact_bytes) {
    Execution* execution = by_box(box);
    if (execution == nullptr || execution->outcome) return;
    execution->outcome = outcome;
    execution->artifact_bytes = artifact_bytes;
    tell_started(*execution, {});
    boxes_.pause(box, false); // every writer is dead: what is left is a pipe's worth
    end_step_when_complete(*execution);
}

void Executions::end_step_when_complete(Execution& execution) {
    const bool open = execution.kept[0].open || execution.kept[1].open || execution.files_open;
    if (!execution.outcome || open) return;
    const std::uint64_t box = execution.box;
    const ExecutionPtr keep = by_box_.at(box);
    by_box_.erase(box);
    boxes_.forget(box);
    execution.box = 0;
    execution.killing = false;

    Verdict verdict = isolate::judge(execution.outcome->ending, execution.outcome->usage);
    // What holds it was ended from outside (a container engine that was restarted): compile again.
    if (execution.outcome->ending.failed_step == isolate::Step::attach_artifact)
        artifacts_.forget(execution.artifact);
    const bool by_itself =
        verdict == Verdict::ok || verdict == Verdict::nonzero_exit || verdict == Verdict::signalled;
    if (by_itself && execution.kept[0].dropped + execution.kept[1].dropped > 0)
        verdict = Verdict::output_limit;
    if (auto refusal = refusal_of(verdict, execution.outcome->ending, execution.plan().limits)) {
        refuse(execution, *std::move(refusal));
    } else if (execution.plan().stage == wire::Stage::compile) {
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
    compile.verdict = verdict;
    compile.exit_code = execution.outcome->ending.exit_code;
    compile.signal = execution.outcome->ending.signal;
    compile.usage = execution.outcome->usage;
    compile.order = std::move(execution.order);
    if (compile.success && !execution.cancelled) {
        if (execution.compiles) {
            artifacts_.compiled(execution.number, execution.artifact, execution.artifact_bytes,
                                compile, execution.job.pinned);
        }
        wake_followers(execution);
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
                               std::move(result), execution.job.method});
    remove(execution);
}

std::vector<ResultFile> Executions::take_files(Execution& execution) {
    std::vector<ResultFile> files;
    if (!execution.files) return files;
    for (isolate::CollectedFile& one : execution.files->finish()) {
        std::string path = execution.job.collect[one.asked] + one.name;
        files.push_back({std::move(path), std::move(one)});
    }
    execution.files.reset();
    return files;
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
    result.order = std::move(execution.order);
    result.usage = execution.outcome->usage;
    result.ended_at = execution.outcome->ended_at;
    result.queued_time = execution.queued;
    result.setup_time = execution.setup;
    result.level = execution.level;
    result.compile = std::move(execution.compile);
    result.files = take_files(execution);
    answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                               std::move(result), execution.job.method});
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

/// Once, at the first sign of life; only to those who watch.
void Executions::tell_started(Execution& execution, std::optional<wire::Level> level) {
    if (std::exchange(execution.told_started, true)) return;
    if (execution.job.is_live()) {
        tell(execution, Started{execution.tag(), execution.job.language, execution.job.version,
                                level, execution.job.method});
    }
    // A program that needs no compiler any more begins with its last step.
    if (execution.is_program()) tell_stage(execution);
}

void Executions::tell_stage(Execution& execution) {
    if (!execution.job.stream || execution.job.steps.size() < 2) return;
    StageBegan began{execution.tag(), execution.plan().stage, {}};
    if (execution.job.tells_compiler) began.compiled = execution.compile;
    tell(execution, began);
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
    if (auto* finished = std::get_if<Finished>(&event))
        finished->unprotected = execution.job.unprotected;
    if (observer_ && execution.plan().stage != wire::Stage::version) observer_(event);
    const auto found = clients_.find(execution.client);
    if (found == clients_.end() || found->second->listener == nullptr) return;
    Client& client = *found->second;
    if (execution.job.heard) {
        std::exchange(execution.job.heard, {})(event);
    } else if (client.congested) {
        client.held.push_back(std::move(event));
        ++held_;
    } else {
        client.listener->on_event(event);
    }
}

/// The execution is over: its slot and its artifact are free.
void Executions::remove(Execution& execution) {
    execution.over = true;
    leave_circle(execution);
    wake_followers(execution);
    if (execution.artifact != 0) artifacts_.give_back(execution.artifact);
    --running_;
    const auto found = clients_.find(execution.client);
    Client& client = *found->second;
    const auto gone = [&](const ExecutionPtr& one) { return one.get() == &execution; };
    const auto match = std::ranges::find_if(client.running, gone);
    const ExecutionPtr keep = *match; // the caller still holds a reference
    client.running.erase(match);
    if (client.listener == nullptr && client.running.empty()) clients_.erase(found);
}

} // namespace cloister::front
