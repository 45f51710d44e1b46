// Promises of the store about files that are not what it wrote: they are refused with a sentence,
// and one damaged document does not take the others along silently.
#include "daemon/front/store/records.h"
#include "daemon/front/store/schema.h"
#include "daemon/front/store/sqlite.h"
#include "daemon/front/store/wal.h"
#include "tests/unit/store_fixture.h"

#include <fstream>
#include <random>

using namespace store_test;

namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Two rooms, a history, chat; ended in good order unless `is_killed`.
void fill(const std::string& path, const std::string& killed_copy = {}) {
    Store store(path, {});
    for (const char* name : {"one", "two"}) {
        Room room = room_of(name);
        room.create(1, "f");
        room.create(1, "g");
        for (int i = 0; i < 40; ++i)
            edit(room, "f", 0, 0, u"some words of a text ", i % 2 == 0 ? 1U : 2U);
        edit(room, "g", 0, 0, u"short");
        room.chat(1, "hello there", kNow);
        store.keep(room, kNow);
    }
    if (killed_copy.empty()) return;
    std::filesystem::copy_file(path, killed_copy);
    std::filesystem::copy_file(path + "-wal", killed_copy + "-wal");
}

void alter(const std::string& path, const char* sql) {
    store::Database database(path, false);
    database.execute(sql);
}

/// Refused, with a sentence that names the file and says `what`.
void check_refused(const std::string& path, const std::string& what,
                   const store::Start& start = {}) {
    const auto [trouble, sentence] = trouble_of([&] { Store(path, {}, start); });
    INFO(sentence);
    CHECK(trouble == Trouble::damaged);
    CHECK(sentence.find(path) != std::string::npos);
    CHECK(sentence.find(what) != std::string::npos);
}

} // namespace

TEST_CASE("a file that is no store is refused and left alone", "[store]") {
    const Folder folder;
    const std::string path = folder.file();
    for (const std::string& content :
         {std::string("not a database at all, but long enough to hold a header of a hundred bytes, "
                      "and some more of them to be sure"),
          std::string(8'192, '\0'), std::string("SQLite format 3")}) {
        write_bytes(path, content);
        check_refused(path, "backup");
        CHECK(bytes_of(path) == content);
    }
    write_bytes(path, "");
    check_refused(path, "is empty");
}

TEST_CASE("another program's database is not taken for a store", "[store]") {
    const Folder folder;
    {
        store::Database database(folder.file(), true);
        database.execute("CREATE TABLE t (x)");
    }
    check_refused(folder.file(), "another program");
}

TEST_CASE("a truncated store is refused", "[store]") {
    const Folder folder;
    fill(folder.file());
    const std::string whole = bytes_of(folder.file());
    for (const std::size_t size : {whole.size() / 2, whole.size() - 4'096, std::size_t{4'096}}) {
        write_bytes(folder.file(), whole.substr(0, size));
        const auto [trouble, sentence] = trouble_of([&] { Store(folder.file(), {}); });
        INFO(sentence);
        CHECK(trouble == Trouble::damaged);
    }
}

TEST_CASE("no flipped byte goes unnoticed and changes what is kept", "[store]") {
    const Folder folder;
    fill(folder.file());
    const std::string whole = bytes_of(folder.file());
    const std::string path = folder.file("flipped.db");
    Room one = room_of("one");
    std::map<std::string, std::u16string> texts;
    {
        Store store(folder.file(), {});
        for (const char* name : {"one", "two"}) {
            const auto room = reopened(store, name);
            texts[name] = room->document("f")->text() + room->document("g")->text();
        }
    }
    std::mt19937 random(Catch::rngSeed());
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
        std::string bytes = whole;
        const std::size_t at = random() % bytes.size();
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        write_bytes(path, bytes);
        std::filesystem::remove(path + "-wal");
        try {
            Store store(path, {});
            // What is served in spite of it is what was written.
            for (const char* name : {"one", "two"}) {
                INFO("byte " << at);
                const auto room = reopened(store, name);
                REQUIRE(room->document("f") != nullptr);
                CHECK(room->document("f")->text() + room->document("g")->text() == texts[name]);
                CHECK(room->document("f")->version() == 40);
                CHECK(room->chat_lines().size() == 1);
            }
        } catch (const StoreError& error) {
            ++refused;
            INFO(error.what());
            CHECK((error.trouble() == Trouble::damaged || error.trouble() == Trouble::newer));
        }
    }
    CHECK(refused > 20);
}

