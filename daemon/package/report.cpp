// Three forms of the same report; whatever a stranger wrote goes through shown().
#include "daemon/package/report.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace cloister::package {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxComplaints = 20; ///< that are shown of one check or row
constexpr std::size_t kMaxMessage = 4096;
constexpr std::uint64_t kMib = 1024 * 1024;

/// With three digits behind the point.
std::string decimal(double value) {
    char text[48];
    (void)std::snprintf(text, sizeof text, "%.3f", value);
    return text;
}

std::string seconds(double value) { return decimal(value) + " s"; }

std::string short_number(double value) {
    char text[48];
    (void)std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

std::string column(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

std::size_t name_width(const Problem& problem) {
    std::size_t width = 12;
    for (const Submission& one : problem.submissions)
        width = std::max(width, one.program.name.size() + 2);
    return std::min<std::size_t>(width, 60);
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') out += "&amp;";
        else if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '"') out += "&quot;";
        else if (c == '\n') out += "&#10;";
        else out += c;
    }
    return out;
}

std::string lines(const std::vector<std::string>& complaints) {
    std::string out;
    for (std::size_t i = 0; i < std::min(complaints.size(), kMaxComplaints); ++i)
        out += (i > 0 ? "\n" : "") + shown(complaints[i]);
    if (complaints.size() > kMaxComplaints)
        out += "\n… and " + std::to_string(complaints.size() - kMaxComplaints) + " more";
    return out;
}

json number_or_null(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json test_json(const TestCase& test, const TestResult& result) {
    json out{{"name", test.name}, {"judged", result.ran}};
    if (!result.ran) return out;
    out["verdict"] = result.word;
    if (!result.cause.empty()) out["cause"] = result.cause;
    out["cpu_time"] = result.cpu_time;
    out["wall_time"] = result.wall_time;
    out["memory_peak"] = result.memory_bytes;
    if (result.score) out["score"] = number_or_null(*result.score);
    if (!result.message.empty()) out["message"] = shown(result.message, kMaxMessage);
    if (!result.team_message.empty()) out["team_message"] = shown(result.team_message, kMaxMessage);
    if (!result.reason.empty()) out["reason"] = shown(result.reason, kMaxMessage);
    return out;
}

json row_json(const Report& report, const Row& row) {
    const Submission& submission = *row.submission;
    json out{{"name", submission.program.name},
             {"language", submission.program.language},
             {"expected", expectation_of(submission)}};
    if (!row.skipped.empty()) {
        out["skipped"] = shown(row.skipped);
        return out;
    }
    out["verdict"] = row.outcome.word;
    out["ok"] = row.outcome.ok;
    out["cpu_time"] = row.outcome.slowest;
    out["memory_peak"] = row.outcome.memory_bytes;
    if (row.outcome.score) out["score"] = number_or_null(*row.outcome.score);
    if (row.outcome.decided_by)
        out["decided_by"] = report.problem->tests[*row.outcome.decided_by].name;
    out["complaints"] = json::array();
    for (const std::string& complaint : row.outcome.complaints)
        out["complaints"].push_back(shown(complaint));
    if (!row.result.compiled) out["compile_error"] = shown(row.result.compile_error, kMaxMessage);
    out["tests"] = json::array();
    for (std::size_t i = 0; i < row.result.tests.size(); ++i)
        out["tests"].push_back(test_json(report.problem->tests[i],
                                         under_limit(row.result.tests[i], report.time_limit)));
    return out;
}

std::string junit_case(const std::string& suite, const std::string& name, double time,
                       const std::string& failure, const std::string& text) {
    std::string out = R"(  <testcase classname=")" + escaped(suite) + R"(" name=")" +
                      escaped(name) + R"(" time=")" + decimal(time) + "\"";
    if (failure.empty()) return out + "/>\n";
    out += ">\n    <failure message=\"" + escaped(failure) + "\">" + escaped(text);
    return out + "</failure>\n  </testcase>\n";
}

std::string junit_suite(const std::string& name, std::size_t tests, std::size_t failures,
                        std::size_t errors, std::size_t skipped, double time,
                        const std::string& cases) {
    return R"(<?xml version="1.0" encoding="UTF-8"?>)"
           "\n<testsuites>\n<testsuite name=\"" +
           escaped(name) + "\" tests=\"" + std::to_string(tests) + "\" failures=\"" +
           std::to_string(failures) + "\" errors=\"" + std::to_string(errors) + "\" skipped=\"" +
           std::to_string(skipped) + "\" time=\"" + decimal(time) + "\">\n" + cases +
           "</testsuite>\n</testsuites>\n";
}

} // namespace

bool Report::ok() const {
    return std::ranges::all_of(checks, &Check::ok) && std::ranges::all_of(rows, [](const Row& row) {
               return !row.skipped.empty() || row.outcome.ok;
           });
}

std::string head_text(const Report& report) {
    const Problem& problem = *report.problem;
    std::string out = shown(problem.name) + " (";
    out += problem.format == Format::legacy ? "legacy" : "2025-09";
    out += problem.scoring ? ", scoring" : ", pass-fail";
    if (problem.interactive) out += ", interactive";
    if (problem.limits.validation_passes > 1) out += ", multi-pass";
    return out + "), " + std::to_string(problem.tests.size()) + " tests\n";
}

