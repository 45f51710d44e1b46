// The flow of analyses on paper: fair turns, bounds, exactly one answer, and an analyst that comes
// and goes.
#include "daemon/front/analyses.h"
#include "daemon/front/utf8.h"
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

const std::string kGood = R"({"analysis":{"language":"python","success":true}})";
using Kind = cloister::wire::AnalystRequest::Kind;

/// Analyses with an analyst on paper.
struct Desk {
    explicit Desk(const Analyses::Bounds& bounds = {}) : analyses(settings.runtimes, bounds) {
        analyses.connect({.give = [this](const Analyses::Order& order) { return give(order); },
                          .drop = [this](Analyses::Worker worker) { dropped.push_back(worker); }});
    }
    bool give(const Analyses::Order& order) {
        if (order.worker == 0 && idle == 0) return false;
        if (order.worker != 0 && gone.contains(order.worker)) return false;
        if (order.worker == 0) --idle;
        const json request = json::parse(order.request);
        given.emplace_back(order.job, request.value("content", std::string("(an edit)")));
        orders.push_back(order);
        return true;
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
        ask.file_path = path;
        ask.content = content;
        return ask_for(client, std::move(ask));
    }
    /// About a document of a room.
    std::string ask_of(Analyses::Client client, const std::string& content,
                       const std::string& path = "a.py", const std::string& room = "r") {
        AskAnalyst ask;
        ask.file_path = path;
        ask.content = content;
        ask.document = RoomDocument{room, path};
        return ask_for(client, std::move(ask));
    }
    std::string ask_for(Analyses::Client client, AskAnalyst ask) {
        ask.id = ask.content;
        const auto refusal = analyses.ask(
            client, ask, [this](const std::string& text) { answers.push_back(json::parse(text)); },
            now);
        return refusal ? refusal->code : "";
    }
    void finish(std::size_t which, const std::optional<std::string>& answer, bool late = false) {
        ++idle;
        Analyses::Answer told;
        told.text = answer;
        told.late = late;
        told.text_mark = orders.at(which).text_mark;
        analyses.on_answer(given.at(which).first, told, now);
    }
    /// The worker holds the document from now on.
    void hold(std::size_t which, Analyses::Worker worker, std::size_t bytes = 1000) {
        ++idle; // another one in its place
        Analyses::Answer told;
        told.text = kGood;
        told.text_mark = orders.at(which).text_mark;
        told.worker = worker;
        told.held_bytes = bytes;
        analyses.on_answer(given.at(which).first, told, now);
    }
    json request(std::size_t which) const { return json::parse(orders.at(which).request); }

    config::Settings settings = made_settings();
    Analyses analyses;
    std::size_t idle = 0;
    std::vector<std::pair<std::uint64_t, std::string>> given{};
    std::vector<Analyses::Order> orders{};
    std::vector<Analyses::Worker> dropped{};
    std::set<Analyses::Worker> gone{};
    std::vector<json> answers{};
    std::chrono::steady_clock::time_point now{std::chrono::seconds(100)};
};

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
    desk.finish(2, kGood); // twice is nothing
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

TEST_CASE("a document of a room is read once, then followed by its edits", "[analyses]") {
    Desk desk;
    desk.ready(2);
    CHECK(desk.ask_of(1, "x = 1\n").empty());
    CHECK(desk.orders.at(0).kind == Kind::hold);
    desk.hold(0, 7);
    CHECK(desk.ask_of(2, "x = 한\ny\n").empty());
    CHECK(desk.orders.at(1).kind == Kind::follow);
    CHECK(desk.orders.at(1).worker == 7);
    CHECK(desk.request(1).at("edit") == json({{"start", 4}, {"removed", 1}, {"text", "한\ny"}}));
    CHECK(desk.orders.at(1).text_bytes == 10);
    CHECK(desk.orders.at(1).text_mark == cloister::wire::mark_of("x = 한\ny\n"));
    desk.hold(1, 7);
    // Another language of messages or another question is an edit of nothing.
    CHECK(desk.ask_of(2, "x = 한\ny\n").empty());
    CHECK(desk.request(2).at("edit").at("removed") == 0);
    CHECK(desk.request(2).at("edit").at("text") == "");
    CHECK(desk.answers.size() == 2);
    CHECK(desk.dropped.empty());
}

TEST_CASE("requests about one document wait for each other, and hold up nobody", "[analyses]") {
    Desk desk;
    desk.ready(3);
    CHECK(desk.ask_of(1, "a").empty());
    CHECK(desk.ask_of(2, "ab").empty());
    CHECK(desk.ask(3, "other").empty());
    REQUIRE(desk.orders.size() == 2);
    CHECK(desk.given[1].second == "other");
    desk.hold(0, 1);
    REQUIRE(desk.orders.size() == 3);
    CHECK(desk.orders[2].kind == Kind::follow);
}

