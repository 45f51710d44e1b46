// Groups are in an order in which a parent comes before its children, so that going through them
// backwards finds every result below before it is needed.
#include "daemon/package/grading.h"

#include "daemon/package/glob.h"
#include "daemon/package/time_limit.h"

#include <algorithm>
#include <cmath>

namespace cloister::package {
namespace {

using enum Verdict;

/// The result of a test or a group, as graders see it.
struct Part {
    std::string name{}; ///< orders the parts of a group
    Verdict verdict = AC;
    std::size_t test = 0; ///< that decided
    double score = 0;
    bool is_sample = false;
};

/// For worst_error: JE, RTE, TLE, WA.
int severity(Verdict verdict) {
    switch (verdict) {
    case JE: return 5;
    case CE: return 4;
    case RTE: return 3;
    case TLE: return 2;
    case WA: return 1;
    case AC: return 0;
    }
    return 0;
}

const Part* first_failure(const std::vector<Part>& parts) {
    const auto found = std::ranges::find_if(parts, [](const Part& p) { return p.verdict != AC; });
    return found == parts.end() ? nullptr : &*found;
}

const Part* worst_failure(const std::vector<Part>& parts) {
    const Part* worst = nullptr;
    for (const Part& part : parts) {
        if (part.verdict == AC) continue;
        if (worst == nullptr || severity(part.verdict) > severity(worst->verdict)) worst = &part;
    }
    return worst;
}

double combined(Grading::Scores manner, const std::vector<Part>& parts) {
    double sum = 0;
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const Part& part : parts) {
        sum += part.score;
        least = std::min(least, part.score);
        most = std::max(most, part.score);
    }
    if (parts.empty()) return 0;
    switch (manner) {
    case Grading::Scores::avg: return sum / static_cast<double>(parts.size());
    case Grading::Scores::min: return least;
    case Grading::Scores::max: return most;
    default: return sum;
    }
}

/// The default grader of legacy.
Part grade_group(const Group& group, std::vector<Part> parts) {
    std::ranges::stable_sort(parts, {}, &Part::name);
    const Grading& grading = group.grading;
    if (grading.ignore_sample) std::erase_if(parts, [](const Part& p) { return p.is_sample; });
    Part out;
    out.name = group.name;
    out.is_sample = group.name == "sample";
    const Part* failed = grading.verdicts == Grading::Verdicts::first_error ? first_failure(parts)
                                                                            : worst_failure(parts);
    const bool any_accepted =
        std::ranges::any_of(parts, [](const Part& part) { return part.verdict == AC; });
    const bool is_error = failed != nullptr && failed->verdict == JE; // nothing excuses one
    const bool accepts = grading.verdicts == Grading::Verdicts::always_accept ||
                         (grading.accept_if_any_accepted && any_accepted);
    if (failed != nullptr && (is_error || !accepts)) {
        out.verdict = failed->verdict;
        out.test = failed->test;
    }
    out.score = combined(grading.scores, parts);
    return out;
}

Part legacy_result(const Problem& problem, const std::vector<TestResult>& results) {
    std::vector<std::vector<Part>> parts(problem.groups.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i].ran) continue;
        const Grading& grading = problem.groups[problem.tests[i].group].grading;
        Part part;
        part.name = problem.tests[i].name;
        part.verdict = results[i].verdict;
        part.test = i;
        const double usual = part.verdict == AC ? grading.accept_score : grading.reject_score;
        part.score = part.verdict == AC ? results[i].score.value_or(usual) : usual;
        parts[problem.tests[i].group].push_back(std::move(part));
    }
    for (std::size_t group = problem.groups.size(); group-- > 1;) {
        if (parts[group].empty()) continue;
        Part part = grade_group(problem.groups[group], std::move(parts[group]));
        parts[problem.groups[group].parent].push_back(std::move(part));
    }
    return grade_group(problem.groups.front(), std::move(parts.front()));
}

