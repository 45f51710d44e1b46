// What is asked of the judge for each program of a package, and in which order.
#include "daemon/cli/judge_run.h"

#include "daemon/cli/daemon_link.h"
#include "daemon/cli/own_daemon.h"
#include "daemon/package/error.h"
#include "daemon/package/languages.h"
#include "daemon/package/text.h"
#include "daemon/package/time_limit.h"
#include "daemon/wire/base64.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

using nlohmann::json;
using package::Program;
using package::SubmissionResult;
using package::TestCase;
using package::TestResult;
using package::Verdict;

constexpr std::uint64_t kMib = 1024 * 1024;
constexpr int kAccepts = 42;
constexpr double kMostPasses = 10; ///< of one judging
/// A program that gives back what it was given as a file: the output of a test that has one.
constexpr const char* kEcho = "import shutil, sys\n"
                              "shutil.copyfileobj(open('team_output', 'rb'), sys.stdout.buffer)\n";

json file_json(const std::string& path, const std::string& content) {
    if (package::is_utf8(content)) return {{"path", path}, {"content", content}};
    return {{"path", path}, {"content", wire::to_base64(content)}, {"encoding", "base64"}};
}

class Run {
public:
    Run(const package::Folder& folder, const package::Problem& problem, const Judge& judge,
        const JudgeWishes& wishes)
        : folder_(folder), problem_(problem), judge_(judge), wishes_(wishes),
          pieces_(folder, judge) {}

    package::Report run();

private:
    json program_json(const Program& program, const Program* extra, const Program* more) const;
    void add_files(const Program& program, std::map<std::string, std::string>& into) const;
    bool speaks(const std::string& language) const;
    void need(const std::string& language, const std::string& what) const;
    void need_languages();
    void check_limits() const;
    void ask_for_limits();

    json limits_of_program(std::optional<double> seconds) const;
    json limits_of_validator() const;
    json checker_json(const TestCase& test) const;

    SubmissionResult judge_submission(const package::Submission& submission,
                                      std::optional<double> seconds, double time_limit);
    void validate_inputs();
    void validate_with(const Program& validator, const std::vector<TestCase>& tests,
                       std::vector<std::string>& refused);
    void validate_outputs();
    std::string output_fault(const TestCase& test, bool is_valid);
    bool bounds_below(const package::Submission& submission) const;
    void find_time_limit();
    SubmissionResult judge_with_margin(const package::Submission& submission);
    void add_row(std::size_t number);

    const package::Folder& folder_;
    const package::Problem& problem_;
    const Judge& judge_;
    const JudgeWishes& wishes_;
    package::Report report_{};
    std::map<std::size_t, SubmissionResult> done_{}; ///< those that the limit was derived from
    std::set<std::size_t> unavailable_{};
    Pieces pieces_;
    bool has_margin_ = true; ///< programs run for longer than the limit
};

// -- Programs

void Run::add_files(const Program& program, std::map<std::string, std::string>& into) const {
    for (const std::string& file : program.files)
        into[file] = package::with_constants(
            problem_, folder_.read(program.folder + "/" + file, package::kMaxProgramBytes));
}

/// What a class that is to be run looks like.
std::string java_entry(const std::map<std::string, std::string>& files) {
    for (const auto& [path, content] : files)
        if (path.ends_with(".java") && content.find("void main(") != std::string::npos) return path;
    return {};
}

/// `language`, `files` and `entry`; what `extra` and `more` hold lies over the program's own.
json Run::program_json(const Program& program, const Program* extra, const Program* more) const {
    std::map<std::string, std::string> files;
    add_files(program, files);
    if (extra != nullptr) add_files(*extra, files);
    if (more != nullptr) add_files(*more, files);
    json out{{"language", package::runtime_name(program.language)}, {"files", json::array()}};
    std::string entry = program.entry;
    if (entry.empty() && program.language == "java") entry = java_entry(files);
    if (entry.empty() && program.files.size() == 1) entry = program.files.front();
    // A driver among the included files has the name that comes first.
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& [path, content] : files) names.push_back(path);
    const std::string driver = package::default_entry(program.language, names);
    if (program.entry.empty() && !driver.empty()) entry = driver;
    if (!entry.empty()) out["entry"] = entry;
    for (const auto& [path, content] : files) out["files"].push_back(file_json(path, content));
    return out;
}

