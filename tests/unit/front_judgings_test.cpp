// Promises of judging: one compile, verdicts in the order of the tests, one end, stopping when told
// to, no client starved, forged verdicts worth nothing.
#include "tests/unit/court.h"

using namespace cloister::front;
using cloister::isolate::Outcome;
using nlohmann::json;
namespace wire = cloister::wire;

TEST_CASE("verdicts come in the order of the tests, whichever ends first", "[front][judge]") {
    Court court;
    REQUIRE(accepted(court.submit(Court::request(4))));
    CHECK(court.stage.boxes.boxes.size() == 1); // the first alone: it may have to compile
    court.finish(court.oldest(), "yes");
    CHECK(court.stage.boxes.boxes.size() == 2);
    CHECK(court.verdicts() == "AC");
    const std::uint64_t second = court.oldest();
    CHECK(court.input(second) == "1");
    court.finish(court.stage.boxes.last(), "no"); // the third
    CHECK(court.verdicts() == "AC");
    court.finish(second, "YES\n");
    CHECK(court.verdicts() == "AC AC WA");
    court.finish(court.oldest(), "yes", 42); // of the program, 42 says nothing
    CHECK(court.verdicts() == "AC AC WA RTE");
    const json result = court.result();
    CHECK(result["verdict"] == "WA");
    CHECK(result["decided_by"] == 2);
    CHECK(result["judged"] == 4);
    CHECK(result["verdicts"] == json({{"AC", 2}, {"WA", 1}, {"RTE", 1}}));
    CHECK(court.told("verdict")[2]["difference"]["printed"] == "no");
    CHECK(court.judgings.under_way() == 0);
    CHECK(court.stage.executions.is_idle());
}

TEST_CASE("a program is compiled once, even where nothing compiled is kept", "[front][judge]") {
    Court court;
    REQUIRE(accepted(court.submit(Court::request(20, "c"))));
    std::size_t compiles = 0;
    std::size_t runs = 0;
    while (!court.stage.boxes.boxes.empty()) {
        const std::uint64_t box = court.oldest();
        const bool compile =
            court.stage.boxes.boxes.at(box).start.frame.stage == wire::Stage::compile;
        compiles += compile ? 1 : 0;
        runs += compile ? 0 : 1;
        court.finish(box, compile ? "" : "yes");
    }
    CHECK(compiles == 1);
    CHECK(runs == 20);
    CHECK(court.told("compiled").size() == 1);
    CHECK(court.result()["verdict"] == "AC");
    // What was held is let go.
    const auto& log = court.stage.boxes.log;
    CHECK(std::ranges::count_if(log,
                                [](const auto& line) { return line.starts_with("release"); }) == 1);
}

TEST_CASE("what does not compile is judged at once", "[front][judge]") {
    Court court;
    REQUIRE(accepted(court.submit(Court::request(5, "c"))));
    court.finish(court.oldest(), "error: no", 1);
    CHECK(court.verdicts().empty());
    CHECK(court.result()["verdict"] == "CE");
    CHECK(court.result()["skipped"] == 5);
    CHECK(court.result()["compile"]["output"] == "error: no");
    CHECK(court.stage.executions.is_idle());
}

TEST_CASE("judging stops at the first failure when told to", "[front][judge]") {
    Court court(3);
    json request = Court::request(10);
    request["stop_at_first_failure"] = true;
    REQUIRE(accepted(court.submit(request)));
    court.finish(court.oldest(), "yes");
    REQUIRE(court.stage.boxes.boxes.size() == 3);
    court.finish(court.oldest(), "no");
    // The others are of no use any more.
    for (const auto& [number, box] : court.stage.boxes.boxes) CHECK(box.killed);
    while (!court.stage.boxes.boxes.empty()) court.finish(court.oldest(), "yes");
    CHECK(court.verdicts() == "AC WA");
    CHECK(court.result()["skipped"] == 8);
    CHECK(court.result()["verdict"] == "WA");
}