/// 2025-09: what a test earns; an error is what the format calls a judge error.
double test_score(const TestResult& result, const std::optional<double>& most, std::string& error) {
    if (result.verdict != AC) {
        if (result.score || result.multiplier) error = "a score for what was not accepted";
        return 0;
    }
    if (result.score && result.multiplier) error = "a score and a multiplier";
    if (!most) {
        if (result.multiplier) error = "a multiplier where scores have no bound";
        if (!result.score) error = "no score where scores have no bound";
        return result.score.value_or(0);
    }
    if (result.multiplier) {
        if (!(*result.multiplier >= 0 && *result.multiplier <= 1))
            error = "a multiplier that is not from 0 to 1";
        return *result.multiplier * *most;
    }
    if (!result.score) return *most;
    if (!(*result.score >= 0 && *result.score <= *most + 1e-9)) error = "a score above the highest";
    return *result.score;
}

/// 2025-09: the score of one group by its tests.
double group_score(const Problem& problem, const std::vector<TestResult>& results,
                   std::size_t group, std::string& error) {
    const Grading& grading = problem.groups[group].grading;
    std::vector<std::size_t> tests;
    for (std::size_t i = 0; i < results.size(); ++i)
        if (problem.tests[i].group == group) tests.push_back(i);
    const bool passed = std::ranges::all_of(
        tests, [&](std::size_t i) { return results[i].ran && results[i].verdict == AC; });
    if (grading.scores == Grading::Scores::pass_fail) {
        for (const std::size_t i : tests)
            if (results[i].score || results[i].multiplier)
                error = problem.tests[i].name + ": a score in a group that is pass-fail";
        return passed ? grading.max_score.value_or(0) : 0;
    }
    std::optional<double> most = grading.max_score;
    if (most && grading.scores == Grading::Scores::sum && !tests.empty())
        *most /= static_cast<double>(tests.size());
    std::vector<Part> parts;
    for (const std::size_t i : tests) {
        Part part;
        std::string wrong;
        if (results[i].ran) part.score = test_score(results[i], most, wrong);
        if (!wrong.empty()) error = problem.tests[i].name + ": " + wrong;
        parts.push_back(part);
    }
    return combined(grading.scores, parts);
}

double secret_score(const Problem& problem, const std::vector<TestResult>& results,
                    std::string& error) {
    const auto secret = std::ranges::find(problem.groups, "secret", &Group::name);
    const auto number = static_cast<std::size_t>(secret - problem.groups.begin());
    std::vector<Part> parts;
    for (std::size_t group = number + 1; group < problem.groups.size(); ++group) {
        Part part;
        part.score = group_score(problem, results, group, error);
        parts.push_back(part);
    }
    if (parts.empty()) return group_score(problem, results, number, error);
    if (secret->grading.scores == Grading::Scores::pass_fail) {
        const auto passed = [&](const TestResult& result) {
            return result.ran && result.verdict == AC;
        };
        return std::ranges::all_of(results, passed) ? secret->grading.max_score.value_or(0) : 0;
    }
    const double sum = combined(secret->grading.scores, parts);
    if (secret->grading.max_score && sum > *secret->grading.max_score + 1e-9)
        error = "secret: a score above max_score";
    return sum;
}

/// 2025-09: the first failure decides, a judge error before all.
Part modern_result(const std::vector<TestResult>& results) {
    Part out;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i].ran || results[i].verdict == AC) continue;
        if (out.verdict != AC && results[i].verdict != JE) continue;
        out.verdict = results[i].verdict;
        out.test = i;
        if (out.verdict == JE) break;
    }
    return out;
}

bool has(const std::vector<Verdict>& verdicts, Verdict one) {
    return std::ranges::find(verdicts, one) != verdicts.end();
}

std::string joined(const std::vector<Verdict>& verdicts, const char* between) {
    std::string out;
    for (const Verdict verdict : verdicts)
        out += (out.empty() ? "" : between) + std::string(name_of(verdict));
    return out;
}

std::string number_text(double number) {
    char text[40];
    (void)std::snprintf(text, sizeof text, "%.6g", number);
    return text;
}

