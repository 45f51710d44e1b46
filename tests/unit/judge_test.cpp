// Promises of the judge's logic: what is the same, what is close enough, where the first difference
// lies; which verdict follows from which end; what points come of it.
#include "daemon/front/judge/compare.h"
#include "daemon/front/judge/feedback.h"
#include "daemon/front/judge/ruling.h"
#include "daemon/front/judge/scoring.h"

#include <catch2/catch.hpp>

using namespace cloister::judge;
using cloister::isolate::Verdict;
using std::chrono::milliseconds;

namespace {

bool same(std::string_view expected, std::string_view printed, const TokenRules& rules = {}) {
    return !compare(expected, printed, Manner::token, rules);
}

TokenRules close_to(double absolute, double relative) {
    TokenRules rules;
    if (absolute > 0) rules.absolute = absolute;
    if (relative > 0) rules.relative = relative;
    return rules;
}

Facts facts(Verdict verdict, int exit_code = 0) {
    Facts made;
    made.verdict = verdict;
    made.exit_code = exit_code;
    return made;
}

std::string ruled(const Facts& of) {
    const auto ruling = rule_on_program(of);
    if (!ruling) return "-";
    return std::string(name_of(ruling->word)) + " " + std::string(ruling->cause);
}

Marked marked(Word word) {
    Marked made;
    made.word = word;
    return made;
}

} // namespace

TEST_CASE("words are compared without case and white space unless told otherwise", "[judge]") {
    CHECK(same("1 2 3\n", "1 2 3\n"));
    CHECK(same("1 2 3\n", "  1\t2\r\n\v\f3"));
    CHECK(same("Yes\n", "YES"));
    CHECK(same("", " \n"));
    CHECK_FALSE(same("1 2", "12"));
    CHECK_FALSE(same("1 2", "1"));
    CHECK_FALSE(same("1", "1 2"));
    CHECK_FALSE(same("É", "é")); // no locale
    CHECK_FALSE(same("1", "1.0"));
    CHECK_FALSE(same("a\0b", std::string_view("a\0c", 3)));
    TokenRules strict;
    strict.case_sensitive = true;
    CHECK_FALSE(same("Yes", "YES", strict));
    strict.space_sensitive = true;
    CHECK(same("a b\n", "a b\n", strict));
    CHECK_FALSE(same("a b\n", "a  b\n", strict));
    CHECK_FALSE(same("a b\n", "a b", strict));
    CHECK_FALSE(same("a b", " a b", strict));
}

TEST_CASE("numbers are close enough by either tolerance, and nothing else is a number", "[judge]") {
    CHECK(same("1.0", "1.0009", close_to(1e-3, 0)));
    CHECK_FALSE(same("1.0", "1.0011", close_to(1e-3, 0)));
    CHECK(same("1000", "1000.9", close_to(0, 1e-3)));
    CHECK_FALSE(same("1000", "1001.1", close_to(0, 1e-3)));
    CHECK(same("1000", "1000.9", close_to(1e-9, 1e-3)));
    CHECK(same("0", "0.0000001", close_to(1e-6, 1e-6)));
    CHECK(same("0", "-0", close_to(1e-6, 0)));
    CHECK(same("-1e3", "-1000.0", close_to(1e-6, 0)));
    CHECK(same("5", "+5.", close_to(1e-6, 0)));
    CHECK(same(".5", "0.5", close_to(1e-6, 0)));
    for (const char* other : {"nan", "NaN", "inf", "-inf", "1e999", "0x1p0", "1,0", "1.0f", "+-1",
                              "", "1 .0", "--1", "1e", "e1"}) {
        INFO(other);
        CHECK_FALSE(same("1", other, close_to(1e300, 1e300)));
    }
    CHECK(same("nan", "NaN", close_to(1, 1))); // the same word
    CHECK_FALSE(same("abc", "1", close_to(1e300, 1e300)));
}

