// Promises of a room: who is told what, who may do what, what is bounded, and that nobody can act
// as somebody else.
#include "daemon/front/rooms/path.h"
#include "daemon/front/rooms/room.h"
#include "tests/rooms/changes.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace cloister::rooms;

namespace {

/// A room with some members, each known by the number of its connection.
struct Fixture {
    explicit Fixture(const RoomLimits& limits = {})
        : room("r", limits, [this] { return "00000000000000" + std::to_string(10 + epochs++); }) {}

    Deliveries join(Connection who, Role role = Role::editor, bool understands = true) {
        const std::string number = std::to_string(who);
        return room.join(who, {"n" + number, "c" + number, "u" + number, "name " + number, 0, role},
                         understands, now);
    }
    Deliveries push(Connection who, std::uint64_t version, std::uint64_t seq, std::string_view json,
                    std::string_view path = "main.py") {
        return room.push(who, path, room.document(path)->epoch(), version, {{seq, changes(json)}},
                         now);
    }

    int epochs = 0;
    Time now{1'000'000};
    Room room;
};

/// Those of the events that `who` gets, of one kind.
template <class Kind>
std::vector<Kind> told(const Deliveries& deliveries, Connection who) {
    std::vector<Kind> out;
    for (const Delivery& each : deliveries)
        if (const auto* event = std::get_if<Kind>(&each.event))
            if (std::count(each.to.begin(), each.to.end(), who) > 0) out.push_back(*event);
    return out;
}

/// The code of the refusal that `who`, and nobody else, gets; empty when there is none.
std::string refused(const Deliveries& deliveries, Connection who) {
    const auto refusals = told<Refusal>(deliveries, who);
    if (refusals.empty()) return "";
    CHECK(deliveries.size() == 1);
    CHECK(deliveries[0].to == std::vector<Connection>{who});
    CHECK(deliveries[0].is_reply);
    return refusals[0].code;
}

std::string text_of(const Room& room, std::string_view path = "main.py") {
    const Document* document = room.document(path);
    return document == nullptr ? "(none)" : to_utf8(document->text());
}

} // namespace

TEST_CASE("who joins learns who and what is there, and the others learn of it", "[rooms]") {
    Fixture f;
    (void)f.join(1, Role::owner);
    (void)f.room.create(1, "main.py");
    (void)f.room.chat(1, "hello", f.now);
    const Deliveries out = f.join(2, Role::viewer);
    const auto joined = told<RoomJoined>(out, 2);
    REQUIRE(joined.size() == 1);
    CHECK(joined[0].self.role == Role::viewer);
    REQUIRE(joined[0].users.size() == 1);
    CHECK(joined[0].users[0].client_id == "c1");
    CHECK(joined[0].users[0].color != joined[0].self.color);
    REQUIRE(joined[0].files.size() == 1);
    CHECK(joined[0].files[0].path == "main.py");
    REQUIRE(joined[0].chat.size() == 1);
    CHECK(joined[0].chat[0].text == "hello");
    CHECK(joined[0].chat[0].from.user_id == "u1");
    CHECK(told<UserJoined>(out, 1).at(0).user.user_id == "u2");
    CHECK(told<UserJoined>(out, 2).empty());
    const Deliveries left = f.room.leave(2);
    CHECK(told<UserLeft>(left, 1).size() == 1);
    CHECK(told<RoomLeft>(left, 2).size() == 1);
    CHECK_FALSE(f.room.has(2));
}

TEST_CASE("a room takes so many members and no more", "[rooms]") {
    RoomLimits limits;
    limits.members = 2;
    Fixture f(limits);
    (void)f.join(1);
    (void)f.join(2);
    CHECK(refused(f.join(3), 3) == "room_full");
    CHECK(f.room.connections() == std::vector<Connection>{1, 2});
    (void)f.room.leave(1);
    CHECK(refused(f.join(3), 3).empty());
}

TEST_CASE("a client that comes back takes its own place", "[rooms]") {
    RoomLimits limits;
    limits.members = 1;
    Fixture f(limits);
    (void)f.join(1);
    (void)f.room.create(1, "main.py");
    const Deliveries out = f.room.join(9, {"n9", "c1", "u1", "", 0, Role::editor}, true, f.now);
    CHECK(told<RoomLeft>(out, 1).at(0).replaced);
    CHECK(told<RoomJoined>(out, 9).size() == 1);
    CHECK(refused(f.room.chat(1, "still here", f.now), 1) == "not_in_room");
}