bool Run::speaks(const std::string& language) const {
    return std::ranges::find(judge_.languages, package::runtime_name(language)) !=
           judge_.languages.end();
}

void Run::need(const std::string& language, const std::string& what) const {
    if (!speaks(language))
        throw CannotJudge(what + " is in " + language + ", which this daemon cannot run");
}

/// Before anything is run.
void Run::need_languages() {
    if (problem_.output_validator)
        need(problem_.output_validator->language, problem_.output_validator->name);
    for (const Program& validator : problem_.input_validators)
        need(validator.language, validator.name);
    if (!problem_.valid_outputs.empty() || !problem_.invalid_outputs.empty())
        need("python3", "what gives back the outputs of valid_output and invalid_output");
    std::string missing;
    for (std::size_t i = 0; i < problem_.submissions.size(); ++i) {
        const Program& program = problem_.submissions[i].program;
        if (speaks(program.language)) continue;
        unavailable_.insert(i);
        missing += "\n    " + program.name + " (" + program.language + ")";
    }
    if (!missing.empty() && !wishes_.skip_unavailable)
        throw CannotJudge(
            "this daemon cannot run the languages of these submissions; choose others "
            "with --submission, or leave them out with --skip-unavailable:" +
            missing);
}

// -- Limits

void refuse_above(const std::optional<std::uint64_t>& asked, double most, const char* name) {
    if (asked && static_cast<double>(*asked) > most)
        throw CannotJudge("problem.yaml: limits." + std::string(name) + " is " +
                          std::to_string(*asked) + "; at most " +
                          std::to_string(static_cast<std::uint64_t>(most)) +
                          " can be honoured here");
}

/// What a daemon of our own allows is known before it is asked; another one says so itself, but for
/// its compilers.
void Run::check_limits() const {
    const package::Limits& limits = problem_.limits;
    refuse_above(limits.validation_passes, kMostPasses, "validation_passes");
    if (!judge_.is_own) {
        if (limits.compilation_time || limits.compilation_memory_mib)
            throw CannotJudge("problem.yaml: limits.compilation_time and compilation_memory cannot "
                              "be asked of a daemon that runs already: judge without --daemon");
        return;
    }
    const OwnLimits most = own_limits();
    const auto memory = static_cast<double>(most.memory_mib);
    refuse_above(limits.memory_mib, memory, "memory");
    refuse_above(limits.output_mib, static_cast<double>(most.output_mib), "output");
    refuse_above(limits.compilation_time, static_cast<double>(most.compilation_seconds),
                 "compilation_time");
    refuse_above(limits.compilation_memory_mib, static_cast<double>(most.compilation_memory_mib),
                 "compilation_memory");
    refuse_above(limits.validation_time, most.cpu_seconds, "validation_time");
    refuse_above(limits.validation_memory_mib, memory, "validation_memory");
    refuse_above(limits.validation_output_mib, static_cast<double>(most.output_mib),
                 "validation_output");
    const auto time = wishes_.time_limit ? wishes_.time_limit : limits.time_limit;
    if (time && package::margin_of(limits, *time) > most.cpu_seconds)
        throw CannotJudge("a time limit of " + std::to_string(*time) +
                          " s, and its margin, are more than the " +
                          std::to_string(most.cpu_seconds) + " s that can be honoured here");
}

