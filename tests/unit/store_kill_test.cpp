// Promises of the store about the end of its process, of the machine, and of the disk.
#include "tests/unit/store_fixture.h"

#include <csignal>
#include <cstring>
#include <random>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace store_test;

namespace {

constexpr const char* kEpoch = "0123456789abcdef";

/// The text that edit `number` inserts: of all sizes, now and then so large that it fills pages.
std::u16string words_of(std::uint64_t number) {
    std::u16string out = u"편집 🦊 " + rooms::from_utf8(std::to_string(number)) + u"\n";
    if (number % 50 == 7) out += std::u16string(2'500, u'가');
    return out;
}

/// Edit `number` of the one file: what it makes of the text depends on the number alone.
void edit_number(Room& room, std::uint64_t number) {
    std::mt19937_64 random(number);
    const std::size_t length = room.document("f")->text().size();
    // Whole lines only at the front, so that no character is cut.
    const bool empties = length > 6'000;
    edit(room, "f", 0, empties ? length : 0, words_of(number), 1, kNow);
}

Room room_with_file() {
    Room room("r", {}, [] { return std::string(kEpoch); });
    room.join(1, {"c", "alice", "u", "n", 0, rooms::Role::owner}, true, kNow);
    return room;
}

/// Brings `room` to `version` by the same edits.
void replay(Room& room, std::uint64_t version) {
    while (room.document("f")->version() < version)
        edit_number(room, room.document("f")->version());
}

/// In the child: goes on with the store, tells each version that was committed.
[[noreturn]] void write_until_killed(const std::string& path, int pipe) {
    Store store(path, {});
    Room room = room_with_file();
    if (auto saved = store.open_room("r", kNow)) {
        if (!room.load("f", saved->files.at(0).document)) ::_exit(3);
    } else {
        room.create(1, "f");
        store.keep(room, kNow);
    }
    for (;;) {
        // One batch is one to three edits.
        const std::uint64_t count = 1 + room.document("f")->version() % 3;
        for (std::uint64_t i = 0; i < count; ++i) edit_number(room, room.document("f")->version());
        store.keep(room, "f", kNow);
        const std::uint64_t version = room.document("f")->version();
        if (::write(pipe, &version, sizeof version) != sizeof version) ::_exit(4);
    }
}

} // namespace

TEST_CASE("what was committed is there after kill -9, and only whole batches are", "[store]") {
    const Folder folder;
    std::mt19937 random(Catch::rngSeed());
    Room expected = room_with_file();
    expected.create(1, "f");
    std::uint64_t before = 0;
    for (int round = 0; round < 12; ++round) {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                write_until_killed(folder.file(), ends[1]);
            } catch (...) {
                ::_exit(5);
            }
        }
        ::close(ends[1]);
        std::uint64_t told = before;
        const std::uint64_t goal = before + 20 + random() % 400;
        std::uint64_t version = 0;
        while (told < goal && ::read(ends[0], &version, sizeof version) == sizeof version)
            told = version;
        REQUIRE(told >= goal); // the child did not end by itself
        ::usleep(static_cast<useconds_t>(random() % 2'000));
        REQUIRE(::kill(child, SIGKILL) == 0);
        // What it told before it died.
        while (::read(ends[0], &version, sizeof version) == sizeof version) told = version;
        ::close(ends[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));

        Store store(folder.file(), {}, {.rebuild_texts = true});
        CHECK(store.notices().empty());
        const auto kept = reopened(store, "r");
        const Document& document = *kept->document("f");
        CHECK(document.version() >= told);
        // At most the one batch that was committed and could not be told any more; whole.
        CHECK(document.version() <= told + 3);
        replay(expected, document.version());
        CHECK(document.epoch() == kEpoch);
        CHECK(document.text() == expected.document("f")->text());
        CHECK(document.last_seq("alice") == document.version());
        before = document.version();
    }
}

TEST_CASE("a batch that is not committed leaves nothing", "[store]") {
    const Folder folder;
    Store store(folder.file(), {});
    Room room = room_of("r");
    room.create(1, "f");
    store.keep(room, kNow);
    {
        store::Batch batch(store);
        edit(room, "f", 0, 0, u"one");
        store.keep(room, "f", kNow);
        Room other = room_of("other");
        other.create(1, "g");
        store.keep(other, kNow);
        CHECK(store.has_room("other"));
    }
    CHECK_FALSE(store.has_room("other"));
    CHECK(store.history("r", "f", 0, 10)->updates.empty());
    // The next call makes good what is missing.
    edit(room, "f", 3, 3, u" two");
    store.keep(room, "f", kNow);
    CHECK(store.history("r", "f", 0, 10)->updates.size() == 2);
    store.close_room("r", kNow);
    check_same(*reopened(store, "r"), room);
}

TEST_CASE("a batch of which a part failed is undone as a whole", "[store]") {
    const Folder folder;
    store::Limits limits;
    limits.rooms = 1;
    Store store(folder.file(), limits);
    Room room = room_of("r");
    Room other = room_of("other");
    room.create(1, "f");
    other.create(1, "f");
    {
        store::Batch batch(store);
        store.keep(room, kNow);
        CHECK(trouble_of([&] { store.keep(other, kNow); }).first == Trouble::limit);
        CHECK(trouble_of([&] { store.keep(room, kNow); }).first == Trouble::misuse);
        CHECK(trouble_of([&] { batch.commit(); }).first == Trouble::misuse);
    }
    CHECK(store.room_count() == 0);
    store.keep(other, kNow);
    CHECK(store.has_room("other"));
    CHECK(trouble_of([&] { store.commit(); }).first == Trouble::misuse);
}

TEST_CASE("after a loss of power documents have new epochs, after a good end the same", "[store]") {
    const Folder folder;
    Room room = room_of("r");
    room.create(1, "f");
    edit(room, "f", 0, 0, u"text");
    const std::string epoch = room.document("f")->epoch();
    const auto epoch_now = [&](const std::string& boot_id, const std::string& path) {
        Store store(path, {}, {.boot_id = boot_id});
        const auto kept = reopened(store, "r");
        CHECK(kept->document("f")->text() == u"text");
        CHECK(store.notices().empty() == (kept->document("f")->epoch() == epoch));
        return kept->document("f")->epoch();
    };
    const auto copy = [&](const char* name, bool with_wal) {
        std::filesystem::copy_file(folder.file(), folder.file(name));
        if (with_wal)
            std::filesystem::copy_file(folder.file() + "-wal", folder.file(name) + "-wal");
        return folder.file(name);
    };
    std::string killed;
    std::string lost_power;
    std::string backup;
    {
        Store store(folder.file(), {}, {.boot_id = "monday"});
        store.keep(room, kNow);
        killed = copy("killed", true);
        lost_power = copy("power", true);
        // A copy of the running store, as SQLite's own backup makes it: no WAL.
        edit(room, "f", 4, 4, u"!");
        edit(room, "f", 4, 5, u"");
        for (int i = 0; i < 2; ++i) store.keep(room, kNow);
    }
    CHECK(epoch_now("monday", killed) == epoch);
    CHECK(epoch_now("tuesday", lost_power) != epoch);
    CHECK(epoch_now("tuesday", folder.file()) == epoch); // ended in good order
    {
        Store store(folder.file(), {}, {.boot_id = "tuesday"});
        Room more = room_of("more");
        more.create(1, "f");
        store.keep(more, kNow);
        backup = copy("backup", false);
    }
    CHECK(epoch_now("tuesday", backup) != epoch);
}

TEST_CASE("a store that is full says so, loses nothing, and goes on when there is room",
          "[store]") {
    const Folder folder;
    store::Limits small;
    small.file_bytes = 200'000;
    Room room = room_of("r");
    room.create(1, "f");
    room.create(1, "g");
    std::uint64_t kept_version = 0;
    {
        Store store(folder.file(), small);
        store.keep(room, kNow);
        std::mt19937 random(1);
        Trouble seen{};
        for (int i = 0; i < 2'000; ++i) {
            std::u16string noise(300, u'x');
            for (char16_t& unit : noise) unit = static_cast<char16_t>(u'가' + random() % 10'000);
            edit(room, "f", 0, 0, noise);
            try {
                store.keep(room, "f", kNow);
                kept_version = room.document("f")->version();
            } catch (const StoreError& error) {
                seen = error.trouble();
                CHECK(std::string(error.what()).find(folder.file()) != std::string::npos);
                break;
            }
        }
        CHECK(seen == Trouble::full);
        CHECK(kept_version > 50);
        CHECK(store.history("r", "f", 0, 1)->updates.size() == 1);
        // Still full for what is large, and nothing is half kept.
        CHECK(trouble_of([&] { store.keep(room, kNow); }).first == Trouble::full);
    }
    {
        Store store(folder.file(), small, {.rebuild_texts = true});
        CHECK(reopened(store, "r")->document("f")->version() == kept_version);
    }
    Store store(folder.file(), {});
    store.keep(room, kNow);
    store.close_room("r", kNow);
    check_same(*reopened(store, "r"), room);
}

TEST_CASE("a disk that is full or fails is an error of its kind, and no more", "[store][root]") {
    // A file system of two megabytes where we may mount one; else a limit of file sizes.
    const Folder folder;
    const std::string place = folder.file("small");
    std::filesystem::create_directory(place);
    const bool mounted = ::mount("none", place.c_str(), "tmpfs", 0, "size=2m") == 0;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int result = 1;
        try {
            ::signal(SIGXFSZ, SIG_IGN);
            Store store(place + "/store.db", {});
            Room room = room_of("r");
            room.create(1, "f");
            store.keep(room, kNow);
            const rlimit bound{1'000'000, RLIM_INFINITY};
            const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
            if (!mounted) ::setrlimit(RLIMIT_FSIZE, &bound);
            std::uint64_t kept = 0;
            const Trouble expected = mounted ? Trouble::full : Trouble::io;
            try {
                for (int i = 0; i < 4'000; ++i) {
                    edit(room, "f", 0, room.document("f")->text().size(),
                         std::u16string(2'000, static_cast<char16_t>(u'a' + i % 26)));
                    store.keep(room, "f", kNow);
                    kept = room.document("f")->version();
                }
            } catch (const StoreError& error) {
                result = error.trouble() == expected ? 0 : 2;
            }
            if (kept < 10) result = 6;
            // The reading goes on; and with some room again, so does the writing.
            if (store.history("r", "f", kept - 1, kept)->updates.size() != 1) result = 7;
            if (mounted) ::mount("none", place.c_str(), "tmpfs", MS_REMOUNT, "size=32m");
            else ::setrlimit(RLIMIT_FSIZE, &none);
            store.keep(room, kNow);
            store.close_room("r", kNow);
            const auto again = reopened(store, "r");
            if (again->document("f")->text() != room.document("f")->text()) result = 8;
            if (again->document("f")->version() != room.document("f")->version()) result = 9;
        } catch (...) {
            result = 5;
        }
        ::_exit(result);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    {
        Store store(place + "/store.db", {}, {.rebuild_texts = true});
        CHECK(store.room_count() == 1);
    }
    if (mounted) CHECK(::umount(place.c_str()) == 0);
}
