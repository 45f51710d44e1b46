// A new file is made under another name and renamed when it is whole: whatever lies at the store's
// own path has been a store once, so an empty file there is damage, not a beginning.
#include "daemon/front/store/open.h"

#include "daemon/front/store/check.h"
#include "daemon/front/store/lifetime.h"
#include "daemon/front/store/schema.h"
#include "daemon/front/store/wal.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cloister::store {
namespace {

/// "Clst": a file of another program's is not taken for ours.
constexpr const char* kOurs = "1131181940";

[[noreturn]] void refuse(Trouble trouble, const std::string& path, const std::string& why) {
    throw StoreError(trouble, "The store " + path + " " + why);
}

[[noreturn]] void refuse_errno(const std::string& path, const char* what) {
    refuse(Trouble::io, path,
           std::string(what) + ": " + std::strerror(errno) + "."); // NOLINT(concurrency-mt-unsafe)
}

/// Closed at once: SQLite inherits the mode for the files beside it, so that nobody else reads what
/// users wrote.
void make_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) refuse_errno(path, "cannot be made");
    (void)::close(fd);
}

void sync_folder(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const int fd =
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) refuse_errno(path, "lies in a folder that cannot be opened");
    (void)::fsync(fd); // a file system that knows no such call keeps its own order
    (void)::close(fd);
}

void make(const std::string& path) {
    const std::string fresh = path + ".new";
    for (const char* suffix : {"", "-wal", "-journal"}) // of an attempt that was cut short
        (void)::unlink((fresh + suffix).c_str());
    make_private(fresh);
    {
        Database database(fresh, false);
        database.execute("PRAGMA page_size = 4096");
        database.execute((std::string("PRAGMA application_id = ") + kOurs).c_str());
        migrate(database, migrations());
    }
    if (::rename(fresh.c_str(), path.c_str()) < 0) refuse_errno(path, "cannot be made");
    sync_folder(path);
}

/// Folders may be links, as an operator likes; SQLite is told to follow none.
std::string with_real_folder(const std::string& path) {
    const std::filesystem::path asked(path);
    const std::filesystem::path folder = asked.has_parent_path() ? asked.parent_path() : ".";
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(folder, error);
    if (error)
        refuse(Trouble::io, path,
               "lies in a folder that cannot be found: " + error.message() + ".");
    return real / asked.filename();
}

bool is_there(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

void set_flag(Database& database, int which, int value) {
    const int code = ::sqlite3_db_config(database.get(), which, value, nullptr);
    if (code != SQLITE_OK) database.fail(code);
}

/// What a file may make SQLite do, should somebody have written it with intent.
void harden(Database& database, const Limits& limits) {
    set_flag(database, SQLITE_DBCONFIG_DEFENSIVE, 1);
    set_flag(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
    set_flag(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0);
    set_flag(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0);
    set_flag(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
    const std::pair<int, int> bounds[] = {
        {SQLITE_LIMIT_LENGTH, static_cast<int>(limits.value_bytes)},
        {SQLITE_LIMIT_SQL_LENGTH, 16'384},
        {SQLITE_LIMIT_COLUMN, 32},
        {SQLITE_LIMIT_EXPR_DEPTH, 32},
        {SQLITE_LIMIT_COMPOUND_SELECT, 8},
        {SQLITE_LIMIT_VDBE_OP, 25'000},
        {SQLITE_LIMIT_FUNCTION_ARG, 8},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 32},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (const auto& [which, bound] : bounds) ::sqlite3_limit(database.get(), which, bound);
}

/// The numbers are ours: a pragma takes no bound values.
void set_up(Database& database, const Limits& limits) {
    const auto set = [&](const std::string& pragma) {
        database.execute(("PRAGMA " + pragma).c_str());
    };
    set("cell_size_check = ON");
    set("foreign_keys = ON");
    set("temp_store = MEMORY");
    set("mmap_size = 0"); // a file that is cut short under us is an error, not SIGBUS
    set("cache_size = -" + std::to_string(limits.cache_bytes / 1024));
    // Before the first look at the WAL: then there is no file of shared memory, and one lock is
    // taken once.
    set("locking_mode = EXCLUSIVE");
    if (database.ask("PRAGMA journal_mode = WAL") != "wal")
        refuse(Trouble::io, database.path(), "lies on a file system that cannot hold a WAL.");
    set("synchronous = NORMAL");
    set("wal_autocheckpoint = 1000");
    set("journal_size_limit = " + std::to_string(std::size_t{16} << 20));
    const std::uint64_t page = std::stoull(database.ask("PRAGMA page_size").value_or("4096"));
    set("max_page_count = " + std::to_string(limits.file_bytes / page));
    // Later there may be no right to unlink.
    int keep = 1;
    (void)::sqlite3_file_control(database.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}

} // namespace

std::unique_ptr<Database> open_database(const std::string& asked, const Limits& limits,
                                        const Start& start, std::vector<std::string>& notices) {
    const std::string path = with_real_folder(asked);
    if (!is_there(path)) {
        if (look_at_wal(path + "-wal").has_content)
            refuse(
                Trouble::damaged, path,
                "is missing, but its newest changes are there (" + path +
                    "-wal): put both back from a backup, or move that file away to begin with an "
                    "empty store.");
        make(path);
    }
    struct stat found {};
    if (::lstat(path.c_str(), &found) < 0) refuse_errno(path, "cannot be looked at");
    if (!S_ISREG(found.st_mode)) refuse(Trouble::io, path, "is not a regular file.");
    if (found.st_size == 0)
        refuse(Trouble::damaged, path,
               "is empty, as no store ever is: put a backup back, or move the file and " + path +
                   "-wal away to begin with an empty store.");
    const Wal wal = look_at_wal(path + "-wal");
    auto database = std::make_unique<Database>(path, false);
    // What is refused below stays as it is.
    set_flag(*database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
    harden(*database, limits);
    set_up(*database, limits);
    if (database->ask("PRAGMA application_id") != kOurs)
        refuse(Trouble::damaged, path,
               "is a file of another program: name another place for the store.");
    refuse_newer(*database, migrations().size());
    check_structure(*database);
    const std::string boot_id = start.boot_id.value_or(this_boot());
    refuse_lost_changes(*database, wal, boot_id);
    migrate(*database, migrations());
    if (auto notice = begin_lifetime(*database, wal, boot_id))
        notices.push_back(*std::move(notice));
    for (std::string& each : check_rows(*database, {start.set_damaged_aside, start.rebuild_texts}))
        notices.push_back(std::move(each));
    return database;
}

} // namespace cloister::store
