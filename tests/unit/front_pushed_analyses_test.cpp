// analysis_subscribe over whole dialogues, with an analyst on paper: who may, when it is told, what
// is dropped, and when it ends.
#include "daemon/front/pushed_analyses.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A house whose analyst answers when the test says so.
struct Desk {
    Desk()
        : analyses(house.settings.runtimes, {}),
          pushed(
              house.hub, analyses, {.per_connection = 3, .source_bytes = 1000},
              [this] { return house.stage.now; }, [this](auto at) { wake = at; }) {
        analyses.connect({.give =
                              [this](const Analyses::Order& order) {
                                  orders.push_back(order);
                                  return true;
                              },
                          .drop = [](Analyses::Worker) {}});
        house.service.analyses = &analyses;
        analyses.on_begun();
        analyses.on_ready({"python"});
    }
    /// Every request is answered that waits for it.
    void answer() {
        while (answered < orders.size()) {
            const Analyses::Order order = orders[answered++];
            Analyses::Answer told;
            told.text = R"({"analysis":{"success":true,"of":)" + std::to_string(order.job) + "}}";
            told.text_mark = order.text_mark;
            told.worker = 5;
            told.held_bytes = 1000;
            analyses.on_answer(order.job, told, house.stage.now);
        }
    }
    void fail() { analyses.on_answer(orders.at(answered++).job, {}, house.stage.now); }
    void wait(std::chrono::milliseconds time) {
        house.wait(time);
        if (wake <= house.stage.now) {
            wake = Analyses::Time::max();
            pushed.on_time();
        }
    }

    House house{};
    Analyses analyses;
    PushedAnalyses pushed;
    std::vector<Analyses::Order> orders{};
    std::size_t answered = 0;
    Analyses::Time wake = Analyses::Time::max();
};

struct Guest {
    explicit Guest(Desk& desk, const std::string& lang = "en") : home(desk.house) {
        conversation = std::make_unique<Conversation>(
            home.service,
            [this](const MessagePtr& message, bool) { said.push_back(json::parse(message->text)); },
            home.stage.now);
        conversation->begin({});
        say({{"type", "hello"}, {"protocol", 2}, {"lang", lang}});
    }
    void say(const json& message) {
        CHECK(conversation->receive(message.dump(), false, home.stage.now) == Conversation::kGoOn);
    }
    void join(const std::string& room = "r") { say({{"type", "join_room"}, {"room_id", room}}); }
    void make(const std::string& path) {
        say({{"type", "file_operation"}, {"operation", "create"}, {"file_path", path}});
    }
    void open(const std::string& path) {
        say({{"type", "doc_open"}, {"file_path", path}});
        epoch = said.back().value("epoch", epoch);
        version = said.back().value("version", version);
    }
    void write(const std::string& path, const std::string& text) {
        const json changes = length == 0 ? json::array({json::array({0, text})})
                                         : json::array({length, json::array({0, text})});
        say({{"type", "doc_push"},
             {"file_path", path},
             {"epoch", epoch},
             {"version", version++},
             {"updates", json::array({{{"seq", ++seq}, {"changes", changes}}})}});
        length += text.size();
    }
    void subscribe(const std::string& path, const char* type = "analysis_subscribe") {
        say({{"type", type}, {"file_path", path}});
    }
    /// The results that came since the last call.
    std::vector<json> results() { return heard("analysis_result"); }
    std::vector<json> heard(const std::string& type) {
        std::vector<json> out;
        for (; read < said.size(); ++read)
            if (said[read]["type"] == type) out.push_back(said[read]);
        return out;
    }
    std::string refused() {
        const auto errors = heard("error");
        return errors.empty() ? "" : errors.back()["code"].get<std::string>();
    }

    House& home;
    std::vector<json> said{};
    std::size_t read = 0;
    std::string epoch{};
    std::uint64_t version = 0;
    std::uint64_t seq = 0;
    std::size_t length = 0;
    std::unique_ptr<Conversation> conversation{};
};

/// One who writes, with a file that is open and subscribed to; what was told so far is read.
struct Scene : Desk {
    Scene() {
        alice.join();
        alice.make("a.py");
        alice.open("a.py");
        alice.subscribe("a.py");
        wait(0ms);
        answer();
        REQUIRE(alice.results().size() == 1);
    }
    Guest alice{*this};
};

} // namespace

