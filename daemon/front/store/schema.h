// The tables, and how a file of an earlier version becomes one of ours.
#pragma once

#include "daemon/front/store/sqlite.h"

#include <cstddef>
#include <span>

namespace cloister::store {

/// Entry N leads from version N to N + 1 (PRAGMA user_version). Entries are only ever added.
std::span<const char* const> migrations();

/// Throws when the file was written by a Cloister that knows more than `ours` versions.
void refuse_newer(Database& database, std::size_t ours);
/// Brings the file to the version of the whole list, all steps or none. A newer file is refused.
void migrate(Database& database, std::span<const char* const> steps);

} // namespace cloister::store