/// An empty program with the limits that all will have: what the daemon does not allow, it says
/// now.
void Run::ask_for_limits() {
    const auto speaks_it = [this](const package::Submission& one) {
        return speaks(one.program.language);
    };
    const auto first = std::ranges::find_if(problem_.submissions, speaks_it);
    if (judge_.is_own || first == problem_.submissions.end()) return;
    json request{{"language", package::runtime_name(first->program.language)}, {"code", ""}};
    request["limits"] =
        limits_of_program(wishes_.time_limit ? wishes_.time_limit : problem_.limits.time_limit);
    if (problem_.output_validator) {
        const std::string& language = problem_.output_validator->language;
        request["checker"] = {
            {"type", "program"}, {"language", package::runtime_name(language)}, {"code", ""}};
        request["checker"]["limits"] = limits_of_validator();
    }
    Order order;
    order.base = request.dump();
    (void)pieces_.judge(order, {{0, &problem_.tests.front()}}, [](std::size_t, const auto&) {});
}

/// `seconds`: of processor time; absent: as many as there may be.
json Run::limits_of_program(std::optional<double> seconds) const {
    json out = json::object();
    const OwnLimits most = own_limits();
    if (seconds) out["cpu_time"] = std::ceil(*seconds * 1000) / 1000;
    if (judge_.is_own) {
        const double wall = 3 * seconds.value_or(most.cpu_seconds) + 5;
        out["wall_time"] = std::min(std::ceil(wall), most.wall_seconds);
        out["output_bytes"] = most.usual_output_mib * kMib;
    }
    if (problem_.limits.memory_mib) out["memory"] = *problem_.limits.memory_mib * kMib;
    if (problem_.limits.output_mib) out["output_bytes"] = *problem_.limits.output_mib * kMib;
    return out;
}

json Run::limits_of_validator() const {
    json out = json::object();
    const package::Limits& limits = problem_.limits;
    if (judge_.is_own) out["cpu_time"] = own_limits().usual_validation_seconds;
    if (limits.validation_time) out["cpu_time"] = *limits.validation_time;
    if (limits.validation_memory_mib) out["memory"] = *limits.validation_memory_mib * kMib;
    if (limits.validation_output_mib) out["output_bytes"] = *limits.validation_output_mib * kMib;
    return out;
}

json Run::checker_json(const TestCase& test) const {
    if (!problem_.output_validator) {
        const package::Comparing how =
            package::read_flags(test.output_validator_arguments, test.name);
        json out{{"type", "token"},
                 {"case_sensitive", how.case_sensitive},
                 {"space_sensitive", how.space_sensitive}};
        if (how.absolute) out["absolute"] = *how.absolute;
        if (how.relative) out["relative"] = *how.relative;
        return out;
    }
    json out = program_json(*problem_.output_validator, nullptr, nullptr);
    out["type"] = problem_.interactive ? "interactor" : "program";
    out["args"] = test.output_validator_arguments;
    if (const json limits = limits_of_validator(); !limits.empty()) out["limits"] = limits;
    if (problem_.limits.validation_passes > 1) out["keep"] = "all";
    return out;
}

// -- Submissions

/// Tests of one group that are run and checked in the same manner are one order.
bool same_manner(const TestCase& one, const TestCase& other) {
    return one.group == other.group && one.arguments == other.arguments && one.files.empty() &&
           other.files.empty() &&
           one.output_validator_arguments == other.output_validator_arguments;
}