TEST_CASE("who subscribed is told at once, and again when the document rests", "[analyses]") {
    Desk desk;
    Guest alice(desk);
    alice.join();
    alice.make("a.py");
    alice.open("a.py");
    alice.subscribe("a.py");
    desk.wait(0ms);
    desk.answer();
    auto results = alice.results();
    REQUIRE(results.size() == 1);
    CHECK(results[0]["file_path"] == "a.py");
    CHECK(results[0]["version"] == 0);
    CHECK(results[0]["epoch"] == alice.epoch);
    CHECK(results[0]["analysis"]["success"] == true);
    CHECK_FALSE(results[0].contains("id"));

    for (int i = 0; i < 5; ++i) {
        alice.write("a.py", "x");
        desk.wait(20ms);
    }
    CHECK(desk.orders.size() == 1); // not yet
    desk.wait(20ms);
    REQUIRE(desk.orders.size() == 2); // one for all of them
    const json request = json::parse(desk.orders[1].request);
    CHECK(request["edit"]["text"] == "xxxxx");
    desk.answer();
    results = alice.results();
    REQUIRE(results.size() == 1);
    CHECK(results[0]["version"] == 5);
    desk.wait(10s);
    CHECK(desk.orders.size() == 2); // nothing changed
}

TEST_CASE("an answer about a text that is gone is dropped, unless nothing came for long",
          "[analyses]") {
    Scene desk;
    desk.alice.write("a.py", "x");
    desk.wait(120ms);
    REQUIRE(desk.orders.size() == 2);
    desk.alice.write("a.py", "y");
    desk.wait(200ms);
    CHECK(desk.orders.size() == 2); // one at a time
    desk.answer();                  // is about "x"
    CHECK(desk.alice.results().empty());
    desk.wait(0ms);
    REQUIRE(desk.orders.size() == 3);
    desk.alice.write("a.py", "z");
    desk.wait(1s);
    desk.answer();
    CHECK(desk.alice.results().size() == 1); // better than none
    desk.wait(0ms);
    desk.answer();
    const auto results = desk.alice.results();
    REQUIRE(results.size() == 1);
    CHECK(results[0]["version"] == 3);
}

TEST_CASE("what is refused changes nothing, and nobody is told of it", "[analyses]") {
    Scene desk;
    Guest bob(desk);
    bob.join();
    bob.open("a.py");
    bob.version = 99;
    for (int i = 0; i < 5; ++i) {
        bob.write("a.py", "x");
        desk.wait(200ms);
    }
    CHECK(bob.refused() == "version_ahead");
    desk.alice.make("b.py");
    desk.wait(200ms);
    desk.answer();
    CHECK(desk.orders.size() == 1);
    CHECK(desk.alice.results().empty());
    // Who subscribes is told, changed or not.
    bob.subscribe("a.py");
    desk.wait(0ms);
    desk.answer();
    CHECK(bob.results().size() == 1);
}

TEST_CASE("one analysis serves all, each in the language that they read", "[analyses]") {
    Scene desk;
    Guest bob(desk);
    Guest minjun(desk, "ko-KR");
    for (Guest* guest : {&bob, &minjun}) {
        guest->join();
        guest->open("a.py");
        guest->subscribe("a.py");
    }
    desk.wait(0ms);
    desk.answer();
    CHECK(desk.orders.size() == 3);
    CHECK(bob.results().size() == 1);
    CHECK(minjun.results().size() == 1);
    CHECK(json::parse(desk.orders[2].request)["lang"] == "ko");
    CHECK(desk.pushed.size() == 1);
}

