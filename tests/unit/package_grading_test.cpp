// What is derived from packages, how results become verdicts and scores, and what is said of them.
#include "daemon/package/grading.h"
#include "daemon/package/problem.h"
#include "daemon/package/report.h"
#include "daemon/package/text.h"
#include "daemon/package/time_limit.h"

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
#include <nlohmann/json.hpp>

using namespace cloister::package;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Problem example(const std::string& name) {
    const Folder folder(std::string(CLOISTER_SOURCE) + "/tests/judge/packages/" + name);
    return read_problem(folder);
}

TestResult result(Verdict verdict, double seconds = 0.1) {
    TestResult out;
    out.ran = true;
    out.verdict = verdict;
    out.word = name_of(verdict);
    out.cpu_time = seconds;
    return out;
}

SubmissionResult results(const std::vector<TestResult>& all) {
    SubmissionResult out;
    out.tests = all;
    return out;
}

const Submission& submission(const Problem& problem, const std::string& name) {
    for (const Submission& one : problem.submissions)
        if (one.program.name == name) return one;
    throw std::runtime_error("no " + name);
}

} // namespace

TEST_CASE("the time limit follows from the slowest accepted run", "[package]") {
    Limits legacy;
    CHECK(derive_time_limit(legacy, Format::legacy, 0.01) == 1);
    CHECK(derive_time_limit(legacy, Format::legacy, 0.5) == 3); // 2.5, rounded up
    CHECK(derive_time_limit(legacy, Format::legacy, 1.05) == 5);
    CHECK(margin_of(legacy, 3) == 6);
    Limits modern;
    modern.ac_to_time_limit = 2;
    modern.time_limit_to_tle = 1.5;
    modern.time_resolution = 0.5;
    CHECK(derive_time_limit(modern, Format::v2025_09, 0.01) == 0.5);
    CHECK(derive_time_limit(modern, Format::v2025_09, 0.5) == 1.0);
    CHECK(derive_time_limit(modern, Format::v2025_09, 0.51) == 1.5);
    modern.time_resolution = 0.1;
    CHECK(derive_time_limit(modern, Format::v2025_09, 0.15) == Approx(0.3));
}

TEST_CASE("rules that bound the time limit", "[package]") {
    Rule rule;
    CHECK_FALSE(rule.bounds_below());
    CHECK_FALSE(rule.bounds_above());
    rule.permitted = std::vector{Verdict::AC};
    CHECK(rule.bounds_below());
    rule.permitted->push_back(Verdict::TLE);
    CHECK_FALSE(rule.bounds_below());
    rule.required = std::vector{Verdict::TLE};
    CHECK(rule.bounds_above());
    rule.required->push_back(Verdict::RTE);
    CHECK_FALSE(rule.bounds_above());
    rule.time_use = Rule::TimeUse::upper;
    CHECK(rule.bounds_above());
    rule.time_use = Rule::TimeUse::none;
    CHECK_FALSE(rule.bounds_above());
}