TEST_CASE("who is not in the room can do nothing in it", "[rooms]") {
    Fixture f;
    (void)f.join(1);
    (void)f.room.create(1, "main.py");
    const std::string epoch = f.room.document("main.py")->epoch();
    CHECK(refused(f.room.open(2, "main.py"), 2) == "not_in_room");
    CHECK(refused(f.room.close(2, "main.py"), 2) == "not_in_room");
    CHECK(refused(f.push(2, 0, 1, "[[0,\"x\"]]"), 2) == "not_in_room");
    CHECK(refused(f.room.change_code(2, "main.py", "x", {}, f.now), 2) == "not_in_room");
    CHECK(refused(f.room.history(2, "main.py", 0, 1), 2) == "not_in_room");
    CHECK(refused(f.room.create(2, "x"), 2) == "not_in_room");
    CHECK(refused(f.room.remove(2, "main.py"), 2) == "not_in_room");
    CHECK(refused(f.room.rename(2, "main.py", "x"), 2) == "not_in_room");
    CHECK(refused(f.room.present(2, {"main.py", epoch}, f.now), 2) == "not_in_room");
    CHECK(refused(f.room.move_cursor(2, "main.py", {}, f.now), 2) == "not_in_room");
    CHECK(refused(f.room.chat(2, "x", f.now), 2) == "not_in_room");
    CHECK(refused(f.room.signal(2, "n1", "bye", "{}", f.now), 2) == "not_in_room");
    CHECK(refused(f.room.leave(2), 2) == "not_in_room");
    CHECK(f.room.why_not_run(2)->code == "not_in_room");
    CHECK(text_of(f.room).empty());
}

TEST_CASE("a role allows what it says, checked at every act", "[rooms]") {
    const Role role = GENERATE(Role::owner, Role::editor, Role::runner, Role::viewer);
    Fixture f;
    (void)f.join(1, Role::owner);
    (void)f.room.create(1, "main.py");
    (void)f.join(2, role);
    (void)f.join(3, role, false);
    CHECK(told<DocState>(f.room.open(2, "main.py"), 2).at(0).read_only == !may_edit(role));
    const std::string expected = may_edit(role) ? "" : "forbidden";
    INFO(name(role));
    CHECK(refused(f.push(2, 0, 1, "[[0,\"x\"]]"), 2) == expected);
    CHECK(refused(f.room.create(2, "a.py"), 2) == expected);
    CHECK(refused(f.room.rename(2, "main.py", "b.py"), 2) == expected);
    CHECK(refused(f.room.change_code(3, "c.py", "x", {}, f.now), 3) == expected);
    CHECK(refused(f.room.remove(2, may_edit(role) ? "b.py" : "main.py"), 2) == expected);
    CHECK(f.room.files().size() == (may_edit(role) ? 2 : 1));
    CHECK(f.room.why_not_run(2).has_value() == !may_run(role));
    CHECK(refused(f.room.chat(2, "everybody may talk", f.now), 2).empty());
}

TEST_CASE("an edit reaches those who have the document open, and is acknowledged", "[rooms]") {
    Fixture f;
    for (const Connection who : {1U, 2U, 3U}) (void)f.join(who);
    (void)f.room.create(1, "main.py");
    CHECK(refused(f.push(1, 0, 1, "[[0,\"x\"]]"), 1) == "bad_message"); // not open
    (void)f.room.open(1, "main.py");
    (void)f.room.open(2, "main.py");
    const Deliveries out = f.push(1, 0, 1, "[[0,\"x\"]]");
    const auto updates = told<DocUpdates>(out, 2);
    REQUIRE(updates.size() == 1);
    CHECK(updates[0].version == 0);
    CHECK(updates[0].updates.at(0)->client_id == "c1");
    CHECK(told<DocUpdates>(out, 1).empty()); // no echo
    CHECK(told<DocUpdates>(out, 3).empty()); // not open
    const auto acks = told<DocAck>(out, 1);
    REQUIRE(acks.size() == 1);
    CHECK(acks[0].version == 1);
    CHECK(acks[0].count == 1);
    CHECK(acks[0].last_seq == 1);
    (void)f.room.close(2, "main.py");
    CHECK(told<DocUpdates>(f.push(1, 1, 2, "[1,[0,\"y\"]]"), 2).empty());
}

