// Whether the newest changes, which SQLite keeps in a file of their own (the WAL), are as they were
// written. SQLite takes that file's first bad page for its end and silently goes on without the
// rest: right after a loss of power, wrong when what was acknowledged lay behind it.
#pragma once

#include <cstdint>
#include <string>

namespace cloister::store {

struct Wal {
    bool has_content = false;
    /// Pages up to the first bad one, and up to the end of the last transaction that was written.
    std::uint64_t intact_pages = 0;
    std::uint64_t written_pages = 0;
    bool is_damaged() const { return written_pages > intact_pages; }
};

/// The file at `path` may be absent: that is one without content.
Wal look_at_wal(const std::string& path);

} // namespace cloister::store