TEST_CASE("with groups, stopping leaves out the rest of the group alone", "[front][judge]") {
    Court court(1);
    json request = Court::request(6);
    request["stop_at_first_failure"] = true;
    request["groups"] = {{{"name", "a"}, {"points", 40}}, {{"name", "b"}, {"points", 60}}};
    for (std::size_t i = 0; i < 6; ++i) request["tests"][i]["group"] = i < 3 ? "a" : "b";
    REQUIRE(accepted(court.submit(request)));
    std::size_t runs = 0;
    while (!court.stage.boxes.boxes.empty())
        court.finish(court.oldest(), runs++ == 0 ? "no" : "yes");
    CHECK(runs == 4);
    CHECK(court.verdicts() == "WA AC AC AC");
    CHECK(court.result()["points"] == 60);
    CHECK(court.result()["max_points"] == 100);
    CHECK(court.result()["groups"][0]["judged"] == 1);
}

TEST_CASE("a checker decides, in a box of its own, with what the program printed",
          "[front][judge]") {
    Court court(1);
    json request = Court::request(4);
    request["checker"] = {{"type", "program"}, {"language", "c"}, {"code", "y"}};
    REQUIRE(accepted(court.submit(request)));
    std::size_t compiles = 0;
    std::vector<int> answers = {42, 43, 0, 42};
    std::size_t checked = 0;
    while (!court.stage.boxes.boxes.empty()) {
        const std::uint64_t box = court.oldest();
        const auto& started = court.stage.boxes.boxes.at(box);
        if (started.start.frame.stage == wire::Stage::compile) {
            ++compiles;
            CHECK(started.bundle.find("test.ans") == std::string::npos);
            court.finish(box, "");
        } else if (started.bundle.find("test.ans") != std::string::npos) {
            CHECK(started.input == "AC 42");
            court.stage.executions.on_output(box, 1, "because");
            court.finish(box, "", answers.at(checked++));
        } else {
            court.finish(box, "AC 42");
        }
    }
    CHECK(compiles == 1);
    CHECK(court.verdicts() == "AC WA JE AC");
    CHECK(court.told("verdict")[1]["checker"]["message"] == "because");
    CHECK(court.result()["verdict"] == "JE"); // ours to mend
}

TEST_CASE("a checker that does not compile ends the judging", "[front][judge]") {
    Court court(1);
    json request = Court::request(50);
    request["checker"] = {{"type", "program"}, {"language", "c"}, {"code", "y"}};
    REQUIRE(accepted(court.submit(request)));
    court.finish(court.oldest(), "yes");
    court.finish(court.oldest(), "error", 1);
    CHECK(court.verdicts() == "JE");
    CHECK(court.told("verdict")[0]["cause"] == "checker_compile_error");
    CHECK(court.result()["skipped"] == 49);
}

TEST_CASE("a judging goes on when the settings are read again, by their numbers",
          "[front][judge]") {
    Court court(1);
    REQUIRE(accepted(court.submit(Court::request(4, "c"))));
    court.finish(court.oldest(), ""); // compiled
    const auto& old = court.stage.boxes.boxes.at(court.oldest()).start.frame;
    CHECK(old.runtime == 0);
    for (Catalog::Entry& entry : court.catalog.entries) entry.number += 10;
    court.catalog.first_policy += 20;
    court.settings.policies.at("judge").limits.memory_bytes /= 2;
    court.judgings.renew();
    court.finish(court.oldest(), "yes");
    std::size_t compiles = 0;
    while (!court.stage.boxes.boxes.empty()) {
        const auto& frame = court.stage.boxes.boxes.at(court.oldest()).start.frame;
        CHECK(frame.runtime == 10);
        CHECK(frame.policy >= 20);
        const bool compile = frame.stage == wire::Stage::compile;
        if (!compile)
            CHECK(frame.limits.memory_bytes ==
                  court.settings.policies.at("judge").limits.memory_bytes);
        compiles += compile ? 1 : 0;
        court.finish(court.oldest(), compile ? "" : "yes");
    }
    CHECK(compiles == 1);
    CHECK(court.told("compiled").size() == 1);
    CHECK(court.verdicts() == "AC AC AC AC");
    REQUIRE(accepted(court.submit(Court::request(4))));
    court.catalog.entries.back().version.reset();
    court.judgings.renew();
    while (!court.stage.boxes.boxes.empty()) court.finish(court.oldest(), "yes");
    CHECK(court.events.back().refusal.code == "runtime_unavailable");
    CHECK(court.stage.executions.is_idle());
}

