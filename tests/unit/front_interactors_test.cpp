// Promises of interactors, feedback and passes: two that talk are begun and ended together, whoever
// fails; nothing waits for half of a pair; what a checker leaves is told, and asks for more within
// its bounds.
#include "tests/unit/court.h"

using namespace cloister::front;
using cloister::isolate::Outcome;
using nlohmann::json;
namespace wire = cloister::wire;

namespace {

json interactive(std::size_t tests, const std::string& language = "python") {
    json request = Court::request(tests, language);
    request["checker"] = {{"type", "interactor"}, {"language", language}, {"code", "y"}};
    return request;
}

/// Both boxes of a pair: the program's, the interactor's.
std::pair<std::uint64_t, std::uint64_t> pair_in(const Court& court) {
    std::uint64_t program = 0;
    std::uint64_t interactor = 0;
    for (const auto& [box, one] : court.stage.boxes.boxes) {
        const bool has_answers = one.bundle.find("test.ans") != std::string::npos;
        (has_answers ? interactor : program) = box;
    }
    return {program, interactor};
}

void end_at(Court& court, std::uint64_t box, int exit_code, int moment) {
    Outcome outcome;
    outcome.ending.exit_code = exit_code;
    outcome.ended_at = std::chrono::milliseconds(moment);
    court.stage.end_as(box, outcome);
}

} // namespace

TEST_CASE("an interactor and its program run at one time, connected, and its word decides",
          "[front][judge]") {
    Court court(2);
    REQUIRE(accepted(court.submit(interactive(3))));
    const std::vector<int> words = {42, 43, 7};
    for (const int word : words) {
        REQUIRE(court.stage.boxes.boxes.size() == 2);
        const auto [program, interactor] = pair_in(court);
        const std::string joined =
            "connect " + std::to_string(program) + " " + std::to_string(interactor);
        CHECK(court.stage.boxes.logged(joined));
        CHECK(court.input(program).empty());
        CHECK_FALSE(court.stage.boxes.boxes.at(program).input_closed);
        court.say(interactor, "a question");
        court.stage.executions.on_output(interactor, 1, "because");
        court.say(program, "an answer");
        end_at(court, program, 0, 10);
        end_at(court, interactor, word, 11);
    }
    CHECK(court.verdicts() == "AC WA JE");
    const json verdict = court.told("verdict")[1];
    CHECK(verdict["checker"]["message"] == "because"); // not what it said to the program
    CHECK(court.stage.executions.is_idle());
    CHECK(court.judgings.under_way() == 0);
}

TEST_CASE("an interactor that rejects while the program runs, or before, ends it",
          "[front][judge]") {
    const int moment = GENERATE(12, 0); // 0: it had not begun
    Court court;
    REQUIRE(accepted(court.submit(interactive(1))));
    const auto [program, interactor] = pair_in(court);
    end_at(court, interactor, 43, 10);
    CHECK(court.stage.boxes.boxes.at(program).killed);
    Outcome killed;
    killed.ending.killed_for = cloister::isolate::Verdict::cancelled;
    killed.ending.signal = moment > 0 ? 9 : 0;
    killed.ended_at = std::chrono::milliseconds(moment);
    court.stage.end_as(program, killed);
    CHECK(court.verdicts() == "WA");
}

TEST_CASE("program and interactor are compiled once, and nothing of them is left behind",
          "[front][judge]") {
    Court court(4, 4);
    REQUIRE(accepted(court.submit(interactive(5, "c"))));
    std::size_t compiles = 0;
    std::size_t pairs = 0;
    while (!court.stage.boxes.boxes.empty()) {
        const std::uint64_t box = court.oldest();
        if (court.stage.boxes.boxes.at(box).start.frame.stage == wire::Stage::compile) {
            ++compiles;
            court.finish(box, "");
            continue;
        }
        const auto [program, interactor] = pair_in(court);
        REQUIRE(program * interactor > 0);
        ++pairs;
        end_at(court, program, 0, 1);
        end_at(court, interactor, 42, 2);
    }
    CHECK(compiles == 2);
    CHECK(pairs == 5);
    CHECK(court.verdicts() == "AC AC AC AC AC");
    CHECK(court.stage.executions.is_idle());
    CHECK(std::ranges::count_if(court.stage.boxes.log,
                                [](const auto& line) { return line.starts_with("release"); }) == 2);
}

