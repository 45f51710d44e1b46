// The look at everything that is kept, at start: refusing to begin is better than serving, and then
// overwriting, what is not what was written.
#pragma once

#include "daemon/front/store/sqlite.h"

#include <string>
#include <vector>

namespace cloister::store {

/// SQLite's own look at its structure. Throws StoreError.
void check_structure(Database& database);

struct CheckRequest {
    /// Documents that are damaged are taken out of their rooms, and stay in the file.
    bool set_damaged_aside = false;
    /// Also apply every update and compare with every text that is kept.
    bool rebuild_texts = false;
};
/// Ours: every row says what was written, every document's updates fit on each other and on its
/// texts. Throws StoreError, unless what is damaged could be set aside; returns what was.
std::vector<std::string> check_rows(Database& database, const CheckRequest& request);

} // namespace cloister::store