TEST_CASE("a worker that fails loses its document, which is sent whole again", "[analyses]") {
    Desk desk;
    desk.ready(2);
    CHECK(desk.ask_of(1, "a").empty());
    desk.hold(0, 7);
    SECTION("late") {
        CHECK(desk.ask_of(1, "ab").empty());
        desk.finish(1, std::nullopt, true);
    }
    SECTION("gone") {
        CHECK(desk.ask_of(1, "ab").empty());
        desk.finish(1, std::nullopt);
    }
    SECTION("gone while nobody asked") {
        desk.analyses.on_lost(7);
        CHECK(desk.analyses.held().is_empty());
        CHECK(desk.ask_of(1, "ab").empty());
    }
    SECTION("gone before it was told of") {
        desk.gone = {7};
        CHECK(desk.ask_of(1, "ab").empty());
    }
    SECTION("it answers about another text") {
        CHECK(desk.ask_of(1, "ab").empty());
        Analyses::Answer told;
        told.text = kGood;
        told.text_mark = desk.orders[0].text_mark;
        told.worker = 7;
        told.held_bytes = 1000;
        desk.analyses.on_answer(desk.given[1].first, told, desk.now);
        CHECK(std::ranges::count(desk.dropped, 7U) >= 1);
    }
    SECTION("what it says makes no sense") {
        CHECK(desk.ask_of(1, "ab").empty());
        desk.finish(1, R"({"error":"bad_request"})");
    }
    CHECK(desk.answers.size() == 1);
    const std::size_t last = desk.orders.size() - 1;
    CHECK(desk.given[last].second == "ab");
    CHECK(desk.orders[last].kind != Kind::follow);
    desk.finish(last, kGood);
    REQUIRE(desk.answers.size() == 2);
    CHECK(desk.answers[1].at("analysis").at("success") == true);
}

TEST_CASE("a source that fails alone, too, is answered for once", "[analyses]") {
    Desk desk;
    desk.ready(2);
    CHECK(desk.ask_of(1, "a").empty());
    desk.hold(0, 7);
    CHECK(desk.ask_of(1, "ab").empty());
    desk.finish(1, std::nullopt, true);
    REQUIRE(desk.orders.size() == 3);
    desk.finish(2, std::nullopt, true);
    CHECK(desk.orders.size() == 3);
    REQUIRE(desk.answers.size() == 2);
    CHECK(desk.answers[1].at("analysis").at("error") == "analysis_timeout");
}

TEST_CASE("an analyst that goes takes the documents along", "[analyses]") {
    Desk desk;
    desk.ready(2);
    CHECK(desk.ask_of(1, "a").empty());
    desk.hold(0, 7);
    desk.analyses.on_gone();
    desk.ready(2);
    CHECK(desk.ask_of(1, "ab").empty());
    CHECK(desk.orders.at(1).kind == Kind::hold);
}

