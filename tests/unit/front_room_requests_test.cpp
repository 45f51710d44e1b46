// Promises of reading what is asked of rooms: every field, and a refusal that names what is wrong.
#include "daemon/front/protocol.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::config::Config;

namespace {

template <typename Ask>
Ask read(const std::string& text) {
    auto parsed = parse(text, Config{});
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) FAIL(refusal->message);
    return std::get<Ask>(std::get<RoomRequest>(std::get<Request>(std::move(parsed))).ask);
}

Refusal refused(const std::string& text, const Config& bounds = {}) {
    const auto parsed = parse(text, bounds);
    INFO(text);
    REQUIRE(std::holds_alternative<Refusal>(parsed));
    return std::get<Refusal>(parsed);
}

} // namespace

TEST_CASE("base messages of rooms, to the letter", "[front][rooms]") {
    CHECK(read<JoinRoom>(R"({"type": "join_room", "room_id": "room_123"})").room_id == "room_123");
    (void)read<LeaveRoom>(R"({"type": "leave_room"})");
    const auto change = read<ChangeCode>(
        R"-({"type": "code_change", "file_path": "main.py", "content": "def hello():\n    print('Hello, World!')", "change_type": "edit", "position": {"line": 0, "column": 0}})-");
    CHECK(change.path == "main.py");
    CHECK(change.content == "def hello():\n    print('Hello, World!')");
    CHECK(change.change_type == "edit");
    CHECK(change.position.has_value());
    CHECK_FALSE(change.version.has_value());
    const auto cursor = read<MoveCursor>(
        R"({"type": "cursor_change", "file_path": "main.py", "position": {"line": 1, "column": 15}})");
    CHECK(cursor.position.line == 1);
    CHECK(cursor.position.column == 15);
    CHECK(read<Say>(R"({"type": "chat_message", "message": "..."})").text == "...");
    const auto create = read<OperateFile>(
        R"({"type": "file_operation", "operation": "create", "file_path": "new_file.py", "new_path": "renamed_file.py"})");
    CHECK(create.action == cloister::rooms::FileAction::create);
    CHECK(create.new_path.empty());
}

TEST_CASE("messages of those who say hello", "[front][rooms]") {
    const auto hello = read<Hello>(
        R"({"type":"hello","protocol":2,"name":"민준","lang":"ko","token":"t","resume":{"resume_token":"r","rooms":[{"room_id":"room_123"}]}})");
    CHECK(hello.name == "민준");
    CHECK(hello.resume_token == "r");
    REQUIRE(hello.rejoin);
    CHECK(hello.rejoin->room_id == "room_123");
    const auto push = read<PushUpdates>(
        R"({"type":"doc_push","file_path":"main.py","epoch":"9f","version":92,"updates":[{"seq":18,"changes":[12,[0,"한","글"],40]},{"seq":19,"changes":[55,[2]]}]})");
    REQUIRE(push.updates.size() == 2);
    CHECK(push.updates[0].seq == 18);
    CHECK(push.updates[0].changes.length() == 52);
    const auto open = read<OpenDocument>(
        R"({"type":"doc_open","file_path":"main.py","epoch":"9f","version":0,"reason":"hash"})");
    CHECK(open.version == 0);
    CHECK(open.diverged);
    const auto history = read<AskHistory>(R"({"type":"doc_history","file_path":"a","from":0})");
    CHECK(history.to == UINT64_MAX);
    const auto shown = read<ShowPresence>(
        R"({"type":"presence","file_path":"a","epoch":"9f","version":94,"ranges":[{"anchor":3,"head":9}],"viewport":[1,40],"typing":true})");
    CHECK(shown.presence.ranges.at(0).head == 9);
    CHECK(shown.presence.viewport->at(1) == 40);
    const auto signal = read<SendSignal>(
        R"({"type":"rtc_signal","to":"x","kind":"candidate","payload":{"a":[1,"\u00e9"]}})");
    CHECK(signal.payload == R"({"a":[1,"é"]})");
}

TEST_CASE("one name has one spelling", "[front][rooms]") {
    // As macOS stores it: letters instead of syllables.
    CHECK(read<OpenDocument>("{\"type\":\"doc_open\",\"file_path\":\"\u1112\u1161\u11ab.py\"}")
              .path == "한.py");
}

