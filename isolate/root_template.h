// A box's root, made once per set of binds and kept as a mount namespace of its own: an empty tmpfs
// of ours, read-only, with the plan's binds, a generated /etc and a small /dev. A box enters it and
// takes its own copy (setns + unshare), which costs a copy of a dozen mounts instead of making
// them.
#pragma once

#include "isolate/fd.h"
#include "isolate/means.h"
#include "isolate/mount_plan.h"

#include <sys/types.h>

namespace cloister::isolate {

class RootTemplate {
public:
    /// Forks a helper that builds the namespace; needs root and one thread. Throws SysError that
    /// names the path or the act which failed.
    /// With Means::fence nothing is made: what the plan shows is opened where it is. Throws
    /// SysError, also for what would have to be shown at another place.
    explicit RootTemplate(const MountPlan& plan, Means means = Means::root);

    int mount_namespace() const { return namespace_.get(); }
    /// Of Means::fence: O_PATH descriptors.
    const std::vector<int>& shown() const { return numbers_; }

private:
    Fd namespace_;
    std::vector<Fd> shown_;
    std::vector<int> numbers_;
};

/// /etc/passwd, group, hosts and nsswitch.conf for boxes whose programs run as first_id,
/// first_id + 2, … (`count` of them), so that every user id of a box has a name.
std::vector<MountPlan::File> generated_etc(uid_t first_id, std::uint32_t count);

} // namespace cloister::isolate
