// A worker: locks itself in, reads one request, answers it, ends. Everything that a stranger can do
// to the parser happens in here.
#pragma once

#include "daemon/analyst/engine/analysis.h"

namespace cloister::analyst {

/// `socket` leads to the front and is the only descriptor that is open.
[[noreturn]] void be_worker(const Languages& languages, int socket);

} // namespace cloister::analyst
