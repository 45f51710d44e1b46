// Reading problem packages: whole ones, hostile ones, broken ones.
#include "daemon/package/error.h"
#include "daemon/package/folder.h"
#include "daemon/package/glob.h"
#include "daemon/package/grading.h"
#include "daemon/package/languages.h"
#include "daemon/package/problem.h"
#include "daemon/package/yaml.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#else
#include <catch2/catch.hpp>
#endif

using namespace cloister::package;
namespace fs = std::filesystem;

namespace {

/// What is thrown as Wrong; empty: nothing.
std::string wrong_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Wrong& error) {
        return error.what();
    }
    return {};
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A package in a folder of its own, gone with it.
class Temporary {
public:
    Temporary() {
        std::string name = (fs::temp_directory_path() / "cloister-package-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Temporary() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
    }
    void legacy(const std::string& yaml = "name: One\n") const {
        write("problem.yaml", yaml);
        write("data/secret/1.in", "1\n");
        write("data/secret/1.ans", "1\n");
        write("submissions/accepted/a.py", "print(1)\n");
    }
    void modern(const std::string& yaml = "") const {
        legacy("problem_format_version: 2025-09\nname: One\nuuid: x\n" + yaml);
    }
    Problem read(const std::string& chosen = {}) const {
        const Folder folder(path.string());
        return read_problem(folder, chosen);
    }
    std::string wrong() const {
        return wrong_of([this] { (void)read(); });
    }

    fs::path path{};
};

Problem example(const std::string& name) {
    const Folder folder(std::string(CLOISTER_SOURCE) + "/tests/judge/packages/" + name);
    return read_problem(folder);
}

const Submission& submission(const Problem& problem, const std::string& name) {
    for (const Submission& one : problem.submissions)
        if (one.program.name == name) return one;
    throw std::runtime_error("no " + name);
}

} // namespace

TEST_CASE("a legacy package is read whole", "[package]") {
    const Problem problem = example("halves");
    CHECK(problem.name == "Halves");
    CHECK(problem.format == Format::legacy);
    CHECK(problem.limits.time_limit == 1.0);
    CHECK(problem.limits.memory_mib == 256U);
    CHECK(problem.limits.time_limit_to_tle == 2);
    REQUIRE(problem.tests.size() == 3);
    CHECK(problem.tests[0].name == "sample/1");
    CHECK(problem.tests[1].name == "secret/1-small");
    CHECK(problem.tests[2].answer == "data/secret/2-large.ans");
    CHECK(problem.tests[0].output_validator_arguments ==
          std::vector<std::string>{"float_tolerance", "1e-6"});
    CHECK(problem.invalid_inputs.size() == 1);
    REQUIRE(problem.input_validators.size() == 2);
    CHECK(problem.input_validators[1].language == "c");
    CHECK(problem.input_validators[1].files.size() == 2);
    CHECK(problem.submissions.size() == 5);
    CHECK(expectation_of(submission(problem, "wrong_answer/whole.py")) == "WA");
    CHECK_FALSE(problem.output_validator);
}

TEST_CASE("a package of 2025-09 is read whole", "[package]") {
    const Problem problem = example("pairs");
    CHECK(problem.format == Format::v2025_09);
    CHECK(problem.name == "Pairs");
    REQUIRE(problem.output_validator);
    CHECK(problem.output_validator->language == "cpp");
    CHECK(problem.output_validator->files.size() == 2);
    REQUIRE(problem.tests.size() == 3);
    CHECK(problem.tests[1].name == "secret/named/1");
    CHECK(problem.tests[1].arguments == std::vector<std::string>{"--loud", "two words"});
    CHECK(problem.tests[1].output_validator_arguments == std::vector<std::string>{"loud"});
    CHECK(problem.tests[2].files == std::vector<std::string>{"bonus.txt"});
    CHECK(problem.includes.size() == 2);
    CHECK(with_constants(problem, "a {{most}} {{most.tex}} {{none}} {{") ==
          "a 1000 1\\,000 {{none}} {{");
    const Submission& careful = submission(problem, "rejected/careful.py");
    REQUIRE(careful.rules.size() == 4); // the folder's, two of tests, one more of the pattern
    CHECK(careful.rules[1].tests == "sample");
    CHECK(submission(problem, "accepted/folder").program.files.size() == 3);
}

