// problem.yaml, and the programs that are not submissions.
#include "daemon/package/problem.h"

#include "daemon/package/error.h"
#include "daemon/package/languages.h"
#include "daemon/package/yaml.h"

#include <algorithm>
#include <charconv>

namespace cloister::package {
namespace {

constexpr std::uint64_t kMostMib = 1024 * 1024;
constexpr std::uint64_t kMostSeconds = 24 * 60 * 60;
constexpr double kMostFactor = 1000;

std::optional<std::uint64_t> whole(const Yaml& map, std::string_view key, std::uint64_t most) {
    const Yaml* value = map.find(key);
    if (value == nullptr) return std::nullopt;
    return value->whole(1, most);
}

void read_times(const Yaml& limits, bool legacy, Limits& out) {
    if (const Yaml* value = limits.find("time_limit"))
        out.time_limit = value->number(1e-3, static_cast<double>(kMostSeconds));
    if (legacy) {
        if (const Yaml* value = limits.find("time_multiplier"))
            out.ac_to_time_limit = value->number(1, kMostFactor);
        if (const Yaml* value = limits.find("time_safety_margin"))
            out.time_limit_to_tle = value->number(1, kMostFactor);
        return;
    }
    out.ac_to_time_limit = 2.0;
    out.time_limit_to_tle = 1.5;
    out.time_resolution = 1.0;
    if (const Yaml* value = limits.find("time_resolution"))
        out.time_resolution = value->number(1e-3, static_cast<double>(kMostSeconds));
    const Yaml* multipliers = limits.find("time_multipliers");
    if (multipliers == nullptr) return;
    multipliers->allow_only({"ac_to_time_limit", "time_limit_to_tle"});
    if (const Yaml* value = multipliers->find("ac_to_time_limit"))
        out.ac_to_time_limit = value->number(1, kMostFactor);
    if (const Yaml* value = multipliers->find("time_limit_to_tle"))
        out.time_limit_to_tle = value->number(1, kMostFactor);
}

void read_limits(const Yaml& limits, bool legacy, bool multi_pass, Limits& out) {
    std::vector<std::string_view> keys = {"memory",
                                          "output",
                                          "code",
                                          "compilation_time",
                                          "validation_time",
                                          "validation_memory",
                                          "validation_output",
                                          "compilation_memory"};
    // time_limit is no key of legacy, yet widely given.
    if (legacy) keys.insert(keys.end(), {"time_limit", "time_multiplier", "time_safety_margin"});
    else
        keys.insert(keys.end(),
                    {"time_limit", "time_resolution", "time_multipliers", "validation_passes"});
    limits.allow_only(keys);
    read_times(limits, legacy, out);
    out.memory_mib = whole(limits, "memory", kMostMib);
    out.output_mib = whole(limits, "output", kMostMib);
    out.code_kib = whole(limits, "code", kMostMib);
    out.compilation_time = whole(limits, "compilation_time", kMostSeconds);
    out.compilation_memory_mib = whole(limits, "compilation_memory", kMostMib);
    out.validation_time = whole(limits, "validation_time", kMostSeconds);
    out.validation_memory_mib = whole(limits, "validation_memory", kMostMib);
    out.validation_output_mib = whole(limits, "validation_output", kMostMib);
    if (multi_pass) out.validation_passes = 2;
    const Yaml* passes = limits.find("validation_passes");
    if (passes == nullptr) return;
    if (!multi_pass) passes->wrong("only of a multi-pass problem");
    out.validation_passes = passes->whole(2, 1'000);
}

/// Without a package's control characters.
std::string name_of_problem(const Yaml& yaml, const std::string& otherwise) {
    const Yaml* name = yaml.find("name");
    if (name == nullptr) return otherwise;
    if (name->kind() == Yaml::Kind::text) return name->text();
    if (name->kind() != Yaml::Kind::map || name->members().empty())
        name->wrong("expected a text, or one for each language");
    const Yaml* english = name->find("en");
    return english != nullptr ? english->text() : name->members().front().second.text();
}

struct Validation {
    bool custom = false;
    bool interactive = false;
};

Validation read_validation(const Yaml& yaml, bool scoring) {
    Validation out;
    const Yaml* given = yaml.find("validation");
    if (given == nullptr) return out;
    const auto words = split_words(given->text(), given->where());
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (i == 0 && (word == "default" || word == "custom")) out.custom = word == "custom";
        else if (i > 0 && out.custom && word == "interactive") out.interactive = true;
        else if (i > 0 && out.custom && word == "score" && scoring) continue;
        else
            given->wrong("'" + word +
                         "' does not belong there: default, or custom [score] "
                         "[interactive]; score of a scoring problem only");
    }
    return out;
}

void read_legacy(const Yaml& yaml, Problem& problem, bool& custom) {
    yaml.allow_only({"problem_format_version", "type", "name", "uuid", "author", "source",
                     "source_url", "license", "rights_owner", "limits", "validation",
                     "validator_flags", "grading", "keywords"});
    if (const Yaml* type = yaml.find("type")) {
        if (type->text() != "pass-fail" && type->text() != "scoring")
            type->wrong("expected pass-fail or scoring");
        problem.scoring = type->text() == "scoring";
    }
    const Validation validation = read_validation(yaml, problem.scoring);
    custom = validation.custom;
    problem.interactive = validation.interactive;
    if (const Yaml* grading = yaml.find("grading")) {
        grading->allow_only({"objective", "show_test_data_groups", "on_reject", "accept_score",
                             "reject_score", "range"});
        const Yaml* objective = grading->find("objective");
        if (objective != nullptr && objective->text() != "max" && objective->text() != "min")
            objective->wrong("expected max or min");
        problem.minimize = objective != nullptr && objective->text() == "min";
    }
}

void read_types(const Yaml& yaml, Problem& problem, bool& multi_pass) {
    const Yaml* type = yaml.find("type");
    if (type == nullptr) return;
    bool pass_fail = false;
    for (const std::string& word : type->texts()) {
        if (word == "scoring") problem.scoring = true;
        else if (word == "interactive") problem.interactive = true;
        else if (word == "multi-pass") multi_pass = true;
        else if (word == "pass-fail") pass_fail = true;
        else if (word == "submit-answer") type->wrong("submit-answer cannot be judged here");
        else type->wrong("there is no type '" + word + "'");
    }
    if (pass_fail && problem.scoring) type->wrong("pass-fail and scoring exclude one another");
}

void read_constants(const Yaml& yaml, Problem& problem) {
    const Yaml* constants = yaml.find("constants");
    if (constants == nullptr) return;
    constants->allow_only([&] {
        std::vector<std::string_view> all;
        for (const auto& member : constants->members()) all.push_back(member.first);
        return all;
    }());
    for (const auto& [name, value] : constants->members()) {
        if (value.kind() == Yaml::Kind::text) {
            problem.constants[name] = problem.constants[name + ".value"] = value.text();
            continue;
        }
        if (value.find("value") == nullptr) value.wrong("a constant needs a value");
        for (const auto& [variant, text] : value.members())
            problem.constants[name + "." + variant] = text.text();
        problem.constants[name] = value.find("value")->text();
    }
}

void read_2025(const Yaml& yaml, Problem& problem, bool& multi_pass) {
    yaml.allow_only({"problem_format_version", "type", "name", "uuid", "version", "credits",
                     "source", "license", "rights_owner", "embargo_until", "limits", "keywords",
                     "languages", "allow_file_writing", "constants"});
    if (yaml.find("name") == nullptr) yaml.wrong("'name' is missing");
    if (yaml.find("uuid") == nullptr) yaml.wrong("'uuid' is missing");
    read_types(yaml, problem, multi_pass);
    read_constants(yaml, problem);
    const Yaml* languages = yaml.find("languages");
    if (languages != nullptr) problem.languages = languages->texts();
    if (problem.languages == std::vector<std::string>{"all"}) problem.languages.clear();
}

/// Legacy: a file of one number beside problem.yaml, as judges write it at installation.
void read_time_file(const Folder& folder, Limits& limits) {
    constexpr const char* kFile = ".timelimit";
    if (!folder.has_file(kFile)) return;
    std::string text = folder.read(kFile, 64);
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    double seconds = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || stop != text.data() + text.size() || !(seconds > 0) ||
        seconds > static_cast<double>(kMostSeconds))
        wrong(kFile, "expected a number of seconds");
    limits.time_limit = seconds;
}

void walk(const Folder& folder, const std::string& top, const std::string& below, Program& out) {
    if (static_cast<std::size_t>(std::ranges::count(below, '/')) >= kMaxDepth)
        wrong(top, "folders in folders, deeper than " + std::to_string(kMaxDepth));
    for (const Folder::Entry& entry : folder.list(below.empty() ? top : top + "/" + below)) {
        const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
        if (entry.is_folder) {
            walk(folder, top, path, out);
            continue;
        }
        out.files.push_back(path);
        out.bytes += entry.bytes;
        if (out.files.size() > kMaxProgramFiles)
            wrong(top, "holds more than " + std::to_string(kMaxProgramFiles) + " files");
    }
}

/// Everything in a folder of programs, each a program.
std::vector<Program> read_validators(const Folder& folder, const std::string& top) {
    std::vector<Program> programs;
    if (!folder.has_folder(top)) return programs;
    for (const Folder::Entry& entry : folder.list(top)) {
        const std::string path = top + "/" + entry.name;
        if (entry.name.ends_with(".ctd") || entry.name.ends_with(".viva"))
            wrong(path, "validators in Checktestdata or VIVA cannot be run here");
        if (!entry.is_folder && language_of(entry.name).empty()) continue; // README and the like
        Program program = read_program(folder, path, path);
        for (const char* script : {"build", "run"}) {
            if (std::ranges::find(program.files, script) != program.files.end())
                wrong(path, std::string("its script '") + script + "' cannot be run here");
        }
        program.language = single_language(program.files, path);
        program.entry = default_entry(program.language, program.files);
        programs.push_back(std::move(program));
    }
    return programs;
}

/// 2025-09: output_validator/ holds one program, or is it.
std::optional<Program> read_output_validator(const Folder& folder, bool legacy) {
    const std::string top = legacy ? "output_validators" : "output_validator";
    if (!folder.has_folder(top)) return std::nullopt;
    if (!legacy) {
        const auto entries = folder.list(top);
        const bool is_program = std::ranges::any_of(entries, [](const Folder::Entry& entry) {
            return !entry.is_folder && (!language_of(entry.name).empty() || entry.name == "build" ||
                                        entry.name == "run");
        });
        if (is_program) {
            Program program = read_program(folder, top, top);
            for (const char* script : {"build", "run"}) {
                if (std::ranges::find(program.files, script) != program.files.end())
                    wrong(top, std::string("its script '") + script + "' cannot be run here");
            }
            program.language = single_language(program.files, top);
            program.entry = default_entry(program.language, program.files);
            return program;
        }
    }
    std::vector<Program> all = read_validators(folder, top);
    if (all.size() > 1) wrong(top, "more than one output validator cannot be run here");
    if (all.empty()) return std::nullopt;
    return std::move(all.front());
}

void read_includes(const Folder& folder, Problem& problem) {
    if (!folder.has_folder("include")) return;
    for (const Folder::Entry& entry : folder.list("include")) {
        const std::string path = "include/" + entry.name;
        if (!entry.is_folder) wrong(path, "files lie in the folder of a language");
        problem.includes.emplace(entry.name, read_program(folder, path, path));
    }
}

} // namespace