SubmissionResult Run::judge_submission(const package::Submission& submission,
                                       std::optional<double> seconds, double time_limit) {
    const Program& program = submission.program;
    const auto include = [&](std::string_view language) -> const Program* {
        const auto found = problem_.includes.find(language);
        return found == problem_.includes.end() ? nullptr : &found->second;
    };
    const bool legacy = problem_.format == package::Format::legacy;
    const Program* own = include(program.language);
    const Program* common = legacy ? nullptr : include("default");
    json base = program_json(program, common, own);
    base["limits"] = limits_of_program(seconds);
    SubmissionResult out;
    out.tests.resize(problem_.tests.size());
    package::Progress progress(problem_, time_limit);
    for (std::size_t next = 0; next < problem_.tests.size();) {
        if (!progress.still_runs(next)) {
            progress.add(next, out.tests[next]);
            ++next;
            continue;
        }
        const TestCase& first = problem_.tests[next];
        std::vector<Item> items;
        for (std::size_t i = next; i < problem_.tests.size(); ++i) {
            const TestCase& test = problem_.tests[i];
            if (i > next && !same_manner(first, test)) break;
            items.push_back({i, &test});
        }
        Order order;
        json request = base;
        order.checked = problem_.output_validator.has_value();
        request["args"] = first.arguments;
        request["checker"] = checker_json(first);
        const package::Grading& grading = problem_.groups[first.group].grading;
        if (legacy && grading.stops) request["stop_at_first_failure"] = true;
        order.passes = problem_.limits.validation_passes > 1;
        if (order.passes) request["passes"] = problem_.limits.validation_passes;
        for (const std::string& file : first.files) {
            const std::string content =
                folder_.read(first.files_folder + "/" + file, package::kMaxTestBytes);
            json& files = request["files"];
            const auto same = std::ranges::find_if(
                files, [&](const json& one) { return one.at("path") == file; });
            if (same != files.end()) *same = file_json(file, content);
            else files.push_back(file_json(file, content));
        }
        order.base = request.dump();
        const Answer answer = pieces_.judge(order, items, [&](std::size_t test, TestResult result) {
            out.tests[test] = std::move(result);
        });
        if (!answer.compiled) {
            out.compiled = false;
            out.compile_error = answer.compile_error;
            out.tests.clear();
            return out;
        }
        for (const Item& item : items) progress.add(item.index, out.tests[item.index]);
        next += items.size();
    }
    return out;
}

/// Whether the limit must leave room for it.
bool Run::bounds_below(const package::Submission& submission) const {
    if (problem_.format == package::Format::legacy) return submission.folder == "accepted";
    return std::ranges::any_of(submission.rules, &package::Rule::bounds_below);
}

std::string seconds_text(double seconds) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.6g s", seconds);
    return text;
}

/// Given, or by what the package's own submissions take.
void Run::find_time_limit() {
    if (wishes_.time_limit || problem_.limits.time_limit) {
        report_.time_limit = wishes_.time_limit ? *wishes_.time_limit : *problem_.limits.time_limit;
        report_.time_limit_source = wishes_.time_limit ? "given" : "the package's";
        return;
    }
    double slowest = 0;
    std::string slowest_name;
    for (std::size_t i = 0; i < problem_.submissions.size(); ++i) {
        const package::Submission& submission = problem_.submissions[i];
        if (!bounds_below(submission) || unavailable_.contains(i)) continue;
        constexpr double kNone = std::numeric_limits<double>::infinity();
        SubmissionResult result = judge_submission(submission, std::nullopt, kNone);
        for (std::size_t test = 0; test < result.tests.size(); ++test) {
            if (result.tests[test].ran && result.tests[test].verdict == Verdict::TLE)
                throw CannotJudge(submission.program.name +
                                  " does not end in the time that there is "
                                  "to derive a limit from (on " +
                                  problem_.tests[test].name + "); give one with --time-limit");
        }
        for (const package::Rule& rule : submission.rules) {
            const bool counts = problem_.format == package::Format::legacy || rule.bounds_below();
            const double time = counts ? package::slowest_of(problem_, result, rule) : 0;
            if (!slowest_name.empty() && time <= slowest) continue;
            slowest = time;
            slowest_name = submission.program.name;
        }
        done_[i] = std::move(result);
    }
    if (done_.empty())
        throw CannotJudge(
            "no accepted submission is chosen to derive the time limit from; give one "
            "with --time-limit");
    report_.time_limit = package::derive_time_limit(problem_.limits, problem_.format, slowest);
    report_.time_limit_source = seconds_text(problem_.limits.ac_to_time_limit * slowest) + " = " +
                                seconds_text(slowest) + " of " + slowest_name + ", " +
                                seconds_text(problem_.limits.ac_to_time_limit);
    report_.time_limit_source.resize(report_.time_limit_source.size() - 2);
    report_.time_limit_source += " times";
    if (judge_.is_own &&
        package::margin_of(problem_.limits, report_.time_limit) > own_limits().cpu_seconds)
        throw CannotJudge("the time limit would be " + seconds_text(report_.time_limit) +
                          ", which, with its margin, cannot be honoured here");
}

