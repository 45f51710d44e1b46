// The tests of a judging, from the first to the summary: the part of judgings.h that the events of
// runs drive. Telling may make a listener close its own client, so a judging is looked at again
// (`over`) after anything was told.
#include "daemon/front/judging.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <charconv>

namespace cloister::front {
namespace {

/// Tests that are decided but not told are so many, at most: one slow test holds up the rest.
constexpr std::size_t kWindow = 64;
constexpr std::size_t kKeptError = 4 * isolate::kKiB;

/// Where a checker finds its files, by the convention of its arguments.
constexpr const char* kInput = "test.in";
constexpr const char* kAnswer = "test.ans";
constexpr const char* kFeedback = "feedback/";
constexpr const char* kFeedbackFile = "feedback/judgemessage.txt"; ///< so that there is a folder

judge::Facts facts_of(const Result& result, const isolate::Limits& limits) {
    judge::Facts facts;
    facts.verdict = result.verdict;
    facts.exit_code = result.exit_code;
    facts.signal = result.signal;
    facts.usage = result.usage;
    facts.limits = limits;
    return facts;
}

/// The three parts of Judging::run_of(). Absent when it is none.
struct RunOf {
    std::uint64_t judging = 0;
    std::size_t test = 0;
    char kind = 0;
};
std::optional<RunOf> read_run(const std::optional<std::string>& name) {
    RunOf run;
    if (!name) return std::nullopt;
    const char* end = name->data() + name->size();
    const auto [first, wrong] = std::from_chars(name->data(), end, run.judging);
    if (wrong != std::errc{} || first == end) return std::nullopt;
    const auto [second, also_wrong] = std::from_chars(first + 1, end, run.test);
    if (also_wrong != std::errc{} || end - second != 2) return std::nullopt;
    run.kind = second[1];
    return run;
}

} // namespace

/// Starts what may run now.
void Judgings::feed(const JudgingPtr& judging) {
    if (judging->over || std::exchange(judging->feeding, true)) return;
    const auto client = clients_.find(judging->client);
    const std::size_t size = judging->tests.size();
    // A checker that a full queue refused goes before new tests.
    for (std::size_t test = judging->told; test < judging->next && !judging->over; ++test) {
        if (judging->tests[test].state != Judged::State::refused) continue;
        if (!start_checker(*judging, test)) break;
    }
    while (!judging->over && !judging->abandoned && judging->next < size &&
           judging->next < judging->told + kWindow && !client->second->congested) {
        const std::size_t most = judging->compiled ? bounds_.parallel : 1;
        if (judging->in_flight >= most) break;
        const std::size_t test = judging->next;
        if (judging->request.stop_at_first_failure && !judging->score->still_matters(test)) {
            judging->tests[test].state = Judged::State::decided; // and skipped when it is told
            ++judging->next;
            advance(judging);
            continue;
        }
        ++judging->next;
        if (start_test(*judging, test)) continue;
        if (judging->next == test + 1) --judging->next; // for the next tick
        break;
    }
    judging->feeding = false;
    end_when_done(judging);
}

/// False when the queue has no room for it now.
bool Judgings::start_test(Judging& judging, std::size_t test) {
    Job job = judging.program;
    job.id = judging.run_of(test, 'p');
    job.steps.back().limits = judging.limits[test];
    job.input = judging.request.tests[test].input;
    judging.tests[test].state = Judged::State::running;
    ++judging.in_flight;
    const auto accepted = executions_.submit(clients_.at(judging.client)->runs, std::move(job));
    if (!std::holds_alternative<Refusal>(accepted)) return true;
    --judging.in_flight;
    judging.tests[test].state = Judged::State::waiting;
    return false;
}

bool Judgings::start_checker(Judging& judging, std::size_t test) {
    Judged& judged = judging.tests[test];
    const TestAsked& asked = judging.request.tests[test];
    ExecuteCode checker = *judging.request.checker;
    checker.data = {{kInput, asked.input}, {kAnswer, asked.expected}, {kFeedbackFile, {}}};
    checker.arguments.insert(checker.arguments.begin(), {kInput, kAnswer, kFeedback});
    auto made = make_job(std::move(checker), catalog_, settings_.config.judge_policy);
    if (auto* why = std::get_if<Refusal>(&made)) {
        judged.ruling = {judge::Word::JE, "checker_failed"};
        judged.message = why->message;
        judged.checker.emplace();
        judged.state = Judged::State::decided;
        return true;
    }
    Job job = std::get<Job>(std::move(made));
    job.id = judging.run_of(test, 'c');
    job.pinned = true;
    job.input = judged.output;
    judged.state = Judged::State::checking;
    ++judging.in_flight;
    const auto accepted = executions_.submit(clients_.at(judging.client)->runs, std::move(job));
    if (!std::holds_alternative<Refusal>(accepted)) return true;
    --judging.in_flight;
    judged.state = Judged::State::refused;
    return false;
}

void Judgings::hear(Client& client, const Event& event) {
    const auto* finished = std::get_if<Finished>(&event);
    const auto* refused = std::get_if<Refused>(&event);
    if (finished == nullptr && refused == nullptr) return;
    const auto run = read_run(finished != nullptr ? finished->run.id : refused->refusal.id);
    const auto found = run ? client.judgings.find(run->judging) : client.judgings.end();
    if (found == client.judgings.end()) return;
    const JudgingPtr judging = found->second;
    --judging->in_flight;
    if (refused != nullptr) return give_up(judging, refused->refusal);
    if (run->kind == 'p') take_program(judging, run->test, *finished);
    else take_checker(judging, run->test, *finished);
}

void Judgings::take_program(const JudgingPtr& judging, std::size_t test, const Finished& finished) {
    const Result& result = finished.result;
    Judged& judged = judging->tests[test];
    if (!std::exchange(judging->compiled, true) && result.compile) {
        judging->compile = result.compile;
        judging->compile_failed = result.verdict == isolate::Verdict::compile_error;
        if (!judging->compile_failed) judging->program_held = executions_.hold(judging->program);
        tell(*judging, "compiled", compile_text(*result.compile));
        if (judging->over) return;
    }
    if (judging->compile_failed) {
        judged.state = Judged::State::waiting;
        judging->abandoned = true;
        return end_when_done(judging);
    }
    judged.facts = facts_of(result, judging->limits[test]);
    judged.reason = result.reason;
    judged.error = result.error.substr(0, kKeptError);
    judged.output = result.output;
    decide(judging, test);
}

void Judgings::decide(const JudgingPtr& judging, std::size_t test) {
    Judged& judged = judging->tests[test];
    const JudgeRequest& request = judging->request;
    const auto ruling = judge::rule_on_program(judged.facts);
    if (ruling) {
        judged.ruling = *ruling;
    } else if (request.checker && !judging->abandoned) {
        // One that the queue has no room for now is tried again by feed().
        (void)start_checker(*judging, test);
        if (judged.state != Judged::State::decided) return feed(judging);
    } else if (request.checker) {
        judged.ruling = {judge::Word::JE, "checker_failed"};
    } else {
        judged.difference = judge::compare(request.tests[test].expected, judged.output,
                                           request.manner, request.rules);
        judged.ruling = {judge::Word::AC, {}};
        if (judged.difference) judged.ruling = {judge::Word::WA, "output_differs"};
        const bool forgiving = request.manner == judge::Manner::token;
        if (judged.difference && judged.difference->space_only && !forgiving)
            judged.ruling = {judge::Word::PE, "white_space"};
    }
    judged.state = Judged::State::decided;
    advance(judging);
    feed(judging);
}

void Judgings::take_checker(const JudgingPtr& judging, std::size_t test, const Finished& finished) {
    const Result& result = finished.result;
    Judged& judged = judging->tests[test];
    judged.checker = facts_of(result, {});
    judged.ruling = judge::rule_on_checker(*judged.checker);
    judged.message = result.error;
    if (!judged.message.empty() && !result.output.empty()) judged.message += '\n';
    judged.message += result.output;
    if (judged.ruling.word == judge::Word::JE && !result.reason.empty())
        judged.reason = "The checker: " + result.reason;
    if (result.verdict == isolate::Verdict::compile_error) {
        judging->abandoned = true; // every other test would say the same
    } else if (result.compile && !std::exchange(judging->checker_compiled, true)) {
        ExecuteCode bare = *judging->request.checker;
        bare.data = {{kInput, {}}}; // so that the compiler's parcel is the one of the tests
        bare.arguments.insert(bare.arguments.begin(), {kInput, kAnswer, kFeedback});
        auto made = make_job(std::move(bare), catalog_, settings_.config.judge_policy);
        if (const auto* job = std::get_if<Job>(&made))
            judging->checker_held = executions_.hold(*job);
    }
    judged.state = Judged::State::decided;
    advance(judging);
    feed(judging);
}

/// Tells what is decided, in the order of the tests.
void Judgings::advance(const JudgingPtr& judging) {
    while (!judging->over && judging->told < judging->next) {
        const std::size_t test = judging->told;
        Judged& judged = judging->tests[test];
        if (judged.state != Judged::State::decided) break;
        ++judging->told;
        judged.output = {};
        if (judging->cancelled || judging->hopeless ||
            (judging->request.stop_at_first_failure && !judging->score->still_matters(test))) {
            ++judging->skipped;
            continue;
        }
        judge::Marked marked;
        marked.word = judged.ruling.word;
        marked.cpu_time = judged.facts.usage.cpu_time;
        marked.wall_time = judged.facts.usage.wall_time;
        marked.memory_bytes = judged.facts.usage.memory_peak_bytes;
        judging->score->add(test, marked);
        const std::string text = verdict_text(judging->request, test, judged);
        judged.error = judged.message = {};
        if (judged.checker && judged.checker->verdict == isolate::Verdict::compile_error)
            judging->hopeless = true;
        tell(*judging, "verdict", text);
        if (marked.word != judge::Word::AC && !judging->over) drop_useless(*judging);
    }
}

/// Ends the runs of tests whose verdict nobody will hear.
void Judgings::drop_useless(Judging& judging) {
    const auto client = clients_.find(judging.client);
    if (client == clients_.end()) return;
    for (std::size_t test = judging.told; test < judging.next; ++test) {
        const Judged::State state = judging.tests[test].state;
        const bool runs = state == Judged::State::running || state == Judged::State::checking;
        const bool useless =
            judging.cancelled || judging.hopeless || judging.failure ||
            (judging.request.stop_at_first_failure && !judging.score->still_matters(test));
        if (!runs || !useless) continue;
        RunName run;
        run.id = judging.run_of(test, state == Judged::State::running ? 'p' : 'c');
        (void)executions_.cancel(client->second->runs, run); // one that has just ended needs none
        if (judging.over) return;
    }
}

/// The server cannot go on with it.
void Judgings::give_up(const JudgingPtr& judging, Refusal refusal) {
    judging->abandoned = true;
    if (!judging->failure) judging->failure = std::move(refusal);
    drop_useless(*judging);
    end_when_done(judging);
}

void Judgings::end_when_done(const JudgingPtr& judging) {
    const bool all_told = judging->told == judging->tests.size();
    if (judging->over || judging->feeding || judging->in_flight > 0) return;
    if (!all_told && !judging->abandoned) return;
    for (std::size_t test = judging->told; judging->abandoned && test < judging->next; ++test) {
        // Decided while an earlier one was under way that is now given up.
        if (judging->tests[test].state != Judged::State::decided) break;
        advance(judging);
    }
    if (judging->over) return;
    judging->skipped += judging->tests.size() - judging->told;
    judging->told = judging->tests.size();
    const JudgingPtr keep = judging;
    if (keep->failure) {
        tell(*keep, "error", {});
    } else {
        Summary summary;
        summary.score = &*keep->score;
        summary.language = keep->program.language;
        summary.compile_failed = keep->compile_failed;
        summary.cancelled = keep->cancelled;
        summary.skipped = keep->skipped;
        summary.compile = keep->compile ? &*keep->compile : nullptr;
        tell(*keep, "result", summary_text(summary));
    }
    remove(keep);
}

} // namespace cloister::front