bool Rule::bounds_below() const {
    if (time_use != TimeUse::by_rule) return time_use == TimeUse::lower;
    return permitted && std::ranges::find(*permitted, Verdict::TLE) == permitted->end();
}

bool Rule::bounds_above() const {
    if (time_use != TimeUse::by_rule) return time_use == TimeUse::upper;
    return required && *required == std::vector{Verdict::TLE};
}

Program read_program(const Folder& folder, const std::string& path, const std::string& name) {
    Program program;
    program.name = name;
    if (folder.has_folder(path)) {
        program.folder = path;
        walk(folder, path, {}, program);
        if (program.files.empty()) wrong(path, "is empty");
    } else {
        const std::size_t slash = path.rfind('/');
        program.folder = path.substr(0, slash);
        program.files = {path.substr(slash + 1)};
        for (const Folder::Entry& entry : folder.list(program.folder))
            if (entry.name == program.files.front()) program.bytes = entry.bytes;
    }
    if (program.bytes > kMaxProgramBytes)
        wrong(path, "is larger than " + std::to_string(kMaxProgramBytes) + " bytes");
    return program;
}

std::string with_constants(const Problem& problem, std::string text) {
    if (problem.constants.empty()) return text;
    std::string out;
    std::size_t done = 0;
    for (;;) {
        const std::size_t open = text.find("{{", done);
        const std::size_t close = open == std::string::npos ? open : text.find("}}", open);
        if (close == std::string::npos) break;
        const auto found = problem.constants.find(text.substr(open + 2, close - open - 2));
        if (found == problem.constants.end()) {
            out += text.substr(done, open + 1 - done); // a brace further on may open one
            done = open + 1;
            continue;
        }
        out += text.substr(done, open - done) + found->second;
        done = close + 2;
    }
    return out + text.substr(done);
}

