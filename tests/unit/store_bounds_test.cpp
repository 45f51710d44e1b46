// Promises of the store about what grows: history, chat, rooms, what is gone.
#include "tests/unit/store_fixture.h"

#include <random>

using namespace store_test;

namespace {

void random_edit(Room& room, const std::string& path, std::mt19937& random) {
    const std::u16string& text = room.document(path)->text();
    const std::u16string_view words[] = {u"a", u"한", u"🦊", u"line\n", u"", u"a longer piece"};
    std::size_t from = random() % (text.size() + 1);
    std::size_t to = std::min<std::size_t>(text.size(), from + (text.size() > 200 ? 40 : 1));
    if (rooms::is_inside_pair(text, from)) --from;
    if (rooms::is_inside_pair(text, to)) ++to;
    edit(room, path, from, to, words[random() % std::size(words)], 1 + random() % 2);
}

/// The text of `version`, from the store alone, in pieces.
std::u16string text_from(Store& store, const std::string& path, std::uint64_t version) {
    auto snapshot = store.snapshot("r", path, version);
    REQUIRE(snapshot.has_value());
    REQUIRE(snapshot->version <= version);
    for (std::uint64_t at = snapshot->version; at < version;) {
        const auto piece = store.history("r", path, at, version);
        REQUIRE(piece->version == at);
        REQUIRE(piece->updates.size() <= 256);
        REQUIRE_FALSE(piece->updates.empty());
        for (const auto& update : piece->updates) update->changes.apply_to(snapshot->text);
        at += piece->updates.size();
        CHECK(piece->more == (at < version));
    }
    return snapshot->text;
}

std::size_t count_in(const std::string& path) { return std::filesystem::file_size(path); }

} // namespace

