// The flow of analyses on paper: fair turns, bounds, exactly one answer, and an analyst that comes
// and goes.
#include "daemon/front/analyses.h"
#include "tests/unit/front_fixture.h"

#include <nlohmann/json.hpp>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

using namespace cloister;
using namespace cloister::front;
using nlohmann::json;

namespace {

/// Analyses with an analyst on paper.
struct Desk {
    explicit Desk(const Analyses::Bounds& bounds = {}) : analyses(settings.runtimes, bounds) {
        analyses.connect([this](std::uint64_t job, const std::string& request) {
            if (idle == 0) return false;
            --idle;
            given.emplace_back(job, json::parse(request).at("content").get<std::string>());
            return true;
        });
    }
    void ready(std::size_t workers) {
        analyses.on_begun();
        analyses.on_ready({"python", "java"});
        idle = workers;
        analyses.on_worker();
    }
    /// "" when accepted, else the refusal's code.
    std::string ask(Analyses::Client client, const std::string& content,
                    const std::string& path = "a.py") {
        AskAnalyst ask;
        ask.id = content;
        ask.file_path = path;
        ask.content = content;
        const auto refusal = analyses.ask(
            client, ask, [this](const std::string& text) { answers.push_back(json::parse(text)); },
            now);
        return refusal ? refusal->code : "";
    }
    void finish(std::size_t which, const std::optional<std::string>& answer, bool late = false) {
        ++idle;
        analyses.on_answer(given.at(which).first, answer, late);
    }

    config::Settings settings = made_settings();
    Analyses analyses;
    std::size_t idle = 0;
    std::vector<std::pair<std::uint64_t, std::string>> given{};
    std::vector<json> answers{};
    std::chrono::steady_clock::time_point now{std::chrono::seconds(100)};
};

const std::string kGood = R"({"analysis":{"language":"python","success":true}})";

} // namespace

TEST_CASE("each request of an analysis gets exactly one answer", "[analyses]") {
    Desk desk;
    CHECK(desk.ask(1, "early") == "runtime_unavailable");
    desk.ready(3);
    CHECK(desk.ask(1, "a").empty());
    CHECK(desk.ask(1, "b").empty());
    CHECK(desk.ask(1, "c").empty());
    REQUIRE(desk.given.size() == 2); // no more work at one time
    desk.finish(0, kGood);
    REQUIRE(desk.given.size() == 3);
    desk.finish(1, kGood);
    desk.finish(2, kGood);
    desk.analyses.on_answer(desk.given[2].first, kGood, false); // twice is nothing
    REQUIRE(desk.answers.size() == 3);
    CHECK(desk.answers[0].at("id") == "a");
    CHECK(desk.answers[0].at("type") == "analysis_result");
    CHECK(desk.answers[0].at("file_path") == "a.py");
    CHECK(desk.answers[0].at("analysis").at("success") == true);
}

TEST_CASE("turns go round the clients", "[analyses]") {
    Desk desk;
    desk.ready(1);
    for (int i = 0; i < 5; ++i) CHECK(desk.ask(1, "one").empty());
    CHECK(desk.ask(2, "two").empty());
    desk.finish(0, kGood);
    REQUIRE(desk.given.size() == 2);
    CHECK(desk.given[1].second == "two");
}

TEST_CASE("queues are bounded, and say busy", "[analyses]") {
    Desk desk({.per_client = 2, .all = 3, .bytes = 1000});
    desk.ready(0);
    CHECK(desk.ask(1, "a").empty());
    CHECK(desk.ask(1, "b").empty());
    CHECK(desk.ask(1, "c") == "busy");
    CHECK(desk.ask(2, std::string(999, 'x')) == "busy");
    CHECK(desk.ask(2, "d").empty());
    CHECK(desk.ask(3, "e") == "busy");
    desk.analyses.close_client(1);
    CHECK(desk.ask(3, "e").empty());
}

TEST_CASE("what a worker says is nothing, or too late: the front answers with the lines",
          "[analyses]") {
    Desk desk;
    desk.ready(9);
    const std::string code = "x = 1\n\n  \ny = 2";
    for (const auto& [answer, late, error] :
         std::vector<std::tuple<std::optional<std::string>, bool, std::string>>{
             {std::nullopt, true, "analysis_timeout"},
             {std::nullopt, false, "analysis_failed"},
             {"", false, "analysis_failed"},
             {"{", false, "analysis_failed"},
             {"[]", false, "analysis_failed"},
             {R"({"analysis":5})", false, "analysis_failed"},
             {R"({"error":"bad_request"})", false, "analysis_failed"},
             {std::string(40, '['), false, "analysis_failed"}}) {
        desk.answers.clear();
        CHECK(desk.ask(1, code).empty());
        desk.finish(desk.given.size() - 1, answer, late);
        REQUIRE(desk.answers.size() == 1);
        const json& analysis = desk.answers[0].at("analysis");
        CHECK(analysis.at("success") == false);
        CHECK(analysis.at("error") == error);
        CHECK(analysis.at("metrics").at("lines_of_code") == 2);
    }
}

TEST_CASE("languages that the analyst does not know are refused by name", "[analyses]") {
    Desk desk;
    desk.ready(1);
    CHECK(desk.ask(1, "x", "main.c") == "unknown_language");
    CHECK(desk.ask(1, "x", "main.zig") == "unknown_language");
    CHECK(desk.ask(1, "x", "Main.java").empty());
}

TEST_CASE("what comes before the analyst has said what it knows waits for that", "[analyses]") {
    Desk desk;
    desk.analyses.on_begun();
    CHECK(desk.ask(1, "a").empty());
    CHECK(desk.ask(1, "b", "main.c").empty());
    CHECK(desk.ask(1, "c", "main.zig") == "unknown_language");
    desk.ready(1);
    REQUIRE(desk.given.size() == 1);
    desk.finish(0, kGood);
    REQUIRE(desk.answers.size() == 2);
    CHECK(desk.answers[0].at("code") == "unknown_language");
    CHECK(desk.answers[0].at("id") == "b");
    CHECK(desk.answers[1].at("type") == "analysis_result");
}

TEST_CASE("an analyst that goes is waited for, and not for ever", "[analyses]") {
    Desk desk;
    desk.ready(0);
    desk.analyses.on_gone();
    CHECK(desk.ask(1, "a").empty());
    desk.now += std::chrono::seconds(3);
    CHECK(desk.ask(1, "b").empty());
    desk.analyses.expire(desk.now);
    CHECK(desk.answers.empty());
    desk.now += std::chrono::seconds(3);
    desk.analyses.expire(desk.now);
    REQUIRE(desk.answers.size() == 1);
    CHECK(desk.answers[0].at("code") == "busy");
    CHECK(desk.answers[0].at("id") == "a");
    desk.ready(1);
    REQUIRE(desk.given.size() == 1);
    CHECK(desk.given[0].second == "b");
    desk.analyses.on_failed();
    CHECK(desk.ask(1, "c") == "runtime_unavailable");
}

TEST_CASE("a client that left is not answered", "[analyses]") {
    Desk desk;
    desk.ready(1);
    CHECK(desk.ask(1, "a").empty());
    CHECK(desk.ask(1, "b").empty());
    desk.analyses.close_client(1);
    desk.finish(0, kGood);
    CHECK(desk.answers.empty());
    CHECK(desk.given.size() == 1);
}
