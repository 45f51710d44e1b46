// Whether the file holds all that was ever acknowledged. After a loss of power, or when a copy was
// put back, it may not: then a version of a document could come to mean two texts, one that clients
// still have and one that is made anew. So every document gets a new epoch, and clients begin with
// the text that there is.
#pragma once

#include "daemon/front/store/sqlite.h"
#include "daemon/front/store/wal.h"

#include <optional>
#include <string>

namespace cloister::store {

/// The kernel's name for the time since this machine was started; empty when it has none.
std::string this_boot();

/// Throws when changes were acknowledged that cannot be read any more. `wal`: as it was found. To
/// be called before anything is written.
void refuse_lost_changes(Database& database, const Wal& wal, const std::string& boot_id);
/// Before anything is served. Returns a sentence when epochs were renewed.
std::optional<std::string> begin_lifetime(Database& database, const Wal& wal,
                                          const std::string& boot_id);
/// All is on the disk: the next begin_lifetime() finds it whole, whatever happens to the machine.
void end_lifetime(Database& database);

} // namespace cloister::store
