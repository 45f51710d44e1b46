// submissions/: the programs that are to be judged, and what is to come of each.
#include "daemon/package/error.h"
#include "daemon/package/glob.h"
#include "daemon/package/languages.h"
#include "daemon/package/problem.h"
#include "daemon/package/yaml.h"

#include <algorithm>

namespace cloister::package {
namespace {

using Verdicts = std::vector<Verdict>;

/// The requirements that come with a folder's name. Nothing: the format has no such folder.
std::optional<Rule> rule_of_folder(Format format, const std::string& name) {
    using enum Verdict;
    Rule rule;
    const bool legacy = format == Format::legacy;
    if (name == "accepted") {
        rule.permitted = Verdicts{AC};
    } else if (name == "wrong_answer") {
        rule.permitted = Verdicts{AC, WA};
        rule.required = Verdicts{WA};
    } else if (name == "time_limit_exceeded") {
        rule.permitted = legacy ? Verdicts{AC, TLE, WA} : Verdicts{AC, TLE};
        rule.required = Verdicts{TLE};
    } else if (name == "run_time_error") {
        if (!legacy) rule.permitted = Verdicts{AC, RTE};
        rule.required = Verdicts{RTE};
    } else if (legacy && name == "partially_accepted") {
        rule.less_than_best = true;
    } else if (!legacy && name == "brute_force") {
        rule.permitted = Verdicts{AC, RTE, TLE};
        rule.required = Verdicts{RTE, TLE};
    } else if (!legacy && name == "rejected") {
        rule.required = Verdicts{RTE, TLE, WA};
    } else {
        return std::nullopt;
    }
    return rule;
}

Verdicts read_verdicts(const Yaml& list) {
    Verdicts all;
    for (const std::string& word : list.texts()) {
        const auto found = std::ranges::find(kVerdicts, word);
        const auto number = static_cast<std::size_t>(found - kVerdicts.begin());
        if (found == kVerdicts.end() || number > static_cast<std::size_t>(Verdict::RTE))
            list.wrong("a verdict is AC, WA, TLE or RTE, not '" + word + "'");
        all.push_back(static_cast<Verdict>(number));
    }
    if (all.empty()) list.wrong("needs at least one verdict");
    return all;
}

constexpr std::array<std::string_view, 5> kRuleKeys = {"permitted", "required", "score", "message",
                                                       "use_for_time_limit"};
constexpr std::array<std::string_view, 4> kOtherKeys = {"language", "entrypoint", "authors",
                                                        "model_solution"};

void read_rule(const Yaml& yaml, bool scoring, Rule& rule) {
    constexpr double kMost = 1e15;
    if (const Yaml* value = yaml.find("permitted")) rule.permitted = read_verdicts(*value);
    if (const Yaml* value = yaml.find("required")) rule.required = read_verdicts(*value);
    if (const Yaml* value = yaml.find("message")) rule.message = value->text();
    if (const Yaml* value = yaml.find("score")) {
        if (!scoring) value->wrong("only of a scoring problem");
        if (value->kind() == Yaml::Kind::list) {
            if (value->items().size() != 2) value->wrong("expected a number, or two");
            rule.score = std::pair{value->items()[0].number(-kMost, kMost),
                                   value->items()[1].number(-kMost, kMost)};
        } else {
            rule.score = std::pair{value->number(-kMost, kMost), value->number(-kMost, kMost)};
        }
    }
    if (const Yaml* value = yaml.find("use_for_time_limit")) {
        if (value->text() == "lower") rule.time_use = Rule::TimeUse::lower;
        else if (value->text() == "upper") rule.time_use = Rule::TimeUse::upper;
        else rule.time_use = value->flag() ? Rule::TimeUse::by_rule : Rule::TimeUse::none;
    }
    rule.is_given = true;
}

class Reader {
public:
    Reader(const Folder& folder, Problem& problem) : folder_(folder), problem_(problem) {
        constexpr const char* kFile = "submissions/submissions.yaml";
        if (problem.format == Format::legacy || !folder.has_file(kFile)) return;
        yaml_ = Yaml::parse(folder.read(kFile, kMaxYamlBytes), kFile);
        if (!yaml_.is_nothing()) yaml_.allow_only(all_keys());
        for (const auto& [pattern, keys] : yaml_.members()) (void)without_braces(pattern);
    }

    void read(const std::string& chosen);

private:
    std::vector<std::string_view> all_keys() const {
        std::vector<std::string_view> keys;
        for (const auto& member : yaml_.members()) keys.push_back(member.first);
        return keys;
    }
    void add(const std::string& folder, const std::string& name);
    void apply(const std::string& pattern, const Yaml& keys, Submission& submission,
               Program& program) const;
    void finish(Submission& submission) const;

