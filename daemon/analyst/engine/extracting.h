// What of a long function could be a function of its own, for certain: a block of it that nothing
// jumps out of, that gives nothing back to what follows, and that needs few names, each of which
// has a value by then. Which nodes are what, the language's "extract" says; languages where a value
// that is handed over is a copy have none.
#pragma once

#include "daemon/analyst/engine/facts.h"

namespace cloister::analyst {

/// Of the function at `function`, whose names are in `facts`; nothing when there is none.
std::optional<Extract> find_extract(const Language& language, const Subject& subject,
                                    const Facts& facts, Index function);

} // namespace cloister::analyst