TEST_CASE("the first difference is told with its place", "[judge]") {
    auto found = compare("1 2\n3 4\n", "1 2\n3 5\n", Manner::token);
    REQUIRE(found);
    CHECK(found->line == 2);
    CHECK(found->token == 4);
    CHECK(found->offset == 6);
    CHECK(found->expected == "4");
    CHECK(found->printed == "5");
    CHECK_FALSE(found->space_only);
    found = compare("1 2", "1", Manner::token);
    CHECK(found->printed_ends);
    CHECK_FALSE(found->expected_ends);
    found = compare("1", "1 2", Manner::token);
    CHECK(found->expected_ends);
    found = compare("x", std::string(1'000'000, 'y'), Manner::token);
    CHECK(found->printed.size() == kMaxShown);
    found = compare("ab\ncd", "ab\ncx", Manner::exact);
    CHECK(found->line == 2);
    CHECK(found->offset == 4);
    CHECK(found->token == 0);
    CHECK(compare("ab\n", "ab", Manner::exact)->space_only);
    CHECK_FALSE(compare("Ab\n", "ab", Manner::exact)->space_only);
    CHECK_FALSE(compare("ab\n", "ab\n", Manner::exact));
}

TEST_CASE("lines forgive the ends of lines and of the text, and nothing else", "[judge]") {
    const auto lines = [](std::string_view a, std::string_view b) {
        return !compare(a, b, Manner::lines);
    };
    CHECK(lines("a b\nc\n", "a b  \r\nc\n\n\n"));
    CHECK(lines("", "\n \n"));
    CHECK(lines("a\n\nb", "a\n\nb\n"));
    CHECK_FALSE(lines("a\nb", "a\n\nb"));
    CHECK_FALSE(lines("a b", "a  b"));
    CHECK_FALSE(lines("a", " a"));
    CHECK_FALSE(lines("a\nb", "a"));
    CHECK_FALSE(lines("a", "a\nb"));
    CHECK(compare("a b", "a  b", Manner::lines)->space_only);
    CHECK(compare("a\nb\nc", "a\nb", Manner::lines)->line == 3);
}

TEST_CASE("the kernel's word decides, whatever a program's status pretends", "[judge]") {
    CHECK(ruled(facts(Verdict::ok)) == "-");
    CHECK(ruled(facts(Verdict::nonzero_exit, 42)) == "RTE exit_code");
    CHECK(ruled(facts(Verdict::nonzero_exit, 43)) == "RTE exit_code");
    CHECK(ruled(facts(Verdict::signalled)) == "RTE signal");
    CHECK(ruled(facts(Verdict::forbidden_syscall)) == "RTE forbidden_syscall");
    CHECK(ruled(facts(Verdict::process_limit)) == "RTE processes");
    CHECK(ruled(facts(Verdict::time_limit)) == "TLE cpu_time");
    CHECK(ruled(facts(Verdict::wall_limit)) == "TLE wall_time");
    CHECK(ruled(facts(Verdict::memory_limit)) == "MLE memory");
    CHECK(ruled(facts(Verdict::output_limit)) == "OLE output");
    CHECK(ruled(facts(Verdict::compile_error)) == "CE compile_error");
    CHECK(ruled(facts(Verdict::internal_error)) == "JE internal_error");
    CHECK(ruled(facts(Verdict::cancelled)) == "JE cancelled");
}