TEST_CASE("the whole history is there to be played from version 0", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.snapshot_updates = 100;
    rooms::RoomLimits small;
    small.document.log_updates = 50; // the room forgets, the store does not
    Store store(folder.file(), limits);
    Room room = room_of("r", small);
    room.create(1, "f");
    std::mt19937 random(Catch::rngSeed());
    std::vector<std::u16string> texts;
    for (int i = 0; i < 700; ++i) {
        texts.push_back(room.document("f")->text());
        random_edit(room, "f", random);
        store.keep(room, "f", kNow);
    }
    texts.push_back(room.document("f")->text());
    CHECK(room.document("f")->first_version() == 650);
    for (const std::uint64_t version : {0U, 1U, 99U, 100U, 101U, 255U, 256U, 257U, 699U, 700U})
        CHECK(text_from(store, "f", version) == texts[version]);
    const auto all = store.history("r", "f", 0, 10'000);
    CHECK(all->version == 0);
    CHECK(all->updates.size() == 256);
    CHECK(all->more);
    CHECK_FALSE(store.history("r", "no such file", 0, 1).has_value());
    CHECK_FALSE(store.history("no such room", "f", 0, 1).has_value());
    // What a room that opens it gets is enough for what it remembers.
    store.close_room("r", kNow);
    check_same(*reopened(store, "r", small), room);
}

TEST_CASE("a history is bounded, and what is left of it fits together", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.snapshot_updates = 50;
    limits.resume_updates = 60;
    rooms::RoomLimits small;
    small.document.log_updates = 60;
    const bool by_bytes = GENERATE(false, true);
    if (by_bytes) limits.history_bytes = 40'000;
    else limits.history_updates = 200;
    Room room = room_of("r", small);
    room.create(1, "f");
    // A client that wrote once, long ago: its last seq outlives its update.
    std::mt19937 random(3);
    edit(room, "f", 0, 0, u"once", 2);
    {
        Store store(folder.file(), limits);
        store.keep(room, kNow);
        for (int i = 0; i < 3'000; ++i) {
            const std::size_t length = room.document("f")->text().size();
            edit(room, "f", 0, length > 100 ? 20 : 0, u"words ");
            store.keep(room, "f", kNow);
            if (i % 500 != 250) continue;
            // Opened again, it knows as much of its bounds.
            store.close_room("r", kNow);
        }
        const auto oldest = store.history("r", "f", 0, 1);
        CHECK(oldest->version > 2'000);
        CHECK(oldest->version <= 2'941); // what a room remembers is always there
        if (!by_bytes) CHECK(oldest->version >= 3'001 - 200 - 50);
        CHECK_FALSE(store.snapshot("r", "f", oldest->version - 1).has_value());
        CHECK(text_from(store, "f", 3'001) == room.document("f")->text());
    }
    CHECK(count_in(folder.file()) < 400'000);
    Store store(folder.file(), limits, {.rebuild_texts = true});
    const auto kept = reopened(store, "r", small);
    check_same(*kept, room);
    CHECK(kept->document("f")->last_seq("bob") == 1);
}

TEST_CASE("no more clients' last seqs are kept than a document remembers", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.snapshot_updates = 10;
    limits.clients = 5;
    limits.resume_updates = 1;
    Room room("r", {}, fresh_epoch);
    {
        Store store(folder.file(), limits);
        for (int i = 0; i < 30; ++i) {
            room.join(1, {"c", "client" + std::to_string(i), "u", "n", 0, rooms::Role::owner}, true,
                      kNow);
            if (i == 0) room.create(1, "f");
            edit(room, "f", 0, 0, u"x");
            store.keep(room, kNow);
            room.leave(1);
        }
    }
    Store store(folder.file(), limits);
    const auto saved = store.open_room("r", kNow);
    CHECK(saved->files.at(0).document.last_seqs.size() == 5);
    CHECK(saved->files.at(0).document.last_seqs.back().first == "client29");
}

TEST_CASE("a change that the room has forgotten at once begins the history anew", "[store]") {
    const Folder folder;
    rooms::RoomLimits small;
    small.document.log_bytes = 20'000;
    Store store(folder.file(), {});
    Room room = room_of("r", small);
    room.create(1, "f");
    edit(room, "f", 0, 0, u"before", 2);
    store.keep(room, kNow);
    edit(room, "f", 0, 0, std::u16string(20'000, u'x'));
    CHECK(room.document("f")->first_version() == 2);
    store.keep(room, "f", kNow);
    edit(room, "f", 0, 0, u"after");
    store.keep(room, "f", kNow);
    CHECK(store.history("r", "f", 0, 10)->version == 2);
    store.close_room("r", kNow);
    const auto kept = reopened(store, "r", small);
    check_same(*kept, room);
    CHECK(kept->document("f")->last_seq("bob") == 1);
    CHECK(store.tidy()); // the old rows
}

TEST_CASE("a piece of history, and what a room remembers, are bounded in bytes", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.history_chunk_bytes = 10'000;
    limits.snapshot_bytes = 10'000;
    limits.resume_room_bytes = 60'000;
    limits.history_bytes = 1'000'000;
    Store store(folder.file(), limits);
    Room room = room_of("r");
    room.create(1, "f");
    room.create(1, "g");
    for (int i = 0; i < 100; ++i)
        for (const char* path : {"f", "g"})
            edit(room, path, 0, room.document(path)->text().size(), std::u16string(3'000, u'x'));
    for (int i = 0; i < 2; ++i) store.keep(room, kNow); // no text on the way: one keep
    CHECK(store.history("r", "f", 0, 100)->updates.size() == 4);
    CHECK(store.history("r", "f", 0, 100)->more);
    CHECK(text_from(store, "f", 99) == room.document("f")->text());
    for (int i = 0; i < 100; ++i)
        for (const char* path : {"f", "g"}) {
            edit(room, path, 0, room.document(path)->text().size(), std::u16string(3'000, u'y'));
            store.keep(room, path, kNow);
        }
    const auto saved = store.open_room("r", kNow);
    for (const store::SavedFile& file : saved->files) {
        CHECK(file.document.updates.size() >= 10);
        CHECK(file.document.updates.size() <= 14);
    }
}

TEST_CASE("chat is bounded, and its ids go on", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.chat_lines = 60;
    Room room = room_of("r");
    {
        Store store(folder.file(), limits);
        for (int i = 0; i < 200; ++i) {
            room.chat(1, "line " + std::to_string(i), kNow + Time{i * 1'000});
            if (i % 7 == 0) store.keep(room, kNow);
        }
        store.keep(room, kNow);
    }
    Store store(folder.file(), limits);
    auto kept = reopened(store, "r");
    check_same(*kept, room);
    CHECK(kept->chat_lines().size() == 50);
    kept->join(1, {"c", "alice", "u", "n", 0, rooms::Role::owner}, true, kNow);
    kept->chat(1, "the next", kNow + Time{1'000'000});
    CHECK(kept->chat_lines().back().message_id == 201);
    store.keep(*kept, kNow);
}

TEST_CASE("empty rooms expire when they have been empty for so long, others do not", "[store]") {
    const Folder folder;
    Store store(folder.file(), {});
    const Time hour = std::chrono::hours(1);
    for (const char* name : {"left early", "left late", "in use", "never closed"}) {
        Room room = room_of(name);
        store.open_room(name, kNow);
        room.create(1, "f");
        edit(room, "f", 0, 0, u"text");
        store.keep(room, kNow);
    }
    store.close_room("left early", kNow + hour);
    store.close_room("left late", kNow + 5 * hour);
    CHECK(store.expire(kNow + 24 * hour).empty());
    CHECK(store.expire(kNow + 26 * hour) == std::vector<std::string>{"left early"});
    CHECK_FALSE(store.has_room("left early"));
    CHECK(store.expire(kNow + 30 * hour) == std::vector<std::string>{"left late"});
    CHECK(store.expire(kNow + 1'000 * hour).empty());
    // A name is free again.
    Room again = room_of("left early");
    again.create(1, "other");
    store.keep(again, kNow + 1'000 * hour);
    store.close_room("left early", kNow + 1'000 * hour);
    check_same(*reopened(store, "left early"), again);
    int calls = 0;
    while (store.tidy()) ++calls;
    CHECK(calls == 4); // for each of two files: its updates, then the rest
}

TEST_CASE("a room in use does not expire, however short the time", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.empty_room = std::chrono::minutes(1);
    Store store(folder.file(), limits);
    Room room = room_of("r");
    store.open_room("r", kNow);
    room.create(1, "f");
    store.keep(room, kNow);
    CHECK(store.expire(kNow + std::chrono::minutes(5)).empty());
    store.close_room("r", kNow + std::chrono::minutes(5));
    CHECK(store.expire(kNow + std::chrono::minutes(7)).size() == 1);
}

TEST_CASE("a room that could not be closed expires all the same", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.rooms = 1;
    Store store(folder.file(), limits);
    Room room = room_of("r");
    store.open_room("r", kNow);
    room.create(1, "f");
    store.keep(room, kNow);
    Room other = room_of("other");
    other.create(1, "f");
    store.begin();
    CHECK_THROWS_AS(store.keep(other, kNow), StoreError);
    CHECK_THROWS_AS(store.close_room("r", kNow), StoreError);
    store.roll_back();
    CHECK(store.expire(kNow + std::chrono::hours(25)).size() == 1);
}

TEST_CASE("rooms that nobody has opened since a restart expire by their last use", "[store]") {
    const Folder folder;
    const Time hour = std::chrono::hours(1);
    {
        Store store(folder.file(), {});
        Room room = room_of("r");
        store.open_room("r", kNow);
        room.create(1, "f");
        store.keep(room, kNow);
        // Somebody is in it for days without a word.
        for (int i = 1; i < 100; ++i) CHECK(store.expire(kNow + i * hour).empty());
    }
    Store store(folder.file(), {});
    CHECK(store.expire(kNow + 110 * hour).empty());
    CHECK(store.expire(kNow + 124 * hour).size() == 1);
}

TEST_CASE("what is gone is removed in pieces", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.tidy_rows = 100;
    Room room = room_of("r");
    {
        Store store(folder.file(), limits);
        room.create(1, "f");
        for (int i = 0; i < 450; ++i) edit(room, "f", 0, 0, u"x");
        store.keep(room, kNow);
        room.remove(1, "f");
        store.keep(room, kNow);
        CHECK(store.tidy());
    }
    Store store(folder.file(), limits); // goes on after a restart
    int calls = 0;
    while (store.tidy()) ++calls;
    CHECK(calls == 5);
}

TEST_CASE("there are at most so many rooms", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.rooms = 3;
    Store store(folder.file(), limits);
    for (int i = 0; i < 4; ++i) {
        Room room = room_of("room" + std::to_string(i));
        room.create(1, "f");
        if (i < 3) store.keep(room, kNow);
        else CHECK(trouble_of([&] { store.keep(room, kNow); }).first == Trouble::limit);
    }
    CHECK(store.room_count() == 3);
}

TEST_CASE("a value larger than the bound is refused, and only that", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.value_bytes = 10'000;
    Store store(folder.file(), limits);
    Room room = room_of("r");
    room.create(1, "f");
    store.keep(room, kNow);
    edit(room, "f", 0, 0, std::u16string(20'000, u'x'));
    CHECK(trouble_of([&] { store.keep(room, kNow); }).first == Trouble::limit);
    Room other = room_of("other");
    other.create(1, "f");
    store.keep(other, kNow);
    CHECK(store.room_count() == 2);
}