TEST_CASE("who comes back gets what it missed, in messages of bounded size", "[rooms]") {
    RoomLimits limits;
    limits.updates_per_message = 4;
    Fixture f(limits);
    (void)f.join(1);
    (void)f.room.create(1, "main.py");
    (void)f.room.open(1, "main.py");
    for (std::uint64_t i = 0; i < 10; ++i)
        (void)f.push(1, i, i + 1, "[" + (i == 0 ? "" : std::to_string(i) + ",") + "[0,\"x\"]]");
    (void)f.join(2);
    const std::string epoch = f.room.document("main.py")->epoch();
    const auto missed = told<DocUpdates>(f.room.open(2, "main.py", epoch, 1), 2);
    REQUIRE(missed.size() == 3);
    CHECK(missed[0].resumed);
    CHECK_FALSE(missed[1].resumed);
    CHECK(missed[1].version == 5);
    CHECK(missed[2].updates.size() == 1);
    CHECK(told<DocUpdates>(f.room.open(2, "main.py", epoch, 10), 2).at(0).updates.empty());
    const auto state = told<DocState>(f.room.open(2, "main.py", "another", 1), 2);
    REQUIRE(state.size() == 1);
    CHECK(*state[0].content == "xxxxxxxxxx");
    CHECK(state[0].hash == crc32c("xxxxxxxxxx"));
    CHECK(told<DocState>(f.room.open(2, "main.py", epoch, 11), 2).size() == 1);
    const auto chunk = told<DocHistoryChunk>(f.room.history(2, "main.py", 2, 99), 2);
    CHECK(chunk.at(0).version == 2);
    CHECK(chunk.at(0).updates.size() == 4);
    CHECK(chunk.at(0).more);
    CHECK_FALSE(told<DocHistoryChunk>(f.room.history(2, "main.py", 8, 10), 2).at(0).more);
}

TEST_CASE("base clients and those that understand updates edit together", "[rooms]") {
    Fixture f;
    (void)f.join(1);
    (void)f.join(2, Role::editor, false);
    (void)f.join(3, Role::editor, false);
    Deliveries out = f.room.change_code(2, "main.py", "print(1)\r\n", {}, f.now);
    CHECK(told<FileOperation>(out, 1).at(0).path == "main.py");
    CHECK(*told<CodeChange>(out, 3).at(0).content == "print(1)\n");
    CHECK(told<CodeChange>(out, 3).at(0).from.user_id == "u2");
    // The line break of another system is not what it sent, so it is told.
    (void)f.room.open(1, "main.py");
    out = f.push(1, 1, 1, "[[0,\"# x\",\"\"],9]");
    CHECK(*told<CodeChange>(out, 2).at(0).content == "# x\nprint(1)\n");
    // 2 had not seen that when it wrote:
    out = f.room.change_code(2, "main.py", "print(12)\n", {}, f.now);
    CHECK(text_of(f.room) == "# x\nprint(12)\n");
    CHECK(std::string(told<CodeChange>(out, 2).at(0).change_type) == "merge");
    CHECK(*told<CodeChange>(out, 2).at(0).content == "# x\nprint(12)\n");
    CHECK(told<DocUpdates>(out, 1).at(0).updates.at(0)->client_id == "c2~");
    CHECK(*told<CodeChange>(out, 3).at(0).content == "# x\nprint(12)\n");
    // Who joins late knows the text before it can overwrite it.
    out = f.join(4, Role::editor, false);
    CHECK(*told<CodeChange>(out, 4).at(0).content == "# x\nprint(12)\n");
    CHECK(refused(f.room.change_code(1, "main.py", "x", {}, f.now), 1) == "bad_message");
    CHECK(refused(f.room.open(2, "main.py"), 2) == "bad_message");
}

TEST_CASE("what a base client sends comes to the others only when it has changed something",
          "[rooms]") {
    Fixture f;
    (void)f.join(1, Role::editor, false);
    (void)f.join(2, Role::editor, false);
    (void)f.room.change_code(1, "main.py", "x", {}, f.now);
    CHECK(f.room.change_code(1, "main.py", "x", {}, f.now).empty());
    CHECK(f.room.document("main.py")->version() == 1);
}

