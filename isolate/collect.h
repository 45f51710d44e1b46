// The last thing that a box's init does for a run that asked for it: the named files are read and
// passed on. For the inside of a box only.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace cloister::isolate {

/// The keeper's packet for init, behind the order and before init's last look: with the bundle,
/// then the pipe to write to.
struct CollectOrder {
    static constexpr std::uint32_t kMagic = 0x4c4c4f43; // "COLL"
    std::uint32_t magic = kMagic;
    std::uint32_t reserved = 0;
};

/// While init becomes nobody and has its capabilities still: from now on it opens files with the
/// rights of the program's user.
void open_files_as(int report_fd, uid_t user_id);
/// The one capability to end that user's processes is kept, not effective, until `collect`; all
/// others are given away.
void keep_kill_capability(int report_fd);

/// Init, when the program has ended: if a CollectOrder waits at `report_fd`, carries it out.
/// Otherwise it costs one look. `alone`: it has ended everybody else already and has no capability
/// to give away, as in a container. `box`: the program's folder.
void collect(int report_fd, bool alone, const char* box = "/box");

} // namespace cloister::isolate
