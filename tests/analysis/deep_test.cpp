// What checkers print is read by the language's forms, put beside the engine's own findings once
// each, and harms nobody when it is rubbish.
#include "daemon/analyst/engine/deep.h"
#include "tests/analysis/fixture.h"

#include <algorithm>

#include <nlohmann/json.hpp>

using namespace cloister::analyst;
using nlohmann::json;

namespace {

json deep(const std::string& language, const std::string& code, const std::string& output,
          int exit_code = 1, const std::string& problem = "") {
    (void)all_languages(); // before the budget begins
    Asked asked{.content = code};
    asked.checked = Checked{.problem = problem, .exit_code = exit_code, .output = output};
    return json::parse(analyse(*all_languages().at(language), asked));
}

std::vector<std::string> rules_of(const json& analysis) {
    std::vector<std::string> rules;
    for (const json& issue : analysis.at("issues")) rules.push_back(issue.at("rule"));
    return rules;
}

using Rules = std::vector<std::string>;

} // namespace

TEST_CASE("each language's checker is understood, and says nothing twice", "[deep]") {
    struct Case {
        const char* language;
        const char* code;
        const char* output;
        Rules rules;
        const char* checker;
        int line;   ///< of the last issue
        int column; ///< in UTF-16 units from 0
    };
    const Case cases[] = {
        {"python",
         "import os\nx = '%d' % (1, 2)\n",
         "1:1:UnusedImport:'os' imported but unused\n"
         "2:5:PercentFormatPositionalCountMismatch:'...' % ... has 1 placeholder(s)\n"
         "checkers: CPython pyflakes\n",
         {"unused-import", "PercentFormatPositionalCountMismatch"},
         "pyflakes",
         2,
         4},
        {"javascript",
         "let 한 = 1; if (한 === 한) f();\nlet b; let b;\n",
         "2:12:error:SyntaxError:Identifier 'b' has already been declared\ncheckers: node\n",
         {"no-self-compare", "SyntaxError"},
         "node",
         2,
         11},
        {"java",
         "class A { boolean f(String s) { return s == \"x\"; }\n\tint g() { 한(); return \"no\"; } "
         "}\n",
         "A.java:2: error: incompatible types: String cannot be converted to int\n"
         "\tint g() { 한(); return \"no\"; } }\n\t                      ^\n1 error\n",
         {"string-equality", "javac"},
         "javac",
         2,
         23},
        {"go",
         "package p\n\nimport \"fmt\"\n\nfunc f() {\n\tfmt.Printf(\"%d\", "
         "\"가\")\n\treturn\n\tf()\n}\n",
         "# command-line-arguments\n./main.go:6:2: fmt.Printf format %d has arg \"가\" of wrong "
         "type "
         "string\n./main.go:8:2: unreachable code\n",
         {"go vet", "unreachable"},
         "go vet",
         8,
         1},
        {"c",
         "int f(int a) {\n    int b;\n    if (a = 1) g();\n    return 1;\n}\n",
         "main.c: In function 'f':\n"
         "main.c:3:16: warning: implicit declaration of function 'g' "
         "[-Wimplicit-function-declaration]\n"
         "main.c:3:9: warning: suggest parentheses around assignment used as truth value "
         "[-Wparentheses]\nmain.c:2:9: warning: unused variable 'b' [-Wunused-variable]\n",
         {"unused-variable", "assignment-in-condition", "-Wimplicit-function-declaration"},
         "gcc",
         3,
         15},
        {"cpp",
         "int f() {\n    /* 한 */ return s;\n}\n",
         "main.cpp:2:22: error: 's' was not declared in this scope\n",
         {"g++"},
         "g++",
         2,
         19},
    };
    for (const Case& one : cases) {
        const json analysis = deep(one.language, one.code, one.output);
        INFO(one.language << "\n" << analysis.dump(1));
        CHECK(analysis.at("tier") == "deep");
        CHECK(analysis.at("checkers").back() == one.checker);
        CHECK_FALSE(analysis.contains("note"));
        REQUIRE(rules_of(analysis) == one.rules);
        const json& last = analysis.at("issues").back();
        CHECK(last.at("line") == one.line);
        CHECK(last.at("column") == one.column);
        for (const json& issue : analysis.at("issues")) {
            if (!issue.contains("tier")) continue;
            CHECK(issue.at("tier") == "deep");
            CHECK(issue.at("suggestion")
                      .get<std::string>()
                      .find(issue.at("peer").get<std::string>().substr(0, 2)) != std::string::npos);
        }
    }
}

TEST_CASE("what the instant tier has missed is taken from a checker under our name", "[deep]") {
    // To the engine a name that begins with _ is unused on purpose.
    const json analysis =
        deep("python", "def f():\n    x = 1\n    _x = 2\n    return x\n",
             "3:5:UnusedVariable:local variable '_x' is assigned to but never used\n"
             "checkers: CPython pyflakes\n");
    REQUIRE(rules_of(analysis) == Rules{"unused-variable"});
    CHECK(analysis.at("issues")[0].at("category") == "unused");
    CHECK(analysis.at("issues")[0].at("line") == 3);
}

