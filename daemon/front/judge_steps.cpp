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
/// For an interactor after its program's last moment.
constexpr std::chrono::milliseconds kVerdictTime{2'000};

/// Where a checker finds its files, by the convention of its arguments.
constexpr const char* kInput = "test.in";
constexpr const char* kAnswer = "test.ans";
constexpr const char* kFeedback = "feedback/";
constexpr const char* kFeedbackFolder = "feedback";

judge::Facts facts_of(const Result& result, const isolate::Limits& limits) {
    judge::Facts facts;
    facts.verdict = result.verdict;
    facts.exit_code = result.exit_code;
    facts.signal = result.signal;
    facts.usage = result.usage;
    facts.limits = limits;
    return facts;
}

/// The highest of each.
void raise(isolate::Usage& most, const isolate::Usage& used) {
    most.cpu_time = std::max(most.cpu_time, used.cpu_time);
    most.wall_time = std::max(most.wall_time, used.wall_time);
    most.memory_peak_bytes = std::max(most.memory_peak_bytes, used.memory_peak_bytes);
}

/// The command line of a checker, and its files as far as they are the same for every test.
void convene(ExecuteCode& checker) {
    checker.arguments.insert(checker.arguments.begin(), {kInput, kAnswer, kFeedback});
}

/// It could not be asked at all.
void fail_checker(Judged& judged, const std::string& why) {
    judged.ruling = {judge::Word::JE, "checker_failed"};
    judged.message = why;
    judged.checker.emplace();
    judged.state = Judged::State::decided;
}

/// Files that a checker may leave for others to read.
std::vector<std::string> feedback_names(const JudgeRequest& request) {
    std::vector<std::string> names = {std::string(judge::kJudgeMessage),
                                      std::string(judge::kTeamMessage), std::string(judge::kScore),
                                      std::string(judge::kScoreMultiplier)};
    if (request.passes > 1) names.emplace_back(judge::kNextPass);
    for (const std::string& name : request.kept) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    return names;
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

/// True when nobody will hear this test's verdict.
bool Judgings::is_useless(const Judging& judging, std::size_t test) {
    return judging.cancelled || judging.hopeless || judging.failure ||
           (judging.request.stop_at_first_failure && !judging.score->still_matters(test));
}

/// Starts what may run now.
void Judgings::feed(const JudgingPtr& judging) {
    if (judging->over || std::exchange(judging->feeding, true)) return;
    const auto client = clients_.find(judging->client);
    const std::size_t size = judging->tests.size();
    // What a full queue refused, and next passes, go before new tests.
    for (std::size_t test = judging->told; test < judging->next && !judging->over; ++test) {
        const Judged::State state = judging->tests[test].state;
        if (state == Judged::State::refused && !start_checker(*judging, test)) break;
        if (state != Judged::State::again || judging->abandoned) continue;
        if (is_useless(*judging, test)) {
            judging->tests[test].state = Judged::State::decided; // and skipped when it is told
            advance(judging);
        } else if (!start_test(*judging, test)) {
            judging->tests[test].state = Judged::State::again; // for the next tick
            break;
        } else if (judging->tests[test].state == Judged::State::decided) {
            advance(judging);
        }
    }
    while (!judging->over && !judging->abandoned && judging->next < size &&
           judging->next < judging->told + kWindow && !client->second->congested) {
        const std::size_t most = judging->compiled ? bounds_.parallel : 1;
        if (judging->in_flight >= most) break;
        const std::size_t test = judging->next;
        if (is_useless(*judging, test)) {
            judging->tests[test].state = Judged::State::decided; // and skipped when it is told
            ++judging->next;
            advance(judging);
            continue;
        }
        ++judging->next;
        if (start_test(*judging, test)) {
            if (judging->tests[test].state == Judged::State::decided) advance(judging);
            continue;
        }
        if (judging->next == test + 1) --judging->next; // for the next tick
        break;
    }
    judging->feeding = false;
    end_when_done(judging);
}

/// False when the queue has no room for it now.
bool Judgings::start_test(Judging& judging, std::size_t test) {
    if (judging.request.interactive) return start_pair(judging, test);
    Job job = judging.program;
    job.id = judging.run_of(test, 'p');
    job.steps.back().limits = judging.limits[test];
    job.input = judging.input_of(test);
    judging.tests[test].state = Judged::State::running;
    ++judging.in_flight;
    const auto accepted = executions_.submit(clients_.at(judging.client)->runs, std::move(job));
    if (!std::holds_alternative<Refusal>(accepted)) return true;
    --judging.in_flight;
    judging.tests[test].state = Judged::State::waiting;
    return false;
}

/// Nothing of it can be wrong that prepare() has not seen, but for its size.
std::variant<Job, Refusal> Judgings::checker_job(const Judging& judging, std::size_t test) const {
    ExecuteCode checker = *judging.request.checker;
    checker.data = {{kInput, judging.input_of(test)},
                    {kAnswer, judging.request.tests[test].expected}};
    for (const auto& [name, content] : judging.tests[test].feedback.files)
        checker.data.push_back({kFeedback + name, content});
    const std::string message = kFeedback + std::string(judge::kJudgeMessage);
    if (judging.tests[test].feedback.find(judge::kJudgeMessage) == nullptr)
        checker.data.push_back({message, {}}); // so that there is a folder
    // Only another pass finds what nobody knows by name.
    if (judging.request.keeps_all && judging.request.passes > 1) {
        checker.collected_folder = kFeedbackFolder;
    } else {
        for (const std::string& name : feedback_names(judging.request))
            checker.collect.push_back(kFeedback + name);
    }
    convene(checker);
    return make_job(std::move(checker), catalog_, settings_.config.judge_policy);
}

bool Judgings::start_checker(Judging& judging, std::size_t test) {
    Judged& judged = judging.tests[test];
    auto made = checker_job(judging, test);
    if (const auto* why = std::get_if<Refusal>(&made)) {
        fail_checker(judged, why->message);
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

/// The program and its interactor, each in a box of its own.
bool Judgings::start_pair(Judging& judging, std::size_t test) {
    Judged& judged = judging.tests[test];
    auto made = checker_job(judging, test);
    if (const auto* why = std::get_if<Refusal>(&made)) {
        fail_checker(judged, why->message);
        return true;
    }
    Job program = judging.program;
    program.id = judging.run_of(test, 'p');
    program.steps.back().limits = judging.limits[test];
    Job interactor = std::get<Job>(std::move(made));
    interactor.id = judging.run_of(test, 'i');
    interactor.pinned = true;
    // Processor time is its own; of the wall clock it has what the program has, and then some to
    // come to a verdict.
    auto& wall_time = interactor.steps.back().limits.wall_time;
    wall_time = std::min(wall_time, judging.limits[test].wall_time + kVerdictTime);
    judged.state = Judged::State::running;
    judged.program_ended = judged.checker_ended = false;
    judging.in_flight += 2;
    Executions::Group group;
    group.jobs.push_back(std::move(program));
    group.jobs.push_back(std::move(interactor));
    group.wires = {{.from = 0, .stream = 0, .to = 1, .record = 0},
                   {.from = 1, .stream = 0, .to = 0, .record = 0}};
    const auto accepted =
        executions_.submit_group(clients_.at(judging.client)->runs, std::move(group));
    const auto* why = std::get_if<Refusal>(&accepted);
    if (why == nullptr) return true;
    judging.in_flight -= 2;
    judged.state = Judged::State::waiting;
    if (why->code == "busy") return false;
    fail_checker(judged, why->message); // of the two boxes that there were, one is left
    return true;
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
    if (judging->compile_failed)
        return end_when_done(judging); // its interactor, which did not begin
    if (run->kind == 'p') take_program(judging, run->test, *finished);
    else take_checker(judging, run->test, *finished);
}

void Judgings::take_program(const JudgingPtr& judging, std::size_t test, const Finished& finished) {
    const Result& result = finished.result;
    Judged& judged = judging->tests[test];
    judging->compiled = true;
    if (result.compile && result.compile->success && !judging->program_held)
        judging->program_held = executions_.hold(judging->program);
    if (result.compile && !judging->compile) {
        judging->compile = result.compile;
        judging->compile_failed = result.verdict == isolate::Verdict::compile_error;
        tell(*judging, "compiled", compile_text(*result.compile));
        if (judging->over) return;
    }
    if (judging->compile_failed) {
        judged.state = Judged::State::waiting;
        judging->abandoned = true;
        return end_when_done(judging);
    }
    judged.facts = facts_of(result, judging->limits[test]);
    raise(judged.most, result.usage);
    judged.reason = result.reason;
    judged.error = result.error.substr(0, kKeptError);
    if (judging->request.interactive) {
        judged.program_ended = true;
        judged.program_end = result.ended_at;
        return decide_interaction(judging, test);
    }
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
    judged.message = result.error;
    // What an interactor prints was said to the program.
    if (!judging->request.interactive) {
        if (!judged.message.empty() && !result.output.empty()) judged.message += '\n';
        judged.message += result.output;
    }
    judged.message.resize(std::min(judged.message.size(), kKeptError));
    if (!result.reason.empty() && judge::rule_on_checker(*judged.checker).word == judge::Word::JE)
        judged.checker_reason = "The checker: " + result.reason;
    take_feedback(*judging, test, result);
    if (result.verdict == isolate::Verdict::compile_error)
        judging->abandoned = true; // every other test would say the same
    else hold_checker(*judging, result);
    if (judging->request.interactive) {
        judged.checker_ended = true;
        judged.checker_end = result.ended_at;
        // Its word is final, so the program need not go on.
        const bool is_final = judge::rule_on_checker(*judged.checker).word != judge::Word::AC;
        if (is_final && !judged.program_ended) stop_program(*judging, test);
        return decide_interaction(judging, test);
    }
    judged.ruling = judge::rule_on_checker(*judged.checker);
    settle(judging, test);
}

void Judgings::stop_program(const Judging& judging, std::size_t test) {
    RunName run;
    run.id = judging.run_of(test, 'p');
    // One that has just ended needs none; when it ended is known in the end.
    (void)executions_.cancel(clients_.at(judging.client)->runs, run);
}

/// What was compiled is kept for the tests to come.
void Judgings::hold_checker(Judging& judging, const Result& result) {
    if (!result.compile || !result.compile->success || judging.checker_held) return;
    ExecuteCode bare = *judging.request.checker;
    bare.data = {{kInput, {}}}; // so that the compiler's parcel is the one of the tests
    convene(bare);
    auto made = make_job(std::move(bare), catalog_, settings_.config.judge_policy);
    if (const auto* job = std::get_if<Job>(&made)) judging.checker_held = executions_.hold(*job);
}

/// Each pass begins with the files of the one before, so these are all.
void Judgings::take_feedback(Judging& judging, std::size_t test, const Result& result) {
    Judged& judged = judging.tests[test];
    if (result.files.empty()) return;
    judged.feedback.files.clear();
    for (const ResultFile& one : result.files) {
        const std::string name = one.path.substr(std::string_view(kFeedback).size());
        if (name.empty() && one.file.state == isolate::Collected::whole) continue; // the folder
        if (!name.empty() && !judge::is_feedback_name(name))
            judged.bad_feedback = "a file whose name is none for feedback";
        else if (one.file.state == isolate::Collected::whole)
            judged.feedback.files.emplace_back(name, one.file.content);
        else if (one.file.state != isolate::Collected::missing &&
                 one.file.state != isolate::Collected::not_collected)
            judged.bad_feedback = (name.empty() ? "its folder" : name) + ": " +
                                  std::string(isolate::name_of(one.file.state));
    }
    const std::string* said = judged.feedback.find(judge::kJudgeMessage);
    if (said != nullptr && !said->empty()) judged.message = said->substr(0, kKeptError);
}

/// Both have to be over; one that never began is, too.
void Judgings::decide_interaction(const JudgingPtr& judging, std::size_t test) {
    Judged& judged = judging->tests[test];
    if (!judged.program_ended || !judged.checker_ended) return end_when_done(judging);
    // A program that was stopped before it began had not ended before anybody.
    const bool never_began =
        judged.program_end.count() == 0 && judged.facts.verdict == isolate::Verdict::cancelled;
    const bool interactor_first =
        judged.checker_end.count() > 0 && (never_began || judged.checker_end < judged.program_end);
    judged.ruling = judge::rule_on_interaction(judged.facts, *judged.checker, interactor_first);
    const bool waited =
        judged.ruling.word == judge::Word::TLE && judged.ruling.cause == "wall_time";
    if (waited)
        judged.reason = "Program and interactor had not come to an end within " +
                        readable_seconds(judged.facts.limits.wall_time) +
                        "; they may have waited for each other.";
    settle(judging, test);
}

/// The checker's word is there: it decides, or asks for another pass.
void Judgings::settle(const JudgingPtr& judging, std::size_t test) {
    Judged& judged = judging->tests[test];
    const auto fault = [&](const std::string& why) {
        judged.ruling = {judge::Word::JE, "checker_failed"};
        judged.checker_reason = why;
    };
    auto next = judged.feedback.take(judge::kNextPass);
    const bool accepts = judged.ruling.word == judge::Word::AC;
    const bool has_verdict = accepts || judged.ruling.word == judge::Word::WA;
    if (has_verdict && !judged.bad_feedback.empty())
        fault("The checker left something that cannot be read, " + judged.bad_feedback + ".");
    else if (next && !accepts && judged.ruling.cause == "checker")
        fault("The checker left nextpass.in and did not accept.");
    else if (next && accepts && judged.pass >= judging->request.passes)
        fault("The checker left nextpass.in in the last of " +
              std::to_string(judging->request.passes) + " passes.");
    else if (next && accepts && judging->abandoned) fault("The judging was given up.");
    else if (next && accepts) {
        ++judged.pass;
        judged.input = *std::move(next);
        judged.state = Judged::State::again;
        return feed(judging);
    }
    for (const std::string_view name : {judge::kScore, judge::kScoreMultiplier}) {
        const std::string* text = judged.feedback.find(name);
        if (text == nullptr || !has_verdict) continue;
        const auto number = judge::score_in(*text);
        if (!number) fault("The checker left " + std::string(name) + " without a number in it.");
        (name == judge::kScore ? judged.score : judged.multiplier) = number;
    }
    if (const std::string* text = judged.feedback.find(judge::kTeamMessage))
        judged.team_message = text->substr(0, kKeptError);
    judged.feedback = {};
    if (judged.ruling.word == judge::Word::JE && !judged.checker_reason.empty())
        judged.reason = judged.checker_reason;
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
        if (is_useless(*judging, test)) {
            ++judging->skipped;
            continue;
        }
        judge::Marked marked;
        marked.word = judged.ruling.word;
        marked.cpu_time = judged.most.cpu_time;
        marked.wall_time = judged.most.wall_time;
        marked.memory_bytes = judged.most.memory_peak_bytes;
        marked.score = judged.score;
        marked.multiplier = judged.multiplier;
        judging->score->add(test, marked);
        const std::string text = verdict_text(judging->request, test, judged);
        judged.error = judged.message = judged.input = judged.team_message = {};
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
        if (!runs || !is_useless(judging, test)) continue;
        RunName run;
        std::string_view kinds = "c";
        if (state == Judged::State::running) kinds = judging.request.interactive ? "pi" : "p";
        for (const char kind : kinds) {
            run.id = judging.run_of(test, kind);
            // One that has just ended needs none.
            (void)executions_.cancel(client->second->runs, run);
            if (judging.over) return;
        }
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
    // What follows may drop the book that `judging` lies in.
    const JudgingPtr keep = judging; // NOLINT(performance-unnecessary-copy-initialization)
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
