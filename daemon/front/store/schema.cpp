// The tables. A document is a row of `files`; its texts at some versions are `snapshots`, and every
// step between them is a row of `updates`. `seqs` tells each client's last seq before the newest
// snapshot; what came after it, the updates themselves tell.
#include "daemon/front/store/schema.h"

#include <string>

namespace cloister::store {
namespace {

/// `total`: bytes of all updates that the document has had up to here.
/// A file without a room is gone; its rows are removed little by little.
constexpr const char* kFirst = R"(
CREATE TABLE rooms (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  used_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  room INTEGER REFERENCES rooms (id),
  path TEXT NOT NULL,
  epoch TEXT NOT NULL,
  eol TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (room, path)
) STRICT;
CREATE TABLE snapshots (
  file INTEGER NOT NULL REFERENCES files (id),
  version INTEGER NOT NULL,
  content BLOB NOT NULL,
  total INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (file, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE updates (
  file INTEGER NOT NULL REFERENCES files (id),
  version INTEGER NOT NULL,
  client TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  changes BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (file, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE seqs (
  file INTEGER NOT NULL REFERENCES files (id),
  client TEXT NOT NULL,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (file, client)
) STRICT, WITHOUT ROWID;
CREATE TABLE chat (
  room INTEGER NOT NULL REFERENCES rooms (id),
  message INTEGER NOT NULL,
  connection TEXT NOT NULL,
  client TEXT NOT NULL,
  user TEXT NOT NULL,
  name TEXT NOT NULL,
  color INTEGER NOT NULL,
  role INTEGER NOT NULL,
  words TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (room, message)
) STRICT, WITHOUT ROWID;
)";

/// What the store itself remembers; and files that were set aside: of which room and path.
constexpr const char* kSecond = R"(
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE files ADD COLUMN aside TEXT;
)";

/// User id of a room's owner, empty when it has none.
constexpr const char* kThird = "ALTER TABLE rooms ADD COLUMN owner TEXT NOT NULL DEFAULT ''";

/// Submissions; `bytes` is the length of `text`, before it, so that their sum can be had without
/// reading them.
constexpr const char* kFourth = R"(
CREATE TABLE submissions (
  id TEXT NOT NULL UNIQUE,
  key TEXT UNIQUE,
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  last_event INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX submissions_by_end ON submissions (ended_ms);
CREATE INDEX submissions_by_expiry ON submissions (expires_ms);
)";

/// What was asked for, where its kind shows it again; `bytes` counts it, too.
constexpr const char* kFifth = R"(
ALTER TABLE submissions ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE INDEX submissions_by_kind ON submissions (kind, created_ms);
)";

constexpr const char* kSteps[] = {kFirst, kSecond, kThird, kFourth, kFifth};

std::size_t version_of(Database& database) {
    return std::stoul(database.ask("PRAGMA user_version").value_or("0"));
}

} // namespace

std::span<const char* const> migrations() { return kSteps; }

void refuse_newer(Database& database, std::size_t ours) {
    const std::size_t found = version_of(database);
    if (found > ours)
        throw StoreError(Trouble::newer,
                         "The store " + database.path() + " has version " + std::to_string(found) +
                             ", this Cloister knows versions up to " + std::to_string(ours) +
                             ": start the later Cloister that wrote it.");
}

void migrate(Database& database, std::span<const char* const> steps) {
    const std::size_t ours = steps.size();
    refuse_newer(database, ours);
    const std::size_t found = version_of(database);
    if (found == ours) return;
    database.execute("BEGIN IMMEDIATE");
    try {
        for (const char* step : steps.subspan(found)) database.execute(step);
        // A pragma takes no bound values; this is a number of ours.
        database.execute(("PRAGMA user_version = " + std::to_string(ours)).c_str());
        database.execute("COMMIT");
    } catch (...) {
        if (database.is_in_transaction()) database.execute("ROLLBACK");
        throw;
    }
}

} // namespace cloister::store
