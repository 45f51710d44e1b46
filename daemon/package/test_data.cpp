// data/: the tests in the order in which they are used, and the groups that they belong to.
#include "daemon/package/error.h"
#include "daemon/package/problem.h"
#include "daemon/package/yaml.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace cloister::package {
namespace {

/// What a group's file says for all that is in it, as far as it is handed on.
struct Settings {
    Grading grading{};
    std::vector<std::string> arguments{};
    std::vector<std::string> output_validator_arguments{};
    std::map<std::string, std::vector<std::string>> input_validator_arguments{};
};

class Reader {
public:
    Reader(const Folder& folder, Problem& problem)
        : folder_(folder), problem_(problem), legacy_(problem.format == Format::legacy) {}

    void read();

private:
    void read_legacy_file(const std::string& path, Settings& settings) const;
    void read_group_file(const std::string& path, const std::string& name,
                         Settings& settings) const;
    void read_case_keys(const Yaml& yaml, Settings& settings) const;
    void read_grader_flags(const Yaml& flags, bool is_root, Grading& grading) const;
    std::size_t add_group(const std::string& name, std::size_t parent, const Settings& settings);
    void read_folder(const std::string& name, std::size_t group, const Settings& settings,
                     std::size_t depth);
    void read_secret_groups(const std::vector<Folder::Entry>& entries, std::size_t secret,
                            const Settings& settings);
    void read_extra(const std::string& name, bool has_answer, std::vector<TestCase>& into);
    TestCase read_test(const std::string& name, const std::vector<Folder::Entry>& entries,
                       const Settings& settings) const;
    void add(TestCase test, std::vector<TestCase>& into) const;
    void check_groups() const;