TEST_CASE("an error of syntax that both know is told once, one that only a checker knows counts",
          "[deep]") {
    const json both = deep("c", "int f( {\n    return 1;\n}\n",
                           "main.c:1:8: error: expected declaration specifiers before '{' token\n");
    CHECK(rules_of(both) == Rules{"syntax-error"});
    const json one = deep("javascript", "let a; let a;\n",
                          "1:12:error:SyntaxError:Identifier 'a' has already been declared\n"
                          "checkers: node\n");
    CHECK(one.at("syntax_valid") == false);
    CHECK(one.at("quality_score") <= 40);
    const json types = deep("c", "int f(void) {\n    return g;\n}\n",
                            "main.c:2:12: error: 'g' undeclared (first use in this function)\n");
    CHECK(types.at("syntax_valid") == true);
    CHECK(types.at("issues")[0].at("type") == "error");
}

TEST_CASE("a checker that says nothing, or nothing that makes sense", "[deep]") {
    const std::string code = "import os\n";
    const auto is_instant = [&](const json& analysis, const char* note) {
        INFO(analysis.dump(1));
        CHECK(analysis.at("tier") == "instant");
        CHECK(analysis.at("checkers").empty());
        CHECK(analysis.at("note_code") == note);
        CHECK_FALSE(analysis.at("note").get<std::string>().empty());
        CHECK(rules_of(analysis) == Rules{"unused-import"});
    };
    for (const char* problem : {"absent", "busy", "late", "failed"})
        is_instant(deep("python", code, "1:1:UndefinedName:x\n", 0, problem), problem);
    for (const std::string& output :
         {std::string(), std::string("Traceback (most recent call last):\n  File\n"),
          std::string(300'000, '9'), std::string(300'000, '\n'),
          std::string("99999999999999999999:1:A:b\n0:0:A:b\n7:1:A:b\n"), std::string(1000, '\0')})
        is_instant(deep("python", code, output, 1), "failed");
    const json silent = deep("python", code, "", 0);
    CHECK(silent.at("tier") == "deep");
    CHECK(silent.at("checkers") == json{"CPython"});
}

TEST_CASE("what checkers bring is bounded, in number and in length", "[deep]") {
    std::string output;
    for (int i = 0; i < 3000; ++i)
        output += "1:1:Made" + std::to_string(i) + ":" + std::to_string(i) +
                  std::string(5000, 'x') + "\n";
    const json analysis = deep("python", "x = 1\n", output);
    CHECK(analysis.at("issues").size() == kMaxIssues);
    CHECK(analysis.at("truncated") == true);
    for (const json& issue : analysis.at("issues"))
        CHECK(issue.at("message").get<std::string>().size() < 500);
    // A line is cut before a regular expression sees it, whatever is in it.
    for (const char* piece : {"a:", "1:", "(", "error: ", "[-W", "가", "\\"}) {
        std::string line;
        while (line.size() < 100'000) line += piece;
        for (const auto& [id, language] : all_languages()) {
            if (language->deep == nullptr) continue;
            CHECK(deep(id, "x\n", "1:1:" + line + "\nmain.c:1:1: error: " + line).at("success") ==
                  true);
        }
    }
}

TEST_CASE("every language has checkers, and its forms name rules that there are", "[deep]") {
    for (const auto& [id, language] : all_languages()) {
        INFO(id);
        REQUIRE(language->deep != nullptr);
        CHECK_FALSE(language->deep->patterns.empty());
        CHECK_FALSE(language->deep->same.empty());
    }
    const auto& rules = all_languages().at("python")->rules;
    const auto refused = [&](const std::string& text) {
        try {
            (void)read_deep_plan(text, "deep.jsonc", rules);
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string head = R"x({"checkers": ["a"], "patterns": [{"checker": )x";
    CHECK(refused(R"x({"checkers": [], "patterns": []})x").find("at least") != std::string::npos);
    CHECK(refused(head + R"x("a", "form": "(", "fields": []}]})x").find("form") !=
          std::string::npos);
    CHECK(refused(head + R"x("b", "form": "x", "fields": []}]})x").find("no checker is called b") !=
          std::string::npos);
    CHECK(refused(head + R"x("a", "form": "(x)", "fields": []}]})x").find("for each group") !=
          std::string::npos);
    const std::string none = R"x({"checkers": ["a"], "patterns": [], )x";
    CHECK(refused(none + R"x("same": {"x": ["no-such"]}})x").find("no-such") != std::string::npos);
    CHECK(refused(none + R"x("severities": {"x": "awful"}})x").find("awful") != std::string::npos);
    CHECK(refused(none + R"x("more": 1})x").find("more") != std::string::npos);
}
