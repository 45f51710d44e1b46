// How the store's file is made, opened, and set up, before anything is read from it.
#pragma once

#include "daemon/front/store/sqlite.h"
#include "daemon/front/store/store.h"

#include <memory>
#include <string>

namespace cloister::store {

/// The file at `path`, of our newest version, held by this process alone.
std::unique_ptr<Database> open_database(const std::string& path, const Limits& limits);

} // namespace cloister::store
