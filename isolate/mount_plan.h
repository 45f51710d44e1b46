// What a box shows of the host, worked out ahead: host paths become read-only binds at the same
// place, and the symbolic links on the way to them are made again in the box.
#pragma once

#include <string>
#include <vector>

namespace cloister::isolate {

struct MountPlan {
    struct Link {
        std::string path;
        std::string target; ///< as the host has it
        bool operator==(const Link&) const = default;
    };
    struct File {
        std::string path;
        std::string content;
    };
    std::vector<Link> links{};
    struct Bind {
        std::string source; ///< a real path on the host
        std::string target; ///< in the box
    };
    /// Parents before children. What lies below /tmp, /box, /app, /kit, /proc or /dev on the host
    /// is hidden by the box's own: show such a path at another place.
    std::vector<Bind> binds{};
    std::vector<File> files{}; ///< made by us, read-only
};

/// Plans for `paths`: absolute, '*' matches within one component, a leading '?' marks what may be
/// absent, and "SOURCE => TARGET" shows one path at another place. Only the operator's files name
/// such paths. Throws SysError (ENOENT) for a missing path, std::runtime_error for a relative one.
MountPlan plan_mounts(const std::vector<std::string>& paths);

} // namespace cloister::isolate
