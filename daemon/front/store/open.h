// How the store's file is made, opened, and set up, before anything is read from it.
#pragma once

#include "daemon/front/store/sqlite.h"
#include "daemon/front/store/store.h"

#include <memory>
#include <string>
#include <vector>

namespace cloister::store {

/// The file at the path `asked`, of our newest version, held by this process alone, and found
/// whole; what was done to it on the way goes to `notices`.
std::unique_ptr<Database> open_database(const std::string& asked, const Limits& limits,
                                        const Start& start, std::vector<std::string>& notices);

} // namespace cloister::store
