// Promises of the Model Context Protocol without a socket: sessions are bounded and make room
// fairly, what is under way is nobody else's, progress grows and does not flood, results are cut
// between characters.
#include "daemon/front/mcp/endpoint.h"
#include "daemon/front/mcp/json_rpc.h"
#include "daemon/front/mcp/progress.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using namespace cloister::front::mcp;
using nlohmann::json;

namespace {

/// A service on paper with its agents' entrance.
struct Entrance {
    Entrance()
        : mcp(house.settings, house.catalog, access, house.stage.executions, house.judgings,
              [this] { return now; }) {}

    RequestHead head(std::string_view method, const std::string& session,
                     std::string_view accept = "application/json, text/event-stream") {
        RequestHead made;
        made.method = method;
        made.target = "/mcp";
        made.http_1_1 = true;
        made.local = {"127.0.0.1", 8000, true};
        made.fields = {{"Host", "127.0.0.1:8000"}, {"Accept", accept}};
        if (method == "POST") made.fields.emplace_back("Content-Type", "application/json");
        if (!session.empty()) made.fields.emplace_back("Mcp-Session-Id", session);
        return made;
    }
    Answer post(const std::string& session, const std::string& body) {
        const RequestHead made = head("POST", session);
        REQUIRE(mcp.serves(made));
        REQUIRE_FALSE(mcp.check(made));
        return mcp.answer(made, body, "somebody");
    }
    std::string open() {
        const Answer answer = post(
            "",
            R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})");
        for (const auto& [name, value] : answer.reply.fields)
            if (name == "Mcp-Session-Id") return value;
        return {};
    }
    Answer call(const std::string& session, int id, bool progress = false) {
        json params = {{"name", "run_code"},
                       {"arguments", {{"language", "python"}, {"code", "print(1)"}}}};
        if (progress) params["_meta"]["progressToken"] = "p";
        const json message = {
            {"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", params}};
        return post(session, message.dump());
    }
    /// All that a stream writes until there is nothing more.
    std::string read(Answer& answer) {
        REQUIRE(answer.kind == Answer::Kind::events);
        std::string text;
        const auto events =
            answer.house->events_after(answer.submissions.front(), answer.after, SIZE_MAX);
        if (!events) return text;
        for (const auto& event : events->events) {
            text += answer.format.event(event);
            answer.after = event.number;
        }
        return text;
    }
    void end_run() { house.stage.end(house.stage.boxes.last()); }

    House house;
    Access access{};
    Sessions::Time now{1'700'000'000'000};
    McpEndpoint mcp;
};

Submissions::Event event(std::uint64_t number, std::string name, std::string data,
                         bool output = false) {
    return {number, std::move(name), std::move(data), output};
}

} // namespace

TEST_CASE("a message is a request, a notification, a response or nothing", "[front][mcp]") {
    const auto kind = [](const char* text) { return kind_of(json::parse(text)); };
    CHECK(kind(R"({"jsonrpc":"2.0","id":1,"method":"m"})") == Kind::request);
    CHECK(kind(R"({"jsonrpc":"2.0","id":"a","method":"m","params":{}})") == Kind::request);
    CHECK(kind(R"({"jsonrpc":"2.0","method":"m"})") == Kind::notification);
    CHECK(kind(R"({"jsonrpc":"2.0","id":1,"result":{}})") == Kind::response);
    CHECK(kind(R"({"jsonrpc":"2.0","id":1,"error":{}})") == Kind::response);
    for (const char* text : {"1", "[]", "{}", R"({"jsonrpc":"2","id":1,"method":"m"})",
                             R"({"jsonrpc":"2.0","id":null,"method":"m"})",
                             R"({"jsonrpc":"2.0","id":1.0,"method":"m"})",
                             R"({"jsonrpc":"2.0","id":1,"method":"m","params":[]})",
                             R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":2.0,"method":"m"})"}) {
        CHECK(kind(text) == Kind::invalid);
    }
    CHECK(id_text(json::parse(R"({"id":"x\n"})")) == R"("x\n")");
    CHECK(id_text(json::parse(R"({"id":{}})")) == "null");
    CHECK(id_text(json::parse("[1]")) == "null");
}

