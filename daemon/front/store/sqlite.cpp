// Where SQLite is called while serving, and the words for what it says.
#include "daemon/front/store/sqlite.h"

#include <sqlite3.h>

namespace cloister::store {
namespace {

struct Meaning {
    int code;
    Trouble trouble;
    const char* advice;
};
constexpr Meaning kMeanings[] = {
    {SQLITE_FULL, Trouble::full, "make room on its disk, or raise the bound of the store's size"},
    {SQLITE_IOERR, Trouble::io, "look at its disk and file system"},
    {SQLITE_CANTOPEN, Trouble::io, "its folder must exist and be writable for the daemon's user"},
    {SQLITE_READONLY, Trouble::io, "the file must be writable for the daemon's user"},
    {SQLITE_PERM, Trouble::io, "the file must be readable and writable for the daemon's user"},
    {SQLITE_AUTH, Trouble::io, "the file must be readable and writable for the daemon's user"},
    {SQLITE_NOMEM, Trouble::io, "there is not enough memory"},
    {SQLITE_TOOBIG, Trouble::limit, "it is larger than the store's bound of one value"},
    {SQLITE_BUSY, Trouble::in_use, "another process holds it: end that one first"},
    {SQLITE_LOCKED, Trouble::in_use, "another process holds it: end that one first"},
    {SQLITE_CORRUPT, Trouble::damaged,
     "put a backup back, rescue what can be read with `sqlite3 FILE .recover`, or move the file "
     "away to begin with an empty store"},
    {SQLITE_NOTADB, Trouble::damaged,
     "it is no SQLite file: put a backup back, or move the file away to begin with an empty store"},
};

const sqlite3_destructor_type kCopied = SQLITE_TRANSIENT; // NOLINT: SQLite's own cast

} // namespace

const char* name(Trouble trouble) {
    switch (trouble) {
    case Trouble::full: return "full";
    case Trouble::io: return "io";
    case Trouble::limit: return "limit";
    case Trouble::in_use: return "in_use";
    case Trouble::newer: return "newer";
    case Trouble::damaged: return "damaged";
    case Trouble::misuse: return "misuse";
    }
    return "";
}

Database::Database(const std::string& path, bool may_create) : path_(path) {
    // NOMUTEX: one thread. NOFOLLOW: who can place a link there shall not choose what we write to.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                      SQLITE_OPEN_EXRESCODE | (may_create ? SQLITE_OPEN_CREATE : 0);
    const int code = ::sqlite3_open_v2(path.c_str(), &database_, flags, nullptr);
    if (code == SQLITE_OK) return;
    const std::string why = ::sqlite3_errstr(code);
    ::sqlite3_close_v2(database_);
    throw StoreError(Trouble::io,
                     "The store " + path + " cannot be opened: " + why +
                         ". Its folder must exist and be writable for the daemon's user.");
}

Database::~Database() { ::sqlite3_close_v2(database_); }

void Database::fail(int code) const {
    const std::string why = ::sqlite3_errmsg(database_);
    for (const Meaning& meaning : kMeanings)
        if ((code & 0xff) == meaning.code)
            throw StoreError(meaning.trouble,
                             "The store " + path_ + ": " + why + "; " + meaning.advice + ".");
    throw StoreError(Trouble::misuse, "The store " + path_ + ": " + why + ".");
}

void Database::execute(const char* sql) {
    const int code = ::sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::optional<std::string> Database::ask(const char* sql) {
    Statement statement(*this, sql);
    Query query(statement);
    if (!query.step()) return std::nullopt;
    return std::string(query.text(0));
}

bool Database::is_in_transaction() const { return ::sqlite3_get_autocommit(database_) == 0; }
std::int64_t Database::last_id() const { return ::sqlite3_last_insert_rowid(database_); }
int Database::changes() const { return ::sqlite3_changes(database_); }

Statement::Statement(Database& database, const char* sql) : database_(database) {
    const int code = ::sqlite3_prepare_v3(database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                          &statement_, nullptr);
    // Our own statements fit on our own tables.
    if (code == SQLITE_ERROR)
        throw StoreError(Trouble::damaged,
                         "The store " + database.path() +
                             " is damaged: its tables are not as they were made (" +
                             ::sqlite3_errmsg(database.get()) + "). Put a backup back.");
    if (code != SQLITE_OK) database.fail(code);
}

Statement::~Statement() { ::sqlite3_finalize(statement_); }

Query::~Query() {
    (void)::sqlite3_reset(statement_); // repeats what step() has reported
    (void)::sqlite3_clear_bindings(statement_);
}

void Query::check(int code) {
    if (code != SQLITE_OK) database_.fail(code);
}

bool Query::step() {
    const int code = ::sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_.fail(code);
    return false;
}

void Query::run() {
    while (step()) {}
}

std::int64_t Query::number(int column) const { return ::sqlite3_column_int64(statement_, column); }

std::string_view Query::text(int column) const {
    const auto* begin = static_cast<const char*>(
        static_cast<const void*>(::sqlite3_column_text(statement_, column)));
    if (begin == nullptr) return {};
    return {begin, static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
    const auto* begin = static_cast<const char*>(::sqlite3_column_blob(statement_, column));
    if (begin == nullptr) return {};
    return {begin, static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
    return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Query::bind(std::int64_t value) { check(::sqlite3_bind_int64(statement_, ++bound_, value)); }

// Both are copied: what is bound may be gone before the query is.
void Query::bind(std::string_view text) {
    check(::sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(),
                                text.size(), kCopied, SQLITE_UTF8));
}

void Query::bind(Blob blob) {
    check(::sqlite3_bind_blob64(statement_, ++bound_,
                                blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                                blob.bytes.size(), kCopied));
}

void Query::bind(const std::optional<std::string>& text) {
    if (text) return bind(std::string_view(*text));
    check(::sqlite3_bind_null(statement_, ++bound_));
}

} // namespace cloister::store