TEST_CASE("a judging is cancelled, or goes with its client", "[front][judge]") {
    for (const bool leaves : {false, true}) {
        Court court;
        REQUIRE(accepted(court.submit(Court::request(10))));
        court.finish(court.oldest(), "yes");
        RunName run;
        run.id = "mine";
        if (leaves) court.judgings.close_client(court.client);
        else CHECK_FALSE(court.judgings.cancel(court.client, run));
        for (const auto& [number, box] : court.stage.boxes.boxes) CHECK(box.killed);
        while (!court.stage.boxes.boxes.empty()) court.stage.end(court.oldest(), 0);
        CHECK(court.judgings.under_way() == 0);
        CHECK(court.stage.executions.is_idle());
        if (leaves) continue;
        CHECK(court.result()["cause"] == "cancelled");
        CHECK(court.result()["judged"] == 1);
        CHECK(court.judgings.cancel(court.client, run)->code == "no_such_run");
    }
}

TEST_CASE("a listener may leave at any word it hears", "[front][judge]") {
    for (std::size_t word = 0; word < 6; ++word) {
        Court court;
        std::size_t heard = 0;
        court.react = [&](const JudgeEvent&) {
            if (heard++ == word) court.judgings.close_client(court.client);
        };
        (void)court.submit(Court::request(3, "c"));
        while (!court.stage.boxes.boxes.empty()) court.finish(court.oldest(), "yes");
        CHECK(court.judgings.under_way() == 0);
        CHECK(court.stage.executions.is_idle());
        CHECK(court.events.size() == std::min<std::size_t>(word + 1, 6));
    }
}

TEST_CASE("a congested client is judged no further until it reads", "[front][judge]") {
    Court court;
    REQUIRE(accepted(court.submit(Court::request(5))));
    court.judgings.set_congested(court.client, true);
    court.finish(court.oldest(), "yes");
    CHECK(court.stage.boxes.boxes.empty());
    court.judgings.set_congested(court.client, false);
    while (!court.stage.boxes.boxes.empty()) court.finish(court.oldest(), "yes");
    CHECK(court.result()["verdict"] == "AC");
}

TEST_CASE("a full queue only delays a judging", "[front][judge]") {
    Court court(2, 1);
    Ears ears;
    const ClientId other = court.stage.executions.open_client(ears);
    (void)court.stage.executions.submit(other, court.stage.job("other"));
    REQUIRE(accepted(court.submit(Court::request(3))));
    std::vector<ClientId> crowd;
    for (int i = 0; i < 100; ++i) {
        crowd.push_back(court.stage.executions.open_client(ears));
        for (int k = 0; k < 16; ++k)
            (void)court.stage.executions.submit(crowd.back(), court.stage.job("c"));
    }
    std::size_t rounds = 0;
    while (court.told("result").empty() && ++rounds < 10'000) {
        if (court.stage.boxes.boxes.empty()) court.judgings.tick();
        else court.finish(court.oldest(), "yes");
        court.judgings.tick();
    }
    CHECK(court.result()["verdict"] == "AC");
    CHECK(court.verdicts() == "AC AC AC");
}

TEST_CASE("a judging of many tests leaves others their turn", "[front][judge]") {
    Court court(2, 1);
    REQUIRE(accepted(court.submit(Court::request(500))));
    Ears ears;
    const ClientId other = court.stage.executions.open_client(ears);
    (void)court.stage.executions.submit(other, court.stage.job("other"));
    std::size_t ended = 0;
    while (ears.all<Finished>().empty()) {
        court.finish(court.oldest(), "yes");
        ++ended;
    }
    CHECK(ended <= 3);
}

