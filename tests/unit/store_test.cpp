// Promises of the store: what is kept comes back as it was, whatever it is called and whatever is
// in it; what is bounded stays so.
#include "tests/unit/store_fixture.h"

#include <random>

using namespace store_test;
using namespace std::literals;

TEST_CASE("a room comes back from the store as it was", "[store]") {
    const Folder folder;
    Room room = room_of("room_123");
    {
        Store store(folder.file(), {});
        CHECK_FALSE(store.open_room("room_123", kNow).has_value());
        room.create(1, "main.py");
        room.create(1, "src/한글.py");
        store.keep(room, kNow);
        edit(room, "main.py", 0, 0, u"print('안녕 🦊')\n");
        edit(room, "main.py", 0, 5, u"echo", 2);
        edit(room, "src/한글.py", 0, 0, u"\0\u00e9\U0001F469\u200D\U0001F4BB\n"sv);
        store.keep(room, "main.py", kNow);
        store.keep(room, "src/한글.py", kNow);
        room.change_code(1, "crlf.txt", "one\r\ntwo\r\n", {}, kNow);
        room.chat(1, "안녕하세요 👋", kNow);
        room.chat(2, "'); DROP TABLE chat; --", kNow + Time{1});
        store.keep(room, kNow);
    }
    Store store(folder.file(), {});
    CHECK(store.room_count() == 1);
    check_same(*reopened(store, "room_123"), room);
}

TEST_CASE("a room's owner is kept with it, whichever call comes first", "[store]") {
    const Folder folder;
    Room room = room_of("room_123");
    room.create(1, "main.py");
    {
        Store store(folder.file(), {});
        store.keep(room, kNow); // nobody's yet, as in a store that knows no owners
        CHECK(reopened(store, "room_123")->owner().empty());
        room.set_owner("user_1");
        store.keep(room, "main.py", kNow);
        store.close_room("room_123", kNow + Time{5});
    }
    Store store(folder.file(), {}); // looks at every row's checksum
    CHECK(reopened(store, "room_123")->owner() == "user_1");
}

TEST_CASE("a room of which nothing is to be kept is not kept", "[store]") {
    const Folder folder;
    Store store(folder.file(), {});
    store.keep(room_of("empty"), kNow);
    CHECK(store.room_count() == 0);
    CHECK_FALSE(store.has_room("empty"));
}

TEST_CASE("files are followed through renaming, removal, and a new one of the same name",
          "[store]") {
    const Folder folder;
    Room room = room_of("r");
    Store store(folder.file(), {});
    const auto check_kept = [&] {
        store.keep(room, kNow);
        store.close_room("r", kNow);
        check_same(*reopened(store, "r"), room);
    };
    room.create(1, "a");
    room.create(1, "b");
    edit(room, "a", 0, 0, u"of a");
    edit(room, "b", 0, 0, u"of b");
    check_kept();
    room.rename(1, "a", "dir/c");
    check_kept();
    // Two change places between two calls.
    room.rename(1, "b", "x");
    room.rename(1, "dir/c", "b");
    room.rename(1, "x", "dir/c");
    check_kept();
    CHECK(room.document("b")->text() == u"of a");
    const std::string epoch = room.document("b")->epoch();
    room.remove(1, "b");
    check_kept();
    room.create(1, "b");
    edit(room, "b", 0, 0, u"another");
    check_kept();
    CHECK(reopened(store, "r")->document("b")->epoch() != epoch);
    // Renamed over a removed one, and edited, before the store hears of any of it.
    room.remove(1, "b");
    room.rename(1, "dir", "b");
    edit(room, "b/c", 0, 0, u"x");
    check_kept();
    room.remove(1, "b");
    check_kept();
    int calls = 0;
    while (store.tidy()) ++calls;
    CHECK(calls > 0);
}

TEST_CASE("hostile names of rooms, files and people are only names", "[store]") {
    const Folder folder;
    Store store(folder.file(), {});
    const std::vector<std::string> names = {"'; DROP TABLE rooms; --",
                                            "\"",
                                            "%",
                                            "_",
                                            std::string("a\0b", 3),
                                            "a",
                                            "",
                                            "\xff\xfe",
                                            "방",
                                            std::string(300, 'x')};
    for (const std::string& name : names) {
        Room room = room_of(name);
        room.create(1, "' OR 1=1 --");
        edit(room, "' OR 1=1 --", 0, 0, rooms::from_utf8(name));
        store.keep(room, kNow);
    }
    CHECK(store.room_count() == names.size());
    for (const std::string& name : names)
        CHECK(reopened(store, name)->document("' OR 1=1 --")->text() == rooms::from_utf8(name));
}

TEST_CASE("whatever happens in a room, the store follows", "[store]") {
    INFO("seed " << Catch::rngSeed());
    const Folder folder;
    std::mt19937 random(Catch::rngSeed());
    store::Limits limits;
    limits.snapshot_updates = 20;
    limits.history_updates = 150;
    limits.resume_updates = 40;
    limits.tidy_rows = 10;
    rooms::RoomLimits small;
    small.document.log_updates = 40;
    small.document.log_bytes = 20'000;
    auto store = std::make_unique<Store>(folder.file(), limits);
    Room room = room_of("r", small);
    const std::vector<std::string> paths = {"a",     "b", "dir/a", "dir/b", "dir/deep/한글.py",
                                            "dir2/x"};
    const auto any = [&]() -> const std::string& { return paths[random() % paths.size()]; };
    Time now = kNow;
    for (int step = 0; step < 4'000; ++step) {
        now += Time{1'000};
        const rooms::Connection actor = 1 + random() % 2;
        const std::string& path = any();
        switch (random() % 16) {
        case 0: room.create(actor, path); break;
        case 1: room.remove(actor, random() % 4 == 0 ? "dir" : path); break;
        case 2: room.rename(actor, random() % 4 == 0 ? "dir" : path, any()); break;
        case 3: room.chat(actor, "말 " + std::to_string(step), now); break;
        case 4:
            room.change_code(actor, path, "whole\r\ntext " + std::to_string(step), 0, now);
            break;
        case 5: {
            // Undone: the store must not believe that it has what it has not.
            const store::Batch batch(*store);
            store->keep(room, now);
            break;
        }
        case 6: store->tidy(); break;
        default: {
            const Document* document = room.document(path);
            if (document == nullptr) break;
            const std::size_t length = document->text().size();
            const std::size_t large = random() % 40 == 0 ? 4'000 : 5;
            edit(room, path, 0, length > 3'000 ? length : 0,
                 std::u16string(1 + random() % large, u'가'), actor, now);
            if (random() % 2 == 0) store->keep(room, path, now);
        }
        }
        if (random() % 8 == 0) store->keep(room, now);
        if (random() % 100 != 0) continue;
        store->keep(room, now);
        if (random() % 2 == 0) {
            store->close_room("r", now);
        } else {
            store.reset();
            store =
                std::make_unique<Store>(folder.file(), limits, store::Start{.rebuild_texts = true});
        }
        INFO("step " << step);
        check_same(*reopened(*store, "r", small), room);
    }
}
