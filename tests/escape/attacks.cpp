// The table: what is promised, which program tries to break it, which layers stop it.
#include "tests/escape/harness.h"

#include <csignal>

namespace cloister::escape {
namespace {

using isolate::kMiB;
using isolate::Verdict;
using Order = Attack::Order;
using namespace std::chrono_literals;

constexpr Layer kIdentity = Layer::own_identity;
constexpr Layer kCapabilities = Layer::capabilities;
constexpr Layer kFilter = Layer::filter;

bool says_escaped(const LocalResult& result) {
    return result.outcome.ending.exit_code == 42 &&
           result.output.find("ESCAPED: ") != std::string::npos;
}

/// Ended by us for this reason, or refused and said so; the promise is broken when the program got
/// through to its end.
Judge ends_with(Verdict verdict) {
    return [verdict](const Evidence& evidence) {
        const LocalResult& last = evidence.results.back();
        if (says_escaped(last)) return Finding::escaped;
        return last.verdict == verdict ? Finding::contained : Finding::inconclusive;
    };
}

/// Either the limit ended it, or the kernel refused it; never did it use more than it may.
Finding memory_holds(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (says_escaped(last) ||
        last.outcome.usage.memory_peak_bytes > evidence.limits.back().memory_bytes)
        return Finding::escaped;
    return last.verdict == Verdict::memory_limit ? Finding::contained : by_report(evidence);
}

/// The kernel charges packets beyond the limit for a moment, and then kills (mm/memcontrol.c,
/// mem_cgroup_charge_skmem): the peak may be a little above it, what is held may not.
Finding memory_holds_for_packets(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    const std::uint64_t limit = evidence.limits.back().memory_bytes;
    if (says_escaped(last) || last.outcome.usage.memory_peak_bytes > limit + limit / 4)
        return Finding::escaped;
    return last.verdict == Verdict::memory_limit ? Finding::contained : by_report(evidence);
}

/// The program would run for ever: the wall clock ends it, and only the test's patience if it does
/// not.
Finding wall_holds(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (last.verdict == Verdict::cancelled) return Finding::escaped;
    const bool in_time =
        last.outcome.usage.wall_time < evidence.limits.back().wall_time + 500ms * slowness();
    return last.verdict == Verdict::wall_limit && in_time ? Finding::contained
                                                          : Finding::inconclusive;
}

/// At most its share of a core, with room for one period's overshoot. The share is small, so that
/// even on a busy machine a program without the limit uses more.
Finding share_holds(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    const auto& usage = last.outcome.usage;
    if (last.verdict != Verdict::ok || usage.wall_time < 500ms) return Finding::inconclusive;
    const auto most = usage.wall_time * evidence.limits.back().cpu_percent / 100;
    return usage.cpu_time > most * 14 / 10 + 50ms ? Finding::escaped : Finding::contained;
}

/// Nobody is there a second later, nor was the answer kept waiting by somebody who held the output.
Finding nothing_is_left(const Evidence& evidence) {
    const bool kept_waiting =
        evidence.elapsed > evidence.results.back().outcome.usage.wall_time + 4s;
    if (!evidence.left_behind.empty() || kept_waiting) return Finding::escaped;
    return by_report(evidence);
}

Finding nothing_outlives_the_keeper(const Evidence& evidence) {
    if (!evidence.results.back().output.starts_with("here")) return Finding::inconclusive;
    return evidence.left_behind.empty() ? Finding::contained : Finding::escaped;
}

Finding numbers_differ(const Evidence& evidence) {
    const LocalResult& first = evidence.results.front();
    const LocalResult& second = evidence.results.back();
    if (first.verdict != Verdict::ok || second.verdict != Verdict::ok || first.output.empty())
        return Finding::inconclusive;
    return first.output == second.output ? Finding::escaped : Finding::contained;
}

/// A hostile parcel ends in the unpacking, or lays down nothing outside.
Finding parcel_is_refused(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (last.outcome.ending.failed_step == isolate::Step::unpack_files) return Finding::contained;
    return by_report(evidence);
}

/// The stack ends in a fault of the program's own.
Finding stack_holds(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (says_escaped(last)) return Finding::escaped;
    return last.outcome.ending.signal == SIGSEGV ? Finding::contained : Finding::inconclusive;
}

/// Killed at the foreign call. A kernel that was built without the door answers with a fault: the
/// call has come as far as it can on such a machine.
Finding foreign_call_kills(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (last.verdict == Verdict::forbidden_syscall) return Finding::contained;
    const bool got_through = says_escaped(last) || last.outcome.ending.signal == SIGSEGV;
    return got_through && last.output.starts_with("trying") ? Finding::escaped
                                                            : Finding::inconclusive;
}

void memory_of(Limits& limits, std::uint64_t bytes) {
    limits.memory_bytes = bytes;
    limits.file_bytes = 256 * kMiB;
}

void small_memory(Limits& limits) { memory_of(limits, 48 * kMiB); }
void smaller_memory(Limits& limits) { memory_of(limits, 24 * kMiB); }
void tiny_memory(Limits& limits) { memory_of(limits, 12 * kMiB); }
void few_processes(Limits& limits) { limits.processes = 20; }
void short_wall(Limits& limits) { limits.wall_time = 700ms; }
void short_cpu(Limits& limits) {
    limits.cpu_time = 400ms;
    limits.cpu_percent = 100;
}
void small_share(Limits& limits) { limits.cpu_percent = 10; }
void few_files(Limits& limits) { limits.file_count = 1000; }
void small_files(Limits& limits) { limits.file_bytes = 8 * kMiB; }
void few_open(Limits& limits) { limits.open_files = 64; }

} // namespace

const std::vector<Attack>& all_attacks() {
    static const std::vector<Attack> attacks = with_those_on_collecting({
        // -- files
        {.promise = "a file of the host cannot be read",
         .program = "host_file.c",
         .layers = {Layer::private_root},
         .runs = {{"{sentinel}"}}},
        {.promise = "a script finds no way to a file of the host",
         .program = "host_files.py",
         .layers = {Layer::private_root},
         .runs = {{"{sentinel}"}}},
        {.promise = "the host's password hashes are not there",
         .program = "shadow.c",
         .layers = {Layer::private_root, kIdentity, kCapabilities}},
        {.promise = "the administrator's home is not there",
         .program = "root_home.c",
         .layers = {Layer::private_root, kIdentity, kCapabilities}},
        {.promise = "a file that boxes are shown cannot be written",
         .program = "write_shown.c",
         .layers = {Layer::read_only_binds},
         .runs = {{"{shown}"}}},
        {.promise = "no file can be made in the root, /etc, /dev or /app",
         .program = "write_root.c",
         .layers = {Layer::read_only_binds, kIdentity, kCapabilities}},
        {.promise = "the read-only root cannot be made writable",
         .program = "remount.c",
         .layers = {kFilter, kIdentity, kCapabilities}},
        {.promise = "links in an artifact lead nowhere",
         .program = "plant_link.c",
         .layers = {Layer::private_root},
         .runs = {{"leave", "{sentinel}"}, {"look", "{sentinel}"}},
         .order = Order::compile_then_run},
        {.promise = "the kernel's knobs cannot be opened",
         .program = "kernel_knobs.c",
         .layers = {Layer::small_proc, kIdentity, kCapabilities}},
        {.promise = "the kernel tells nothing of the machine's load and neighbours",
         .program = "kernel_secrets.c",
         .layers = {Layer::small_proc}},
        {.promise = "the machine's devices are not there", .program = "device_nodes.c"},
        {.promise = "no device can be made",
         .program = "make_device.c",
         .layers = {kFilter, kIdentity, kCapabilities}},
        {.promise = "what a program writes cannot be run",
         .program = "run_written.c",
         .layers = {Layer::no_exec}},
        {.promise = "a memfd cannot be run", .program = "run_memfd.c", .layers = {kFilter}},
        {.promise = "the system's commands are not there", .program = "system_commands.py"},

        // -- network
        {.promise = "a port of the host cannot be reached",
         .program = "host_port.c",
         .layers = {Layer::network_namespace},
         .runs = {{"{port}"}}},
        {.promise = "a script reaches no port of the host by any name",
         .program = "host_port.py",
         .layers = {Layer::network_namespace},
         .runs = {{"{port}"}}},
        {.promise = "an abstract socket of the host cannot be reached",
         .program = "host_abstract.c",
         .layers = {Layer::network_namespace},
         .runs = {{"{abstract}"}}},
        {.promise = "no interface but loopback and no route out is there",
         .program = "interfaces.c",
         .layers = {Layer::network_namespace},
         .runs = {{"{addresses}"}},
         .needs_a_route = true},
        {.promise = "sockets of other families cannot be made",
         .program = "socket_families.c",
         .layers = {kFilter}},
        {.promise = "a high bit does not hide a socket's family",
         .program = "wide_family.c",
         .layers = {kFilter}},
        {.promise = "packets cannot be read or forged",
         .program = "raw_socket.c",
         .layers = {kFilter, kIdentity, kCapabilities}},

        // -- processes
        {.promise = "a process of the host cannot be named",
         .program = "host_process.c",
         .layers = {Layer::pid_namespace},
         .runs = {{"{pid}"}}},
        {.promise = "no other process is listed",
         .program = "neighbours.c",
         .layers = {Layer::small_proc, kIdentity, kCapabilities}},
        {.promise = "a script reads of no other process",
         .program = "neighbours.py",
         .layers = {Layer::small_proc, kIdentity, kCapabilities}},
        {.promise = "init shows neither its root, nor its files, nor its memory",
         .program = "init_files.c",
         .layers = {Layer::sealed_init, Layer::small_proc, kIdentity, kCapabilities}},
        {.promise = "init takes no signals from the program",
         .program = "signal_init.c",
         .layers = {Layer::sealed_init, kIdentity, kCapabilities}},
        {.promise = "no process can be traced or its memory read",
         .program = "trace.c",
         .layers = {kFilter}},
        {.promise = "a daemonized grandchild does not survive its run",
         .program = "daemonize.c",
         .layers = {Layer::kill_box, Layer::pid_namespace},
         .judge = nothing_is_left},
        {.promise = "a chain of short-lived processes does not survive its run",
         .program = "hop.c",
         .layers = {Layer::kill_box, Layer::pid_namespace},
         .judge = nothing_is_left},
        {.promise = "nothing survives the keeper",
         .program = "linger.c",
         .layers = {Layer::death_signal},
         .judge = nothing_outlives_the_keeper},
        {.promise = "a program that stops itself ends at the wall limit",
         .program = "stop_self.c",
         .layers = {Layer::wall_clock},
         .limits = short_wall,
         .judge = wall_holds},
        {.promise = "a program that ignores every signal ends at the wall limit",
         .program = "ignore_signals.c",
         .layers = {Layer::wall_clock, Layer::cpu_clock, Layer::resource_limits},
         .limits = short_wall,
         .judge = wall_holds},
        {.promise = "there is no terminal, and the session is the program's own",
         .program = "terminal.c",
         .layers = {Layer::own_session}},

        // -- privileges
        {.promise = "a program is not root and cannot become root",
         .program = "become_root.c",
         .layers = {kIdentity, kCapabilities}},
        {.promise = "all five sets of capabilities are empty",
         .program = "capabilities.c",
         .layers = {kCapabilities}},
        {.promise = "no new privileges can be had",
         .program = "new_privileges.c",
         .layers = {Layer::no_new_privileges, kFilter}},
        {.promise = "a filter is loaded", .program = "filter_mode.c", .layers = {kFilter}},
        {.promise = "no user namespace by unshare",
         .program = "user_namespace.c",
         .layers = {kFilter},
         .runs = {{"unshare"}}},
        {.promise = "no user namespace by clone",
         .program = "user_namespace.c",
         .layers = {kFilter},
         .runs = {{"clone"}}},
        {.promise = "no user namespace by clone3",
         .program = "user_namespace.c",
         .layers = {kFilter},
         .runs = {{"clone3"}}},
        {.promise = "no other namespace can be made or entered",
         .program = "other_namespaces.c",
         .layers = {kFilter}},
        {.promise = "nothing can be mounted",
         .program = "mount_new.c",
         .layers = {kFilter, kIdentity, kCapabilities}},
        {.promise = "nothing can be mounted the younger way",
         .program = "mount_by_fd.c",
         .layers = {kFilter}},
        {.promise = "the root cannot be changed",
         .program = "change_root.c",
         .layers = {kFilter, kIdentity, kCapabilities}},
        {.promise = "the kernel's key store is closed", .program = "keys.c", .layers = {kFilter}},
        {.promise = "no program can be loaded into the kernel by bpf",
         .program = "kernel_programs.c",
         .layers = {kFilter, kIdentity, kCapabilities},
         .runs = {{"bpf"}}},
        {.promise = "the kernel's performance events are closed",
         .program = "kernel_programs.c",
         .layers = {kFilter},
         .runs = {{"perf"}}},
        {.promise = "page faults cannot be handled by the program",
         .program = "kernel_programs.c",
         .layers = {kFilter},
         .runs = {{"userfaultfd"}}},
        {.promise = "io_uring is closed",
         .program = "kernel_programs.c",
         .layers = {kFilter},
         .runs = {{"io_uring"}}},
        {.promise = "the administrator's calls do not reach the kernel",
         .program = "administrator.c",
         .layers = {kFilter, kIdentity, kCapabilities}},
        {.promise = "a program cannot put itself before others",
         .program = "priority.c",
         .layers = {kFilter, kIdentity, kCapabilities, Layer::resource_limits}},
        {.promise = "addresses stay random", .program = "fixed_addresses.c", .layers = {kFilter}},
        {.promise = "nothing can be typed into a terminal",
         .program = "push_input.c",
         .layers = {kFilter}},
        {.promise = "a high bit does not hide an ioctl",
         .program = "push_input.c",
         .layers = {kFilter},
         .runs = {{"high"}}},
        {.promise = "a 32-bit call ends the program",
         .program = "old_calls.c",
         .layers = {kFilter},
         .judge = foreign_call_kills},
        {.promise = "a call by an x32 number ends the program",
         .program = "x32_calls.c",
         .layers = {kFilter},
         .judge = foreign_call_kills},
        {.promise = "of the rare calls at most ten reach the kernel",
         .program = "rare_calls.c",
         .layers = {kFilter},
         .runs = {{"10"}}},

        // -- limits
        {.promise = "the memory limit holds for the heap",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"heap", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for shared memory",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"shared", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for files",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"files", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for a memfd",
         .program = "use_memory.c",
         .layers = {Layer::memory_group, kFilter, Layer::resource_limits},
         .runs = {{"memfd", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for many processes together",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"many", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for unread pipes",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"pipes", "{memory}"}},
         .limits = tiny_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for unread sockets",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"sockets", "{memory}"}},
         .limits = smaller_memory,
         .judge = memory_holds},
        {.promise = "the memory limit holds for datagrams that nobody reads",
         .program = "use_memory.c",
         .layers = {Layer::memory_group},
         .runs = {{"datagrams", "{memory}"}},
         .limits = small_memory,
         .judge = memory_holds_for_packets},
        {.promise = "the memory limit holds for a script",
         .program = "use_memory.py",
         .layers = {Layer::memory_group},
         .runs = {{"{memory}"}},
         .limits = small_memory,
         .judge = memory_holds},
        {.promise = "there are no more processes than allowed",
         .program = "many_processes.c",
         .layers = {Layer::process_group, Layer::resource_limits},
         .runs = {{"processes", "{processes}"}},
         .limits = few_processes},
        {.promise = "threads count as processes",
         .program = "many_processes.c",
         .layers = {Layer::process_group, Layer::resource_limits},
         .runs = {{"threads", "{processes}"}},
         .limits = few_processes},
        {.promise = "a script cannot fork beyond its limit",
         .program = "fork_flood.py",
         .layers = {Layer::process_group, Layer::resource_limits},
         .runs = {{"{processes}"}},
         .limits = few_processes},
        {.promise = "a fork bomb ends at its process limit and leaves nobody behind",
         .program = "fork_bomb.c",
         .layers = {Layer::process_group, Layer::resource_limits},
         .runs = {{"{processes}"}},
         .limits = few_processes,
         .judge = nothing_is_left},
        {.promise = "many spinning processes together get one share of a core",
         .program = "spin.c",
         .layers = {Layer::processor_group},
         .runs = {{"4", "1500", "0"}},
         .limits = small_share,
         .judge = share_holds},
        {.promise = "the processor time limit ends a spinning program",
         .program = "spin.c",
         .layers = {Layer::cpu_clock, Layer::resource_limits},
         .runs = {{"1", "9000", "1200"}},
         .limits = short_cpu,
         .judge = ends_with(Verdict::time_limit)},
        {.promise = "the wall limit ends an idle program",
         .program = "sleep_long.c",
         .layers = {Layer::wall_clock},
         .runs = {{"2000"}},
         .limits = short_wall,
         .judge = ends_with(Verdict::wall_limit)},
        {.promise = "the limit on open files holds",
         .program = "open_many.c",
         .layers = {Layer::resource_limits},
         .runs = {{"{open_files}"}},
         .limits = few_open},
        {.promise = "the stack limit holds",
         .program = "deep_stack.c",
         .layers = {Layer::resource_limits},
         .runs = {{"{stack}"}},
         .judge = stack_holds},
        {.promise = "memory cannot be locked",
         .program = "lock_memory.c",
         .layers = {Layer::resource_limits}},
        {.promise = "a crash starts no handler of the host's",
         .program = "core_file.c",
         .layers = {Layer::resource_limits}},
        {.promise = "there are no more files than allowed",
         .program = "inode_flood.c",
         .layers = {Layer::file_bounds},
         .runs = {{"{files}"}},
         .limits = few_files},
        {.promise = "files hold no more bytes than allowed",
         .program = "fill_files.c",
         .layers = {Layer::file_bounds},
         .runs = {{"{file_bytes}"}},
         .limits = small_files},
        {.promise = "reserved files count as written ones",
         .program = "fill_files.c",
         .layers = {Layer::file_bounds},
         .runs = {{"{file_bytes}", "reserve"}},
         .limits = small_files},
        {.promise = "/dev/shm holds 16 MiB",
         .program = "fill_shm.c",
         .layers = {Layer::file_bounds}},

        // -- leaks
        {.promise = "files do not pass from run to run",
         .program = "left_files.c",
         .runs = {{"leave", "{mark}"}, {"look", "{mark}"}}},
        {.promise = "shared memory does not pass from run to run",
         .program = "left_ipc.c",
         .layers = {kFilter, Layer::ipc_namespace},
         .runs = {{"leave", "{key}", "shm"}, {"look", "{key}", "shm"}}},
        {.promise = "semaphores do not pass from run to run",
         .program = "left_ipc.c",
         .layers = {kFilter, Layer::ipc_namespace},
         .runs = {{"leave", "{key}", "sem"}, {"look", "{key}", "sem"}}},
        {.promise = "messages do not pass from run to run",
         .program = "left_ipc.c",
         .layers = {kFilter, Layer::ipc_namespace},
         .runs = {{"leave", "{key}", "msg"}, {"look", "{key}", "msg"}}},
        {.promise = "message queues do not pass from run to run",
         .program = "left_ipc.c",
         .layers = {kFilter, Layer::ipc_namespace, Layer::resource_limits},
         .runs = {{"leave", "{key}", "mq"}, {"look", "{key}", "mq"}}},
        {.promise = "no trace of the network passes from run to run",
         .program = "left_packets.c",
         .layers = {Layer::fresh_network},
         // More often than there are slots, so that one is met again.
         .runs = {{"leave"}, {"leave"}, {"leave"}, {"leave"}, {"leave"}, {"leave"}, {"look"}}},
        {.promise = "no flow label passes from run to run",
         .program = "left_label.c",
         .layers = {Layer::fresh_network},
         .runs = {{"leave"}, {"leave"}, {"leave"}, {"leave"}, {"leave"}, {"leave"}, {"look"}}},
        {.promise = "keys do not pass from run to run",
         .program = "left_key.c",
         .layers = {kFilter, Layer::session_keyring, Layer::own_user_id},
         .runs = {{"leave", "{mark}"}, {"look", "{mark}"}}},
        {.promise = "two runs do not meet at an abstract socket",
         .program = "meet_socket.c",
         .layers = {Layer::network_namespace},
         .runs = {{"hold", "{mark}", "1500"}, {"look", "{mark}", "1500"}},
         .order = Order::together},
        {.promise = "two runs do not see each other's locks",
         .program = "meet_lock.c",
         .layers = {kFilter},
         .runs = {{"hold", "{shown}", "1500"}, {"look", "{shown}", "1500"}},
         .order = Order::together},
        {.promise = "a neighbour's use of shared files cannot be watched",
         .program = "watch.c",
         .layers = {kFilter},
         .runs = {{"{shown}"}}},
        {.promise = "the host's page cache tells nothing",
         .program = "cached_pages.c",
         .layers = {kFilter},
         .runs = {{"{shown}"}}},
        {.promise = "two boxes have two user ids",
         .program = "own_number.c",
         .layers = {Layer::own_user_id},
         .runs = {{}, {}},
         .order = Order::together,
         .judge = numbers_differ},
        {.promise = "the cgroup's path tells nothing",
         .program = "group_path.c",
         .layers = {Layer::cgroup_namespace}},
        {.promise = "the host's name is unknown",
         .program = "host_name.c",
         .layers = {Layer::host_name},
         .runs = {{"{hostname}"}}},
        {.promise = "the daemon's environment is not handed on",
         .program = "environment.c",
         .layers = {Layer::clean_environment}},
        {.promise = "no descriptor of the daemon's is open, and no report can be forged",
         .program = "descriptors.c",
         .layers = {Layer::close_descriptors}},

        // -- the client's parcel
        {.promise = "a parcel's path cannot climb out of /box",
         .program = "unpacked.c",
         .layers = {Layer::checked_unpack},
         .runs = {{"/tmp/planted"}},
         .judge = parcel_is_refused,
         .bundle_paths = {"../tmp/planted"}},
        {.promise = "a parcel's path cannot climb out of a folder of its own",
         .program = "unpacked.c",
         .layers = {Layer::checked_unpack},
         .runs = {{"/tmp/planted"}},
         .judge = parcel_is_refused,
         .bundle_paths = {"a/b/c", "a/../../tmp/planted"}},
        {.promise = "a parcel's path cannot pass through /proc",
         .program = "unpacked.c",
         .layers = {Layer::checked_unpack},
         .runs = {{"/dev/shm/planted"}},
         .judge = parcel_is_refused,
         .bundle_paths = {"../proc/../dev/shm/planted"}},
    });
    return attacks;
}

} // namespace cloister::escape