    const Folder& folder_;
    Problem& problem_;
    bool legacy_;
};

const char* group_file(bool legacy) { return legacy ? "testdata.yaml" : "test_group.yaml"; }

std::string base_of(const std::string& file) { return file.substr(0, file.size() - 3); }
bool is_input(const Folder::Entry& entry) {
    return !entry.is_folder && entry.name.size() > 3 && entry.name.ends_with(".in");
}
const Folder::Entry* find(const std::vector<Folder::Entry>& entries, const std::string& name) {
    const auto found = std::ranges::find(entries, name, &Folder::Entry::name);
    return found == entries.end() ? nullptr : &*found;
}

double infinite_number(const std::string& word, const Yaml& where) {
    if (word == "inf" || word == "+inf") return std::numeric_limits<double>::infinity();
    if (word == "-inf") return -std::numeric_limits<double>::infinity();
    try {
        std::size_t used = 0;
        const double value = std::stod(word, &used);
        if (used == word.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {
        where.wrong("'" + word + "' is no number");
    }
    where.wrong("'" + word + "' is no number");
}

void Reader::read_grader_flags(const Yaml& flags, bool is_root, Grading& grading) const {
    using Verdicts = Grading::Verdicts;
    using Scores = Grading::Scores;
    for (const std::string& word : split_words(flags.text(), flags.where())) {
        if (word == "worst_error") grading.verdicts = Verdicts::worst_error;
        else if (word == "first_error") grading.verdicts = Verdicts::first_error;
        else if (word == "always_accept") grading.verdicts = Verdicts::always_accept;
        else if (word == "sum") grading.scores = Scores::sum;
        else if (word == "avg") grading.scores = Scores::avg;
        else if (word == "min") grading.scores = Scores::min;
        else if (word == "max") grading.scores = Scores::max;
        else if (word == "ignore_sample" && is_root) grading.ignore_sample = true;
        else if (word == "ignore_sample") flags.wrong("ignore_sample is for data/ alone");
        else if (word == "accept_if_any_accepted") grading.accept_if_any_accepted = true;
        else flags.wrong("the default grader has no argument '" + word + "'");
    }
}

void Reader::read_legacy_file(const std::string& path, Settings& settings) const {
    if (!folder_.has_file(path)) return;
    const Yaml yaml = Yaml::parse(folder_.read(path, kMaxYamlBytes), path);
    yaml.allow_only({"on_reject", "grading", "grader_flags", "input_validator_flags",
                     "output_validator_flags", "accept_score", "reject_score", "range"});
    Grading& grading = settings.grading;
    if (const Yaml* value = yaml.find("on_reject")) {
        if (value->text() != "break" && value->text() != "continue")
            value->wrong("expected break or continue");
        grading.stops = value->text() == "break";
    }
    const Yaml* custom = yaml.find("grading");
    if (custom != nullptr && custom->text() != "default")
        custom->wrong("custom graders are not run here");
    if (const Yaml* flags = yaml.find("grader_flags")) {
        grading.verdicts = Grading::Verdicts::worst_error;
        grading.scores = Grading::Scores::sum;
        grading.accept_if_any_accepted = false;
        read_grader_flags(*flags, path == "data/testdata.yaml", grading);
    }
    for (const char* key : {"accept_score", "reject_score", "range"}) {
        const Yaml* value = yaml.find(key);
        if (value != nullptr && !problem_.scoring) value->wrong("only of a scoring problem");
    }
    constexpr double kMost = 1e15;
    if (const Yaml* value = yaml.find("accept_score"))
        grading.accept_score = value->number(-kMost, kMost);
    if (const Yaml* value = yaml.find("reject_score"))
        grading.reject_score = value->number(-kMost, kMost);
    if (const Yaml* range = yaml.find("range")) {
        const auto words = split_words(range->text(), range->where());
        if (words.size() != 2) range->wrong("expected two numbers");
        grading.least = infinite_number(words[0], *range);
        grading.most = infinite_number(words[1], *range);
        if (!(grading.least <= grading.most)) range->wrong("the first is the lower one");
    }
    const auto read_flags_of = [&](const char* key, auto&& take) {
        const Yaml* flags = yaml.find(key);
        if (flags == nullptr) return;
        if (flags->kind() == Yaml::Kind::text)
            return take(std::string(), split_words(flags->text(), flags->where()));
        flags->allow_only({"name", "flags"});
        const Yaml* name = flags->find("name");
        const Yaml* words = flags->find("flags");
        take(name != nullptr ? name->text() : std::string(),
             words != nullptr ? split_words(words->text(), words->where())
                              : std::vector<std::string>{});
    };
    read_flags_of("input_validator_flags", [&](const std::string& name, auto words) {
        settings.input_validator_arguments.clear();
        settings.input_validator_arguments[name] = std::move(words);
    });
    read_flags_of("output_validator_flags", [&](const std::string&, auto words) {
        settings.output_validator_arguments = std::move(words); // there is but one validator
    });
}

void Reader::read_case_keys(const Yaml& yaml, Settings& settings) const {
    if (const Yaml* value = yaml.find("args")) settings.arguments = value->texts();
    if (const Yaml* value = yaml.find("output_validator_args"))
        settings.output_validator_arguments = value->texts();
    if (const Yaml* value = yaml.find("input_validator_args")) {
        settings.input_validator_arguments.clear();
        if (value->kind() != Yaml::Kind::map)
            settings.input_validator_arguments[""] = value->texts();
        else
            for (const auto& [name, words] : value->members())
                settings.input_validator_arguments[name] = words.texts();
    }
}

void Reader::read_group_file(const std::string& path, const std::string& name,
                             Settings& settings) const {
    if (!folder_.has_file(path)) return;
    const Yaml yaml =
        Yaml::parse(with_constants(problem_, folder_.read(path, kMaxYamlBytes)), path);
    yaml.allow_only({"max_score", "score_aggregation", "static_validation_score", "require_pass",
                     "args", "input_validator_args", "static_validator_args",
                     "output_validator_args", "input_visualizer_args", "output_visualizer_args",
                     "full_feedback"});
    if (const Yaml* value = yaml.find("static_validation_score"))
        value->wrong("static validation is not done here");
    Grading& grading = settings.grading;
    for (const char* key : {"max_score", "score_aggregation", "require_pass"}) {
        const Yaml* value = yaml.find(key);
        if (value == nullptr) continue;
        if (!problem_.scoring) value->wrong("only of a scoring problem");
        if (!name.starts_with("secret")) value->wrong("only within secret");
    }
    if (const Yaml* value = yaml.find("max_score")) {
        grading.max_score.reset();
        if (value->text() != "unbounded")
            grading.max_score = static_cast<double>(value->whole(0, 1'000'000'000));
    }
    if (const Yaml* value = yaml.find("score_aggregation")) {
        const std::string word = value->text();
        if (word == "pass-fail") grading.scores = Grading::Scores::pass_fail;
        else if (word == "sum") grading.scores = Grading::Scores::sum;
        else if (word == "min") grading.scores = Grading::Scores::min;
        else value->wrong("expected pass-fail, sum or min");
    }
    if (const Yaml* value = yaml.find("require_pass")) grading.require_pass = value->texts();
    read_case_keys(yaml, settings);
}

std::size_t Reader::add_group(const std::string& name, std::size_t parent,
                              const Settings& settings) {
    Group group;
    group.name = name;
    group.parent = parent;
    group.grading = settings.grading;
    problem_.groups.push_back(std::move(group));
    return problem_.groups.size() - 1;
}

TestCase Reader::read_test(const std::string& name, const std::vector<Folder::Entry>& entries,
                           const Settings& settings) const {
    const std::string base = name.substr(name.rfind('/') + 1);
    const std::string path = "data/" + name;
    TestCase test;
    test.name = name;
    test.input = path + ".in";
    test.bytes = find(entries, base + ".in")->bytes;
    if (const Folder::Entry* answer = find(entries, base + ".ans")) {
        test.answer = path + ".ans";
        test.bytes += answer->bytes;
    }
    Settings own = settings;
    if (!legacy_ && find(entries, base + ".yaml") != nullptr) {
        const std::string file = path + ".yaml";
        const Yaml yaml = Yaml::parse(folder_.read(file, kMaxYamlBytes), file);
        yaml.allow_only({"args", "input_validator_args", "output_validator_args",
                         "input_visualizer_args", "output_visualizer_args", "full_feedback", "hint",
                         "description"});
        read_case_keys(yaml, own);
    }
    if (const Folder::Entry* files = find(entries, base + ".files")) {
        if (legacy_ || !files->is_folder) wrong(path + ".files", "does not belong there");
        const Program all = read_program(folder_, path + ".files", base);
        test.files_folder = all.folder;
        test.files = all.files;
        test.bytes += all.bytes;
    }
    test.arguments = std::move(own.arguments);
    test.output_validator_arguments = std::move(own.output_validator_arguments);
    test.input_validator_arguments = std::move(own.input_validator_arguments);
    if (test.bytes > kMaxTestBytes)
        wrong(path, "input, answer and files are larger than " + std::to_string(kMaxTestBytes) +
                        " bytes");
    return test;
}

void Reader::add(TestCase test, std::vector<TestCase>& into) const {
    if (into.size() >= kMaxTests)
        wrong("data", "holds more than " + std::to_string(kMaxTests) + " tests");
    into.push_back(std::move(test));
}

void Reader::read_folder(const std::string& name, std::size_t group, const Settings& settings,
                         std::size_t depth) {
    if (depth > kMaxDepth)
        wrong("data/" + name, "folders in folders, deeper than " + std::to_string(kMaxDepth));
    const auto entries = folder_.list("data/" + name);
    // By the base name, a group's and a test's alike.
    std::vector<std::pair<std::string, const Folder::Entry*>> items;
    for (const Folder::Entry& entry : entries) {
        if (is_input(entry)) items.emplace_back(base_of(entry.name), &entry);
        else if (entry.is_folder && !(entry.name.ends_with(".files") && !legacy_))
            items.emplace_back(entry.name, &entry);
        if (!entry.is_folder && entry.name.ends_with(".ans") &&
            find(entries, entry.name.substr(0, entry.name.size() - 4) + ".in") == nullptr)
            wrong("data/" + name + "/" + entry.name, "has no input of that name");
    }
    std::ranges::sort(items);
    for (const auto& [base, entry] : items) {
        const std::string whole = name + "/" + base;
        if (!entry->is_folder) {
            TestCase test = read_test(whole, entries, settings);
            if (test.answer.empty()) wrong(test.input, "has no answer (.ans)");
            test.group = group;
            add(std::move(test), problem_.tests);
            continue;
        }
        if (find(entries, base + ".in") != nullptr)
            wrong("data/" + whole, "a folder and a test of one name");
        Settings below = settings;
        const std::string file = "data/" + whole + "/" + group_file(legacy_);
        if (legacy_) {
            below.grading.ignore_sample = false;
            read_legacy_file(file, below);
            const std::size_t inner = add_group(whole, group, below);
            read_folder(whole, inner, below, depth + 1);
        } else {
            if (folder_.has_file(file)) wrong(file, "a group lies directly in secret");
            read_folder(whole, group, below, depth + 1);
        }
    }
}

/// 2025-09: all folders of secret are groups, or none is.
void Reader::read_secret_groups(const std::vector<Folder::Entry>& entries, std::size_t secret,
                                const Settings& settings) {
    for (const Folder::Entry& entry : entries) {
        if (is_input(entry))
            wrong("data/secret/" + entry.name, "tests or groups lie in secret, never both");
        if (!entry.is_folder) continue;
        const std::string name = "secret/" + entry.name;
        const std::string file = "data/" + name + "/" + group_file(legacy_);
        if (!folder_.has_file(file)) wrong(file, "is missing, while other folders are groups");
        Settings below = settings;
        below.grading = {};
        below.grading.scores = Grading::Scores::pass_fail;
        read_group_file(file, name, below);
        const std::size_t group = add_group(name, secret, below);
        const std::size_t before = problem_.tests.size();
        read_folder(name, group, below, 2);
        if (problem_.tests.size() == before) wrong("data/" + name, "a group without a test");
    }
}

/// The folders whose tests are for validators alone.
void Reader::read_extra(const std::string& name, bool has_answer, std::vector<TestCase>& into) {
    const std::string path = "data/" + name;
    if (!folder_.has_folder(path)) return;
    Settings settings;
    if (!legacy_) read_group_file(path + "/" + group_file(false), name, settings);
    const auto entries = folder_.list(path);
    for (const Folder::Entry& entry : entries) {
        if (entry.is_folder && !entry.name.ends_with(".files"))
            wrong(path + "/" + entry.name, "folders are not looked into here");
        if (!is_input(entry)) continue;
        TestCase test = read_test(name + "/" + base_of(entry.name), entries, settings);
        const Folder::Entry* output = find(entries, base_of(entry.name) + ".out");
        if (has_answer && (output == nullptr || test.answer.empty()))
            wrong(test.input, "needs an answer (.ans) and an output (.out)");
        if (has_answer) {
            test.output = path + "/" + output->name;
            test.bytes += output->bytes;
        }
        add(std::move(test), into);
    }
}

void Reader::check_groups() const {
    if (legacy_ || !problem_.scoring) return;
    for (const Group& group : problem_.groups) {
        const std::string where = "data/" + group.name + "/test_group.yaml";
        const bool scored = group.name.starts_with("secret");
        if (scored && group.grading.scores == Grading::Scores::pass_fail &&
            !group.grading.max_score)
            wrong(where, "a group that is pass-fail needs a max_score");
        if (scored && !group.grading.max_score &&
            group.grading.scores != Grading::Scores::pass_fail && group.parent != 0 &&
            problem_.groups[group.parent].grading.max_score)
            wrong(where, "needs a max_score, as secret has one");
        for (const std::string& name : group.grading.require_pass) {
            const auto other = std::ranges::find(problem_.groups, name, &Group::name);
            if (other == problem_.groups.end() || !(name < group.name))
                wrong(where, "require_pass: '" + name + "' is no earlier group");
        }
    }
}

void Reader::read() {
    if (!folder_.has_folder("data/secret")) wrong("data/secret", "is missing");
    Settings root;
    if (legacy_) read_legacy_file("data/testdata.yaml", root);
    (void)add_group("", 0, root);
    for (const std::string name : {"sample", "secret"}) {
        if (!folder_.has_folder("data/" + name)) continue;
        Settings settings = root;
        settings.grading.ignore_sample = false;
        const std::string file = "data/" + name + "/" + group_file(legacy_);
        if (legacy_) {
            read_legacy_file(file, settings);
            const std::size_t group = add_group(name, 0, settings);
            read_folder(name, group, settings, 1);
            continue;
        }
        settings.grading.scores =
            name == "secret" ? Grading::Scores::sum : Grading::Scores::pass_fail;
        if (name == "secret") settings.grading.max_score = 100;
        read_group_file(file, name, settings);
        const std::size_t group = add_group(name, 0, settings);
        const auto entries = folder_.list("data/" + name);
        const bool has_groups = std::ranges::any_of(entries, [&](const Folder::Entry& entry) {
            return entry.is_folder &&
                   folder_.has_file("data/" + name + "/" + entry.name + "/" + group_file(false));
        });
        if (has_groups && name == "sample") wrong("data/sample", "must not hold groups");
        if (has_groups) read_secret_groups(entries, group, settings);
        else read_folder(name, group, settings, 1);
    }
    const auto is_secret = [](const TestCase& test) { return test.name.starts_with("secret/"); };
    if (std::ranges::none_of(problem_.tests, is_secret)) wrong("data/secret", "holds no test");
    check_groups();
    read_extra("invalid_input", false, problem_.invalid_inputs);
    if (legacy_) return;
    read_extra("invalid_output", true, problem_.invalid_outputs);
    read_extra("valid_output", true, problem_.valid_outputs);
    const bool has_outputs = !problem_.invalid_outputs.empty() || !problem_.valid_outputs.empty();
    if (has_outputs && (problem_.interactive || problem_.limits.validation_passes > 1))
        wrong("data", "invalid_output and valid_output are of problems that are neither "
                      "interactive nor multi-pass");
}

} // namespace

void read_test_data(const Folder& folder, Problem& problem) { Reader(folder, problem).read(); }

} // namespace cloister::package
