// Each rule finds what it is for, leaves alone what looks like it, and its fix mends what it found.
// The samples are files, one for each language: `=== RULE bad LINE` or `=== RULE good`, then code.
#include "tests/analysis/fixture.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

using namespace cloister::analyst;
using nlohmann::json;

namespace {

struct Sample {
    std::string rule;
    int bad_line = 0; ///< 0: a good one
    std::string code;
    int at = 0; ///< line of the samples' file
};

std::vector<Sample> read_samples(const std::string& path) {
    std::vector<Sample> samples;
    std::istringstream lines(read_file(path));
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (!line.starts_with("=== ")) {
            if (!samples.empty()) samples.back().code += line + "\n";
            continue;
        }
        std::istringstream words(line.substr(4));
        Sample sample;
        std::string kind;
        words >> sample.rule >> kind;
        if (kind == "bad") words >> sample.bad_line;
        sample.at = number;
        samples.push_back(sample);
    }
    return samples;
}

const json* issue_of(const json& analysis, const std::string& rule) {
    for (const json& issue : analysis.at("issues")) {
        if (issue.at("rule") == rule) return &issue;
    }
    return nullptr;
}

std::string applied(const std::string& code, const json& fix) {
    const Source source(code);
    const auto place = [&](const char* which) {
        const json& at = fix.at("range").at(which);
        return source.byte({.line = at.at("line"), .column = at.at("column")});
    };
    return code.substr(0, place("start")) + fix.at("text").get<std::string>() +
           code.substr(place("end"));
}

void check(const Language& language, const Sample& sample) {
    INFO(language.id << ", sample at line " << sample.at << " of " << sample.rule << ":\n"
                     << sample.code);
    const json analysis = json::parse(analyse(language, {.content = sample.code}));
    INFO(analysis.at("issues").dump(1));
    const json* issue = issue_of(analysis, sample.rule);
    if (sample.bad_line == 0) {
        CHECK(issue == nullptr);
        CHECK(analysis.at("syntax_valid") == true);
        return;
    }
    REQUIRE(issue != nullptr);
    CHECK(issue->at("line") == sample.bad_line);
    CHECK_FALSE(issue->at("message").get<std::string>().empty());
    if (!issue->contains("fix")) return;
    const std::string mended = applied(sample.code, issue->at("fix"));
    INFO("mended:\n" << mended);
    const json after = json::parse(analyse(language, {.content = mended}));
    CHECK(issue_of(after, sample.rule) == nullptr);
    CHECK(after.at("syntax_valid") == analysis.at("syntax_valid"));
}

} // namespace

TEST_CASE("every rule finds its bad samples, and no good one", "[rules]") {
    for (const auto& [id, language] : all_languages()) {
        for (const Sample& sample : read_samples(samples_path(id))) {
            REQUIRE(language->rules.contains(sample.rule));
            check(*language, sample);
        }
    }
}

TEST_CASE("every rule has a bad sample and two good ones, in every language", "[rules]") {
    for (const auto& [id, language] : all_languages()) {
        std::map<std::string, int> bad;
        std::map<std::string, int> good;
        for (const Sample& sample : read_samples(samples_path(id)))
            ++(sample.bad_line > 0 ? bad : good)[sample.rule];
        CHECK(language->rules.size() >= 15);
        for (const auto& [name, rule] : language->rules) {
            INFO(id << ": " << name);
            CHECK(bad[name] >= 1);
            CHECK(good[name] >= 2);
        }
    }
}

TEST_CASE("every message is said in English and in Korean, and names its peer", "[rules]") {
    for (const auto& [id, language] : all_languages()) {
        for (const auto& [name, rule] : language->rules) {
            INFO(id << ": " << name);
            CHECK_FALSE(rule.peer.empty());
            for (const Spoken* text : {&rule.message, &rule.suggestion}) {
                const bool has_korean =
                    std::any_of(text->at(1).begin(), text->at(1).end(),
                                [](char c) { return static_cast<unsigned char>(c) >= 0xEA; });
                CHECK_FALSE(text->at(0).empty());
                CHECK((has_korean || text->at(1).find('{') != std::string::npos));
            }
        }
    }
}

TEST_CASE("a query that does not fit its grammar is refused with its place", "[rules]") {
    const Language& python = *all_languages().at("python");
    const auto refused = [&](const std::string& text) {
        try {
            (void)Query(python.grammar, {{"rules", text}});
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refused("(no_such_node) @here").find("no such node") != std::string::npos);
    CHECK(refused("(call nowhere: (_) @here)").find("no such field") != std::string::npos);
    CHECK(refused("\n\n(call @here").find("rules:3") != std::string::npos);
    CHECK(refused("((call) @here (#fancy? @here))").find("#fancy?") != std::string::npos);
    CHECK(refused("((call) @here (#inside? @here \"nowhere\"))").find("nowhere") !=
          std::string::npos);
    CHECK(refused("((call) @here (#count? @here \"x\"))").find("number") != std::string::npos);
    CHECK(refused("((call) @here (#count? @here 1))").empty());
}

TEST_CASE("where rules say nothing is bounded, and refused in words", "[query]") {
    const std::string folder = CLOISTER_SOURCE "/runtimes/python/analysis/";
    Texts texts;
    for (const char* name :
         {"language.jsonc", "rules.jsonc", "scopes.scm", "metrics.scm", "members.json",
          "rules/comparisons.scm", "rules/literals.scm", "rules/statements.scm"})
        texts[name] = read_file(folder + name);
    const std::string common = read_file(CLOISTER_SOURCE "/runtimes/grammars/common.jsonc");
    const auto refused = [&](const std::string& more) {
        Texts with = texts;
        with["scopes.scm"] += "\n" + more;
        try {
            (void)load_language("python", with, common);
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    // Python has two of its own.
    const std::string five = "(comment) @without.bare-except (comment) @without.is-literal "
                             "(comment) @without.unused-variable ";
    CHECK(refused(five).empty());
    CHECK(refused(five + "(comment) @without.if-tuple").find("too many rules") !=
          std::string::npos);
    CHECK(refused("(comment) @without.nothing").find("'nothing'") != std::string::npos);
}

#ifdef __SANITIZE_ADDRESS__
// tree-sitter forgets eight bytes of a query that it refuses; nobody but the test above gives it
// one and lives on.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
    return "leak:ts_query__parse_pattern";
}
#endif
