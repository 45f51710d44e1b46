// Promises of /metrics: each number changes by what was done, and by nothing else; the format is
// one that Prometheus reads; no label comes from a client.
#include "daemon/front/metrics.h"

#include <sstream>

#include <catch2/catch.hpp>

using namespace cloister;
using namespace std::chrono_literals;
using front::Finished;
using front::Metrics;
using isolate::Verdict;

namespace {

Finished finished(const char* language, Verdict verdict, std::chrono::nanoseconds wall = 20ms) {
    Finished event;
    event.language = language;
    event.result.verdict = verdict;
    event.result.usage.wall_time = wall;
    event.result.queued_time = 2ms;
    event.result.setup_time = 400us;
    event.result.level = wire::Level::warm;
    return event;
}

/// The value of a series, spelled whole; -1 when there is none.
double value(const std::string& text, const std::string& series) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(series + " ")) return std::stod(line.substr(series.size()));
    }
    return -1;
}

} // namespace

TEST_CASE("runs are counted by language and verdict", "[metrics]") {
    Metrics metrics;
    metrics.count_run(finished("python", Verdict::ok));
    metrics.count_run(finished("python", Verdict::ok));
    metrics.count_run(finished("go", Verdict::memory_limit));
    const std::string text = metrics.text({});
    CHECK(value(text, R"(cloister_runs_total{language="python",verdict="ok"})") == 2);
    CHECK(value(text, R"(cloister_runs_total{language="go",verdict="memory_limit"})") == 1);
    CHECK(value(text, R"(cloister_runs_total{language="go",verdict="ok"})") == -1);
    CHECK(value(text, R"(cloister_kills_total{reason="memory_limit"})") == 1);
    CHECK(value(text, R"(cloister_kills_total{reason="wall_limit"})") == 0);
}

TEST_CASE("histograms hold every time once, in cumulative buckets", "[metrics]") {
    Metrics metrics;
    for (const auto wall : {20ms, 30ms, 60'000ms})
        metrics.count_run(finished("python", Verdict::ok, wall));
    const std::string text = metrics.text({});
    CHECK(value(text, R"(cloister_run_seconds_bucket{le="0.01"})") == 0);
    CHECK(value(text, R"(cloister_run_seconds_bucket{le="0.025"})") == 1);
    CHECK(value(text, R"(cloister_run_seconds_bucket{le="0.05"})") == 2);
    CHECK(value(text, R"(cloister_run_seconds_bucket{le="30"})") == 2);
    CHECK(value(text, R"(cloister_run_seconds_bucket{le="+Inf"})") == 3);
    CHECK(value(text, "cloister_run_seconds_count") == 3);
    CHECK(value(text, "cloister_run_seconds_sum") == Approx(60.05));
    CHECK(value(text, R"(cloister_setup_seconds_bucket{start="warm",le="0.0005"})") == 3);
    CHECK(value(text, R"(cloister_setup_seconds_count{start="cold"})") == 0);
    CHECK(value(text, R"(cloister_queue_seconds_bucket{le="0.0025"})") == 3);
}

TEST_CASE("a run without a program counts, and has no time of its own", "[metrics]") {
    Metrics metrics;
    metrics.count_run(finished("c", Verdict::compile_error, 0ns));
    const std::string text = metrics.text({});
    CHECK(value(text, R"(cloister_runs_total{language="c",verdict="compile_error"})") == 1);
    CHECK(value(text, "cloister_run_seconds_count") == 0);
    CHECK(value(text, "cloister_queue_seconds_count") == 1);
}

TEST_CASE("refusals are counted by code, and their number of series is bounded", "[metrics]") {
    Metrics metrics;
    metrics.count_refusal("busy");
    metrics.count_refusal("busy");
    for (int i = 0; i < 2'000; ++i) metrics.count_refusal("code" + std::to_string(i));
    const std::string text = metrics.text({});
    CHECK(value(text, R"(cloister_refusals_total{code="busy"})") == 2);
    CHECK(value(text, R"(cloister_refusals_total{code="other"})") > 1'000);
    CHECK(text.size() < 100'000);
}

TEST_CASE("what others know is handed in; a keeper that is silent leaves its numbers out",
          "[metrics]") {
    Metrics metrics;
    Metrics::Now now;
    now.waiting = 7;
    now.rooms = 3;
    now.divergences = 1;
    CHECK(value(metrics.text(now), R"(cloister_boxes{state="total"})") == -1);
    now.boxes = wire::StatusReply{.boxes = 8, .running = 2, .prepared = 5, .warm = 3};
    const std::string text = metrics.text(now);
    CHECK(value(text, "cloister_queue_length") == 7);
    CHECK(value(text, "cloister_rooms") == 3);
    CHECK(value(text, "collab_divergence_total") == 1);
    CHECK(value(text, R"(cloister_boxes{state="total"})") == 8);
    CHECK(value(text, R"(cloister_boxes{state="prepared"})") == 2);
    CHECK(value(text, R"(cloister_boxes{state="warm"})") == 3);
}

TEST_CASE("the first analyst is no restart", "[metrics]") {
    Metrics metrics;
    metrics.count_analyst();
    CHECK(value(metrics.text({}), "cloister_analyst_restarts_total") == 0);
    metrics.count_analyst();
    CHECK(value(metrics.text({}), "cloister_analyst_restarts_total") == 1);
}

TEST_CASE("every series has a help and a type before it, and every line ends", "[metrics]") {
    Metrics metrics;
    metrics.count_run(finished("python", Verdict::ok));
    metrics.count_refusal("busy");
    Metrics::Now now;
    now.boxes = wire::StatusReply{};
    const std::string text = metrics.text(now);
    CHECK(text.ends_with('\n'));
    std::istringstream lines(text);
    std::string family;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# HELP ")) family = line.substr(7, line.find(' ', 7) - 7);
        else if (line.starts_with("# TYPE ")) CHECK(line.substr(7).starts_with(family + " "));
        else CHECK(line.starts_with(family));
    }
}
