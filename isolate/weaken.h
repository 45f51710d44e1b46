// For tests only: each defence can be left out, so that the attack which it stops is seen to
// succeed. Product builds do not define CLOISTER_WEAKEN; there `weakened` is a constant and no code
// is left.
#pragma once

#include <cstdint>

namespace cloister::isolate {

enum class Layer {
    none,
    memory_group,    // memory cgroup limit
    process_group,   // pids cgroup limit
    processor_group, // cpu cgroup quota
    private_root,    // template root: stay on the host's root instead
    read_only_binds, // binds are left writable
    no_exec,         // /box, /tmp, /dev/shm are left executable
    small_proc,      // /proc without subset=pid, hidepid
    pid_namespace,
    network_namespace,
    ipc_namespace,
    host_name, // UTS namespace
    cgroup_namespace,
    own_identity, // setresuid and friends: stay root
    own_user_id,  // every box gets the same user id
    capabilities, // capability sets and bounding set are kept
    no_new_privileges,
    filter,            // seccomp
    resource_limits,   // setrlimit
    close_descriptors, // close_range
    clean_environment,
    own_session, // setsid
    session_keyring,
    death_signal, // PR_SET_PDEATHSIG
    kill_box,     // killing the pid namespace and the cgroup at the end
    wall_clock,
    cpu_clock,
    file_bounds,         // size and inode limits of the tmpfs
    sealed_init,         // init keeps its identity and stays dumpable
    fresh_network,       // a slot keeps its network namespace whatever happened in it
    checked_unpack,      // the bundle's paths are used as they are
    checked_collect,     // files are read back by following, waiting and without a bound
    kill_before_collect, // what the program left runs on while its files are read
};

#ifdef CLOISTER_WEAKEN
constexpr std::uint64_t bit_of(Layer layer) {
    return layer == Layer::none ? 0 : std::uint64_t{1} << static_cast<unsigned>(layer);
}
/// The layers that are left out at the moment, by bit_of; several, because most attacks have to
/// pass more than one.
inline std::uint64_t weakened_layers = 0;
inline bool weakened(Layer layer) { return (weakened_layers & bit_of(layer)) != 0; }
#else
constexpr bool weakened(Layer) { return false; }
#endif

} // namespace cloister::isolate
