// Which control group hierarchies this host mounts, and what each of them offers: v2, v1 and hybrid
// hosts alike. Found once, at start.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace cloister::isolate {

enum class Controller : unsigned { core, memory, pids, cpu, cpuacct, freezer };

struct ControllerName {
    Controller controller;
    const char* name; ///< as the kernel has it
};
/// All but `core`, which is none to the kernel.
inline constexpr std::array kControllerNames = {
    ControllerName{Controller::memory, "memory"},   ControllerName{Controller::pids, "pids"},
    ControllerName{Controller::cpu, "cpu"},         ControllerName{Controller::cpuacct, "cpuacct"},
    ControllerName{Controller::freezer, "freezer"},
};

/// One mounted hierarchy that we use, and what for. `core` is the v2 tree itself: kill, events,
/// placement.
struct Hierarchy {
    bool v2 = false;
    std::string path{};  ///< the directory that holds (or will hold) `cloister/`
    std::string mount{}; ///< where it is mounted; paths in /proc/PID/cgroup begin there
    std::vector<Controller> controllers{}; ///< never empty
    bool has(Controller controller) const;
};

/// What this host mounts, in /proc/self/mountinfo's order.
struct CgroupLayout {
    std::vector<Hierarchy> hierarchies{};
    bool delegated = false; ///< the v2 group we started in was delegated to us

    /// "v2", "v1" or "hybrid".
    std::string kind() const;
};

/// Throws std::runtime_error that says which controller is missing.
CgroupLayout find_cgroups();

/// The v2 group that this process is in, from its mount's root on.
std::string own_v2_group();

/// Where, from the hierarchy's mount on, a process is whose /proc/PID/cgroup has this text. Throws
/// SysError when it is in no group of its own (the root is the host's) or in one beyond our sight.
std::string group_in(const Hierarchy& hierarchy, const std::string& text);

} // namespace cloister::isolate