TEST_CASE("a refusal names the field", "[front][rooms]") {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"type":"join_room"})", "room_id"},
        {R"({"type":"join_room","room_id":7})", "room_id"},
        {R"({"type":"code_change","content":""})", "file_path"},
        {R"({"type":"code_change","file_path":"a"})", "content"},
        {R"({"type":"code_change","file_path":"a","content":"","position":1})", "position"},
        {R"({"type":"code_change","file_path":"a","content":"","version":-1})", "version"},
        {R"({"type":"code_change","file_path":"a","content":"","change_type":7})", "change_type"},
        {R"({"type":"cursor_change","file_path":"a"})", "position"},
        {R"({"type":"cursor_change","file_path":"a","position":{"line":1}})", "column"},
        {R"({"type":"cursor_change","file_path":"a","position":{"line":1.5,"column":0}})", "line"},
        {R"({"type":"chat_message"})", "message"},
        {R"({"type":"file_operation","file_path":"a"})", "operation"},
        {R"({"type":"file_operation","operation":"chmod","file_path":"a"})", "operation"},
        {R"({"type":"file_operation","operation":"rename","file_path":"a"})", "new_path"},
        {R"({"type":"hello","protocol":3})", "protocol"},
        {R"({"type":"hello","resume":[]})", "resume"},
        {R"({"type":"hello","resume":{"rooms":{}}})", "resume.rooms"},
        {R"({"type":"doc_open"})", "file_path"},
        {R"({"type":"doc_open","file_path":"a","version":"1"})", "version"},
        {R"({"type":"doc_push","file_path":"a","version":0,"updates":[]})", "epoch"},
        {R"({"type":"doc_push","file_path":"a","epoch":"","updates":[]})", "version"},
        {R"({"type":"doc_push","file_path":"a","epoch":"","version":0})", "updates"},
        {R"({"type":"doc_push","file_path":"a","epoch":"","version":0,"updates":[1]})", "updates"},
        {R"({"type":"doc_push","file_path":"a","epoch":"","version":0,"updates":[{"seq":1}]})",
         "changes"},
        {R"({"type":"doc_push","file_path":"a","epoch":"","version":0,"updates":[{"changes":[]}]})",
         "seq"},
        {R"({"type":"doc_history","file_path":"a","from":2,"to":1})", "from"},
        {R"({"type":"presence","file_path":"a","epoch":"","version":0,"ranges":[{"anchor":1}]})",
         "head"},
        {R"({"type":"presence","file_path":"a","epoch":"","version":0,"viewport":[1]})",
         "viewport"},
        {R"({"type":"rtc_signal","kind":"bye"})", "to"},
        {R"({"type":"rtc_signal","to":"x"})", "kind"},
    };
    for (const auto& [text, field] : cases) {
        const Refusal refusal = refused(text);
        INFO(text << " gave " << refusal.message);
        CHECK(refusal.code == "bad_message");
        CHECK(refusal.message.find("'" + std::string(field) + "'") != std::string::npos);
    }
}

TEST_CASE("bounds of one message", "[front][rooms]") {
    Config bounds;
    bounds.push_updates = 1;
    bounds.signal_bytes = 8;
    const std::string update = R"({"seq":1,"changes":[[0,"x"]]})";
    const std::string head = R"({"type":"doc_push","file_path":"a","epoch":"","version":0,)";
    CHECK(refused(head + R"("updates":[)" + update + "," + update + "]}", bounds).code ==
          "too_many_updates");
    CHECK(refused(R"({"type":"rtc_signal","to":"x","kind":"bye","payload":"0123456789"})", bounds)
              .code == "too_large");
    CHECK(refused(R"({"type":"hello","name":")" + std::string(5'000, 'x') + "\"}").code ==
          "too_large");
    CHECK(refused(head + R"("updates":[{"seq":1,"changes":[5,"x"]}]})").code == "bad_update");
    const Refusal with_id = refused(R"({"type":"join_room","id":"7"})");
    CHECK(with_id.id == "7");
}