/// A daemon that allows the limit, but not the margin beyond it, judges without.
SubmissionResult Run::judge_with_margin(const package::Submission& submission) {
    const double limit = report_.time_limit;
    const double margin = package::margin_of(problem_.limits, limit);
    if (!has_margin_) return judge_submission(submission, limit, limit);
    try {
        return judge_submission(submission, margin, limit);
    } catch (const TooHigh& refused) {
        const bool of_time =
            std::string_view(refused.what()).find("'cpu_time'") != std::string::npos;
        if (!of_time || margin <= limit) throw;
    }
    has_margin_ = false;
    SubmissionResult result = judge_submission(submission, limit, limit);
    wishes_.say("the daemon allows no " + seconds_text(margin) + ": margins are not looked at\n");
    return result;
}

void Run::add_row(std::size_t number) {
    package::Row row;
    row.submission = &problem_.submissions[number];
    if (unavailable_.contains(number)) {
        row.skipped = "the daemon cannot run " + row.submission->program.language;
    } else {
        const auto found = done_.find(number);
        if (found != done_.end()) row.result = std::move(found->second);
        else row.result = judge_with_margin(*row.submission);
        row.outcome = package::grade(problem_, *row.submission, row.result, report_.time_limit,
                                     !wishes_.time_limit && has_margin_);
    }
    report_.rows.push_back(std::move(row));
    wishes_.say(package::row_text(problem_, report_.rows.back()));
}

// -- Validators

