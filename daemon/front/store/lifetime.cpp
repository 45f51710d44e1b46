// The mark is `open BOOT` while a store is used and `whole` after it was ended in good order.
// Within one boot the kernel keeps every finished write, so a WAL that is there tells all.
#include "daemon/front/store/lifetime.h"

#include "daemon/front/store/rows.h"

#include <fstream>
#include <sqlite3.h>
#include <utility>
#include <vector>

namespace cloister::store {
namespace {

constexpr const char* kWhole = "whole";

void put_mark(Database& database, const std::string& mark) {
    Statement statement(database, "INSERT INTO kept (name, value) VALUES ('lifetime', ?1)"
                                  " ON CONFLICT (name) DO UPDATE SET value = ?1");
    run(statement, mark);
}

std::string fresh_epoch() {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string bytes(8, '\0');
    ::sqlite3_randomness(static_cast<int>(bytes.size()), bytes.data());
    std::string out;
    for (const char byte : bytes) {
        out.push_back(kHex[static_cast<unsigned char>(byte) >> 4]);
        out.push_back(kHex[static_cast<unsigned char>(byte) & 15]);
    }
    return out;
}

/// How many documents there are. Rows that are not as they were written stay so, and are found by
/// the look at all rows.
std::size_t renew_epochs(Database& database) {
    struct Row {
        std::int64_t id;
        std::int64_t room;
        std::string path;
        std::string eol;
    };
    std::vector<Row> rows;
    {
        Statement all(database, "SELECT id, room, path, epoch, eol, checksum FROM files"
                                " WHERE room IS NOT NULL");
        Query query(all);
        while (query.step())
            if (query.number(5) ==
                check_of_file(query.number(1), query.text(2), query.text(3), query.text(4)))
                rows.push_back({query.number(0), query.number(1), std::string(query.text(2)),
                                std::string(query.text(4))});
    }
    Statement renew(database, "UPDATE files SET epoch = ?2, checksum = ?3 WHERE id = ?1");
    for (const Row& row : rows) {
        const std::string epoch = fresh_epoch();
        run(renew, row.id, epoch, check_of_file(row.room, row.path, epoch, row.eol));
    }
    return rows.size();
}

/// Empty in a file of a version that knew none.
std::string read_mark(Database& database) {
    if (!database.ask("SELECT 1 FROM sqlite_schema WHERE name = 'kept'")) return {};
    return database.ask("SELECT value FROM kept WHERE name = 'lifetime'").value_or("");
}

/// The store was in use, on this machine as it still runs, and every write of then is there.
bool goes_on(const std::string& mark, const Wal& wal, const std::string& boot_id) {
    return mark == "open " + boot_id && !boot_id.empty() && wal.has_content;
}

} // namespace

std::string this_boot() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string out;
    file >> out;
    return out;
}

void refuse_lost_changes(Database& database, const Wal& wal, const std::string& boot_id) {
    if (!wal.is_damaged() || !goes_on(read_mark(database), wal, boot_id)) return;
    throw StoreError(
        Trouble::damaged,
        "The newest changes of the store, in " + database.path() + "-wal, are damaged: of " +
            std::to_string(wal.written_pages) + " pages the first " +
            std::to_string(wal.intact_pages) +
            " are intact. Put a backup back, or keep a copy of both files and go on with what is "
            "intact: `sqlite3 " +
            database.path() + " 'PRAGMA wal_checkpoint'`.");
}

std::optional<std::string> begin_lifetime(Database& database, const Wal& wal,
                                          const std::string& boot_id) {
    const std::string mark = read_mark(database);
    std::optional<std::string> notice;
    database.execute("BEGIN IMMEDIATE");
    if (mark != kWhole && !goes_on(mark, wal, boot_id)) {
        const std::size_t count = renew_epochs(database);
        if (count > 0 || !mark.empty())
            notice = "The store " + database.path() +
                     " was not ended in good order before this machine was started or the file was "
                     "put here, so its newest edits may be missing: its " +
                     std::to_string(count) + " documents begin a new history.";
    }
    put_mark(database, "open " + boot_id);
    database.execute("COMMIT");
    // Before anything is acknowledged: else a loss of power could bring the old mark back.
    database.execute("PRAGMA wal_checkpoint(PASSIVE)");
    return notice;
}

void end_lifetime(Database& database) {
    put_mark(database, kWhole);
    // An empty WAL cannot be taken for that of an older copy which is put in this file's place.
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

} // namespace cloister::store