bool speaks_of(const Rule& rule, const TestCase& test) {
    return rule.tests.empty() || matches(rule.tests, test.name);
}

/// The score that a rule is about: the whole, or that of the group it names.
std::optional<double> score_for(const Problem& problem, const Outcome& outcome, const Rule& rule,
                                const std::vector<TestResult>& results) {
    if (rule.tests.empty() || rule.tests == "secret") return outcome.score;
    const auto group = std::ranges::find(problem.groups, rule.tests, &Group::name);
    if (group == problem.groups.end()) return std::nullopt;
    std::string ignored;
    return group_score(problem, results, static_cast<std::size_t>(group - problem.groups.begin()),
                       ignored);
}

class Checker {
public:
    Checker(const Problem& problem, const std::vector<TestResult>& results, Outcome& outcome)
        : problem_(problem), results_(results), outcome_(outcome) {}

    void check(const Rule& rule) {
        check_verdicts(rule);
        check_score(rule);
        if (rule.less_than_best) check_partial();
    }

    void complain(const Rule& rule, const std::string& what) {
        outcome_.complaints.push_back((rule.tests.empty() ? "" : rule.tests + ": ") + what);
    }

private:
    void check_verdicts(const Rule& rule) {
        bool found_required = false;
        bool found_message = rule.message.empty();
        for (std::size_t i = 0; i < results_.size(); ++i) {
            const TestResult& result = results_[i];
            if (!result.ran || !speaks_of(rule, problem_.tests[i])) continue;
            if (rule.permitted && !has(*rule.permitted, result.verdict)) {
                complain(rule, problem_.tests[i].name + " is " +
                                   std::string(name_of(result.verdict)) + ", not " +
                                   joined(*rule.permitted, " or "));
                return;
            }
            found_required =
                found_required || (rule.required && has(*rule.required, result.verdict));
            found_message = found_message || result.message.find(rule.message) != std::string::npos;
        }
        if (rule.required && !found_required)
            complain(rule, "no test is " + joined(*rule.required, " or "));
        if (!found_message)
            complain(rule, "no message of the validator holds '" + rule.message + "'");
    }

    void check_score(const Rule& rule) {
        if (!rule.score) return;
        const auto score = score_for(problem_, outcome_, rule, results_);
        constexpr double kNoise = 1e-6;
        if (score && *score >= rule.score->first - kNoise && *score <= rule.score->second + kNoise)
            return;
        complain(rule, "its score is " + (score ? number_text(*score) : "none") + ", not " +
                           (rule.score->first == rule.score->second
                                ? number_text(rule.score->first)
                                : number_text(rule.score->first) + " to " +
                                      number_text(rule.score->second)));
    }

    void check_partial() {
        if (outcome_.verdict != AC)
            outcome_.complaints.emplace_back("it is not accepted as a whole");
        const Grading& whole = problem_.groups.front().grading;
        const double best = problem_.minimize ? whole.least : whole.most;
        if (outcome_.score && *outcome_.score == best)
            outcome_.complaints.emplace_back("its score is the best one");
    }

    const Problem& problem_;
    const std::vector<TestResult>& results_;
    Outcome& outcome_;
};

} // namespace

TestResult under_limit(TestResult result, double time_limit) {
    if (!result.ran || result.verdict == JE || result.cpu_time <= time_limit) return result;
    result.verdict = TLE;
    result.word = "TLE";
    result.cause = "cpu_time";
    result.score.reset();
    result.multiplier.reset();
    return result;
}

Progress::Progress(const Problem& problem, double time_limit)
    : problem_(problem), time_limit_(time_limit), failed_(problem.groups.size()),
      not_passed_(problem.groups.size()) {}

bool Progress::still_runs(std::size_t test) const {
    const bool legacy = problem_.format == Format::legacy;
    for (std::size_t group = problem_.tests[test].group;; group = problem_.groups[group].parent) {
        const Grading& grading = problem_.groups[group].grading;
        // Where samples do not count, one that fails ends nothing else.
        if (legacy && grading.stops && !grading.ignore_sample && failed_[group]) return false;
        for (const std::string& name : grading.require_pass) {
            const auto other = std::ranges::find(problem_.groups, name, &Group::name);
            if (not_passed_[static_cast<std::size_t>(other - problem_.groups.begin())])
                return false;
        }
        if (group == 0) return true;
    }
}

