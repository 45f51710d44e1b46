// The steps by which a box is made, in the order in which the kernel sees them. A step that fails
// names itself to the keeper; its name then appears in the result as the cause of `internal_error`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cloister::isolate {

enum class Step : std::uint32_t {
    none,
    // in the keeper
    make_cgroup,
    make_work,
    clone_init,
    // in init, as root, before anything of the client's is touched
    join_cgroup,
    die_with_keeper,
    enter_root,
    mount_proc,
    mount_files,
    mount_shm,
    attach_work,
    attach_kit,
    name_host,
    enter_network,
    start_program,
    // in the program's process, as root
    own_session,
    forget_keys,
    drop_bounding_set,
    warm_up,
    await_order,
    attach_artifact,
    set_streams,
    set_limits,
    drop_identity,
    drop_capabilities,
    die_with_init,
    no_new_privileges,
    load_filter,
    // in the program's process, as the box's user, behind every lock
    unpack_files,
    execute,
};

inline constexpr std::array kStepNames = {
    "none",
    "make_cgroup",
    "make_work",
    "clone_init",
    "join_cgroup",
    "die_with_keeper",
    "enter_root",
    "mount_proc",
    "mount_files",
    "mount_shm",
    "attach_work",
    "attach_kit",
    "name_host",
    "enter_network",
    "start_program",
    "own_session",
    "forget_keys",
    "drop_bounding_set",
    "warm_up",
    "await_order",
    "attach_artifact",
    "set_streams",
    "set_limits",
    "drop_identity",
    "drop_capabilities",
    "die_with_init",
    "no_new_privileges",
    "load_filter",
    "unpack_files",
    "execute",
};
static_assert(kStepNames.size() == static_cast<std::size_t>(Step::execute) + 1);

/// The step's name as results and logs spell it; "none" for a value that is no step.
constexpr std::string_view name_of(Step step) {
    const auto index = static_cast<std::size_t>(step);
    return index < kStepNames.size() ? kStepNames[index] : kStepNames[0];
}

} // namespace cloister::isolate
