// Field by field. What is wrong names the test that it is wrong in.
#include "daemon/front/judge_requests.h"

#include "daemon/front/fields.h"
#include "daemon/front/judge/feedback.h"
#include "daemon/front/program_fields.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

using nlohmann::json;
using namespace fields;

constexpr std::size_t kMaxGroups = 256;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxKept = 16;
constexpr std::uint64_t kMaxPasses = 10;
constexpr double kMaxPoints = 1e9;

double number_or(const json& object, const char* key, double otherwise, double most) {
    const json* value = find(object, key);
    if (value == nullptr) return otherwise;
    const double number = value->is_number() ? value->get<double>() : -1;
    if (!(number >= 0) || number > most)
        wrong(name_of_field(key) + " must be a number from 0 to " +
              std::to_string(static_cast<long long>(most)) + ".");
    return number;
}

std::string short_name(const json& object, std::string otherwise) {
    std::string name = text_or(object, "name", std::move(otherwise));
    if (name.size() > kMaxName) wrong("A 'name' must be at most 255 bytes long.");
    return name;
}

judge::Earning earning_of(std::string_view name) {
    if (name == "all") return judge::Earning::all;
    if (name == "each") return judge::Earning::each;
    if (name == "sum") return judge::Earning::sum;
    if (name == "min") return judge::Earning::min;
    wrong("The field 'score' of a group must be \"all\", \"each\", \"sum\" or \"min\".");
}

/// Names in the feedback folder of files that are kept from pass to pass.
std::vector<std::string> read_kept(const json& checker) {
    std::vector<std::string> names;
    const json* list = find(checker, "keep");
    if (list == nullptr || *list == "all") return names;
    if (!list->is_array() || list->size() > kMaxKept)
        wrong("The field 'keep' of 'checker' must be \"all\" or a list of at most 16 names.");
    for (const json& item : *list) {
        if (!item.is_string()) wrong("The field 'keep' of 'checker' must be a list of names.");
        auto name = item.get<std::string>();
        if (!judge::is_feedback_name(name))
            wrong("A name in 'keep' must be 1 to 255 letters, digits, '_', '.' or '-', and not "
                  "begin with one of the last two.");
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<judge::Group> read_groups(const json& request) {
    std::vector<judge::Group> groups;
    const json* list = find(request, "groups");
    if (list == nullptr) return groups;
    if (!list->is_array() || list->size() > kMaxGroups)
        wrong("The field 'groups' must be a list of at most 256 objects.");
    for (const json& item : *list) {
        if (!item.is_object()) wrong("Each of 'groups' must be an object with name and points.");
        judge::Group group;
        group.name = short_name(item, {});
        if (group.name.empty()) wrong("Each of 'groups' needs a 'name'.");
        if (std::ranges::find(groups, group.name, &judge::Group::name) != groups.end())
            wrong("Two groups are called '" + group.name + "'.");
        group.points = number_or(item, "points", 0, kMaxPoints);
        const std::string score = text_or(item, "score", "all");
        group.earning = earning_of(score);
        groups.push_back(std::move(group));
    }
    return groups;
}

TestAsked read_test(const json& item, std::size_t number, const std::vector<judge::Group>& groups) {
    if (!item.is_object()) wrong("Each of 'tests' must be an object.");
    TestAsked test;
    test.name = short_name(item, std::to_string(number + 1));
    test.input = decoded_text(item, "stdin");
    test.expected = decoded_text(item, "expected");
    test.limits = read_limits_of(item);
    if (const auto group = maybe_text(item, "group")) {
        const auto found = std::ranges::find(groups, *group, &judge::Group::name);
        if (found == groups.end()) wrong("There is no group '" + group->substr(0, kMaxName) + "'.");
        test.group = static_cast<std::size_t>(found - groups.begin());
    }
    return test;
}

void read_checker(const json& request, const config::Config& bounds, JudgeRequest& judge) {
    const json* given = find(request, "checker");
    if (given == nullptr) return;
    if (!given->is_object() && !given->is_string())
        wrong("The field 'checker' must be an object with a 'type', or its type alone.");
    const std::string type =
        given->is_string() ? given->get<std::string>() : text_or(*given, "type", "token");
    if (type == "exact") judge.manner = judge::Manner::exact;
    else if (type == "lines") judge.manner = judge::Manner::lines;
    else if (type != "token" && type != "program" && type != "interactor")
        wrong("The type of 'checker' must be exact, lines, token, program or interactor.");
    judge.interactive = type == "interactor";
    const bool is_program = judge.interactive || type == "program";
    if (given->is_string() && !is_program) return;
    if (is_program) {
        if (!given->is_object())
            wrong("A checker of type '" + type + "' needs 'language' and 'code'.");
        judge.checker = read_program(*given, bounds);
        judge.kept = read_kept(*given);
        const json* keep = find(*given, "keep");
        judge.keeps_all = keep != nullptr && *keep == "all";
        return;
    }
    if (type != "token") return;
    constexpr double kAnyTolerance = 1e9;
    judge.rules.case_sensitive = flag(*given, "case_sensitive");
    judge.rules.space_sensitive = flag(*given, "space_sensitive");
    if (find(*given, "absolute") != nullptr)
        judge.rules.absolute = number_or(*given, "absolute", 0, kAnyTolerance);
    if (find(*given, "relative") != nullptr)
        judge.rules.relative = number_or(*given, "relative", 0, kAnyTolerance);
}

} // namespace

std::size_t JudgeRequest::bytes() const {
    const auto size_of = [](const ExecuteCode& one) {
        std::size_t sum = one.code ? one.code->size() : 0;
        for (const SourceFile& file : one.files) sum += file.path.size() + file.content.size();
        return sum;
    };
    std::size_t sum = size_of(program) + (checker ? size_of(*checker) : 0);
    for (const TestAsked& test : tests)
        sum += sizeof test + test.name.size() + test.input.size() + test.expected.size();
    return sum;
}

JudgeRequest read_judge(const json& request, const config::Config& bounds) {
    JudgeRequest judge;
    judge.program = read_program(request, bounds);
    judge.groups = read_groups(request);
    const json* tests = find(request, "tests");
    if (tests == nullptr || !tests->is_array() || tests->empty())
        wrong("The field 'tests' must be a list of at least one test.");
    if (tests->size() > bounds.judge_tests)
        throw Wrong{"too_large",
                    "At most " + std::to_string(bounds.judge_tests) + " tests may be given."};
    for (const json& item : *tests)
        judge.tests.push_back(read_test(item, judge.tests.size(), judge.groups));
    read_checker(request, bounds, judge);
    judge.stop_at_first_failure = flag(request, "stop_at_first_failure");
    if (find(request, "passes") != nullptr) judge.passes = need_count(request, "passes");
    if (judge.passes < 1 || judge.passes > kMaxPasses)
        wrong("The field 'passes' must be a number from 1 to 10.");
    if (judge.passes > 1 && !judge.checker)
        wrong("The field 'passes' needs a checker of type program or interactor.");
    return judge;
}

} // namespace cloister::front