TEST_CASE("limits of tests go over those of the request, which go over the policy's",
          "[front][judge]") {
    Court court(1);
    json request = Court::request(3);
    request["limits"] = {{"cpu_time", 2}};
    request["tests"][1]["limits"] = {{"cpu_time", 0.5}, {"wall_time", 1}};
    request["tests"][2]["limits"] = {{"memory", "32m"}};
    REQUIRE(accepted(court.submit(request)));
    const auto limits = [&] {
        return court.stage.boxes.boxes.at(court.oldest()).start.frame.limits;
    };
    using std::chrono::milliseconds;
    CHECK(limits().cpu_time == milliseconds(2'000));
    CHECK(limits().wall_time == milliseconds(10'000)); // the policy's
    CHECK(limits().cpu_percent == 100);
    court.finish(court.oldest(), "yes");
    CHECK(limits().cpu_time == milliseconds(500));
    CHECK(limits().wall_time == milliseconds(1'000));
    Outcome late;
    late.ending.exit_code = 0;
    late.usage.cpu_time = milliseconds(501); // it ended by itself, too late all the same
    court.say(court.oldest(), "yes");
    court.stage.end_as(court.oldest(), late);
    CHECK(limits().memory_bytes == 32 * cloister::isolate::kMiB);
    court.finish(court.oldest(), "yes");
    CHECK(court.verdicts() == "AC TLE AC");
    request["tests"][1]["limits"] = {{"memory", "9g"}};
    CHECK(court.refused(request) == "limit_too_high");
}

TEST_CASE("what is wrong with a judging is said before anything runs", "[front][judge]") {
    Court court;
    const auto with = [&](const std::string& key, const json& value) {
        json request = Court::request(2);
        request[key] = value;
        return court.refused(request);
    };
    CHECK(with("tests", json::array()) == "bad_message");
    CHECK(with("tests", 1) == "bad_message");
    CHECK(with("tests", {1}) == "bad_message");
    CHECK(with("tests", json::array({{{"group", "none"}}})) == "bad_message");
    CHECK(with("tests", json(json::array_t(3'000, json::object()))) == "too_large");
    CHECK(with("groups", {{{"points", 1}}}) == "bad_message");
    CHECK(with("groups", {{{"name", "a"}, {"points", -1}}}) == "bad_message");
    CHECK(with("groups", {{{"name", "a"}, {"score", "some"}}}) == "bad_message");
    CHECK(with("groups", {{{"name", "a"}}, {{"name", "a"}}}) == "bad_message");
    CHECK(with("checker", "magic") == "bad_message");
    CHECK(with("checker", "program") == "bad_message");
    CHECK(with("checker", {{"type", "program"}, {"language", "python"}}) == "bad_message");
    CHECK(with("checker", {{"type", "program"}, {"language", "pyton"}, {"code", ""}}) ==
          "unknown_language");
    CHECK(with("checker", {{"type", "token"}, {"absolute", -1}}) == "bad_message");
    CHECK(with("checker", {{"type", "token"}, {"relative", "x"}}) == "bad_message");
    CHECK(with("stop_at_first_failure", 1) == "bad_message");
    CHECK(with("interactive", true) == "bad_message");
    CHECK(with("language", "pyton") == "unknown_language");
    CHECK(court.stage.boxes.order.empty());
    CHECK(court.judgings.under_way() == 0);
}

TEST_CASE("judgings are bounded, of one client and together", "[front][judge]") {
    Court court;
    for (int i = 0; i < 4; ++i) CHECK(court.refused(Court::request(1)).empty());
    CHECK(court.refused(Court::request(1)) == "busy");
}

TEST_CASE("when the service stops, every judging is answered", "[front][judge]") {
    Court court;
    REQUIRE(accepted(court.submit(Court::request(5))));
    court.finish(court.oldest(), "yes");
    court.judgings.drain();
    while (!court.stage.boxes.boxes.empty()) court.stage.end(court.oldest());
    REQUIRE(court.events.back().name == "error");
    CHECK(court.events.back().refusal.code == "busy");
    CHECK(court.refused(Court::request(1)) == "busy");
    CHECK(court.judgings.under_way() == 0);
}
