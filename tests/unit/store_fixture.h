// A store in a folder of its own, and a room whose doings are kept in it.
#pragma once

#include "daemon/front/rooms/room.h"
#include "daemon/front/rooms/text16.h"
#include "daemon/front/store/store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace store_test {

using namespace cloister;
using rooms::ChangeSet;
using rooms::Document;
using rooms::Room;
using rooms::Time;
using store::Store;
using store::StoreError;
using store::Trouble;

constexpr Time kNow = std::chrono::hours(24 * 365 * 50);

/// In memory where there is such a place: then nothing waits for a disk.
class Folder {
public:
    Folder() {
        const bool has_memory = ::access("/dev/shm", W_OK) == 0;
        const std::filesystem::path place =
            has_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
        std::string name = place / "cloister-store-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string file(const char* name = "store.db") const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// Epochs that are never the same.
inline std::string fresh_epoch() {
    static std::uint64_t count = 0;
    std::string digits = std::to_string(++count);
    return std::string(16 - digits.size(), '0') + digits;
}

inline Room room_of(const std::string& room_id, const rooms::RoomLimits& limits = {}) {
    Room room(room_id, limits, fresh_epoch);
    room.join(1, {"c-1", "alice", "u-1", "민준", 0, rooms::Role::owner}, true, kNow);
    room.join(2, {"c-2", "bob", "u-2", "Bob 🦊", 0, rooms::Role::editor}, true, kNow);
    return room;
}

/// `actor` (1 or 2) replaces [from, to) of the newest text.
inline void edit(Room& room, const std::string& path, std::size_t from, std::size_t to,
                 std::u16string_view text, rooms::Connection actor = 1, Time now = kNow) {
    const Document& document = *room.document(path);
    room.open(actor, path);
    std::vector<rooms::Sent> sent;
    sent.push_back({document.last_seq(room.person(actor)->client_id) + 1,
                    ChangeSet::replacing(document.text().size(), from, to, text)});
    const std::uint64_t before = document.version();
    room.push(actor, path, document.epoch(), before, std::move(sent), now);
    REQUIRE(document.version() == before + 1);
}

/// The room as somebody finds it who opens it anew.
inline std::unique_ptr<Room> reopened(Store& store, const std::string& room_id,
                                      const rooms::RoomLimits& limits = {}) {
    auto room = std::make_unique<Room>(room_id, limits, fresh_epoch);
    auto saved = store.open_room(room_id, kNow);
    if (!saved) return room;
    room->set_owner(saved->owner);
    for (const auto& [path, document] : saved->files) REQUIRE(room->load(path, document));
    room->load_chat(std::move(saved->chat));
    return room;
}

inline std::vector<std::pair<std::string, std::uint64_t>> seqs_of(const Document& document) {
    auto out = document.saved().last_seqs;
    std::sort(out.begin(), out.end());
    return out;
}

inline void check_same(const Document& kept, const Document& original) {
    CHECK(kept.epoch() == original.epoch());
    CHECK(kept.eol() == original.eol());
    CHECK(kept.version() == original.version());
    CHECK(kept.first_version() == original.first_version());
    CHECK(kept.text() == original.text());
    CHECK(kept.hash() == original.hash());
    CHECK(kept.bytes() == original.bytes());
    CHECK(seqs_of(kept) == seqs_of(original));
    for (std::uint64_t v = original.first_version(); v < original.version(); ++v) {
        const rooms::Update& a = kept.update_of(v);
        const rooms::Update& b = original.update_of(v);
        if (a.client_id != b.client_id || a.seq != b.seq || a.at != b.at ||
            !(a.changes == b.changes))
            FAIL("update " << v << " differs");
    }
    CHECK(kept.text_at(original.first_version()) == original.text_at(original.first_version()));
}

inline void check_same(const Room& kept, const Room& original) {
    const auto files = original.files();
    REQUIRE(kept.files().size() == files.size());
    for (const rooms::FileInfo& info : files) {
        INFO(info.path);
        REQUIRE(kept.document(info.path) != nullptr);
        check_same(*kept.document(info.path), *original.document(info.path));
    }
    REQUIRE(kept.chat_lines().size() == original.chat_lines().size());
    for (std::size_t i = 0; i < kept.chat_lines().size(); ++i) {
        const rooms::ChatLine& a = kept.chat_lines()[i];
        const rooms::ChatLine& b = original.chat_lines()[i];
        CHECK(a.message_id == b.message_id);
        CHECK(a.text == b.text);
        CHECK(a.at == b.at);
        CHECK(a.from.connection_id == b.from.connection_id);
        CHECK(a.from.client_id == b.from.client_id);
        CHECK(a.from.user_id == b.from.user_id);
        CHECK(a.from.name == b.from.name);
        CHECK(a.from.color == b.from.color);
        CHECK(a.from.role == b.from.role);
    }
}

/// What `action` throws.
template <typename Action>
std::pair<Trouble, std::string> trouble_of(Action action) {
    try {
        action();
    } catch (const StoreError& error) {
        return {error.trouble(), error.what()};
    }
    FAIL("nothing was thrown");
    return {};
}

} // namespace store_test