TEST_CASE("processor time is exact at its limit, however the program ended", "[judge]") {
    for (const Verdict verdict : {Verdict::ok, Verdict::nonzero_exit, Verdict::signalled,
                                  Verdict::wall_limit, Verdict::output_limit}) {
        Facts made = facts(verdict);
        made.limits.cpu_time = milliseconds(1'000);
        made.usage.cpu_time = milliseconds(1'000);
        CHECK(ruled(made) != "TLE cpu_time");
        made.usage.cpu_time += std::chrono::nanoseconds(1);
        CHECK(ruled(made) == "TLE cpu_time");
        made.usage.wall_time = milliseconds(500'000); // waiting for a processor is not its fault
        made.usage.cpu_time = milliseconds(999);
        CHECK(ruled(made) != "TLE cpu_time");
    }
}

TEST_CASE("a checker accepts with 42, rejects with 43, and fails with all else", "[judge]") {
    CHECK(rule_on_checker(facts(Verdict::nonzero_exit, 42)).word == Word::AC);
    CHECK(rule_on_checker(facts(Verdict::nonzero_exit, 43)).word == Word::WA);
    for (const int code : {0, 1, 2, 41, 44, 255})
        CHECK(rule_on_checker(facts(code == 0 ? Verdict::ok : Verdict::nonzero_exit, code)).word ==
              Word::JE);
    // Its status counts only when it ended by itself.
    for (const Verdict verdict :
         {Verdict::time_limit, Verdict::memory_limit, Verdict::signalled, Verdict::output_limit,
          Verdict::wall_limit, Verdict::forbidden_syscall, Verdict::internal_error,
          Verdict::compile_error, Verdict::cancelled})
        CHECK(rule_on_checker(facts(verdict, 42)).word == Word::JE);
}

TEST_CASE("of program and interactor, who failed first and how decides", "[judge]") {
    const auto ruled_pair = [](const Facts& program, const Facts& interactor, bool first) {
        const Ruling ruling = rule_on_interaction(program, interactor, first);
        return std::string(name_of(ruling.word)) + " " + std::string(ruling.cause);
    };
    const Facts well = facts(Verdict::ok);
    const Facts crash = facts(Verdict::signalled);
    const Facts late = facts(Verdict::time_limit);
    const Facts waits = facts(Verdict::wall_limit);
    const Facts stopped = facts(Verdict::cancelled);
    const Facts accepts = facts(Verdict::nonzero_exit, 42);
    const Facts rejects = facts(Verdict::nonzero_exit, 43);
    const Facts fails = facts(Verdict::nonzero_exit, 1);
    for (const bool first : {false, true}) {
        CHECK(ruled_pair(well, accepts, first) == "AC ");
        CHECK(ruled_pair(well, rejects, first) == "WA checker");
        CHECK(ruled_pair(well, fails, first) == "JE checker_failed");
        CHECK(ruled_pair(well, facts(Verdict::ok), first) == "JE checker_failed");
        CHECK(ruled_pair(crash, fails, first) == "JE checker_failed");
        CHECK(ruled_pair(late, accepts, first) == "TLE cpu_time");
        CHECK(ruled_pair(crash, accepts, first) == "RTE signal");
        CHECK(ruled_pair(facts(Verdict::output_limit), accepts, first) == "OLE output");
        CHECK(ruled_pair(well, facts(Verdict::compile_error), first) == "JE checker_compile_error");
        CHECK(ruled_pair(waits, waits, first) == "TLE wall_time");
        CHECK(ruled_pair(well, facts(Verdict::time_limit, 42), first) == "JE checker_failed");
    }
    // A program that fails because it was rejected is rejected; one that failed first has failed.
    for (const Facts& program : {crash, late, waits, stopped}) {
        CHECK(ruled_pair(program, rejects, true) == "WA checker");
        CHECK(ruled_pair(program, fails, true) == "JE checker_failed");
    }
    CHECK(ruled_pair(crash, rejects, false) == "RTE signal");
    CHECK(ruled_pair(late, rejects, false) == "TLE cpu_time");
    // Who waits until its wall clock for a program that goes on waits for a slow program.
    CHECK(ruled_pair(well, waits, true) == "TLE wall_time");
    CHECK(ruled_pair(well, waits, false) == "JE checker_failed");
    // Not begun, or not ended by itself.
    CHECK(ruled_pair(facts(Verdict::compile_error), stopped, false) == "CE compile_error");
    CHECK(ruled_pair(stopped, facts(Verdict::compile_error), false) == "JE checker_compile_error");
    CHECK(ruled_pair(facts(Verdict::internal_error), accepts, false) == "JE internal_error");
}

TEST_CASE("feedback is files by name, and a score is one number", "[judge]") {
    Feedback feedback;
    feedback.files = {{"a", "1"}, {"nextpass.in", "2"}};
    CHECK(*feedback.find("a") == "1");
    CHECK(feedback.find("b") == nullptr);
    CHECK(feedback.take("nextpass.in") == "2");
    CHECK_FALSE(feedback.take("nextpass.in"));
    CHECK(score_in("12.5\n") == 12.5);
    CHECK(score_in("  0 ") == 0);
    CHECK(score_in("1e3") == 1000);
    for (const char* text : {"", " ", "x", "1 2", "-1", "nan", "inf", "1e10", "0x10", "1,5", "+1"})
        CHECK_FALSE(score_in(text));
}

TEST_CASE("scores of a checker make a group's points, within what it can earn", "[judge]") {
    const auto scored = [](Word word, std::optional<double> score,
                           std::optional<double> multiplier = {}) {
        Marked made = marked(word);
        made.score = score;
        made.multiplier = multiplier;
        return made;
    };
    Score score({{"s", 100, Earning::sum}, {"m", 50, Earning::min}}, {0, 0, 0, 0, 1, 1});
    score.add(0, scored(Word::AC, 30));
    score.add(1, scored(Word::WA, 99)); // a score counts for what is accepted
    score.add(2, scored(Word::AC, {}, 0.5));
    CHECK(score.points() == Approx(42.5));
    CHECK(score.still_matters(3));
    score.add(3, scored(Word::AC, {}));
    CHECK(score.groups()[0].points == Approx(67.5));
    score.add(4, scored(Word::AC, 20));
    CHECK(score.groups()[1].points == 0); // not all of it is judged
    score.add(5, scored(Word::AC, {}, 0.9));
    CHECK(score.groups()[1].points == 20);
    Score much({{"s", 10, Earning::sum}, {"m", 10, Earning::min}}, {0, 0, 1, 1});
    for (std::size_t test = 0; test < 4; ++test) much.add(test, scored(Word::AC, 1000));
    CHECK(much.points() == 20);
    Score failed({{"m", 10, Earning::min}}, {0, 0});
    failed.add(0, scored(Word::RTE, {}));
    CHECK_FALSE(failed.still_matters(1));
}

TEST_CASE("the first failure in the order of the tests decides, a judge error before all",
          "[judge]") {
    Score score({}, std::vector<std::optional<std::size_t>>(4));
    CHECK(score.still_matters(0));
    score.add(0, marked(Word::AC));
    CHECK(score.word() == Word::AC);
    score.add(1, marked(Word::TLE));
    CHECK_FALSE(score.still_matters(2));
    score.add(2, marked(Word::WA));
    CHECK(score.word() == Word::TLE);
    CHECK(score.decisive() == 1);
    score.add(3, marked(Word::JE));
    CHECK(score.word() == Word::JE);
    CHECK(score.decisive() == 3);
    CHECK(score.count(Word::AC) == 1);
    CHECK(score.judged() == 4);
}

TEST_CASE("points come for whole groups, or for each test", "[judge]") {
    Score score({{"a", 30}, {"b", 60, Earning::each}, {"empty", 10}}, {0, 0, 1, 1, 1, {}});
    CHECK(score.max_points() == 100);
    score.add(0, marked(Word::AC));
    CHECK(score.points() == 0); // not all of the group is judged
    score.add(1, marked(Word::AC));
    CHECK(score.points() == 30);
    score.add(2, marked(Word::AC));
    score.add(3, marked(Word::WA));
    CHECK(score.still_matters(4));
    score.add(4, marked(Word::AC));
    CHECK(score.points() == Approx(70));
    CHECK(score.groups().at(1).passed == 2);
    Score failed({{"a", 30}}, {0, 0, 0});
    failed.add(0, marked(Word::WA));
    CHECK_FALSE(failed.still_matters(1));
    failed.add(1, marked(Word::AC));
    failed.add(2, marked(Word::AC));
    CHECK(failed.points() == 0);
}