TEST_CASE("when one of two does not compile, the other is not begun", "[front][judge]") {
    for (const bool program_is_bad : {true, false}) {
        Court court;
        REQUIRE(accepted(court.submit(interactive(3, "c"))));
        REQUIRE(court.stage.boxes.boxes.size() == 2);
        const std::uint64_t first = court.oldest(); // the program's compiler
        const std::uint64_t second = court.stage.boxes.last();
        court.finish(program_is_bad ? first : second, "error", 1);
        while (!court.stage.boxes.boxes.empty()) court.finish(court.oldest(), "");
        CHECK(court.result()["verdict"] == (program_is_bad ? "CE" : "JE"));
        CHECK(court.verdicts() == (program_is_bad ? "" : "JE"));
        CHECK(court.stage.executions.is_idle());
    }
}

TEST_CASE("pairs need two boxes, and never one each", "[front][judge]") {
    Court alone(2, 1);
    CHECK(alone.refused(interactive(1)) == "runtime_unavailable");
    // Three boxes and many judgings: a pair that could have one box waits for two.
    Court court(8, 3);
    std::vector<Judgings::ClientNumber> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(court.judgings.open_client(court));
        court.client = clients.back();
        REQUIRE(accepted(court.submit(interactive(3))));
    }
    Ears ears;
    const ClientId other = court.stage.executions.open_client(ears);
    REQUIRE(accepted(court.stage.executions.submit(other, court.stage.job("single"))));
    std::size_t rounds = 0;
    while (!court.stage.boxes.boxes.empty() && ++rounds < 1000) {
        CHECK(court.stage.boxes.boxes.size() <= 3);
        const std::uint64_t box = court.oldest();
        const bool interactor =
            court.stage.boxes.boxes.at(box).bundle.find("test.ans") != std::string::npos;
        end_at(court, box, interactor ? 42 : 0, static_cast<int>(rounds));
        court.judgings.tick();
    }
    CHECK(court.told("result").size() == 10);
    CHECK(ears.all<Finished>().size() == 1);
    CHECK(court.stage.executions.is_idle());
}

TEST_CASE("a cancelled interactive judging ends both, wherever they are", "[front][judge]") {
    for (const int moment : {0, 1, 2}) {
        Court court;
        REQUIRE(accepted(court.submit(interactive(3, "c"))));
        if (moment > 0) court.finish(court.oldest(), ""); // one compiler
        if (moment > 1) court.finish(court.oldest(), ""); // both: they talk
        RunName run;
        run.id = "mine";
        CHECK_FALSE(court.judgings.cancel(court.client, run));
        for (const auto& [number, box] : court.stage.boxes.boxes) CHECK(box.killed);
        while (!court.stage.boxes.boxes.empty()) court.stage.end(court.oldest(), 0);
        CHECK(court.result()["cause"] == "cancelled");
        CHECK(court.stage.executions.is_idle());
        CHECK(court.judgings.under_way() == 0);
    }
}

TEST_CASE("a box that cannot be had for one of two ends both", "[front][judge]") {
    Court court;
    court.stage.boxes.fail_next_start = true;
    (void)court.submit(interactive(1));
    CHECK(court.stage.boxes.boxes.empty());
    CHECK(court.stage.executions.is_idle());
    CHECK(court.events.back().name == "error");
    CHECK(court.events.back().refusal.code == "busy");
}

TEST_CASE("what is said to a partner is held against the output limit", "[front][judge]") {
    Court court;
    json request = interactive(1);
    request["limits"] = {{"output_bytes", 100}};
    REQUIRE(accepted(court.submit(request)));
    const auto [program, interactor] = pair_in(court);
    court.say(program, std::string(100, 'x'));
    CHECK_FALSE(court.stage.boxes.boxes.at(program).killed);
    court.say(program, "x");
    CHECK(court.stage.boxes.logged("kill " + std::to_string(program) + " output_limit"));
    Outcome killed;
    killed.ending.killed_for = cloister::isolate::Verdict::output_limit;
    killed.ended_at = std::chrono::milliseconds(1);
    court.stage.end_as(program, killed);
    end_at(court, interactor, 42, 2);
    CHECK(court.verdicts() == "OLE");
    CHECK_FALSE(court.told("verdict")[0].contains("stderr"));
}