void Progress::add(std::size_t test, const TestResult& result) {
    const bool failed = result.ran && under_limit(result, time_limit_).verdict != AC;
    if (result.ran && !failed) return;
    for (std::size_t group = problem_.tests[test].group;; group = problem_.groups[group].parent) {
        if (failed) failed_[group] = true;
        not_passed_[group] = true;
        if (group == 0) return;
    }
}

double slowest_of(const Problem& problem, const SubmissionResult& result, const Rule& rule) {
    double slowest = 0;
    for (std::size_t i = 0; i < result.tests.size(); ++i)
        if (result.tests[i].ran && speaks_of(rule, problem.tests[i]))
            slowest = std::max(slowest, result.tests[i].cpu_time);
    return slowest;
}

Outcome grade(const Problem& problem, const Submission& submission, const SubmissionResult& result,
              double time_limit, bool margins) {
    Outcome outcome;
    if (!result.compiled) {
        outcome.verdict = CE;
        outcome.word = "CE";
        outcome.complaints.emplace_back("it does not compile");
        return outcome;
    }
    std::vector<TestResult> results = result.tests;
    for (TestResult& one : results) {
        one = under_limit(std::move(one), time_limit);
        if (!one.ran) continue;
        outcome.slowest = std::max(outcome.slowest, one.cpu_time);
        outcome.memory_bytes = std::max(outcome.memory_bytes, one.memory_bytes);
    }
    const bool legacy = problem.format == Format::legacy;
    Part whole = legacy ? legacy_result(problem, results) : modern_result(results);
    if (problem.scoring && !legacy) {
        std::string error;
        whole.score = secret_score(problem, results, error);
        if (!error.empty()) {
            whole.verdict = JE;
            outcome.complaints.push_back(error);
        }
    }
    outcome.verdict = whole.verdict;
    outcome.word = name_of(whole.verdict);
    if (whole.verdict != AC && whole.test < results.size() && !results[whole.test].word.empty() &&
        results[whole.test].verdict == whole.verdict) {
        outcome.word = results[whole.test].word;
        outcome.decided_by = whole.test;
    }
    if (problem.scoring) outcome.score = whole.score;
    Checker checker(problem, results, outcome);
    const auto judge_error =
        std::ranges::find_if(results, [](const TestResult& r) { return r.ran && r.verdict == JE; });
    if (judge_error != results.end()) {
        const auto test = static_cast<std::size_t>(judge_error - results.begin());
        outcome.complaints.push_back("the judge failed on " + problem.tests[test].name + ": " +
                                     judge_error->cause);
    }
    for (const Rule& rule : submission.rules) {
        if (judge_error == results.end()) checker.check(rule);
        const double least = margin_of(problem.limits, time_limit);
        const double slowest = slowest_of(problem, result, rule);
        if (margins && rule.bounds_above() && slowest > time_limit && slowest < least)
            checker.complain(rule, "its slowest run is too near the limit: below " +
                                       number_text(least) + " s");
        if (margins && !legacy && rule.bounds_below() && slowest <= time_limit &&
            slowest * problem.limits.ac_to_time_limit > time_limit + 1e-9)
            checker.complain(rule, "the time limit is less than " +
                                       number_text(problem.limits.ac_to_time_limit) +
                                       " times its slowest run");
    }
    outcome.ok = outcome.complaints.empty();
    return outcome;
}

std::string expectation_of(const Submission& submission) {
    std::string out;
    for (const Rule& rule : submission.rules) {
        if (!rule.tests.empty()) continue;
        if (rule.less_than_best) return "partial";
        const auto& shown = rule.required ? rule.required : rule.permitted;
        if (shown && out.empty()) out = joined(*shown, "/");
    }
    return out.empty() ? "any" : out;
}

} // namespace cloister::package