Problem read_problem(const Folder& folder, const std::string& chosen) {
    Problem problem;
    constexpr const char* kFile = "problem.yaml";
    const Yaml yaml = Yaml::parse(folder.read(kFile, kMaxYamlBytes), kFile);
    const Yaml* version = yaml.find("problem_format_version");
    const std::string format = version == nullptr ? "legacy" : version->text();
    const bool legacy = format == "legacy" || format == "legacy-icpc";
    if (!legacy && format != "2025-09")
        version->wrong("version '" + format + "' is not known here: legacy, 2025-09");
    problem.format = legacy ? Format::legacy : Format::v2025_09;
    problem.name = name_of_problem(yaml, folder.name());
    bool custom = !legacy;
    bool multi_pass = false;
    if (legacy) read_legacy(yaml, problem, custom);
    else read_2025(yaml, problem, multi_pass);
    const Yaml nothing = Yaml::parse("", "problem.yaml: limits");
    const Yaml* limits = yaml.find("limits");
    read_limits(limits != nullptr ? *limits : nothing, legacy, multi_pass, problem.limits);
    if (legacy) read_time_file(folder, problem.limits);
    if (folder.has_folder("static_validator"))
        wrong("static_validator", "static validation is not done here");
    if (folder.has_folder("graders")) wrong("graders", "custom graders are not run here");

    if (custom) problem.output_validator = read_output_validator(folder, legacy);
    if (legacy && custom && !problem.output_validator)
        wrong("output_validators", "validation is custom, but there is no validator");
    if ((problem.interactive || multi_pass) && !problem.output_validator)
        wrong("output_validator", "an interactive or multi-pass problem needs one");
    problem.input_validators = read_validators(folder, "input_validators");
    if (legacy && problem.input_validators.empty())
        problem.input_validators = read_validators(folder, "input_format_validators");
    read_includes(folder, problem);
    read_test_data(folder, problem);
    read_submissions(folder, problem, chosen);
    const Yaml* flags = legacy ? yaml.find("validator_flags") : nullptr;
    if (flags != nullptr) {
        const auto words = split_words(flags->text(), flags->where());
        for (TestCase& test : problem.tests)
            test.output_validator_arguments.insert(test.output_validator_arguments.begin(),
                                                   words.begin(), words.end());
    }
    if (problem.output_validator) return problem;
    for (const auto* tests : {&problem.tests, &problem.invalid_outputs, &problem.valid_outputs}) {
        for (const TestCase& test : *tests)
            (void)read_flags(test.output_validator_arguments, test.name);
    }
    return problem;
}

} // namespace cloister::package
