// One document after the other, in the order in which its rows lie in the file.
#include "daemon/front/store/check.h"

#include "daemon/front/store/records.h"
#include "daemon/front/store/rows.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace cloister::store {
namespace {

[[noreturn]] void refuse(const Database& database, const std::string& what) {
    throw StoreError(Trouble::damaged,
                     "The store " + database.path() + " is damaged: " + what +
                         ". Put a backup back, rescue what can be read with `sqlite3 FILE "
                         ".recover`, or move the file away to begin with an empty store.");
}

struct FileRow {
    std::int64_t id = 0;
    std::int64_t room = 0;
    std::string path{};
    std::string room_id{};
    bool is_right = false;
};

class Checker {
public:
    Checker(Database& database, bool rebuilds) : database_(database), rebuilds_(rebuilds) {}

    /// Of every room, by its row.
    std::map<std::int64_t, std::string> rooms() {
        std::map<std::int64_t, std::string> out;
        Query query(all_rooms_);
        while (query.step()) {
            const std::string name(query.text(1));
            if (query.number(3) != check_of_room(name, query.number(2), query.text(4)))
                refuse(database_, "the row of the room '" + name + "' is not as it was written");
            out.emplace(query.number(0), name);
        }
        return out;
    }

    void chat(const std::map<std::int64_t, std::string>& rooms) {
        Query query(all_chat_);
        while (query.step()) {
            const std::int64_t room = query.number(0);
            if (!read_chat_row(query, room, 1))
                refuse(database_, "a chat message of the room '" + rooms.at(room) +
                                      "' is not as it was written");
        }
    }

    std::vector<FileRow> files(const std::map<std::int64_t, std::string>& rooms) {
        std::vector<FileRow> out;
        Query query(all_files_);
        while (query.step()) {
            FileRow file{query.number(0), query.number(1), std::string(query.text(2))};
            const std::string_view eol = query.text(4);
            file.is_right =
                query.number(5) == check_of_file(file.room, file.path, query.text(3), eol) &&
                (eol == "\n" || eol == "\r\n");
            file.room_id = rooms.at(file.room); // there is one: SQLite has checked references
            out.push_back(std::move(file));
        }
        return out;
    }

    /// Absent when the document is whole.
    std::optional<std::string> why_damaged(const FileRow& file) {
        if (!file.is_right) return "its row is not as it was written";
        if (!seqs(file.id)) return "a client's last seq is not as it was written";
        std::map<std::uint64_t, std::size_t> lengths; // of the texts, by version
        std::u16string text;
        {
            Query query(texts_, file.id);
            for (bool is_first = true; query.step(); is_first = false) {
                auto read = read_text_row(query, file.id, 0);
                if (!read) return "a text is not as it was written";
                lengths.emplace(query.count(0), read->size());
                if (is_first) text = *std::move(read);
            }
        }
        if (lengths.empty()) return "it has no text";
        return why_broken(file.id, lengths, std::move(text));
    }

    void set_aside(const FileRow& file) {
        run(set_aside_, file.id, file.room_id + ": " + file.path);
    }

private:
    bool seqs(std::int64_t file) {
        Query query(seqs_, file);
        while (query.step())
            if (!is_right_seq_row(query, file, 0)) return false;
        return true;
    }

    /// `text` is the oldest one.
    std::optional<std::string> why_broken(std::int64_t file,
                                          const std::map<std::uint64_t, std::size_t>& lengths,
                                          std::u16string text) {
        std::uint64_t version = lengths.begin()->first;
        std::size_t length = lengths.begin()->second;
        auto next_text = std::next(lengths.begin());
        Query query(updates_, file);
        while (query.step()) {
            const std::string number = std::to_string(query.count(0));
            if (query.count(0) != version)
                return "the update of version " + std::to_string(version) + " is missing";
            const auto update = read_update_row(query, file, 0);
            if (!update) return "the update of version " + number + " is not as it was written";
            if (update->changes.length() != length)
                return "the update of version " + number + " does not fit on the one before";
            if (rebuilds_) update->changes.apply_to(text);
            length = update->changes.new_length();
            ++version;
            if (next_text == lengths.end() || next_text->first != version) continue;
            if (next_text->second != length || (rebuilds_ && text != text_of(file, version)))
                return "the text of version " + std::to_string(version) +
                       " is not what the updates make of the one before";
            ++next_text;
        }
        if (next_text != lengths.end())
            return "the updates before version " + std::to_string(next_text->first) +
                   " are missing";
        return std::nullopt;
    }

    std::optional<std::u16string> text_of(std::int64_t file, std::uint64_t version) {
        Query query(text_, file, version);
        if (!query.step()) return std::nullopt;
        return read_text_row(query, file, 0);
    }

    Database& database_;
    bool rebuilds_;
    Statement all_rooms_{database_, "SELECT id, name, used_ms, checksum, owner FROM rooms"};
    Statement all_chat_{database_, "SELECT room, message, connection, client, user, name, color,"
                                   " role, words, at_ms, checksum FROM chat"};
    Statement all_files_{database_, "SELECT id, room, path, epoch, eol, checksum FROM files"
                                    " WHERE room IS NOT NULL"};
    Statement seqs_{database_, "SELECT client, seq, version, checksum FROM seqs WHERE file = ?"};
    Statement texts_{database_,
                     "SELECT version, content, total, checksum FROM snapshots WHERE file = ?"
                     " ORDER BY version"};
    Statement text_{database_,
                    "SELECT version, content, total, checksum FROM snapshots WHERE file = ?"
                    " AND version = ?"};
    Statement updates_{database_, "SELECT version, client, seq, at_ms, changes, checksum"
                                  " FROM updates WHERE file = ? ORDER BY version"};
    Statement set_aside_{database_, "UPDATE files SET room = NULL, aside = ?2 WHERE id = ?1"};
};

} // namespace

void check_structure(Database& database) {
    const std::string found = database.ask("PRAGMA quick_check(1)").value_or("nothing");
    if (found != "ok") refuse(database, found);
    if (const auto table = database.ask("PRAGMA foreign_key_check"))
        refuse(database, "rows of '" + *table + "' belong to nothing");
}

std::vector<std::string> check_rows(Database& database, const CheckRequest& request) {
    Checker checker(database, request.rebuild_texts);
    const auto rooms = checker.rooms();
    checker.chat(rooms);
    std::vector<std::string> aside;
    for (const FileRow& file : checker.files(rooms)) {
        const auto why = checker.why_damaged(file);
        if (!why) continue;
        const std::string what =
            "the file '" + file.path + "' of the room '" + file.room_id + "' is damaged: " + *why;
        if (!request.set_damaged_aside)
            throw StoreError(
                Trouble::damaged,
                "In the store " + database.path() + " " + what +
                    ". Put a backup back, or set \"store_damaged\" to \"set_aside\": all others "
                    "are served then, and this one stays in the store untouched.");
        checker.set_aside(file);
        aside.push_back("Set aside in the store " + database.path() + ": " + what + ".");
    }
    return aside;
}

} // namespace cloister::store