std::string check_text(const Check& check) {
    std::string out = column(check.name, 20) + column(check.ok ? "ok" : "NOT OK", 8) + check.detail;
    out.erase(out.find_last_not_of(' ') + 1);
    out += "\n";
    std::string indented = lines(check.complaints);
    for (std::size_t at = 0; (at = indented.find('\n', at)) != std::string::npos; at += 5)
        indented.replace(at, 1, "\n    ");
    return indented.empty() ? out : out + "    " + indented + "\n";
}

std::string table_head(const Problem& problem) {
    return column("SUBMISSION", name_width(problem)) + column("EXPECTED", 12) +
           column("VERDICT", 9) + (problem.scoring ? column("SCORE", 10) : "") +
           column("TIME", 11) + column("MEMORY", 10) + "\n";
}

std::string row_text(const Problem& problem, const Row& row) {
    std::string out = column(row.submission->program.name, name_width(problem)) +
                      column(expectation_of(*row.submission), 12);
    if (!row.skipped.empty()) return out + "skipped: " + shown(row.skipped) + "\n";
    const Outcome& outcome = row.outcome;
    out += column(outcome.word, 9);
    if (problem.scoring)
        out += column(outcome.score ? short_number(*outcome.score) : std::string("-"), 10);
    out += column(seconds(outcome.slowest), 11);
    out += column(std::to_string((outcome.memory_bytes + kMib - 1) / kMib) + " MiB", 10);
    out += outcome.ok ? "ok\n" : "NOT OK\n";
    for (std::size_t i = 0; i < std::min(outcome.complaints.size(), kMaxComplaints); ++i)
        out += "    " + shown(outcome.complaints[i]) + "\n";
    if (!row.result.compiled) {
        const std::string words = shown(row.result.compile_error, 1'000);
        if (!words.empty()) out += words + (words.ends_with('\n') ? "" : "\n");
    }
    if (!outcome.ok && outcome.decided_by) {
        const TestResult& test = row.result.tests[*outcome.decided_by];
        const std::string why = !test.message.empty() ? test.message : test.reason;
        if (!why.empty())
            out += "    " + problem.tests[*outcome.decided_by].name + ": " + shown(why) + "\n";
    }
    return out;
}

std::string foot_text(const Report& report) {
    std::size_t judged = 0;
    std::size_t good = 0;
    for (const Row& row : report.rows) {
        if (!row.skipped.empty()) continue;
        ++judged;
        if (row.outcome.ok) ++good;
    }
    return std::to_string(good) + " of " + std::to_string(judged) + " submissions as expected\n";
}

std::string to_json(const Report& report) {
    const Problem& problem = *report.problem;
    json out{{"name", shown(problem.name)},
             {"format", problem.format == Format::legacy ? "legacy" : "2025-09"},
             {"type", problem.scoring ? "scoring" : "pass-fail"},
             {"interactive", problem.interactive},
             {"tests", problem.tests.size()},
             {"time_limit", report.time_limit},
             {"time_limit_source", report.time_limit_source},
             {"ok", report.ok()}};
    if (problem.limits.validation_passes > 1) out["passes"] = problem.limits.validation_passes;
    out["checks"] = json::array();
    for (const Check& check : report.checks) {
        json one{{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}};
        one["complaints"] = json::array();
        for (const std::string& complaint : check.complaints)
            one["complaints"].push_back(shown(complaint));
        out["checks"].push_back(std::move(one));
    }
    out["submissions"] = json::array();
    for (const Row& row : report.rows) out["submissions"].push_back(row_json(report, row));
    return out.dump(2) + "\n";
}

std::string to_junit(const Report& report) {
    const std::string suite = shown(report.problem->name);
    std::string cases;
    std::size_t failures = 0;
    std::size_t skipped = 0;
    double time = 0;
    for (const Check& check : report.checks) {
        if (!check.ok) ++failures;
        const std::string text = lines(check.complaints);
        cases += junit_case(suite + ".checks", check.name, 0,
                            check.ok ? "" : (check.detail.empty() ? "not ok" : shown(check.detail)),
                            text);
    }
    for (const Row& row : report.rows) {
        const std::string& name = row.submission->program.name;
        if (!row.skipped.empty()) {
            ++skipped;
            cases += R"(  <testcase classname=")" + escaped(suite + ".submissions") +
                     R"(" name=")" + escaped(name) + "\">\n    <skipped message=\"" +
                     escaped(shown(row.skipped)) + "\"/>\n  </testcase>\n";
            continue;
        }
        if (!row.outcome.ok) ++failures;
        time += row.outcome.slowest;
        std::string failure;
        if (!row.outcome.ok)
            failure = "expected " + expectation_of(*row.submission) + ", got " + row.outcome.word;
        std::string text = lines(row.outcome.complaints);
        if (!row.result.compiled) text += "\n" + shown(row.result.compile_error, kMaxMessage);
        cases += junit_case(suite + ".submissions", name, row.outcome.slowest, failure, text);
    }
    return junit_suite(suite, report.checks.size() + report.rows.size(), failures, 0, skipped, time,
                       cases);
}

std::string failure_to_json(const std::string& message) {
    return json{{"ok", false}, {"error", shown(message, kMaxMessage)}}.dump(2) + "\n";
}

std::string failure_to_junit(const std::string& package, const std::string& message) {
    const std::string suite = shown(package);
    const std::string one = R"(  <testcase classname=")" + escaped(suite) +
                            "\" name=\"package\">\n    <error message=\"" +
                            escaped(shown(message)) + "\"/>\n  </testcase>\n";
    return junit_suite(suite, 1, 0, 1, 0, 0, one);
}

} // namespace cloister::package
