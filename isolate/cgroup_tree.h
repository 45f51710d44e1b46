// The control groups of an instance: a directory of its own below `cloister/` in each hierarchy (on
// v2 within the delegated group, where systemd delegated one), and in it one group for each box.
#pragma once

#include "isolate/cgroup.h"

namespace cloister::isolate {

/// An instance's directory, cloister/NAME, in every hierarchy.
class CgroupTree {
public:
    /// Makes the directories, moves this process into a group of its own that is never killed, and
    /// enables the controllers. Throws SysError.
    CgroupTree(CgroupLayout layout, std::string name);
    /// Moves this process back and removes what is empty.
    ~CgroupTree();
    CgroupTree(const CgroupTree&) = delete;
    CgroupTree& operator=(const CgroupTree&) = delete;

    /// Makes a box's groups with all limits but the processor's set, before any process is inside.
    /// Throws SysError.
    Cgroup make(const std::string& name, const Limits& limits);

    const CgroupLayout& layout() const { return layout_; }

private:
    CgroupLayout layout_;
    std::string name_;
    std::vector<Fd> directories_; ///< as layout_.hierarchies
    std::string own_group_;       ///< the v2 group we came from
};

/// Kills and removes all groups that an earlier instance of that name left. Returns how many.
int sweep_cgroups(const CgroupLayout& layout, const std::string& name);

} // namespace cloister::isolate