TEST_CASE("verdicts are held against what a package expects", "[package]") {
    const Problem problem = example("halves");
    const auto graded = [&](const char* name, const std::vector<TestResult>& all) {
        return grade(problem, submission(problem, name), results(all), 1.0, true);
    };
    const TestResult ac = result(Verdict::AC);
    CHECK(graded("accepted/halves.py", {ac, ac, ac}).ok);
    const Outcome wrong = graded("accepted/halves.py", {ac, result(Verdict::WA), {}});
    CHECK_FALSE(wrong.ok);
    CHECK(wrong.verdict == Verdict::WA);
    CHECK(wrong.decided_by == 1U);
    CHECK(graded("wrong_answer/whole.py", {ac, result(Verdict::WA), {}}).ok);
    CHECK_FALSE(graded("wrong_answer/whole.py", {ac, result(Verdict::RTE), {}}).ok);
    CHECK_FALSE(graded("wrong_answer/whole.py", {ac, ac, ac}).ok);
    CHECK(graded("run_time_error/crash.py", {ac, result(Verdict::RTE), {}}).ok);
    // Beyond the limit and its margin, and between the two.
    const Outcome slow =
        graded("time_limit_exceeded/counts.py", {ac, ac, result(Verdict::AC, 2.1)});
    CHECK(slow.ok);
    CHECK(slow.word == "TLE");
    const Outcome near =
        graded("time_limit_exceeded/counts.py", {ac, ac, result(Verdict::AC, 1.9)});
    CHECK_FALSE(near.ok);
    CHECK(near.verdict == Verdict::TLE);
    CHECK_FALSE(graded("accepted/halves.py", {ac, ac, result(Verdict::AC, 1.1)}).ok);
    // A judge's error is never what is expected.
    const Outcome error = graded("run_time_error/crash.py", {result(Verdict::JE), {}, {}});
    CHECK_FALSE(error.ok);
    CHECK(error.verdict == Verdict::JE);
    SubmissionResult broken;
    broken.compiled = false;
    CHECK(grade(problem, submission(problem, "accepted/halves.c"), broken, 1, true).word == "CE");
}

TEST_CASE("requirements of 2025-09 speak of every test", "[package]") {
    const Problem problem = example("pairs");
    TestResult manner = result(Verdict::WA);
    manner.message = "the manner is wrong\n";
    const TestResult ac = result(Verdict::AC);
    const Submission& careful = submission(problem, "rejected/careful.py");
    CHECK(grade(problem, careful, results({ac, manner, ac}), 2, true).ok);
    CHECK_FALSE(grade(problem, careful, results({ac, result(Verdict::WA), ac}), 2, true).ok);
    CHECK_FALSE(grade(problem, careful, results({manner, manner, ac}), 2, true).ok);
    CHECK_FALSE(grade(problem, careful, results({ac, manner, result(Verdict::RTE)}), 2, true).ok);
    const Submission& accepted = submission(problem, "accepted/split.py");
    const SubmissionResult slow = results({ac, ac, result(Verdict::AC, 1.5)});
    CHECK_FALSE(grade(problem, accepted, slow, 2, true).ok); // 2 x 1.5 s is more than 2 s
    CHECK(grade(problem, accepted, slow, 2, false).ok);
}

TEST_CASE("scores of legacy groups", "[package]") {
    const Problem problem = example("stairs");
    const TestResult ac = result(Verdict::AC);
    const TestResult wa = result(Verdict::WA);
    const Submission& accepted = submission(problem, "accepted/sum.py");
    const Outcome all = grade(problem, accepted, results({ac, ac, ac, ac, ac}), 1, true);
    CHECK(all.verdict == Verdict::AC);
    CHECK(all.score == 100.0);
    const Outcome half = grade(problem, accepted, results({ac, ac, ac, wa, {}}), 1, true);
    CHECK(half.score == 40.0);
    CHECK(half.verdict == Verdict::AC); // accept_if_any_accepted
    CHECK(grade(problem, submission(problem, "partially_accepted/table.py"),
                results({ac, ac, ac, wa, {}}), 1, true)
              .ok);
    CHECK_FALSE(grade(problem, submission(problem, "partially_accepted/table.py"),
                      results({ac, ac, ac, ac, ac}), 1, true)
                    .ok);
    CHECK(grade(problem, accepted, results({ac, wa, {}, wa, {}}), 1, true).verdict == Verdict::WA);
    // A sample that does not count changes nothing.
    CHECK(grade(problem, accepted, results({wa, ac, ac, ac, ac}), 1, true).verdict == Verdict::AC);
    Progress progress(problem, 1);
    progress.add(0, wa);
    CHECK(progress.still_runs(1));
    progress.add(1, wa);
    CHECK_FALSE(progress.still_runs(2)); // its group has stopped
    CHECK(progress.still_runs(3));       // another one has not
}

