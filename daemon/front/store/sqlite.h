// SQLite's two objects and their lives. Text and numbers reach a statement by binding alone: there
// is no way here to put one into SQL.
#pragma once

#include "daemon/front/store/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace cloister::store {

/// Bytes, beside text.
struct Blob {
    std::string_view bytes;
};

class Database {
public:
    /// `may_create`: a file that is not there is made.
    Database(const std::string& path, bool may_create);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// One or more statements that are written in our sources.
    void execute(const char* sql);
    /// The first column of the first row, if there is one.
    std::optional<std::string> ask(const char* sql);
    bool is_in_transaction() const;
    std::int64_t last_id() const;
    int changes() const;
    const std::string& path() const { return path_; }
    sqlite3* get() const { return database_; }
    /// Throws what went wrong last.
    [[noreturn]] void fail(int code) const;

private:
    std::string path_;
    sqlite3* database_ = nullptr;
};

/// Prepared once, used often.
class Statement {
public:
    Statement(Database& database, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

private:
    friend class Query;
    Database& database_;
    sqlite3_stmt* statement_ = nullptr;
};

/// One use of a statement, reset at its end. Text and blobs are valid until the next step.
class Query {
public:
    template <typename... Values>
    explicit Query(Statement& statement, const Values&... values)
        : database_(statement.database_), statement_(statement.statement_) {
        (bind(values), ...);
    }
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    /// False after the last row.
    bool step();
    void run();
    std::int64_t number(int column) const;
    std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
    std::string_view text(int column) const;
    std::string_view blob(int column) const;
    bool is_null(int column) const;

private:
    void bind(std::int64_t value);
    void bind(std::uint64_t value) { bind(static_cast<std::int64_t>(value)); }
    void bind(std::uint32_t value) { bind(std::int64_t{value}); }
    void bind(int value) { bind(std::int64_t{value}); }
    void bind(std::string_view text);
    void bind(const std::string& text) { bind(std::string_view(text)); }
    void bind(Blob blob);
    void bind(const std::optional<std::string>& text);
    void check(int code);

    Database& database_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

/// Runs a statement that gives no rows.
template <typename... Values>
void run(Statement& statement, const Values&... values) {
    Query(statement, values...).run();
}

} // namespace cloister::store