TEST_CASE("viewers may subscribe, too", "[analyses]") {
    Scene desk;
    Guest viewer(desk);
    viewer.say({{"type", "join_room"},
                {"room_id", "r"},
                {"token", cloister::tokens::sign(
                              cloister::tokens::Secret{1, 2, 3},
                              cloister::tokens::RoomPass{"r", "viewer", 4'000'000'000})}});
    viewer.open("a.py");
    CHECK(viewer.heard("doc_state").at(0)["read_only"] == true);
    viewer.subscribe("a.py");
    desk.wait(0ms);
    desk.answer();
    CHECK(viewer.results().size() == 1);
}

TEST_CASE("a subscription ends with what it is for", "[analyses]") {
    Scene desk;
    const auto is_over = [&] {
        desk.wait(1s);
        desk.answer();
        CHECK(desk.alice.results().empty());
        CHECK(desk.pushed.size() == 0);
    };
    SECTION("unsubscribed") {
        desk.alice.subscribe("a.py", "analysis_unsubscribe");
        is_over();
    }
    SECTION("closed") {
        desk.alice.write("a.py", "x");
        desk.alice.say({{"type", "doc_close"}, {"file_path", "a.py"}});
        is_over();
    }
    SECTION("left") {
        desk.alice.say({{"type", "leave_room"}});
        is_over();
    }
    SECTION("in another room") {
        desk.alice.join("s");
        is_over();
    }
    SECTION("disconnected while an analysis is under way") {
        desk.alice.write("a.py", "x");
        desk.wait(120ms);
        desk.alice.conversation->end();
        is_over();
    }
    SECTION("deleted") {
        desk.alice.say(
            {{"type", "file_operation"}, {"operation", "delete"}, {"file_path", "a.py"}});
        is_over();
    }
    SECTION("renamed") {
        desk.alice.say({{"type", "file_operation"},
                        {"operation", "rename"},
                        {"file_path", "a.py"},
                        {"new_path", "b.py"}});
        is_over();
    }
}

TEST_CASE("who may not subscribe is told why", "[analyses]") {
    Scene desk;
    Guest bob(desk);
    bob.subscribe("a.py");
    CHECK(bob.refused() == "not_in_room");
    bob.join();
    bob.subscribe("a.py");
    CHECK(bob.refused() == "bad_message"); // not open
    desk.alice.make("a.zig");
    desk.alice.open("a.zig");
    desk.alice.subscribe("a.zig");
    CHECK(desk.alice.refused() == "unknown_language");
    for (const char* path : {"b.py", "c.py", "d.py"}) {
        desk.alice.make(path);
        desk.alice.open(path);
        desk.alice.subscribe(path);
    }
    CHECK(desk.alice.refused() == "busy");
    desk.alice.subscribe("a.py"); // again is no more
    CHECK(desk.alice.refused().empty());
    desk.alice.subscribe("b.py", "analysis_unsubscribe");
    desk.alice.subscribe("d.py");
    CHECK(desk.alice.refused().empty());
    desk.analyses.on_failed();
    bob.open("a.py");
    bob.subscribe("a.py");
    CHECK(bob.refused() == "runtime_unavailable");
}

TEST_CASE("no answer is asked for again, and errors are nobody's", "[analyses]") {
    Scene desk;
    desk.analyses.on_gone();
    desk.alice.write("a.py", "x");
    desk.wait(120ms);
    CHECK(desk.orders.size() == 1);
    desk.house.wait(6s);
    desk.analyses.expire(desk.house.stage.now);
    desk.analyses.on_begun();
    desk.analyses.on_ready({"python"});
    desk.wait(500ms);
    REQUIRE(desk.orders.size() == 2);
    desk.answer();
    CHECK(desk.alice.heard("error").empty());
    desk.alice.read = 0;
    CHECK(desk.alice.results().size() == 2);
}

TEST_CASE("a document that is too large is said to be", "[analyses]") {
    Scene desk;
    desk.alice.write("a.py", std::string(1001, '#'));
    desk.wait(120ms);
    CHECK(desk.orders.size() == 1);
    const auto results = desk.alice.results();
    REQUIRE(results.size() == 1);
    CHECK(results[0]["analysis"]["success"] == false);
    CHECK(results[0]["analysis"]["error"] == "too_large");
    CHECK(results[0]["version"] == 1);
}

TEST_CASE("what one says about a file goes to its document only from those who may change it",
          "[analyses]") {
    Scene desk;
    Guest viewer(desk);
    viewer.say({{"type", "join_room"},
                {"room_id", "r"},
                {"token", cloister::tokens::sign(
                              cloister::tokens::Secret{1, 2, 3},
                              cloister::tokens::RoomPass{"r", "viewer", 4'000'000'000})}});
    desk.alice.write("a.py", "x = 1");
    const auto ask = [&](Guest& guest, const std::string& content) {
        guest.say({{"type", "request_analysis"}, {"file_path", "a.py"}, {"content", content}});
        const auto kind = desk.orders.back().kind;
        desk.answer();
        return kind;
    };
    using Kind = cloister::wire::AnalystRequest::Kind;
    CHECK(ask(viewer, "x = 2") == Kind::once);
    CHECK(ask(viewer, "x = 1") == Kind::follow);
    CHECK(ask(desk.alice, "x = 2") == Kind::follow);
    Guest stranger(desk);
    CHECK(ask(stranger, "x = 1") == Kind::once);
}
