// The engine: what it counts, where it says things are, what it suggests, and that it ends.
#include "daemon/analyst/engine/query.h"
#include "daemon/analyst/engine/requests.h"
#include "tests/analysis/fixture.h"

#include <algorithm>

#include <nlohmann/json.hpp>

using namespace cloister::analyst;
using nlohmann::json;

namespace {

json analysed(const std::string& language, const std::string& code) {
    (void)all_languages(); // before the budget begins
    return json::parse(analyse(*all_languages().at(language), {.content = code}));
}

/// Suggestions where `|` stands in the code.
std::vector<std::string> suggested(const std::string& language, std::string code) {
    const std::size_t at = code.find('|');
    REQUIRE(at != std::string::npos);
    code.erase(at, 1);
    const Source source(code);
    Asked asked{.content = code};
    asked.position = source.position(static_cast<std::uint32_t>(at));
    std::vector<std::string> labels;
    for (const json& one : json::parse(suggest(*all_languages().at(language), asked)))
        labels.push_back(one.at("label"));
    return labels;
}

bool has(const std::vector<std::string>& labels, const std::string& label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::string repeated(const std::string& piece, std::size_t bytes) {
    std::string text;
    while (text.size() + piece.size() <= bytes) text += piece;
    return text;
}

} // namespace

TEST_CASE("positions are lines and UTF-16 columns, both ways", "[engine]") {
    const Source source("a\r\nbé😀c\r\rd");
    CHECK(source.lines() == 4);
    CHECK(source.line(1) == "bé😀c");
    const auto c = static_cast<std::uint32_t>(source.text().find('c'));
    CHECK(source.position(c).line == 1);
    CHECK(source.position(c).column == 4);
    CHECK(source.byte({.line = 1, .column = 4}) == c);
    CHECK(source.byte({.line = 9, .column = 9}) == source.size());
    CHECK(source.byte({.line = 0, .column = 99}) == 1);
    CHECK(source.position(999).line == 3);
    CHECK(lines_with_text("a\n\n \nb") == 2);
}

TEST_CASE("globs", "[engine]") {
    CHECK(is_like("0644", "0[0-7]*"));
    CHECK_FALSE(is_like("0844", "0[0-7]*"));
    CHECK(is_like("abc", "?b?"));
    CHECK(is_like("", "*"));
    CHECK_FALSE(is_like("", "?"));
    CHECK(is_like("aXbXc", "*X*c"));
    CHECK_FALSE(is_like(std::string(4000, 'a'), "*a*a*a*a*a*a*b"));
}

TEST_CASE("cyclomatic complexity is that of radon, ESLint, PMD and gocyclo", "[engine]") {
    struct Case {
        const char* language;
        const char* code;
        int complexity;
        int cognitive;
    };
    const Case cases[] = {
        {"python", "def f(a):\n    if a and b or c:\n        for x in y:\n            pass\n", 5,
         5},
        {"python",
         "def f(a):\n    if a:\n        pass\n    elif b:\n        pass\n    else:\n        pass\n",
         3, 3},
        {"python", "def f(a):\n    return [x for x in a if x]\n", 3, 0},
        {"javascript", "function f(a) { if (a) { g(); } else if (b) { h(); } else { i(); } }", 3,
         3},
        {"javascript", "function f(a) { while (a && b && c) { if (d) g(); } }", 5, 4},
        {"javascript",
         "function f(a) { switch (a) { case 1: g(); break; case 2: h(); break; default: i(); } }",
         3, 1},
        {"java", "class A { void f(int a) { for (;;) { if (a > 1 || a < 0) g(); } } }", 4, 4},
        {"java", "class A { void f(int a) { try { g(); } catch (E e) { h(); } } }", 2, 1},
        {"go", "package p\nfunc f(a int) {\n\tfor {\n\t\tif a > 1 {\n\t\t\tg()\n\t\t}\n\t}\n}\n", 3,
         3},
        {"go",
         "package p\nfunc f(a int) {\n\tswitch a {\n\tcase 1:\n\t\tg()\n\tcase "
         "2:\n\t\th()\n\tdefault:\n\t\ti()\n\t}\n}\n",
         3, 1},
    };
    for (const Case& one : cases) {
        const json metrics = analysed(one.language, one.code).at("metrics");
        INFO(one.language << ":\n" << one.code);
        REQUIRE(metrics.at("per_function").size() == 1);
        CHECK(metrics.at("per_function")[0].at("complexity") == one.complexity);
        CHECK(metrics.at("complexity") == one.complexity);
        CHECK(metrics.at("cognitive") == one.cognitive);
    }
}

TEST_CASE("a class is a statement, and so is each in it", "[engine]") {
    const json metrics = analysed("python", "class A:\n    x = 1\n    y = 2\n").at("metrics");
    CHECK(metrics.at("statements") == 3);
    CHECK(metrics.at("classes") == 1);
}

TEST_CASE("lines are code, comment or blank", "[engine]") {
    const json metrics = analysed("python", "# one\n\nx = '''a\n\nb'''  # two\n\n").at("metrics");
    CHECK(metrics.at("lines_of_code") == 2);
    CHECK(metrics.at("comment_lines") == 1);
    CHECK(metrics.at("blank_lines") == 3);
    CHECK(metrics.at("lines") == 6);
}

TEST_CASE("an issue more never makes the score better; comments and space do not change it",
          "[engine]") {
    const std::string good = "def f(a):\n    return a\n";
    const int before = analysed("python", good).at("quality_score");
    const int worse = analysed("python", good + "import os\n").at("quality_score");
    const int worst = analysed("python", good + "import os\nx == None\n").at("quality_score");
    CHECK(before == 100);
    CHECK(worse < before);
    CHECK(worst < worse);
    CHECK(analysed("python", "# said\n\n" + good + "\n\n# more\n").at("quality_score") == before);
}

TEST_CASE("errors of syntax have their place in every language", "[engine]") {
    const std::pair<const char*, const char*> cases[] = {{"python", "x = 1\ndef f(:\n    pass\n"},
                                                         {"javascript", "let x = 1;\nlet y = (;\n"},
                                                         {"java", "class A {\n    int x = ;\n}\n"},
                                                         {"go", "package p\nfunc f() { x := }\n"}};
    for (const auto& [language, code] : cases) {
        const json analysis = analysed(language, code);
        INFO(language << analysis.dump(1));
        CHECK(analysis.at("success") == true);
        CHECK(analysis.at("syntax_valid") == false);
        CHECK(analysis.at("quality_score") <= 40);
        REQUIRE_FALSE(analysis.at("issues").empty());
        CHECK(analysis.at("issues")[0].at("line") == 2);
        CHECK(analysis.at("issues")[0].at("rule") == "syntax-error");
    }
}

TEST_CASE("suggestions are what can be seen from there", "[suggest]") {
    const auto names =
        suggested("python", "total = 1\ndef area(width):\n    tall = 2\n    return t|\n");
    REQUIRE(names.size() >= 2);
    CHECK(names[0] == "tall");
    CHECK(has(names, "total"));
    CHECK(has(names, "try"));
    CHECK_FALSE(has(names, "width"));
    CHECK_FALSE(has(suggested("python", "def f(hidden):\n    pass\nhid|\n"), "hidden"));
    CHECK(has(
        suggested("python",
                  "class A:\n    def __init__(self):\n        self.size = 1\n    def grow(self):\n"
                  "        self.|\n"),
        "size"));
    CHECK(has(suggested("javascript", "function f(first) { const second = 1; return fi| }"),
              "first"));
    CHECK(has(suggested("java", "class A { int count; void f(int amount) { int above = am|; } }"),
              "amount"));
    CHECK(has(suggested("go", "package p\nfunc f(amount int) int {\n\treturn am|\n}\n"), "amount"));
}

TEST_CASE("members of the standard library are suggested behind their module", "[suggest]") {
    CHECK(has(suggested("python", "import os\nos.get|"), "getcwd"));
    CHECK(has(suggested("javascript", "Math.ma|"), "max"));
    CHECK(has(suggested("go", "package p\nimport \"strings\"\nfunc f() {\n\tstrings.Tri|\n}\n"),
              "TrimSpace"));
    CHECK(has(suggested("java", "class A { void f() { Math.ma| } }"), "max"));
}

TEST_CASE("where nothing is typed, what mends the line is suggested first", "[suggest]") {
    const std::string code = "x = 1\nif x == None: pass\n";
    Asked asked{.content = code};
    asked.position = {.line = 1, .column = 3};
    const json first = json::parse(suggest(*all_languages().at("python"), asked)).at(0);
    CHECK(first.at("kind") == "fix");
    CHECK(first.at("insert") == "x is None");
    CHECK(first.at("range").at("start").at("column") == 3);
    CHECK(first.at("range").at("end").at("column") == 12);
    asked.position = {.line = 0, .column = 0};
    for (const json& one : json::parse(suggest(*all_languages().at("python"), asked)))
        CHECK(one.at("kind") != "fix");
}

TEST_CASE("C and C++ suggest names in scope, the standard library's, words and snippets",
          "[suggest]") {
    CHECK(suggested("c", "int f(int total) {\n    return to|\n}\n").front() == "total");
    CHECK(has(suggested("c", "int main(void) {\n    prin|\n}\n"), "printf"));
    CHECK(has(suggested("c", "int main(void) {\n    fo|\n}\n"), "for"));
    CHECK(has(suggested("cpp", "int main() {\n    std::vec|\n}\n"), "vector"));
    CHECK(has(suggested("cpp", "int main() {\n    auto value = 1;\n    return va|\n}\n"), "value"));
    CHECK(suggested("cpp", "int main() {\n    auto s = R\"(va|)\";\n}\n").empty());
}

TEST_CASE("where a macro may stand for anything, C is not called invalid", "[engine]") {
    CHECK(analysed("c", "EXPORT(int) f(int a) { return a; }\n").at("syntax_valid") == true);
    CHECK(analysed("c", "#define begin {\nint f(int a) begin return a; }\n").at("syntax_valid") ==
          true);
    CHECK(analysed("c", "#include <stdio.h>\nint f(int a) { return a }\n").at("syntax_valid") ==
          false);
    CHECK(analysed("cpp", "int f( { return 1; }\n").at("syntax_valid") == false);
    CHECK(analysed("cpp", "int** f(int n) { return new int*[n]; }\n").at("syntax_valid") == true);
    CHECK(analysed("cpp", "void f() { enum : char { a, b }; }\n").at("syntax_valid") == true);
    // What did not parse is no place to look for faults.
    CHECK(analysed("c", "MACRO(int f(int a) { if (a = 1) return; }\n").at("issues").empty());
}

TEST_CASE("nothing is suggested inside strings, comments and numbers", "[suggest]") {
    CHECK(suggested("python", "name = 1\nx = 'na|me'\n").empty());
    CHECK(suggested("python", "name = 1\n# na|\n").empty());
    CHECK(suggested("python", "name = 1\nx = 'na|\n").empty());
    CHECK(suggested("python", "x = 12|\n").empty());
    CHECK(has(suggested("python", "name = 1\nx = f'{na|}'\n"), "name"));
    CHECK(suggested("javascript", "const name = 1; // na|").empty());
    CHECK(suggested("go", "package p\nvar name = 1\nvar x = `na|`\n").empty());
    CHECK(suggested("java", "class A { String name = \"na|\"; }").empty());
}

TEST_CASE("whatever a source is, the engine ends within its budget", "[hostile]") {
    const char* pieces[] = {"a?b:",       "a<",       "List<",    "<a>",
                            "'",          "x=>(",     "(",        "[",
                            "{",          "a + ",     "if a:\n ", "\"\"\"",
                            "f(",         "!",        "not ",     "lambda:",
                            "x = ",       "@",        "else ",    "class A{",
                            "a.",         "*",        "\t",       "`${",
                            "//",         "/*",       "\\",       "x = 1\n",
                            "import a\n", "a ? b : ", "func(){",  "\xf0\x9f\x98\x80",
                            "case 1:",    "a=a,",     "f\"{",     "()=>",
                            "a&&",        "x;y;"};
    for (const auto& [id, language] : all_languages()) {
        for (const char* piece : pieces) {
            INFO(id << ": " << piece);
            // Not the largest that there can be: recovery takes time with the square of some of
            // these without asking whether it is to stop. The worker's clock is for those.
            const std::string code = repeated(piece, 24 * 1024);
            const auto begin = Clock::now();
            const json analysis = json::parse(analyse(*language, {.content = code}));
            const auto spent = Clock::now() - begin;
            // The parser may miss its turn to stop; the process around it has a bound of its own.
            CHECK(spent < std::chrono::seconds(20));
            if (analysis.at("success") == false) CHECK(analysis.at("error") == "analysis_timeout");
            CHECK(allocated_bytes() < 4 * Budget::kBytes);
        }
    }
}

TEST_CASE("whatever bytes a source has, the answer is JSON", "[hostile]") {
    const std::string kinds[] = {
        std::string(3000, '\0'), "x = 1\n" + std::string(1, '\0') + "\ny = 2\n",
        std::string(200'000, 'x'),                    // one enormous line
        "x = '" + std::string(200'000, '\\') + "'\n", // one enormous
                                                      // string
        repeated("a, ", 200'000), repeated("\xff\xfe", 3000),
        repeated("\xed\xa0\x80", 3000), // half a character of UTF-16
        repeated("\xc3", 3000), "x = \"\xf0\x9f\x98\"\n", repeated(";", 100'000),
        repeated("\r", 3000), "\xef\xbb\xbfx = 1\n"};
    for (const auto& [id, language] : all_languages()) {
        for (const std::string& code : kinds) {
            INFO(id << ": " << code.substr(0, 20));
            const json analysis = json::parse(analyse(*language, {.content = code}));
            if (analysis.at("success") == false) CHECK(analysis.at("error") == "analysis_timeout");
            Asked asked{.content = code};
            asked.position = {.line = 0, .column = 5};
            CHECK(json::parse(suggest(*language, asked)).is_array());
        }
    }
}

TEST_CASE("a tree as deep as its source is long is walked without recursion", "[hostile]") {
    const Budget patient(std::chrono::seconds(20), std::chrono::seconds(20), 1U << 30U);
    const json analysis = json::parse(analyse(
        *all_languages().at("python"),
        {.content = "x = " + repeated("(", 60'000) + "1" + repeated(")", 60'000)}, patient));
    CHECK(analysis.at("success") == true);
    const json chain = json::parse(
        analyse(*all_languages().at("go"),
                {.content = "package p\nvar x = a" + repeated(" + b", 28'000)}, patient));
    CHECK(chain.at("success") == true);
    CHECK(chain.at("syntax_valid") == true);
}

namespace {

/// What is said of a function that is too long: its hint, or null.
json hint_of(const std::string& language, const std::string& before, const std::string& block,
             const std::string& behind, const std::string& filler) {
    std::string code = before;
    for (int i = 0; i < 30; ++i) code += filler;
    code += block;
    for (int i = 0; i < 30; ++i) code += filler;
    const json analysis = analysed(language, code + behind);
    CHECK(analysis.at("syntax_valid") == true);
    for (const json& issue : analysis.at("issues")) {
        if (issue.at("rule") == "too-long") return issue.value("extract", json());
    }
    FAIL("it is not too long");
    return {};
}

std::string lines_of(int count, const std::string& line) {
    std::string text;
    for (int i = 0; i < count; ++i) text += line;
    return text;
}

} // namespace

TEST_CASE("of a long function a block is named that can be taken out, when that is certain",
          "[engine]") {
    const auto python = [](const std::string& block, const std::string& behind = "",
                           const std::string& first = "    seen = []\n") {
        return hint_of("python", "def work(data, limit):\n" + first, block, behind,
                       "    print('x')\n");
    };
    const std::string more = lines_of(16, "        print(item, limit)\n");
    const std::string loop = "    for item in data:\n" + more;
    const json hint = python(loop);
    REQUIRE(hint.is_object());
    CHECK(hint.at("line") == 33);
    CHECK(hint.at("end_line") == 49);
    CHECK(hint.at("names") == json({"data", "limit"}));
    CHECK(python(loop + "        seen.append(item)\n").at("names") ==
          json({"data", "limit", "seen"}));
    // What it makes is used behind it; it leaves; it means another function; it is too small.
    CHECK(python(loop, "    return item\n").is_null());
    CHECK(python(loop + "        total = 1\n", "    return total\n").is_null());
    CHECK(python(loop + "        limit += 1\n", "    return limit\n").is_null());
    CHECK(python(loop + "        limit += 1\n").is_object());
    CHECK(python(loop + "        return\n").is_null());
    CHECK(python(loop + "        yield item\n").is_null());
    CHECK(python(loop + "        f = lambda: item\n").is_null());
    CHECK(python(loop + "        print(locals())\n").is_null());
    CHECK(python(loop + "        if item: break\n").is_object());
    CHECK(python("    if data:\n        print(limit)\n").is_null());
    // A value that is there only sometimes cannot be handed over.
    const std::string uses = loop + "        print(maybe)\n";
    CHECK(python(uses, "", "    maybe = 1\n").is_object());
    CHECK(python(uses, "", "    if data:\n        maybe = 1\n").is_null());

    const auto javascript = [](const std::string& inside, const std::string& behind = "") {
        return hint_of("javascript", "function work(data) {\n  let total = 0;\n",
                       "  for (const item of data) {\n" + lines_of(16, "    use(item);\n") +
                           inside + "  }\n",
                       behind + "}\n", "  use('x');\n");
    };
    CHECK(javascript("").at("names") == json({"data"}));
    CHECK(javascript("    item.total = 1;\n", "  return data.total;\n").is_object());
    CHECK(javascript("    total += item;\n", "  return total;\n").is_null());
    CHECK(javascript("    ++total;\n", "  return total;\n").is_null());
    CHECK(javascript("    [total] = item;\n", "  return total;\n").is_null());
    CHECK(javascript("    this.x = item;\n").is_null());
    CHECK(javascript("    use(arguments);\n").is_null());
    CHECK(javascript("    use(() => item);\n").is_null());
    CHECK(javascript("    await item;\n").is_null());

    const auto java = [](const std::string& inside, const std::string& behind = "") {
        return hint_of("java",
                       "class A {\n  void work(int[] data) {\n    int total = 0;\n    int later;\n",
                       "    for (int item : data) {\n" + lines_of(16, "      use(item);\n") +
                           inside + "    }\n",
                       behind + "  }\n}\n", "    use(1);\n");
    };
    CHECK(java("").at("names") == json({"data"}));
    CHECK(java("      total++;\n", "    use(total);\n").is_null());
    CHECK(java("      use(later);\n").is_null());
    CHECK(java("      use(total);\n").at("names") == json({"data", "total"}));
    // A value that is handed over there is a copy: nothing is certain.
    CHECK(hint_of("go", "package a\nfunc work(data []int) {\n",
                  "\tfor range data {\n" + lines_of(16, "\t\tuse(1)\n") + "\t}\n", "}\n",
                  "\tuse(1)\n")
              .is_null());
}

TEST_CASE("headers and namespaces bring their names", "[engine]") {
    CHECK(has(suggested("c", "#include <string.h>\nint main(void) { strxf| }\n"), "strxfrm"));
    CHECK_FALSE(has(suggested("c", "#include <stdio.h>\nint main(void) { strxf| }\n"), "strxfrm"));
    CHECK(has(suggested("cpp", "int main() { std::unord| }\n"), "unordered_map"));
    CHECK_FALSE(has(suggested("cpp", "int main() { other::unord| }\n"), "unordered_map"));
}

TEST_CASE("a document is edited by requests, and only while it is whole", "[engine]") {
    Reader reader(all_languages());
    const auto follow = [&](int start, int removed, const std::string& text) {
        const json request = {{"kind", "analysis"},
                              {"lang", "en"},
                              {"file_path", "a.py"},
                              {"edit", {{"start", start}, {"removed", removed}, {"text", text}}}};
        const bool taken = reader.take(request.dump());
        return std::pair(taken, json::parse(reader.answer()));
    };
    CHECK_FALSE(follow(0, 0, "x").first); // of nothing
    json whole = {{"kind", "analysis"},
                  {"lang", "en"},
                  {"file_path", "a.py"},
                  {"language", "python"},
                  {"content", "import os\n"}};
    REQUIRE(reader.take(whole.dump()));
    CHECK(json::parse(reader.answer()).at("analysis").at("issues").size() == 1);
    CHECK(reader.can_follow());
    const auto [taken, answer] = follow(10, 0, "os.x\n");
    CHECK(taken);
    CHECK(answer.at("analysis").at("issues").empty());
    CHECK(reader.text() == "import os\nos.x\n");
    CHECK(follow(0, 0, "").second.at("analysis").at("issues").empty());
    CHECK(follow(99, 99, "#").first); // beyond the end is at the end; the mark tells
    CHECK(reader.text() == "import os\nos.x\n#");
    CHECK_FALSE(reader.take(R"({"edit":5})"));
    CHECK_FALSE(reader.can_follow());
    CHECK(json::parse(reader.answer()).contains("error"));
    CHECK_FALSE(follow(0, 0, "x").first);
}

TEST_CASE("a spent budget is an answer, too", "[hostile]") {
    const Budget none(std::chrono::milliseconds(0), std::chrono::milliseconds(0), 1U << 30U);
    const json analysis = json::parse(
        analyse(*all_languages().at("python"), {.content = repeated("x = 1\n", 60'000)}, none));
    CHECK(analysis.at("success") == false);
    CHECK(analysis.at("error") == "analysis_timeout");
    CHECK(analysis.at("metrics").at("lines_of_code") == 10'000);
}

TEST_CASE("a request that cannot be read is answered, not thrown", "[engine]") {
    for (const char* request :
         {"", "{", "[]", "null", "{}", R"({"language":5})", R"({"language":"python"})",
          R"({"language":"klingon","kind":"analysis","content":"","file_path":"","lang":""})"})
        CHECK(json::parse(answer(all_languages(), request)).contains("error"));
}