TEST_CASE("newest changes that cannot be read any more are missed", "[store]") {
    const Folder folder;
    fill(folder.file("ended"), folder.file());
    const std::string wal = folder.file() + "-wal";
    const std::string whole = bytes_of(wal);
    const std::string main = bytes_of(folder.file());
    const store::Wal looked = store::look_at_wal(wal);
    CHECK(looked.has_content);
    CHECK(looked.intact_pages > 10);
    CHECK_FALSE(looked.is_damaged());

    std::string bytes = whole;
    bytes[32 + 4'120 * (looked.intact_pages / 2) + 100] ^= 1;
    write_bytes(wal, bytes);
    CHECK(store::look_at_wal(wal).is_damaged());
    check_refused(folder.file(), "newest changes");
    CHECK(bytes_of(wal) == bytes); // nothing was done to them
    CHECK(bytes_of(folder.file()) == main);

    bytes = whole;
    bytes[3] ^= 1; // the whole file becomes nothing for SQLite
    write_bytes(wal, bytes);
    check_refused(folder.file(), "newest changes");

    // On another day it is the usual trace of a loss of power.
    Store store(folder.file(), {}, {.boot_id = "another day"});
    CHECK_FALSE(store.notices().empty());
}

TEST_CASE("a missing store beside its newest changes is not begun anew", "[store]") {
    const Folder folder;
    fill(folder.file("ended"), folder.file());
    std::filesystem::remove(folder.file());
    check_refused(folder.file(), "is missing");
}

TEST_CASE("a damaged document refuses the start, or is set aside when that is asked for",
          "[store]") {
    const Folder folder;
    fill(folder.file());
    const std::string whole = bytes_of(folder.file());
    struct Damage {
        const char* sql;
        const char* what;
    };
    for (const Damage& damage : {
             Damage{"UPDATE updates SET changes = x'00' WHERE file = 1 AND version = 7",
                    "the update of version 7 is not as it was written"},
             Damage{"DELETE FROM updates WHERE file = 1 AND version = 7",
                    "the update of version 7 is missing"},
             Damage{"DELETE FROM snapshots WHERE file = 1", "it has no text"},
             Damage{"UPDATE snapshots SET content = x'7541' WHERE file = 1",
                    "a text is not as it was written"},
             Damage{"UPDATE files SET epoch = 'x' WHERE id = 1", "its row"},
             Damage{"INSERT INTO seqs VALUES (1, 'x', 1, 1, 1)", "last seq"},
         }) {
        write_bytes(folder.file(), whole);
        alter(folder.file(), damage.sql);
        check_refused(folder.file(), damage.what);
        check_refused(folder.file(), "the file 'f' of the room 'one'");
        {
            Store store(folder.file(), {}, {.set_damaged_aside = true});
            REQUIRE(store.notices().size() == 1);
            CHECK(store.notices()[0].find(damage.what) != std::string::npos);
            CHECK(reopened(store, "one")->document("f") == nullptr);
            CHECK(reopened(store, "one")->document("g")->text() == u"short");
            CHECK(reopened(store, "two")->document("f")->version() == 40);
            while (store.tidy()) {}
        }
        // From then on it starts by itself, and what was set aside is still in the file.
        const Store store(folder.file(), {});
        CHECK(store.notices().empty());
    }
    store::Database database(folder.file(), false);
    CHECK(database.ask("SELECT aside FROM files WHERE aside IS NOT NULL") == "one: f");
    CHECK(database.ask("SELECT COUNT(*) FROM updates WHERE file = 1") == "40");
}

TEST_CASE("a document that is damaged while the store is open is an error of its room", "[store]") {
    const Folder folder;
    fill(folder.file());
    alter(folder.file(), "UPDATE updates SET seq = seq + 1 WHERE file = 1 AND version = 39");
    CHECK(trouble_of([&] { Store(folder.file(), {}); }).first == Trouble::damaged);
    alter(folder.file(), "UPDATE chat SET words = 'other words' WHERE room = 1");
    check_refused(folder.file(), "chat message", {.set_damaged_aside = true});
    alter(folder.file(), "UPDATE rooms SET name = 'others' WHERE id = 2");
    check_refused(folder.file(), "others", {.set_damaged_aside = true});
}

TEST_CASE("a store that another process uses is refused", "[store]") {
    const Folder folder;
    const Store store(folder.file(), {});
    // Locks of files are a process's own: another one must ask.
    const std::string command =
        "sqlite3 " + folder.file() + " 'SELECT 1 FROM rooms' >/dev/null 2>&1";
    if (std::system("command -v sqlite3 >/dev/null") == 0) // NOLINT(concurrency-mt-unsafe)
        CHECK(std::system(command.c_str()) != 0);          // NOLINT(concurrency-mt-unsafe)
}

TEST_CASE("a store of an earlier version is brought up to date, a later one refused", "[store]") {
    const Folder folder;
    const std::string path = folder.file();
    const auto steps = store::migrations();
    {
        // As the first version wrote it.
        store::Database database(path, true);
        store::migrate(database, steps.first(1));
        database.execute("PRAGMA application_id = 1131181940");
        store::Statement room(database, "INSERT INTO rooms VALUES (7, 'old', ?, ?)");
        store::run(room, kNow.count(), store::check_of(std::string_view("old"), kNow.count()));
        store::Statement file(database, "INSERT INTO files VALUES (3, 7, 'f', 'e', char(10), ?)");
        store::run(file, store::check_of(7, std::string_view("f"), std::string_view("e"),
                                         std::string_view("\n")));
        store::Statement text(database, "INSERT INTO snapshots VALUES (3, 0, ?, 0, ?)");
        const std::string content = store::packed(u"옛 글");
        store::run(text, store::Blob{content}, store::check_of(3, 0, std::string_view(content), 0));
    }
    {
        Store store(path, {});
        CHECK(reopened(store, "old")->document("f")->text() == u"옛 글");
        CHECK(reopened(store, "old")->owner().empty());
    }
    {
        store::Database database(path, false);
        CHECK(database.ask("PRAGMA user_version") == std::to_string(steps.size()));
        database.execute("PRAGMA user_version = 99");
    }
    const std::string before = bytes_of(path);
    const auto [trouble, sentence] = trouble_of([&] { Store(path, {}); });
    CHECK(trouble == Trouble::newer);
    CHECK(sentence.find("version 99") != std::string::npos);
    CHECK(bytes_of(path) == before);
}

TEST_CASE("a step that fails leaves the file at the version that it had", "[store]") {
    const Folder folder;
    store::Database database(folder.file(), true);
    const auto steps = store::migrations();
    const char* const bad[] = {steps[0], "CREATE TABLE extra (x) STRICT; nonsense"};
    store::migrate(database, std::span(bad).first(1));
    CHECK_THROWS_AS(store::migrate(database, bad), StoreError);
    CHECK(database.ask("PRAGMA user_version") == "1");
    CHECK_FALSE(database.ask("SELECT 1 FROM sqlite_schema WHERE name = 'extra'").has_value());
}

TEST_CASE("texts and changes are read back exactly, or not at all", "[store]") {
    using namespace std::literals;
    for (const std::u16string& text :
         {u""s, u"abc"s, u"한글 🦊\n"s, std::u16string(1, 0xD800), u"\xDC00\xD800"s, u"\0x"s}) {
        CHECK(store::unpacked_text(store::packed(text)) == text);
        const ChangeSet changes = ChangeSet::replacing(300'000, 5, 200'000, text);
        CHECK(store::unpacked_changes(store::packed(changes)) == changes);
    }
    CHECK(store::unpacked_changes(store::packed(ChangeSet())) == ChangeSet());
    const std::string good = store::packed(ChangeSet::replacing(300, 5, 20, u"twelve"));
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_FALSE(store::unpacked_changes(std::string_view(good).substr(0, size)).has_value());
    CHECK_FALSE(store::unpacked_changes(good + "x").has_value());
    CHECK_FALSE(store::unpacked_changes("\xff\xff\xff\xff\xff\xff").has_value());
    CHECK_FALSE(store::unpacked_text("").has_value());
    CHECK_FALSE(store::unpacked_text("z").has_value());
    CHECK_FALSE(store::unpacked_text("wa").has_value());
}

TEST_CASE("rows that are whole but do not fit on each other are found", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.snapshot_updates = 3;
    {
        Store store(folder.file(), limits);
        Room room = room_of("r");
        room.create(1, "f");
        for (int i = 0; i < 5; ++i) {
            edit(room, "f", 0, 0, u"abc");
            store.keep(room, kNow);
        }
    }
    const std::string whole = bytes_of(folder.file());
    const auto write_update = [&](const ChangeSet& changes) {
        write_bytes(folder.file(), whole);
        store::Database database(folder.file(), false);
        store::Statement statement(database, "UPDATE updates SET changes = ?, checksum = ?"
                                             " WHERE version = 1");
        const std::string bytes = store::packed(changes);
        store::run(statement, store::Blob{bytes},
                   store::check_of(1, 1, std::string_view("alice"), 2, kNow.count(),
                                   std::string_view(bytes)));
    };
    write_update(ChangeSet::replacing(3, 0, 0, u"abc"));
    { const Store as_it_was(folder.file(), limits); }
    write_update(ChangeSet::replacing(4, 0, 0, u"abc"));
    check_refused(folder.file(), "version 1 does not fit");
    write_update(ChangeSet::replacing(3, 0, 0, u"abcd"));
    check_refused(folder.file(), "version 2 does not fit");
    // Of the same length, it takes the rebuilding of all texts to see it.
    write_update(ChangeSet::replacing(3, 0, 0, u"xyz"));
    check_refused(folder.file(), "the text of version 3", {.rebuild_texts = true});
}

TEST_CASE("the store's folder may be a link, the store may not", "[store]") {
    const Folder folder;
    std::filesystem::create_directory(folder.file("real"));
    std::filesystem::create_directory_symlink("real", folder.file("link"));
    fill(folder.file("link") + "/store.db");
    CHECK(std::filesystem::is_regular_file(folder.file("real") + "/store.db"));
    CHECK(Store(folder.file("link") + "/store.db", {}).room_count() == 2);
    std::filesystem::create_symlink("real/store.db", folder.file("other.db"));
    CHECK(trouble_of([&] { Store(folder.file("other.db"), {}); }).first == Trouble::io);
    const auto [trouble, sentence] = trouble_of([&] { Store(folder.file("none") + "/s.db", {}); });
    CHECK(trouble == Trouble::io);
    CHECK(sentence.find("folder") != std::string::npos);
}

TEST_CASE("what users wrote can be read by the daemon's user alone", "[store]") {
    const Folder folder;
    const Store store(folder.file(), {});
    for (const char* suffix : {"", "-wal"}) {
        const auto status = std::filesystem::status(folder.file() + suffix);
        CHECK((status.permissions() & std::filesystem::perms::all) ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    }
    CHECK_FALSE(std::filesystem::exists(folder.file() + "-shm"));
}