TEST_CASE("what is held is bounded, and who uses a document keeps it", "[analyses]") {
    using namespace std::chrono_literals;
    Desk desk({.held = {.all = 3, .of_a_room = 2, .bytes = 10'000, .in_use = 10s, .idle = 60s}});
    desk.ready(9);
    std::size_t next = 0;
    Analyses::Worker worker = 0;
    const auto open = [&](const std::string& room, const std::string& path,
                          std::size_t bytes = 1000) {
        CHECK(desk.ask_of(1, path, path, room).empty());
        const Analyses::Order order = desk.orders.at(next);
        if (order.kind == Kind::once) desk.finish(next, kGood);
        else desk.hold(next, order.kind == Kind::hold ? ++worker : order.worker, bytes);
        ++next;
        return order.kind;
    };
    CHECK(open("r", "a.py") == Kind::hold);
    desk.now += 1s;
    CHECK(open("r", "b.py") == Kind::hold);
    // A room's third takes the place of its first.
    CHECK(open("r", "c.py") == Kind::hold);
    CHECK(desk.dropped == std::vector<Analyses::Worker>{1});
    CHECK(open("s", "a.py") == Kind::hold);
    // All places are in use: what comes now is read as a whole each time.
    CHECK(open("t", "a.py") == Kind::once);
    CHECK(open("r", "b.py") == Kind::follow);
    desk.now += 11s;
    CHECK(open("r", "b.py") == Kind::follow);
    CHECK(open("t", "a.py") == Kind::hold);
    CHECK(desk.dropped.size() == 2);
    CHECK(desk.analyses.held().size() == 3);
    // Memory: the longest unused go until there is enough.
    desk.now += 1s;
    CHECK(open("r", "b.py", 9'500) == Kind::follow);
    CHECK(desk.analyses.held().size() == 1);
    CHECK(desk.analyses.held().bytes() == 9'500);
    CHECK(open("r", "b.py", 10'001) == Kind::follow);
    CHECK(desk.analyses.held().is_empty());
    CHECK(open("r", "b.py") == Kind::hold);
    desk.now += 59s;
    desk.analyses.expire(desk.now);
    CHECK(desk.analyses.is_waiting());
    desk.now += 2s;
    desk.analyses.expire(desk.now);
    CHECK(desk.analyses.held().is_empty());
    CHECK(desk.dropped.size() == worker);
    CHECK_FALSE(desk.analyses.is_waiting());
}

TEST_CASE("a document that somebody waits for is not taken away for another", "[analyses]") {
    Desk desk({.held = {.all = 1, .of_a_room = 1}});
    desk.ready(3);
    CHECK(desk.ask_of(1, "a", "a.py", "r").empty());
    // Neither another room's nor one of its own has its place, though it was never used yet.
    CHECK(desk.ask_of(2, "b", "b.py", "s").empty());
    REQUIRE(desk.orders.size() == 2);
    CHECK(desk.orders[1].kind == Kind::once);
    desk.finish(1, kGood);
    CHECK(desk.ask_of(2, "c", "c.py", "r").empty());
    REQUIRE(desk.orders.size() == 3);
    CHECK(desk.orders[2].kind == Kind::once);
    desk.finish(2, kGood);
    desk.hold(0, 7);
    CHECK(desk.dropped.empty());
    CHECK(desk.ask_of(1, "ab", "a.py", "r").empty());
    CHECK(desk.orders.at(3).kind == Kind::follow);
    CHECK(desk.orders.at(3).worker == 7);
}

TEST_CASE("a room that has its share takes from itself, however long others were idle",
          "[analyses]") {
    Desk desk({.held = {.all = 9, .of_a_room = 1}});
    desk.ready(9);
    CHECK(desk.ask_of(1, "a", "a.py", "old").empty());
    desk.hold(0, 1);
    desk.now += std::chrono::seconds(100);
    CHECK(desk.ask_of(1, "a", "a.py", "new").empty());
    desk.hold(1, 2);
    CHECK(desk.ask_of(1, "b", "b.py", "new").empty());
    CHECK(desk.orders.at(2).kind == Kind::hold);
    desk.hold(2, 3);
    CHECK(desk.dropped == std::vector<Analyses::Worker>{2});
}

TEST_CASE("a document that is asked about in another language is read alone", "[analyses]") {
    Desk desk;
    desk.ready(3);
    CHECK(desk.ask_of(1, "a").empty());
    desk.hold(0, 7);
    AskAnalyst ask;
    ask.file_path = "a.py";
    ask.language = "java";
    ask.content = "class A {}";
    ask.document = RoomDocument{"r", "a.py"};
    CHECK(desk.ask_for(1, ask).empty());
    CHECK(desk.orders.at(1).kind == Kind::once);
    CHECK(desk.request(1).at("language") == "java");
    desk.finish(1, kGood);
    CHECK(desk.ask_of(1, "ab").empty());
    CHECK(desk.orders.at(2).kind == Kind::follow);
    CHECK(desk.dropped.empty());
}

TEST_CASE("a worker that goes while its document is asked about keeps others waiting for the end",
          "[analyses]") {
    Desk desk;
    desk.ready(3);
    CHECK(desk.ask_of(1, "a").empty());
    desk.hold(0, 7);
    CHECK(desk.ask_of(1, "ab").empty());
    desk.analyses.on_lost(7);
    CHECK(desk.ask_of(2, "abc").empty());
    REQUIRE(desk.orders.size() == 2);
    desk.finish(1, std::nullopt);
    REQUIRE(desk.orders.size() == 4);
    CHECK(desk.given[2].second == "abc");
    CHECK(desk.orders[2].kind == Kind::hold);
    CHECK(desk.given[3].second == "ab");
    CHECK(desk.orders[3].kind == Kind::once);
}

TEST_CASE("a worker that keeps what nobody asked it to keep is let go", "[analyses]") {
    Desk desk;
    desk.ready(3);
    SECTION("its request was about no document") {
        CHECK(desk.ask(1, "a").empty());
        desk.hold(0, 7);
    }
    SECTION("its document was forgotten meanwhile") {
        CHECK(desk.ask_of(1, "a").empty());
        desk.analyses.on_gone();
        desk.ready(2);
        desk.hold(0, 7);
    }
    CHECK(desk.dropped == std::vector<Analyses::Worker>{7});
    CHECK(desk.analyses.held().is_empty());
    CHECK(desk.answers.size() == 1);
}

TEST_CASE("a difference is the smallest run of whole characters", "[analyses]") {
    for (const auto& [before, after] :
         std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                          {"", "a"},
                                                          {"a", ""},
                                                          {"aa", "aaa"},
                                                          {"가나", "가다나"},
                                                          {"각", "갂"},
                                                          {"가", "나"},
                                                          {"a😀b", "a😁b"},
                                                          {"abc", "abc"},
                                                          {"한글", "한"},
                                                          {"ab", "ba"}}) {
        const TextEdit edit = difference(before, after);
        std::string made = before;
        made.replace(edit.start, edit.removed, edit.inserted);
        CHECK(made == after);
        CHECK(is_utf8(edit.inserted));
        if (before == after) CHECK(edit.removed + edit.inserted.size() == 0);
    }
    CHECK(difference("aXb", "aYb").inserted == "Y");
}