TEST_CASE("scores of 2025-09", "[package]") {
    Problem problem = example("steps");
    const TestResult ac = result(Verdict::AC);
    const TestResult wa = result(Verdict::WA);
    const Submission& accepted = submission(problem, "accepted/square.py");
    const auto score = [&](const std::vector<TestResult>& all) {
        return grade(problem, accepted, results(all), 1, true).score;
    };
    CHECK(score({ac, ac, ac, ac, ac, ac, ac}) == 100.0);
    CHECK(score({ac, ac, ac, wa, ac, ac, ac}) == 75.0); // half of the sum
    CHECK(score({ac, ac, ac, ac, ac, ac, wa}) == 80.0); // nothing of the minimum
    CHECK(score({ac, ac, wa, {}, {}, ac, ac}) == 20.0);
    TestResult part = ac;
    part.multiplier = 0.5;
    CHECK(score({ac, ac, ac, part, ac, ac, part}) == Approx(30 + 37.5 + 10));
    part = ac;
    part.score = 26; // more than a test can have
    CHECK(grade(problem, accepted, results({ac, ac, ac, part, ac, ac, ac}), 1, true).verdict ==
          Verdict::JE);
    part.score = 5; // where a group passes or fails
    CHECK_FALSE(grade(problem, accepted, results({ac, part, ac, ac, ac, ac, ac}), 1, true).ok);
    Progress progress(problem, 1);
    progress.add(0, ac);
    progress.add(1, wa);
    progress.add(2, ac);
    CHECK_FALSE(progress.still_runs(3)); // requires the group before it
    progress.add(3, {});
    CHECK(progress.still_runs(5));
}

TEST_CASE("what is shown of strangers' texts is harmless", "[package]") {
    CHECK(shown("a\x1b[2Jb\nc") == "a [2Jb c");
    CHECK(shown("a\xff\xfe") == "a\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(shown("\xED\x95\x9C") == "\xED\x95\x9C");
    CHECK(shown("\xC2\x9B") == "\xEF\xBF\xBD"); // a control character of two bytes
    CHECK(shown("a\nb", 100) == "a\nb");
    CHECK(shown(std::string(1'000, 'x')).size() < kLine + 4);
    CHECK_FALSE(is_utf8("\xED\xA0\x80"));
    CHECK(is_utf8("\xF0\x9F\x98\x80"));
}

TEST_CASE("reports hold what was judged", "[package]") {
    const Problem problem = example("halves");
    Report report;
    report.problem = &problem;
    report.time_limit = 1;
    Check check;
    check.name = "input validators";
    check.complaints = {"secret/1: <bad> & \"worse\"\x01"};
    report.checks.push_back(check);
    Row row;
    row.submission = &submission(problem, "accepted/halves.py");
    TestResult test = result(Verdict::WA);
    test.message = "<script>";
    row.result = results({result(Verdict::AC), test, {}});
    row.outcome = grade(problem, *row.submission, row.result, 1, true);
    report.rows.push_back(row);
    Row skipped;
    skipped.submission = &problem.submissions[1];
    skipped.skipped = "no such language";
    report.rows.push_back(skipped);
    CHECK_FALSE(report.ok());

    const auto json = nlohmann::json::parse(to_json(report));
    CHECK(json.at("ok") == false);
    CHECK(json.at("submissions").at(0).at("verdict") == "WA");
    CHECK(json.at("submissions").at(0).at("decided_by") == "secret/1-small");
    CHECK(json.at("submissions").at(0).at("tests").at(2).at("judged") == false);
    CHECK(json.at("submissions").at(1).at("skipped") == "no such language");
    const std::string xml = to_junit(report);
    CHECK(holds(xml, "tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\""));
    CHECK(holds(xml, "&lt;bad&gt; &amp; &quot;worse&quot; "));
    CHECK_FALSE(holds(xml, "\x01"));
    CHECK(holds(row_text(problem, row), "NOT OK"));
    CHECK(holds(foot_text(report), "0 of 1 submissions"));
    CHECK(holds(failure_to_junit("x", "a < b"), "<error message=\"a &lt; b\"/>"));
}
