// A worker: locks itself in, reads one request, answers it, ends; or holds that document, and
// answers requests about it, until the front closes the socket. Everything that a stranger can do
// to the parser happens in here.
#pragma once

#include "daemon/analyst/engine/analysis.h"

namespace cloister::analyst {

/// Of the processor, in the life of a worker that holds a document: some thousand keystrokes. Then
/// the document is read anew by another one.
inline constexpr unsigned kHoldingSeconds = 20;

/// `socket` leads to the front and is the only descriptor that is open.
[[noreturn]] void be_worker(const Languages& languages, int socket);

} // namespace cloister::analyst