/// What `validator` says of each input; adds a line for each that it does not accept.
void Run::validate_with(const Program& validator, const std::vector<TestCase>& tests,
                        std::vector<std::string>& refused) {
    const std::string short_name = validator.name.substr(validator.name.rfind('/') + 1);
    const auto arguments_for = [&](const TestCase& test) {
        const auto& all = test.input_validator_arguments;
        // A file's validator is named with or without its ending.
        for (const std::string& name : {short_name, short_name.substr(0, short_name.rfind('.'))})
            if (const auto found = all.find(name); found != all.end()) return found->second;
        const auto common = all.find("");
        return common != all.end() ? common->second : std::vector<std::string>{};
    };
    const json program = program_json(validator, nullptr, nullptr);
    for (std::size_t next = 0; next < tests.size();) {
        std::vector<Item> items;
        const auto words = arguments_for(tests[next]);
        for (std::size_t i = next; i < tests.size(); ++i) {
            if (i > next && (arguments_for(tests[i]) != words || !tests[i].files.empty() ||
                             !tests[next].files.empty()))
                break;
            items.push_back({i, &tests[i]});
        }
        Order order;
        json request = program;
        order.needs_answer = false;
        request["args"] = words;
        request["limits"] = limits_of_validator();
        for (const std::string& file : tests[next].files)
            request["files"].push_back(file_json(
                file, folder_.read(tests[next].files_folder + "/" + file, package::kMaxTestBytes)));
        order.base = request.dump();
        const Answer answer =
            pieces_.judge(order, items, [&](std::size_t test, const TestResult& result) {
                // 42 is no status of a contestant's program; here it is what decides.
                if (result.cause == "exit_code" && result.exit_code == kAccepts) return;
                refused[test] =
                    validator.name + " " +
                    (result.cause == "exit_code" ? "ends with " + std::to_string(result.exit_code)
                     : result.verdict == Verdict::AC || result.verdict == Verdict::WA
                         ? "ends with 0"
                         : "is ended: " + result.word + " " + result.cause);
                if (!result.reason.empty() && result.cause == "exit_code")
                    refused[test] += ": " + result.reason;
            });
        if (!answer.compiled)
            throw CannotJudge(validator.name + " does not compile:\n" +
                              package::shown(answer.compile_error, 2'000));
        next += items.size();
    }
}

void Run::validate_inputs() {
    package::Check check;
    check.name = "input validators";
    check.ok = true;
    if (problem_.input_validators.empty()) {
        check.detail = "there are none";
        report_.checks.push_back(check);
        wishes_.say(package::check_text(check));
        return;
    }
    std::vector<std::string> refused(problem_.tests.size());
    std::vector<std::string> rejected(problem_.invalid_inputs.size());
    for (const Program& validator : problem_.input_validators) {
        validate_with(validator, problem_.tests, refused);
        validate_with(validator, problem_.invalid_inputs, rejected);
    }
    for (std::size_t i = 0; i < refused.size(); ++i)
        if (!refused[i].empty())
            check.complaints.push_back(problem_.tests[i].name + ": " + refused[i]);
    for (std::size_t i = 0; i < rejected.size(); ++i)
        if (rejected[i].empty())
            check.complaints.push_back(problem_.invalid_inputs[i].name +
                                       ": every validator accepts "
                                       "it");
    check.ok = check.complaints.empty();
    check.detail = std::to_string(problem_.input_validators.size()) + " on " +
                   std::to_string(refused.size()) + " inputs";
    if (!rejected.empty())
        check.detail += " and " + std::to_string(rejected.size()) + " invalid ones";
    report_.checks.push_back(check);
    wishes_.say(package::check_text(check));
}

/// Empty when the output validator says of the test's output what it is to say.
std::string Run::output_fault(const TestCase& test, bool is_valid) {
    Order order;
    order.checked = problem_.output_validator.has_value();
    json request{{"language", "python"}, {"entry", "main.py"}};
    request["files"] =
        json::array({file_json("main.py", kEcho),
                     file_json("team_output", folder_.read(test.output, package::kMaxTestBytes))});
    request["limits"] = limits_of_program(std::nullopt);
    request["checker"] = checker_json(test);
    order.base = request.dump();
    TestResult result;
    (void)pieces_.judge(order, {{0, &test}},
                        [&](std::size_t, TestResult one) { result = std::move(one); });
    const Verdict wanted = is_valid ? Verdict::AC : Verdict::WA;
    if (result.verdict == wanted) return {};
    std::string out = test.name + ": " + result.word + " " + result.cause;
    const std::string& why = result.message.empty() ? result.reason : result.message;
    return why.empty() ? out : out + ": " + why;
}

void Run::validate_outputs() {
    if (problem_.valid_outputs.empty() && problem_.invalid_outputs.empty()) return;
    package::Check check;
    check.name = "output validator";
    for (const auto* tests : {&problem_.valid_outputs, &problem_.invalid_outputs}) {
        for (const TestCase& test : *tests) {
            const std::string fault = output_fault(test, tests == &problem_.valid_outputs);
            if (!fault.empty()) check.complaints.push_back(fault);
        }
    }
    check.ok = check.complaints.empty();
    check.detail = std::to_string(problem_.valid_outputs.size()) + " valid outputs, " +
                   std::to_string(problem_.invalid_outputs.size()) + " invalid ones";
    report_.checks.push_back(check);
    wishes_.say(package::check_text(check));
}

package::Report Run::run() {
    report_.problem = &problem_;
    need_languages();
    check_limits();
    ask_for_limits();
    wishes_.say(package::head_text(report_));
    validate_inputs();
    validate_outputs();
    find_time_limit();
    wishes_.say("time limit          " + seconds_text(report_.time_limit) + " (" +
                report_.time_limit_source + ")\n\n");
    wishes_.say(package::table_head(problem_));
    for (std::size_t i = 0; i < problem_.submissions.size(); ++i) add_row(i);
    wishes_.say("\n" + package::foot_text(report_));
    return std::move(report_);
}

} // namespace

package::Report judge_package(const package::Folder& folder, const package::Problem& problem,
                              const Judge& judge, const JudgeWishes& wishes) {
    return Run(folder, problem, judge, wishes).run();
}

} // namespace cloister::cli
