// Promises of the journal's lines about runs: what is in them, what never is, and which are
// written.
#include "daemon/front/run_log.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister;
using front::Finished;
using isolate::Verdict;

namespace {

Finished finished(Verdict verdict) {
    Finished event;
    event.run = {"r7", "SECRET-the-client's-own-name"};
    event.language = "python";
    event.result.verdict = verdict;
    event.result.exit_code = 3;
    event.result.output = "SECRET output";
    event.result.error = "SECRET errors";
    event.result.compile = front::CompileResult{.output = "SECRET", .error = "SECRET"};
    event.result.usage.wall_time = std::chrono::milliseconds(250);
    event.result.usage.memory_peak_bytes = 9'000'000;
    return event;
}

} // namespace

TEST_CASE("a run's line has its numbers and nothing of the client's", "[journal]") {
    const std::string line = run_line(finished(Verdict::nonzero_exit), "all");
    const auto object = nlohmann::json::parse(line);
    CHECK(object.at("event") == "run_ended");
    CHECK(object.at("run_id") == "r7");
    CHECK(object.at("verdict") == "nonzero_exit");
    CHECK(object.at("exit_code") == 3);
    CHECK(object.at("wall_time") == 0.25);
    CHECK(object.at("memory_peak") == 9'000'000);
    CHECK_FALSE(object.contains("suspicious"));
    CHECK(line.find("SECRET") == std::string::npos);
}

TEST_CASE("what looks like an attempt is marked, with its reason", "[journal]") {
    Finished event = finished(Verdict::forbidden_syscall);
    event.result.reason = "The program called ptrace, which is forbidden.";
    const auto object = nlohmann::json::parse(run_line(event, "faults"));
    CHECK(object.at("suspicious") == true);
    CHECK(object.at("reason") == "The program called ptrace, which is forbidden.");
    Finished bomb = finished(Verdict::ok);
    bomb.result.usage.forks_refused = 500;
    CHECK(nlohmann::json::parse(run_line(bomb, "faults")).at("forks_refused") == 500);
}

TEST_CASE("the operator chooses which runs the journal hears of", "[journal]") {
    CHECK_FALSE(run_line(finished(Verdict::ok), "all").empty());
    CHECK(run_line(finished(Verdict::ok), "faults").empty());
    CHECK(run_line(finished(Verdict::compile_error), "faults").empty());
    CHECK_FALSE(run_line(finished(Verdict::memory_limit), "faults").empty());
    CHECK(run_line(finished(Verdict::forbidden_syscall), "none").empty());
}

TEST_CASE("a refused start is told with its code, without the client's name for it", "[journal]") {
    front::Refusal refusal;
    refusal.code = "busy";
    refusal.message = "The server's queue is full.";
    refusal.id = "SECRET";
    refusal.run_id = "r9";
    const std::string line = front::refusal_line(refusal);
    CHECK(nlohmann::json::parse(line).at("code") == "busy");
    CHECK(line.find("SECRET") == std::string::npos);
}