TEST_CASE("a base client whose words may have been overwritten is told the text when it is quiet",
          "[rooms]") {
    Fixture f;
    (void)f.join(1);
    (void)f.join(2, Role::editor, false);
    (void)f.room.create(1, "main.py");
    (void)f.room.open(1, "main.py");
    (void)f.push(1, 0, 1, "[[0,\"x\"]]"); // is under way to 2, which writes the same and a little
                                          // more
    CHECK(f.room.change_code(2, "main.py", "xy", {}, f.now).size() == 1);
    CHECK(text_of(f.room) == "xy");
    CHECK(f.room.tick(f.now + Time{1'000}).empty());
    const auto quiet = told<CodeChange>(f.room.tick(f.now + Time{2'000}), 2);
    REQUIRE(quiet.size() == 1);
    CHECK(*quiet[0].content == "xy");
    CHECK(f.room.tick(f.now + Time{9'000}).empty());
    // What was sent long ago has arrived: nothing to tell.
    f.now += Time{60'000};
    (void)f.room.change_code(2, "main.py", "xyz", {}, f.now);
    CHECK(told<CodeChange>(f.room.tick(f.now + Time{3'000}), 2).empty());
}

TEST_CASE("files have the bounds and the names that the protocol says", "[rooms]") {
    RoomLimits limits;
    limits.files = 3;
    Fixture f(limits);
    (void)f.join(1);
    for (const char* bad :
         {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b", "a\nb", "-x"})
        CHECK(refused(f.room.create(1, bad), 1) == "bad_path");
    CHECK(refused(f.room.create(1, std::string(256, 'x')), 1) == "bad_path");
    CHECK(refused(f.room.create(1, std::string(255, 'x')), 1).empty());
    CHECK(refused(f.room.create(1, "dir/a.py"), 1).empty());
    CHECK(refused(f.room.create(1, "dir/a.py"), 1) == "file_exists");
    CHECK(refused(f.room.create(1, "dir"), 1) == "file_exists");
    CHECK(refused(f.room.create(1, "dir/a.py/b"), 1) == "bad_path");
    CHECK(refused(f.room.create(1, "dir/b.py"), 1).empty());
    CHECK(refused(f.room.create(1, "one.more"), 1) == "too_large");
    CHECK(refused(f.room.rename(1, "dir", "dir/inner"), 1) == "bad_path");
    CHECK(refused(f.room.rename(1, "dir", "new/folder"), 1).empty());
    CHECK(f.room.document("new/folder/a.py") != nullptr);
    CHECK(refused(f.room.rename(1, "new/folder/a.py", "new/folder/b.py"), 1) == "file_exists");
    CHECK(refused(f.room.rename(1, "gone", "x"), 1) == "no_such_file");
    CHECK(refused(f.room.rename(1, "new/folder",
                                std::string(254, 'y') + "/" + std::string(254, 'y') + "/" +
                                    std::string(254, 'y') + "/" + std::string(254, 'y')),
                  1) == "bad_path");
    CHECK(refused(f.room.remove(1, "new"), 1).empty());
    CHECK(f.room.files().size() == 1);
    CHECK(refused(f.room.remove(1, "new"), 1) == "no_such_file");
}

TEST_CASE("a name has one spelling, however its Hangul is stored", "[rooms]") {
    const std::string letters =
        to_utf8(u"\u1112\u1161\u11AB\u1100\u1173\u11AF.py"); // as macOS does
    CHECK(composed(letters) == "한글.py");
    CHECK(composed("가나.py") == "가나.py");
    CHECK(composed(to_utf8(u"\uAC00\u11A8")) == "각");
    Fixture f;
    (void)f.join(1);
    (void)f.room.create(1, "한글.py");
    CHECK(refused(f.room.create(1, letters), 1) == "file_exists");
    CHECK(refused(f.room.remove(1, letters), 1).empty());
}

TEST_CASE("a document that is renamed keeps its history and its viewers", "[rooms]") {
    Fixture f;
    (void)f.join(1);
    (void)f.join(2);
    (void)f.room.create(1, "a.py");
    (void)f.room.open(1, "a.py");
    (void)f.room.open(2, "a.py");
    (void)f.push(1, 0, 1, "[[0,\"x\"]]", "a.py");
    const auto seen = told<FileOperation>(f.room.rename(1, "a.py", "b.py"), 2);
    CHECK(seen.at(0).action == FileAction::rename);
    CHECK(seen.at(0).new_path == "b.py");
    CHECK(told<DocUpdates>(f.push(1, 1, 2, "[1,[0,\"y\"]]", "b.py"), 2).at(0).path == "b.py");
    CHECK(text_of(f.room, "b.py") == "xy");
    CHECK(text_of(f.room, "a.py") == "(none)");
}

TEST_CASE("documents share the bytes of their room", "[rooms]") {
    RoomLimits limits;
    limits.room_bytes = 10;
    limits.document.doc_bytes = 8;
    Fixture f(limits);
    (void)f.join(1, Role::editor, false);
    CHECK(refused(f.room.change_code(1, "a", "123456789", {}, f.now), 1) == "doc_too_large");
    CHECK(f.room.files().empty());
    CHECK(refused(f.room.change_code(1, "a", "1234567", {}, f.now), 1).empty());
    CHECK(refused(f.room.change_code(1, "b", "1234", {}, f.now), 1) == "doc_too_large");
    CHECK(refused(f.room.change_code(1, "b", "123", {}, f.now), 1).empty());
    CHECK(refused(f.room.change_code(1, "a", "12345678", {}, f.now), 1) == "doc_too_large");
    CHECK(refused(f.room.change_code(1, "a", "1", {}, f.now), 1).empty());
    CHECK(refused(f.room.change_code(1, "b", "1234567", {}, f.now), 1).empty());
}

TEST_CASE("presence is told from where it is now, and the newest is told in the end", "[rooms]") {
    RoomLimits limits;
    limits.presence_per_second = 2;
    Fixture f(limits);
    for (const Connection who : {1U, 2U}) (void)f.join(who);
    (void)f.join(3, Role::viewer, false);
    (void)f.room.create(1, "main.py");
    for (const Connection who : {1U, 2U}) (void)f.room.open(who, "main.py");
    (void)f.push(1, 0, 1, "[[0,\"ab\",\"cd\"]]");
    (void)f.push(1, 1, 2, "[[0,\"123\"],5]");
    Presence presence{"main.py", f.room.document("main.py")->epoch(), 1, {{4, 5}}};
    presence.from.user_id = "u1"; // what a message says of its sender is not believed
    Deliveries out = f.room.present(2, presence, f.now);
    const auto seen = told<Presence>(out, 1);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].version == 2);
    CHECK(seen[0].ranges.at(0).anchor == 7);
    CHECK(seen[0].ranges.at(0).head == 8);
    CHECK(seen[0].from.user_id == "u2");
    CHECK(told<Presence>(out, 2).empty());
    const auto cursor = told<CursorChange>(out, 3); // base clients count lines
    CHECK(cursor.at(0).position.line == 1);
    CHECK(cursor.at(0).position.column == 2);
    // Too many: held back, and the newest is told when there is time.
    (void)f.room.present(2, presence, f.now);
    for (std::size_t i = 0; i < 5; ++i) {
        presence.ranges = {{i, i}};
        CHECK(f.room.present(2, presence, f.now).empty());
    }
    CHECK(told<Presence>(f.room.tick(f.now), 1).empty());
    f.now += Time{600};
    const auto late = told<Presence>(f.room.tick(f.now), 1);
    REQUIRE(late.size() == 1);
    CHECK(late[0].ranges.at(0).head == 7);
    CHECK(told<Presence>(f.room.tick(f.now), 1).empty());

    presence.ranges.resize(limits.presence_ranges + 1);
    CHECK(refused(f.room.present(2, presence, f.now), 2) == "bad_message");
    presence.ranges.clear();
    presence.version = 99;
    CHECK(refused(f.room.present(2, presence, f.now), 2) == "version_ahead");
    presence.epoch = "another";
    CHECK(refused(f.room.present(2, presence, f.now), 2) == "stale_epoch");
}

TEST_CASE("who opens a document sees where the others are", "[rooms]") {
    Fixture f;
    for (const Connection who : {1U, 2U}) (void)f.join(who);
    (void)f.room.create(1, "main.py");
    (void)f.room.open(1, "main.py");
    (void)f.room.present(1, {"main.py", f.room.document("main.py")->epoch(), 0, {{0, 0}}}, f.now);
    (void)f.push(1, 0, 1, "[[0,\"abc\"]]");
    const Deliveries out = f.room.open(2, "main.py");
    CHECK(std::holds_alternative<DocState>(out.at(0).event));
    CHECK(told<Presence>(out, 2).at(0).version == 1);
}

TEST_CASE("chat is bounded, and the last lines are there for who comes", "[rooms]") {
    RoomLimits limits;
    limits.chat_kept = 3;
    limits.chat_chars = 5;
    limits.chat_burst = 4;
    Fixture f(limits);
    (void)f.join(1);
    (void)f.join(2, Role::viewer, false);
    CHECK(refused(f.room.chat(1, "", f.now), 1) == "bad_message");
    CHECK(refused(f.room.chat(1, "123456", f.now), 1) == "too_large");
    CHECK(refused(f.room.chat(1, "😀😀😀😀😀", f.now), 1).empty()); // five characters, ten units
    const Deliveries out = f.room.chat(2, "hi", f.now);
    CHECK(told<ChatMessage>(out, 1).at(0).line.from.user_id == "u2");
    CHECK(told<ChatMessage>(out, 2).empty()); // shows its own words itself
    CHECK(told<ChatMessage>(f.room.chat(1, "a", f.now), 1).size() == 1);
    (void)f.room.chat(1, "b", f.now);
    (void)f.room.chat(1, "c", f.now);
    CHECK(refused(f.room.chat(1, "d", f.now), 1) == "rate_limited");
    CHECK(refused(f.room.chat(1, "d", f.now + Time{600}), 1).empty());
    const Deliveries joining = f.join(3);
    const auto joined = told<RoomJoined>(joining, 3);
    REQUIRE(joined.at(0).chat.size() == 3);
    CHECK(joined[0].chat[0].text == "b");
    CHECK(joined[0].chat[2].text == "d");
    CHECK(joined[0].chat[2].message_id > joined[0].chat[1].message_id);
}

TEST_CASE("a signal goes to the one member that it names", "[rooms]") {
    Fixture f;
    for (const Connection who : {1U, 2U, 3U}) (void)f.join(who);
    const Deliveries out = f.room.signal(1, "n2", "candidate", "{}", f.now);
    CHECK(told<RtcSignal>(out, 2).at(0).from.connection_id == "n1");
    CHECK(told<RtcSignal>(out, 3).empty());
    CHECK(refused(f.room.signal(1, "n9", "bye", "{}", f.now), 1) == "bad_message");
    CHECK(refused(f.room.signal(1, "n1", "bye", "{}", f.now), 1) == "bad_message");
    CHECK(refused(f.room.signal(1, "n2", "shout", "{}", f.now), 1) == "bad_message");
    CHECK(refused(f.room.signal(1, "n2", "bye", std::string(20'000, ' '), f.now), 1) ==
          "too_large");
    for (int i = 0; i < 60; ++i) (void)f.room.signal(1, "n2", "candidate", "{}", f.now);
    CHECK(refused(f.room.signal(1, "n2", "candidate", "{}", f.now), 1) == "rate_limited");
}

TEST_CASE("an idle document is hashed once, for those who have it open", "[rooms]") {
    Fixture f;
    for (const Connection who : {1U, 2U}) (void)f.join(who);
    (void)f.room.create(1, "main.py");
    (void)f.room.open(1, "main.py");
    (void)f.push(1, 0, 1, "[[0,\"x\"]]");
    CHECK(f.room.tick(f.now + Time{1'000}).empty());
    const Deliveries out = f.room.tick(f.now + Time{2'000});
    const auto looks = told<DocUpdates>(out, 1);
    REQUIRE(looks.size() == 1);
    CHECK(looks[0].updates.empty());
    CHECK(looks[0].version == 1);
    CHECK(looks[0].hash == crc32c("x"));
    CHECK(told<DocUpdates>(out, 2).empty());
    CHECK(f.room.tick(f.now + Time{9'000}).empty());
}

TEST_CASE("a room that was kept is the same room", "[rooms]") {
    Fixture f;
    (void)f.join(1);
    (void)f.room.create(1, "main.py");
    (void)f.room.open(1, "main.py");
    (void)f.push(1, 0, 1, "[[0,\"x\"]]");
    const SavedDocument saved = f.room.document("main.py")->saved();
    Fixture again;
    CHECK(again.room.load("main.py", saved));
    CHECK_FALSE(again.room.load("main.py", saved));
    again.room.load_chat({{7, {}, "old words", Time{}}});
    CHECK(told<RoomJoined>(again.join(1), 1).at(0).chat.at(0).text == "old words");
    const auto back = told<DocUpdates>(again.room.open(1, "main.py", saved.epoch, 0), 1);
    CHECK(back.at(0).last_seq == 1);
    CHECK(told<ChatMessage>(again.room.chat(1, "new", again.now), 1).at(0).line.message_id == 8);
    SavedDocument damaged = saved;
    damaged.text = u"more";
    CHECK_FALSE(again.room.load("other.py", damaged));
}