    const Folder& folder_;
    Problem& problem_;
    Yaml yaml_{};
};

void Reader::apply(const std::string& pattern, const Yaml& keys, Submission& submission,
                   Program& program) const {
    const bool replaces = pattern == submission.folder; // the folder's own requirement
    Rule rule = replaces && !submission.rules.empty() ? submission.rules.front() : Rule{};
    read_rule(keys, problem_.scoring, rule);
    if (const Yaml* value = keys.find("language")) program.language = value->text();
    if (const Yaml* value = keys.find("entrypoint")) program.entry = value->text();
    const bool says = std::ranges::any_of(
        kRuleKeys, [&](std::string_view key) { return keys.find(key) != nullptr; });
    if (replaces && !submission.rules.empty()) submission.rules.front() = rule;
    else if (says) submission.rules.push_back(rule);
    for (const auto& [key, value] : keys.members()) {
        if (std::ranges::find(kRuleKeys, key) != kRuleKeys.end()) continue;
        if (std::ranges::find(kOtherKeys, key) != kOtherKeys.end()) continue;
        value.allow_only({kRuleKeys.begin(), kRuleKeys.end()});
        const std::string& pattern_of_tests = key; // clang 14 captures no structured binding
        const auto of_pattern = [&pattern_of_tests](const TestCase& one) {
            return matches(pattern_of_tests, one.name);
        };
        if (std::ranges::none_of(problem_.tests, of_pattern))
            value.wrong("there is neither a key nor a test nor a group of that name");
        Rule inner;
        read_rule(value, problem_.scoring, inner);
        inner.tests = key;
        submission.rules.push_back(std::move(inner));
    }
}

/// Language, entry, and whether it may be in that language.
void Reader::finish(Submission& submission) const {
    Program& program = submission.program;
    const std::string where = "submissions/" + program.name;
    if (program.language.empty()) program.language = single_language(program.files, where);
    const auto there = [&] {
        return std::ranges::find(program.files, program.entry) != program.files.end();
    };
    // Of Java and Kotlin the entry is the name of a class, and no file's.
    const bool is_class = program.language == "java" || program.language == "kotlin";
    if (!program.entry.empty() && !there() && !is_class)
        wrong(where, "its entrypoint '" + program.entry + "' is no file of it");
    if (!there()) program.entry = default_entry(program.language, program.files);
    const auto& allowed = problem_.languages;
    if (!allowed.empty() && std::ranges::find(allowed, program.language) == allowed.end())
        wrong(where, "is in " + program.language + ", which problem.yaml does not allow");
    const auto& most = problem_.limits.code_kib;
    if (most && program.bytes > *most * 1024)
        wrong(where, "is larger than limits.code, " + std::to_string(*most) + " KiB");
}

void Reader::add(const std::string& folder, const std::string& name) {
    if (problem_.submissions.size() >= kMaxSubmissions)
        wrong("submissions", "holds more than " + std::to_string(kMaxSubmissions) + " programs");
    Submission submission;
    submission.folder = folder;
    submission.program =
        read_program(folder_, "submissions/" + folder + "/" + name, folder + "/" + name);
    if (const auto rule = rule_of_folder(problem_.format, folder))
        submission.rules.push_back(*rule);
    for (const auto& [pattern, keys] : yaml_.members())
        if (matches(pattern, submission.program.name))
            apply(pattern, keys, submission, submission.program);
    if (submission.rules.empty() && problem_.format == Format::legacy)
        wrong("submissions/" + folder, "the format has no such folder");
    finish(submission);
    problem_.submissions.push_back(std::move(submission));
}

void Reader::read(const std::string& chosen) {
    if (!folder_.has_folder("submissions")) wrong("submissions", "is missing");
    for (const Folder::Entry& group : folder_.list("submissions")) {
        if (!group.is_folder) {
            if (group.name == "submissions.yaml" || language_of(group.name).empty()) continue;
            wrong("submissions/" + group.name, "a submission lies in the folder of its verdict");
        }
        for (const Folder::Entry& one : folder_.list("submissions/" + group.name)) {
            if (chosen.empty() || matches(chosen, group.name + "/" + one.name))
                add(group.name, one.name);
        }
    }
    const auto is_accepted = [](const Submission& one) { return one.folder == "accepted"; };
    if (chosen.empty() && std::ranges::none_of(problem_.submissions, is_accepted))
        wrong("submissions/accepted", "at least one accepted submission is needed");
    if (problem_.submissions.empty()) wrong("submissions", "none matches '" + chosen + "'");
}

} // namespace

void read_submissions(const Folder& folder, Problem& problem, const std::string& chosen) {
    Reader(folder, problem).read(chosen);
}

} // namespace cloister::package