TEST_CASE("a checker's feedback is told, and a next pass is another run", "[front][judge]") {
    Court court(1);
    json request = Court::request(1);
    request["checker"] = {
        {"type", "program"}, {"language", "python"}, {"code", "y"}, {"keep", {"state"}}};
    request["passes"] = 3;
    request["groups"] = {{{"name", "g"}, {"points", 10}, {"score", "sum"}}};
    request["tests"][0]["group"] = "g";
    REQUIRE(accepted(court.submit(request)));
    // judgemessage, teammessage, score, score_multiplier, nextpass, state
    using File = std::optional<std::string>;
    const std::vector<std::vector<File>> left = {{"", {}, {}, {}, "second", "kept 1"},
                                                 {"", {}, {}, {}, "third", "kept 2"},
                                                 {"well", "try", "7.5", {}, {}, {}}};
    const std::vector<std::string> inputs = {"0", "second", "third"};
    for (std::size_t pass = 0; pass < 3; ++pass) {
        REQUIRE(court.stage.boxes.boxes.size() == 1);
        CHECK(court.input(court.oldest()) == inputs[pass]);
        court.finish(court.oldest(), "answer " + std::to_string(pass));
        const std::uint64_t checker = court.oldest();
        const auto& box = court.stage.boxes.boxes.at(checker);
        CHECK(box.input == "answer " + std::to_string(pass));
        CHECK(box.bundle.find(inputs[pass]) != std::string::npos); // as test.in
        if (pass > 0) CHECK(box.bundle.find("kept " + std::to_string(pass)) != std::string::npos);
        CHECK(court.verdicts().empty());
        court.stage.executions.on_files(checker, collection_of(left[pass]));
        court.finish(checker, "printed", 42);
    }
    const json verdict = court.told("verdict").at(0);
    CHECK(verdict["verdict"] == "AC");
    CHECK(verdict["passes"] == 3);
    CHECK(verdict["checker"]["message"] == "well");
    CHECK(verdict["team_message"] == "try");
    CHECK(verdict["score"] == 7.5);
    CHECK(court.result()["points"] == 7.5);
}

TEST_CASE("passes without an end, or without consent, are the checker's fault", "[front][judge]") {
    using File = std::optional<std::string>;
    const std::vector<File> next = {{}, {}, {}, {}, "again"};
    const auto verdict_of = [&](std::size_t passes, int word, const std::vector<File>& files) {
        Court court(1);
        json request = Court::request(1);
        request["checker"] = {{"type", "program"}, {"language", "python"}, {"code", "y"}};
        request["passes"] = passes;
        REQUIRE(accepted(court.submit(request)));
        std::size_t runs = 0;
        while (!court.stage.boxes.boxes.empty() && ++runs < 100) {
            const std::uint64_t box = court.oldest();
            const bool checks =
                court.stage.boxes.boxes.at(box).bundle.find("test.ans") != std::string::npos;
            if (checks) court.stage.executions.on_files(box, collection_of(files));
            court.finish(box, "x", checks ? word : 0);
        }
        CHECK(runs <= 2 * passes);
        const json verdict = court.told("verdict").at(0);
        return verdict["verdict"].get<std::string>() + " " + verdict.value("reason", "");
    };
    CHECK(verdict_of(3, 42, next) == "JE The checker left nextpass.in in the last of 3 passes.");
    CHECK(verdict_of(3, 43, next) == "JE The checker left nextpass.in and did not accept.");
    CHECK(verdict_of(1, 42, {{}, {}, {}, {}}) == "AC ");
    CHECK(verdict_of(1, 42, {{}, {}, "much"}) ==
          "JE The checker left score.txt without a number in it.");
}