TEST_CASE("where sessions are too many, whoever has the most gives one up", "[front][mcp]") {
    Sessions::Time now{1'000};
    std::set<std::string> busy;
    Sessions sessions(
        {4, std::chrono::minutes(1)}, [&] { return now; },
        [&](const std::string& id) { return busy.contains(id); });
    const std::string quiet = sessions.open("v", "quiet")->id;
    std::vector<std::string> loud;
    for (int i = 0; i < 3; ++i) loud.push_back(sessions.open("v", "loud")->id);
    for (int i = 0; i < 20; ++i) {
        REQUIRE(sessions.open("v", "loud") != nullptr);
        CHECK(sessions.count() == 4);
    }
    CHECK(sessions.find(quiet) != nullptr);
    for (const std::string& id : loud) CHECK(sessions.find(id) == nullptr);
}

TEST_CASE("a session that does something is never the one that goes", "[front][mcp]") {
    Sessions::Time now{1'000};
    std::set<std::string> busy;
    Sessions sessions(
        {2, std::chrono::minutes(1)}, [&] { return now; },
        [&](const std::string& id) { return busy.contains(id); });
    const std::string first = sessions.open("v", "")->id;
    const std::string second = sessions.open("v", "")->id;
    busy = {first};
    REQUIRE(sessions.open("v", "") != nullptr);
    CHECK(sessions.find(first) != nullptr);
    CHECK(sessions.find(second) == nullptr);
    busy.insert(sessions.open("v", "")->id);
    CHECK(sessions.open("v", "") == nullptr);
    now += std::chrono::minutes(2);
    sessions.tick();
    CHECK(sessions.count() == 2);
    busy.clear();
    sessions.tick();
    CHECK(sessions.count() == 0);
}

TEST_CASE("a session that is used stays, one that is not goes", "[front][mcp]") {
    Entrance at;
    const std::string used = at.open();
    const std::string forgotten = at.open();
    for (int i = 0; i < 4; ++i) {
        at.now += std::chrono::minutes(10);
        (void)at.post(used, R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
        at.mcp.tick();
    }
    CHECK(at.mcp.sessions() == 1);
    CHECK(at.post(forgotten, R"({"jsonrpc":"2.0","id":1,"method":"ping"})").reply.status == 404);
    CHECK(at.post(used, R"({"jsonrpc":"2.0","id":1,"method":"ping"})").reply.status == 200);
}

TEST_CASE("a call is answered once it has ended, and forgotten a while after", "[front][mcp]") {
    Entrance at;
    const std::string session = at.open();
    Answer answer = at.call(session, 7);
    CHECK(at.read(answer).empty());
    at.end_run();
    const std::string text = at.read(answer);
    CHECK(text.find("\"id\":7,\"result\":{") != std::string::npos);
    CHECK(text.find("\"isError\":false") != std::string::npos);
    CHECK(at.mcp.calls() == 1);
    at.now += std::chrono::minutes(2);
    at.mcp.tick();
    CHECK(at.mcp.calls() == 0);
}

TEST_CASE("an id may be used again when its call has ended, and not before", "[front][mcp]") {
    Entrance at;
    const std::string session = at.open();
    Answer first = at.call(session, 7);
    CHECK(at.call(session, 7).reply.body.find("-32600") != std::string::npos);
    CHECK(at.call(at.open(), 7).kind == Answer::Kind::events); // another session's are its own
    at.house.stage.end(at.house.stage.boxes.order.front());
    CHECK(at.call(session, 7).kind == Answer::Kind::events);
}

TEST_CASE("what is cancelled is killed and never answered", "[front][mcp]") {
    Entrance at;
    const std::string session = at.open();
    Answer answer = at.call(session, 7, true);
    const std::string cancel =
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})";
    (void)at.post(at.open(), cancel); // somebody else's 7
    const std::uint64_t box = at.house.stage.boxes.last();
    CHECK_FALSE(at.house.stage.boxes.boxes.at(box).killed);
    CHECK(at.post(session, cancel).reply.status == 202);
    CHECK(at.house.stage.boxes.boxes.at(box).killed);
    at.end_run();
    CHECK(at.read(answer).find("\"result\"") == std::string::npos);
}

TEST_CASE("ending a session kills what it runs", "[front][mcp]") {
    Entrance at;
    const std::string session = at.open();
    (void)at.call(session, 7);
    const RequestHead head = at.head("DELETE", session);
    CHECK(at.mcp.answer(head, {}, "s").reply.status == 204);
    CHECK(at.house.stage.boxes.boxes.at(at.house.stage.boxes.last()).killed);
    CHECK(at.mcp.sessions() == 0);
}

TEST_CASE("a refused call leaves nothing behind", "[front][mcp]") {
    Entrance at;
    const std::string session = at.open();
    at.house.stage.executions.drain();
    const Answer answer = at.call(session, 7);
    CHECK(answer.kind == Answer::Kind::reply);
    CHECK(answer.reply.body.find("\"isError\":true") != std::string::npos);
    CHECK(at.mcp.calls() == 0);
}

TEST_CASE("progress grows, and output alone is not told ten times in a moment", "[front][mcp]") {
    Progress progress("\"p\"", 0);
    Clock::time_point now{};
    const auto told = [&](const Submissions::Event& one) { return progress.tell(one, now); };
    const json first = json::parse(told(event(1, "started", "{}")));
    CHECK(first.at("params").at("progressToken") == "p");
    CHECK(first.at("params").at("progress") == 1);
    // The first output at once, the next one not before a while has passed.
    CHECK_FALSE(told(event(2, "output", R"({"stream":"stdout","data":"x"})", true)).empty());
    CHECK(told(event(2, "output", R"({"stream":"stdout","data":"x"})", true)).empty());
    now += std::chrono::milliseconds(200);
    const json output =
        json::parse(told(event(3, "output", R"({"stream":"stdout","data":"x"})", true)));
    CHECK(output.at("params").at("message") == "stdout: x");
    CHECK(output.at("params").at("progress") == 3);
    // What is no output is told at any time.
    CHECK_FALSE(told(event(4, "stage", R"({"stage":"run"})")).empty());
    CHECK(told(event(5, "other", "{}")).empty());
    CHECK(Progress("", 0).tell(event(1, "started", "{}"), now).empty());
}

TEST_CASE("progress of tests is how many are done", "[front][mcp]") {
    Progress progress("3", 2);
    const auto value = [&](const Submissions::Event& one) {
        return json::parse(progress.tell(one, {})).at("params").at("progress").get<double>();
    };
    CHECK(value(event(1, "started", "{}")) == 0);
    CHECK(value(event(2, "compiled", "{}")) == 0.5);
    CHECK(value(event(3, "verdict", R"({"test":0,"name":"1","verdict":"AC"})")) == 1);
    CHECK(value(event(4, "verdict", R"({"test":1,"name":"2","verdict":"WA"})")) == 2);
}

TEST_CASE("what is left out is said, and no character is cut", "[front][mcp]") {
    std::uint64_t left_out = 5;
    CHECK(shorten("short", 10, left_out) == "short");
    CHECK(left_out == 5);
    std::string text;
    for (int i = 0; i < 100; ++i) text += "\u20AC"; // three bytes each
    for (std::size_t most = 0; most < 20; ++most) {
        left_out = 0;
        const std::string cut = shorten(text, most, left_out);
        CHECK_NOTHROW(json(cut).dump()); // which refuses what is not UTF-8
        CHECK(300 - left_out <= most);
    }
}
