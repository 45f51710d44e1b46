// Promises of a whole dialogue, text in and text out, over paper boxes.
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using nlohmann::json;

namespace {

struct Call : House {
    Call() {
        conversation = std::make_unique<Conversation>(
            service,
            [this](const MessagePtr& message, bool) { said.push_back(json::parse(message->text)); },
            stage.now);
        conversation->begin(Granted{});
    }

    unsigned say(const std::string& text, bool binary = false) {
        return conversation->receive(text, binary, stage.now);
    }
    json ask(const std::string& text) {
        CHECK(say(text) == Conversation::kGoOn);
        return said.back();
    }

    std::vector<json> said;
    std::unique_ptr<Conversation> conversation;
};

} // namespace

TEST_CASE("the dialogue of a base client, to the letter", "[front]") {
    Call dialogue;
    const json hello = dialogue.said.at(0);
    CHECK(hello["type"] == "connection_established");
    CHECK(hello["connection_id"].get<std::string>().size() == 36);
    CHECK(hello.contains("user_id"));
    CHECK(hello.contains("timestamp"));
    CHECK(dialogue.ask(R"({"type": "ping"})")["type"] == "pong");

    (void)dialogue.say(
        R"-({"type": "execute_code", "code": "print('Hello, World!')", "language": "python", "file_path": "main.py"})-");
    CHECK(dialogue.said.size() == 2);
    const auto box = dialogue.stage.boxes.last();
    dialogue.stage.executions.on_output(box, 0, "Hello, World!\n");
    cloister::isolate::Outcome outcome;
    outcome.ending.exit_code = 0;
    outcome.usage.wall_time = std::chrono::milliseconds(50);
    dialogue.stage.end_as(box, outcome);
    REQUIRE(dialogue.said.size() == 3);
    const json answer = dialogue.said.back();
    CHECK(answer["type"] == "execution_result");
    CHECK_FALSE(answer.contains("id"));
    const json& result = answer["result"];
    CHECK(result["success"] == true);
    CHECK(result["output"] == "Hello, World!\n");
    CHECK(result["error"] == "");
    CHECK(result["execution_time"] == 0.05);
    CHECK(result["language"] == "python");
    CHECK(result["method"] == "native");
    for (const char* name : {"verdict", "exit_code", "signal", "cpu_time", "wall_time",
                             "memory_peak", "truncated", "queued_time", "setup_time", "start"}) {
        CHECK(result.contains(name));
    }
}

TEST_CASE("the reason stands behind stderr on a line of its own", "[front]") {
    Call dialogue;
    (void)dialogue.say(R"({"type":"execute_code","code":"","language":"python"})");
    const auto box = dialogue.stage.boxes.last();
    dialogue.stage.executions.on_output(box, 1, "half a line");
    cloister::isolate::Outcome outcome;
    outcome.ending.killed_for = cloister::isolate::Verdict::wall_limit;
    dialogue.stage.end_as(box, outcome);
    const json result = dialogue.said.back()["result"];
    CHECK(result["error"] == "half a line\nThe program was ended: it ran for its 10 s.");
    CHECK(result["reason"] == "The program was ended: it ran for its 10 s.");
    CHECK(result["exit_code"].is_null());
}

TEST_CASE("an error answers one message and the dialogue goes on", "[front]") {
    Call dialogue;
    CHECK(dialogue.ask("{")["code"] == "bad_json");
    CHECK(
        dialogue.ask(R"({"type":"execute_code","language":"none","code":"","id":"mine"})")["id"] ==
        "mine");
    CHECK(dialogue.ask(R"({"type":"chat_message","message":"hi"})")["code"] == "not_in_room");
    CHECK(dialogue.ask(R"({"type":"chat_massage","message":"hi"})")["code"] == "unknown_type");
    CHECK(dialogue.say("x", true) == Conversation::kGoOn);
    CHECK(dialogue.said.back()["code"] == "bad_message");
    CHECK(dialogue.ask(R"({"type":"ping"})")["type"] == "pong");
    CHECK(dialogue.say("\xFF") == Conversation::kBadText);
}

TEST_CASE("a flood is refused message by message, then closed; rest forgives", "[front]") {
    Call dialogue;
    const auto& config = dialogue.settings.config;
    for (std::uint32_t i = 0; i < config.message_burst; ++i)
        CHECK(dialogue.ask(R"({"type":"ping"})")["type"] == "pong");
    CHECK(dialogue.ask(R"({"type":"ping"})")["code"] == "rate_limited");
    CHECK_FALSE(dialogue.said.back().contains("id"));
    CHECK(dialogue.ask(R"({"type":"ping","id":"mine"})")["id"] == "mine");
    CHECK(dialogue.said.back()["code"] == "rate_limited");
    for (const std::string text :
         {R"({"id":7})", R"(["id"])", "{", "\xFF", R"({"id":"\xFF"})", ""}) {
        CHECK(dialogue.ask(text)["code"] == "rate_limited");
        CHECK_FALSE(dialogue.said.back().contains("id"));
    }
    dialogue.stage.now += std::chrono::seconds(1);
    CHECK(dialogue.ask(R"({"type":"ping"})")["type"] == "pong");
    unsigned code = Conversation::kGoOn;
    std::uint32_t taken = 0;
    while (code == Conversation::kGoOn && taken < 10'000) {
        code = dialogue.say(R"({"type":"ping"})");
        ++taken;
    }
    CHECK(code == Conversation::kTooFast);
    CHECK(taken > 4 * config.message_burst);
    CHECK(taken < 6 * config.message_burst);
}

TEST_CASE("bytes travel as base64 when asked for", "[front]") {
    Call dialogue;
    (void)dialogue.say(
        R"({"type":"execute_code","code":"","language":"python","stream":true,"output_encoding":"base64"})");
    const auto box = dialogue.stage.boxes.last();
    dialogue.stage.executions.on_output(box, 0, "\xFF");
    CHECK(dialogue.said.back()["data"] == "/w==");
    CHECK(dialogue.said.back()["encoding"] == "base64");
    dialogue.stage.end(box);
    CHECK(dialogue.said.back()["result"]["output"] == "/w==");
    CHECK(dialogue.said.back()["result"]["output_encoding"] == "base64");
}

TEST_CASE("when the dialogue ends so do its runs", "[front]") {
    Call dialogue;
    (void)dialogue.say(R"({"type":"execute_code","code":"","language":"python"})");
    const auto box = dialogue.stage.boxes.last();
    dialogue.conversation.reset();
    CHECK(dialogue.stage.boxes.boxes.at(box).killed);
    const std::size_t heard = dialogue.said.size();
    dialogue.stage.end(box);
    CHECK(dialogue.said.size() == heard);
}