TEST_CASE("interactive and multi-pass packages are read whole", "[package]") {
    const Problem guess = example("guess");
    CHECK(guess.interactive);
    CHECK_FALSE(guess.scoring);
    CHECK(guess.output_validator->name == "output_validator");
    const Problem relay = example("relay");
    CHECK(relay.limits.validation_passes == 3);
    CHECK_FALSE(relay.interactive);
}

TEST_CASE("nested groups hand their settings down", "[package]") {
    const Problem problem = example("stairs");
    REQUIRE(problem.groups.size() == 6);
    CHECK(problem.groups[0].grading.ignore_sample);
    CHECK_FALSE(problem.groups[0].grading.stops);
    CHECK(problem.groups[5].name == "secret/2-large/inner");
    CHECK(problem.groups[5].grading.accept_score == 60);
    CHECK(problem.groups[5].grading.scores == Grading::Scores::min);
    CHECK(problem.groups[problem.groups[5].parent].name == "secret/2-large");
    CHECK_FALSE(problem.groups[5].grading.ignore_sample);
}

TEST_CASE("nothing outside of the package is read", "[package]") {
    Temporary package;
    Temporary outside;
    outside.write("secret.txt", "secret");
    package.legacy();
    SECTION("by a link to a file") {
        fs::create_symlink(outside.path / "secret.txt", package.path / "data/secret/2.in");
        package.write("data/secret/2.ans", "");
        CHECK(holds(package.wrong(), "data/secret/2.in: is a symbolic link"));
    }
    SECTION("by a link to a folder") {
        fs::create_symlink(outside.path, package.path / "data/sample");
        CHECK(holds(package.wrong(), "data/sample"));
    }
    SECTION("by a link in place of problem.yaml") {
        fs::remove(package.path / "problem.yaml");
        fs::create_symlink(outside.path / "secret.txt", package.path / "problem.yaml");
        CHECK(holds(package.wrong(), "problem.yaml: is a symbolic link"));
    }
    SECTION("by a link within the package") {
        fs::create_symlink("1.in", package.path / "data/secret/2.in");
        CHECK(holds(package.wrong(), "symbolic link"));
    }
    SECTION("by a path that leads out") {
        const Folder folder(package.path.string());
        CHECK(holds(wrong_of([&] {
                        (void)folder.read("../" + outside.path.filename().string() + "/secret.txt",
                                          100);
                    }),
                    "leads out"));
        CHECK(holds(wrong_of([&] { (void)folder.read("/etc/passwd", 100'000); }), "leads out"));
        CHECK_FALSE(folder.has_file("/etc/passwd"));
    }
}

TEST_CASE("what is no plain file is refused without waiting for it", "[package]") {
    Temporary package;
    package.legacy();
    SECTION("a FIFO among the tests") {
        REQUIRE(::mkfifo((package.path / "data/secret/2.in").c_str(), 0600) == 0);
        CHECK(holds(package.wrong(), "neither a file nor a folder"));
    }
    SECTION("a FIFO as problem.yaml") {
        fs::remove(package.path / "problem.yaml");
        REQUIRE(::mkfifo((package.path / "problem.yaml").c_str(), 0600) == 0);
        CHECK(holds(package.wrong(), "not a plain file"));
    }
    SECTION("a socket") {
        const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un place{};
        place.sun_family = AF_UNIX;
        (package.path / "submissions/accepted/s").string().copy(place.sun_path, 100);
        REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
        (void)::close(socket);
        CHECK(holds(package.wrong(), "neither a file nor a folder"));
    }
}

TEST_CASE("names, sizes and counts of a package are bounded", "[package]") {
    CHECK(is_good_name("a"));
    CHECK(is_good_name("_1-x.tar.gz"));
    CHECK(is_good_name(std::string(255, 'a')));
    for (const std::string& bad :
         {std::string(), std::string(256, 'a'), std::string(".a"), std::string("-a"),
          std::string("a b"), std::string("a/b"), std::string("\xED\x95\x9C"), std::string("a\nb"),
          std::string("..")})
        CHECK_FALSE(is_good_name(bad));
    Temporary package;
    package.legacy();
    SECTION("a name with a blank") {
        package.write("data/secret/a b.in", "");
        CHECK(holds(package.wrong(), "data/secret: holds a name"));
    }
    SECTION("a hidden file") {
        package.write("submissions/accepted/.a.py", "");
        CHECK(holds(package.wrong(), "submissions/accepted: holds a name"));
    }
    SECTION("a large test, of which nothing is stored") {
        package.write("data/secret/2.in", "");
        package.write("data/secret/2.ans", "");
        fs::resize_file(package.path / "data/secret/2.in", kMaxTestBytes + 1);
        CHECK(holds(package.wrong(), "larger than"));
    }
    SECTION("a large program") {
        fs::resize_file(package.path / "submissions/accepted/a.py", kMaxProgramBytes + 1);
        CHECK(holds(package.wrong(), "larger than"));
    }
    SECTION("a program of many files") {
        for (std::size_t i = 0; i <= kMaxProgramFiles; ++i)
            package.write("submissions/accepted/many/f" + std::to_string(i) + ".py", "");
        CHECK(holds(package.wrong(), "more than 200 files"));
    }
    SECTION("folders in folders") {
        std::string path = "submissions/accepted/deep";
        for (std::size_t i = 0; i <= kMaxDepth; ++i) path += "/d";
        package.write(path + "/a.py", "");
        CHECK(holds(package.wrong(), "deeper than"));
    }
    SECTION("groups in groups") {
        std::string path = "data/secret";
        for (std::size_t i = 0; i <= kMaxDepth; ++i) path += "/d";
        package.write(path + "/1.in", "");
        CHECK(holds(package.wrong(), "deeper than"));
    }
    SECTION("many files in a folder") {
        for (std::size_t i = 0; i < kMaxEntries; ++i)
            std::ofstream(package.path / ("data/secret/f" + std::to_string(i)));
        CHECK(holds(package.wrong(), "more than 20000 files"));
    }
    SECTION("a file that is longer than it was") {
        package.write("problem.yaml", std::string(kMaxYamlBytes + 1, '#'));
        CHECK(holds(package.wrong(), "problem.yaml: is larger than"));
    }
}

TEST_CASE("YAML is read within bounds", "[package]") {
    const auto wrong_yaml = [](const std::string& text) {
        return wrong_of([&] { (void)Yaml::parse(text, "x.yaml"); });
    };
    const Yaml yaml = Yaml::parse("a: 1\nb: [x, 'y']\nc: {d: true, e: 2.5}\nf: ~\n", "x.yaml");
    CHECK(yaml.find("a")->whole(0, 9) == 1);
    CHECK(yaml.find("b")->texts() == std::vector<std::string>{"x", "y"});
    CHECK(yaml.find("c")->find("d")->flag());
    CHECK(yaml.find("c")->find("e")->number(0, 9) == 2.5);
    CHECK(yaml.find("f") == nullptr);
    CHECK(wrong_of([&] { (void)yaml.find("b")->text(); }) == "x.yaml: b: expected a text");
    CHECK(wrong_of([&] { (void)yaml.find("c")->find("e")->whole(0, 9); }) ==
          "x.yaml: c.e: expected a whole number");
    CHECK(holds(wrong_of([&] { (void)yaml.find("a")->whole(2, 9); }), "from 2 to 9"));
    CHECK(holds(wrong_of([&] { yaml.allow_only({"a", "b"}); }), "there is no key 'c'"));
    CHECK(holds(wrong_of([&] { (void)Yaml::parse("a: nan", "x").find("a")->number(0, 1); }),
                "expected a number"));
    CHECK(holds(wrong_of([&] { (void)Yaml::parse("a: 'true'", "x").find("a")->flag(); }),
                "true or false"));

    SECTION("an alias is a copy") {
        const Yaml copied = Yaml::parse("a: &x [1, 2]\nb: *x\n", "x.yaml");
        CHECK(copied.find("b")->texts() == std::vector<std::string>{"1", "2"});
    }
    SECTION("a billion laughs end early") {
        std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
        for (int i = 1; i < 10; ++i) {
            const std::string last = "*a" + std::to_string(i - 1);
            text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
            for (int j = 0; j < 10; ++j) text += (j > 0 ? "," : "") + last;
            text += "]\n";
        }
        CHECK(holds(wrong_yaml(text), "more than 10000 values"));
    }
    SECTION("an alias of itself") { CHECK(holds(wrong_yaml("a: &a [*a]"), "not complete")); }
    SECTION("depth") {
        CHECK(holds(wrong_yaml(std::string(30, '[') + std::string(30, ']')), "nested deeper"));
        CHECK_FALSE(wrong_yaml(std::string(200'000, '[')).empty());
        CHECK_FALSE(wrong_yaml(std::string(200'000, '{')).empty());
        std::string text = "a0: &a0 [x]\n";
        for (int i = 1; i < 40; ++i)
            text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
                    std::to_string(i - 1) + "]\n";
        CHECK(holds(wrong_yaml(text), "nested deeper"));
    }
    SECTION("many values") {
        std::string text;
        for (int i = 0; i < 10'001; ++i) text += "- 1\n";
        CHECK(holds(wrong_yaml(text), "more than 10000 values"));
    }
    SECTION("what is no YAML of ours") {
        CHECK(holds(wrong_yaml("a: 1\na: 2\n"), "given twice"));
        CHECK(holds(wrong_yaml("[a]: 1\n"), "a key that is no text"));
        CHECK(holds(wrong_yaml("a: [1"), "line"));
        CHECK(holds(wrong_yaml("\"a\\0b\": 1"), "NUL"));
        CHECK(holds(wrong_yaml("a: *none"), "x.yaml"));
        CHECK(holds(wrong_yaml(std::string(kMaxYamlBytes + 1, ' ')), "larger than"));
    }
}

TEST_CASE("what cannot be honoured is refused when it is read", "[package]") {
    Temporary package;
    const auto say = [&](const std::string& yaml, const std::string& what) {
        package.write("problem.yaml", yaml);
        CHECK(holds(package.wrong(), what));
    };
    const std::string head = "problem_format_version: 2025-09\nname: One\nuuid: x\n";
    package.legacy();
    say("problem_format_version: 2023-07\n", "version '2023-07' is not known");
    say("nmae: x\n", "there is no key 'nmae'");
    say("limits: {memroy: 3}\n", "limits: there is no key 'memroy'");
    say("limits: {memory: 0}\n", "limits.memory: expected a number from 1");
    say("limits: {memory: many}\n", "limits.memory");
    say("validation: custom\n", "there is no validator");
    say("validation: custom score\n", "'score' does not belong there");
    say("validation: magic\n", "'magic' does not belong there");
    say("validator_flags: tolerant\n", "no argument 'tolerant'");
    say("type: interactive\n", "expected pass-fail or scoring");
    say(head + "type: submit-answer\n", "submit-answer cannot be judged");
    say(head + "type: [scoring, pass-fail]\n", "exclude one another");
    say(head + "type: interactive\n", "needs one");
    say(head + "limits: {validation_passes: 2}\n", "only of a multi-pass problem");
    say(head + "limits: {time_multiplier: 2}\n", "there is no key 'time_multiplier'");
    say("problem_format_version: 2025-09\nname: One\n", "'uuid' is missing");
    package.write("problem.yaml", head);
    SECTION("static validators") {
        package.write("static_validator/a.py", "");
        CHECK(holds(package.wrong(), "static validation is not done"));
    }
    SECTION("static validation by a group") {
        package.write("data/secret/test_group.yaml", "static_validation_score: 3\n");
        CHECK(holds(package.wrong(), "static validation is not done"));
    }
    SECTION("custom graders") {
        package.legacy("type: scoring\n");
        package.write("data/testdata.yaml", "grading: custom\n");
        CHECK(holds(package.wrong(), "custom graders are not run"));
    }
    SECTION("the folder of graders") {
        package.write("graders/a.py", "");
        CHECK(holds(package.wrong(), "custom graders are not run"));
    }
    SECTION("scripts in validators") {
        package.write("input_validators/v/build", "#!/bin/sh\n");
        package.write("input_validators/v/v.py", "");
        CHECK(holds(package.wrong(), "its script 'build' cannot be run"));
    }
    SECTION("an output validator with a script") {
        package.write("output_validator/run", "#!/bin/sh\n");
        CHECK(holds(package.wrong(), "its script 'run' cannot be run"));
    }
    SECTION("grammars as input validators") {
        package.write("input_validators/a.ctd", "");
        CHECK(holds(package.wrong(), "Checktestdata"));
    }
    SECTION("two output validators") {
        package.legacy("validation: custom\n");
        package.write("output_validators/a.py", "");
        package.write("output_validators/b.py", "");
        CHECK(holds(package.wrong(), "more than one output validator"));
    }
}

TEST_CASE("a package that is not whole says what is missing", "[package]") {
    Temporary package;
    CHECK(holds(package.wrong(), "problem.yaml: No such file"));
    package.legacy();
    SECTION("an answer") {
        package.write("data/secret/2.in", "");
        CHECK(holds(package.wrong(), "data/secret/2.in: has no answer"));
    }
    SECTION("an input") {
        package.write("data/secret/2.ans", "");
        CHECK(holds(package.wrong(), "data/secret/2.ans: has no input"));
    }
    SECTION("secret tests") {
        fs::remove_all(package.path / "data/secret");
        CHECK(holds(package.wrong(), "data/secret: is missing"));
        fs::create_directory(package.path / "data/secret");
        CHECK(holds(package.wrong(), "holds no test"));
    }
    SECTION("an accepted submission") {
        fs::remove(package.path / "submissions/accepted/a.py");
        package.write("submissions/wrong_answer/a.py", "");
        CHECK(holds(package.wrong(), "at least one accepted submission"));
    }
    SECTION("a folder that the format has not") {
        package.write("submissions/slow/a.py", "");
        CHECK(holds(package.wrong(), "the format has no such folder"));
    }
    SECTION("the language") {
        package.write("submissions/accepted/b", "");
        CHECK(holds(package.wrong(), "no file's ending tells its language"));
    }
    SECTION("one language") {
        package.write("submissions/accepted/two/a.py", "");
        package.write("submissions/accepted/two/a.c", "");
        CHECK(holds(package.wrong(), "more than one language: c and python3"));
    }
    SECTION("a program that is too long for the package itself") {
        package.legacy("limits: {code: 1}\n");
        package.write("submissions/accepted/b.py", std::string(1025, '#'));
        CHECK(holds(package.wrong(), "larger than limits.code, 1 KiB"));
    }
    SECTION("a choice that nothing matches") {
        CHECK(holds(wrong_of([&] { (void)package.read("wrong_answer/*"); }), "none matches"));
    }
    SECTION("groups and tests side by side") {
        package.modern("type: scoring\n");
        package.write("data/secret/g/test_group.yaml", "max_score: 3\n");
        package.write("data/secret/g/1.in", "");
        package.write("data/secret/g/1.ans", "");
        CHECK(holds(package.wrong(), "tests or groups lie in secret, never both"));
    }
    SECTION("a group that needs a score") {
        package.modern("type: scoring\n");
        fs::remove_all(package.path / "data/secret");
        package.write("data/secret/g/test_group.yaml", "score_aggregation: sum\n");
        package.write("data/secret/g/1.in", "");
        package.write("data/secret/g/1.ans", "");
        CHECK(holds(package.wrong(), "needs a max_score"));
        package.write("data/secret/g/test_group.yaml", "max_score: 1\nrequire_pass: secret/h\n");
        CHECK(holds(package.wrong(), "'secret/h' is no earlier group"));
    }
}

TEST_CASE("patterns choose submissions and tests", "[package]") {
    CHECK(matches("accepted", "accepted/a.py"));
    CHECK(matches("accepted/*", "accepted/a.py"));
    CHECK(matches("*/a.py", "accepted/a.py"));
    CHECK(matches("accepted/{a,b}.{py,cpp}", "accepted/b.cpp"));
    CHECK(matches("{a{b,c},d}", "ac"));
    CHECK(matches("secret/*-hard", "secret/01-hard"));
    CHECK(matches("secret/group1", "secret/group1/deep/01"));
    CHECK(matches("*", "accepted2/a.py"));
    CHECK_FALSE(matches("acc*.py", "accepted/a.py"));
    CHECK_FALSE(matches("accepted/a", "accepted/a.py"));
    CHECK_FALSE(matches("", "a"));
    CHECK_FALSE(matches("[a]", "a"));
    CHECK(holds(wrong_of([] { (void)matches("{a", "a"); }), "not closed"));
    std::string many;
    for (int i = 0; i < 20; ++i) many += "{a,b}";
    CHECK(holds(wrong_of([&] { (void)matches(many, "a"); }), "too many patterns"));
    CHECK_FALSE(matches("*a*a*a*a*a*a*a*a*a*a*b", std::string(200, 'a')));
}

TEST_CASE("languages follow from files", "[package]") {
    CHECK(language_of("a.cc") == "cpp");
    CHECK(language_of("a/b.py") == "python3");
    CHECK(language_of("a.h").empty());
    CHECK(language_of(".py").empty());
    CHECK(default_entry("python3", {"a.py", "__main__.py"}) == "__main__.py");
    CHECK(default_entry("python3", {"a.py", "main.py"}) == "main.py");
    CHECK(default_entry("java", {"Main.java", "A.java"}) == "Main.java");
    CHECK(default_entry("cpp", {"main.cpp"}).empty());
    CHECK(runtime_name("python3") == "python");
    CHECK(split_words(" a 'b c' \"d\\\"e\" f\\ g '' ", "x") ==
          std::vector<std::string>{"a", "b c", "d\"e", "f g", ""});
    CHECK(holds(wrong_of([] { (void)split_words("a 'b", "x"); }), "not closed"));
}

TEST_CASE("the arguments of the default validator", "[package]") {
    const Comparing both = read_flags({"float_tolerance", "1e-6", "case_sensitive"}, "x");
    CHECK(both.absolute == 1e-6);
    CHECK(both.relative == 1e-6);
    CHECK(both.case_sensitive);
    const Comparing one =
        read_flags({"float_absolute_tolerance", "0.5", "space_change_sensitive"}, "x");
    CHECK(one.absolute == 0.5);
    CHECK_FALSE(one.relative);
    CHECK(one.space_sensitive);
    for (const std::vector<std::string>& bad : {std::vector<std::string>{"float_tolerance"},
                                                {"float_tolerance", "x"},
                                                {"float_tolerance", "-1"},
                                                {"float_tolerance", "nan"},
                                                {"1e-6"}})
        CHECK_FALSE(wrong_of([&] { (void)read_flags(bad, "x"); }).empty());
}
