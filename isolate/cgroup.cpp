// Limiting, adopting, reading and removing the control groups of a box.
#include "isolate/cgroup.h"

#include "isolate/cgroup_files.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/eventfd.h>

namespace cloister::isolate {
namespace {

/// How one limit is written. Settings of one controller are written in the table's order.
struct Setting {
    Controller controller;
    bool v2;
    const char* file;
    bool optional; ///< kernels without swap accounting have no swap files
    Layer layer;
    std::string (*value)(const Limits&);
};

std::string memory_value(const Limits& limits) { return std::to_string(limits.memory_bytes); }
// One more than the program may have: init is a process too.
std::string process_value(const Limits& limits) { return std::to_string(limits.processes + 1); }
std::string cpu_max_value(const Limits& limits) {
    return std::to_string(limits.cpu_percent * 1000) + " 100000";
}
std::string cpu_quota_value(const Limits& limits) {
    return std::to_string(limits.cpu_percent * 1000);
}
std::string zero(const Limits&) { return "0"; }
std::string one(const Limits&) { return "1"; }

constexpr std::array kSettings = {
    Setting{Controller::memory, true, "memory.max", false, Layer::memory_group, memory_value},
    Setting{Controller::memory, true, "memory.swap.max", true, Layer::memory_group, zero},
    Setting{Controller::memory, true, "memory.oom.group", true, Layer::memory_group, one},
    Setting{Controller::memory, false, "memory.limit_in_bytes", false, Layer::memory_group,
            memory_value},
    // Memory and swap together, after memory alone: the kernel refuses the other order.
    Setting{Controller::memory, false, "memory.memsw.limit_in_bytes", true, Layer::memory_group,
            memory_value},
    // v1 counts what waits in the buffers of INET sockets by itself, and only where there is a
    // limit.
    Setting{Controller::memory, false, "memory.kmem.tcp.limit_in_bytes", true, Layer::memory_group,
            memory_value},
    Setting{Controller::pids, true, "pids.max", false, Layer::process_group, process_value},
    Setting{Controller::pids, false, "pids.max", false, Layer::process_group, process_value},
    Setting{Controller::cpu, true, "cpu.max", false, Layer::processor_group, cpu_max_value},
    Setting{Controller::cpu, false, "cpu.cfs_quota_us", false, Layer::processor_group,
            cpu_quota_value},
    // One quota saved up (Linux 5.14): a program that needs little more than half a period's time
    // is not stopped for the other half. Each of these writes also fills the period's quota anew.
    Setting{Controller::cpu, true, "cpu.max.burst", true, Layer::processor_group, cpu_quota_value},
    Setting{Controller::cpu, false, "cpu.cfs_burst_us", true, Layer::processor_group,
            cpu_quota_value},
};

constexpr const char* kEvents = "cgroup.events";
constexpr const char* kIdle = "cpu.idle";
constexpr Counter kCpuTimeOfTree{Controller::core, true, "cpu.stat", "usage_usec"};
constexpr Counter kCpuTimeOfV1{Controller::cpuacct, false, "cpuacct.usage", ""};
constexpr Counter kMemoryPeak[] = {{Controller::memory, true, "memory.peak", ""},
                                   {Controller::memory, false, "memory.max_usage_in_bytes", ""}};
constexpr Counter kMemoryNow[] = {{Controller::memory, true, "memory.current", ""},
                                  {Controller::memory, false, "memory.usage_in_bytes", ""}};
constexpr Counter kOomKills[] = {{Controller::memory, true, "memory.events", "oom_kill"},
                                 {Controller::memory, false, "memory.oom_control", "oom_kill"}};
constexpr Counter kForksRefused[] = {{Controller::pids, true, "pids.events", "max"},
                                     {Controller::pids, false, "pids.events", "max"}};
constexpr Counter kProcessesPeak[] = {{Controller::pids, true, "pids.peak", ""},
                                      {Controller::pids, false, "pids.peak", ""}};

/// What is read before a run is answered, and of boxes that wait, again and again.
constexpr std::array kReadOften = {kCpuTimeOfTree,   kCpuTimeOfV1,      kMemoryPeak[0],
                                   kMemoryPeak[1],   kMemoryNow[0],     kMemoryNow[1],
                                   kOomKills[0],     kOomKills[1],      kForksRefused[0],
                                   kForksRefused[1], kProcessesPeak[0], kProcessesPeak[1]};

} // namespace

/// v1 kills one process of a group, never the group: be told, and end the rest.
void Cgroup::watch_memory(const Group& group) {
    if ((oom_event_is_file_ = group.hierarchy->v2)) {
        oom_event_ = Fd(::openat(group.directory.get(), "memory.events", O_RDONLY | O_CLOEXEC));
        return;
    }
    oom_event_ = Fd(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
    const Fd control(
        check(::openat(group.directory.get(), "memory.oom_control", O_RDONLY | O_CLOEXEC),
              "open memory.oom_control"));
    const std::string line = std::to_string(oom_event_.get()) + " " + std::to_string(control.get());
    if (!write_at(group.directory.get(), "cgroup.event_control", line))
        throw SysError(errno, "watch for memory kills");
}

void Cgroup::take_oom_event() const {
    char text[512];
    (void)::lseek(oom_event_.get(), 0, SEEK_SET);
    (void)!::read(oom_event_.get(), text, sizeof text);
}

Cgroup Cgroup::adopt(const CgroupLayout& layout, pid_t process) {
    const std::string file = "/proc/" + std::to_string(process) + "/cgroup";
    const std::string text = read_at(AT_FDCWD, file.c_str());
    Cgroup adopted;
    adopted.groups_.reserve(layout.hierarchies.size());
    for (const Hierarchy& hierarchy : layout.hierarchies) {
        const std::string path = group_in(hierarchy, text);
        Group& group = adopted.groups_.emplace_back(Group{&hierarchy, -1, path, {}, {}, {}});
        group.directory = open_group(hierarchy.mount + path);
        if (!group.directory) throw SysError(errno, "open " + hierarchy.mount + path);
        if (hierarchy.has(Controller::memory)) adopted.watch_memory(group);
        // What the engine used for the start is not the program's.
        if (!hierarchy.v2) (void)write_at(group.directory.get(), "memory.max_usage_in_bytes", "0");
    }
    adopted.limits_.memory_bytes = 0; // whatever they are: `begin` writes ours
    adopted.adopted_ = true;
    adopted.open_files();
    return adopted;
}

void Cgroup::write(const Limits& limits, bool processor) {
    for (const Group& group : groups_) {
        for (const Setting& setting : kSettings) {
            if (setting.v2 != group.hierarchy->v2 || !group.hierarchy->has(setting.controller) ||
                (setting.controller == Controller::cpu) != processor || weakened(setting.layer))
                continue;
            // The first process of an adopted group must live to tell.
            if (adopted_ && setting.value == one) continue;
            const Fd* const open = group.opened(setting.file);
            const std::string value = setting.value(limits);
            const bool good = open != nullptr
                                  ? write_to(*open, value)
                                  : write_at(group.directory.get(), setting.file, value);
            if (!good && !setting.optional) {
                throw SysError(errno, std::string("set ") + setting.file);
            }
        }
    }
    limits_ = limits;
}

void Cgroup::open_files() {
    for (Group& group : groups_) {
        const auto open = [&](const char* file, int how) {
            Fd fd(::openat(group.directory.get(), file, how | O_CLOEXEC));
            if (fd) group.files.emplace_back(file, std::move(fd));
        };
        const bool v2 = group.hierarchy->v2;
        if (v2) open(kEvents, O_RDONLY);
        for (const Counter& place : kReadOften) {
            const char* const file = place.file;
            if (place.v2 == v2 && group.hierarchy->has(place.controller) &&
                group.opened(file) == nullptr)
                open(file, O_RDONLY);
        }
        if (group.hierarchy->has(Controller::cpu)) open(kIdle, O_WRONLY);
        for (const Setting& setting : kSettings) {
            if (setting.v2 == v2 && setting.controller == Controller::cpu &&
                group.hierarchy->has(setting.controller))
                open(setting.file, O_WRONLY);
        }
    }
}

const Fd* Cgroup::Group::opened(std::string_view file) const {
    for (const auto& [known, fd] : files) {
        if (known == file) return &fd;
    }
    return nullptr;
}

std::optional<std::string> Cgroup::Group::try_read(const char* file) const {
    const Fd* const open = opened(file);
    return open != nullptr ? text_of(open->get()) : try_read_at(directory.get(), file);
}

void Cgroup::begin(const Limits& limits) {
    set_idle(false);
    if (limits.memory_bytes != limits_.memory_bytes || limits.processes != limits_.processes)
        write(limits, false);
    write(limits, true);
}

void Cgroup::set_idle(bool idle) {
    if (idle == idle_) return;
    idle_ = idle;
    const Group* group = group_of(Controller::cpu);
    if (group == nullptr) return;
    const Fd* const open = group->opened(kIdle);
    if (open != nullptr) (void)write_to(*open, idle ? "1" : "0");
    else (void)write_at(group->directory.get(), kIdle, idle ? "1" : "0");
}

const Cgroup::Group* Cgroup::group_of(Controller controller) const {
    for (const Group& group : groups_) {
        if (!group.name.empty() && group.hierarchy->has(controller)) return &group;
    }
    return nullptr;
}

std::optional<std::chrono::nanoseconds> Cgroup::cpu_time() const {
    const Group* tree = group_of(Controller::core);
    const Group* group = tree != nullptr ? tree : group_of(Controller::cpuacct);
    if (group == nullptr) return std::chrono::nanoseconds::zero();
    const Counter& place = tree != nullptr ? kCpuTimeOfTree : kCpuTimeOfV1;
    const auto text = group->try_read(place.file);
    if (!text) return std::nullopt;
    const std::uint64_t number = number_after(*text, place.key).value_or(0);
    if (tree != nullptr) return std::chrono::microseconds(number);
    return std::chrono::nanoseconds(number);
}

std::optional<std::uint64_t> Cgroup::read(std::span<const Counter> places) const {
    for (const Counter& place : places) {
        const Group* group = group_of(place.controller);
        if (group == nullptr || group->hierarchy->v2 != place.v2) continue;
        const auto text = group->try_read(place.file);
        if (!text) return std::nullopt;
        return number_after(*text, place.key).value_or(0);
    }
    return 0;
}

std::uint64_t Cgroup::memory_bytes() const { return read(kMemoryNow).value_or(0); }

std::optional<Counters> Cgroup::counters() const {
    const auto peak = read(kMemoryPeak);
    const auto oom_kills = read(kOomKills);
    const auto refused = read(kForksRefused);
    const auto processes = read(kProcessesPeak);
    if (!peak || !oom_kills || !refused || !processes) return std::nullopt;
    return Counters{.memory_peak_bytes = *peak,
                    .processes_peak = static_cast<std::uint32_t>(*processes),
                    .oom_kills = static_cast<std::uint32_t>(*oom_kills),
                    .forks_refused = static_cast<std::uint32_t>(*refused)};
}

void Cgroup::hurry() {
    set_idle(false);
    const Group* group = group_of(Controller::cpu);
    if (group == nullptr) return;
    // No quota, and the largest weight there is: what is killed must run to end. A failure costs
    // time only.
    const int directory = group->directory.get();
    if (group->hierarchy->v2) {
        (void)write_at(directory, "cpu.max", "max");
        (void)write_at(directory, "cpu.weight", "10000");
    } else {
        (void)write_at(directory, "cpu.cfs_quota_us", "-1");
        (void)write_at(directory, "cpu.shares", "262144");
    }
}

void Cgroup::kill() {
    if (const Group* tree = group_of(Controller::core)) {
        if (write_at(tree->directory.get(), "cgroup.kill", "1")) return;
    }
    // Without cgroup.kill: frozen processes cannot fork while the list is read. A killed process of
    // a v1 freezer dies only when it is thawed.
    const Group* freezer = group_of(Controller::freezer);
    if (freezer != nullptr) (void)write_at(freezer->directory.get(), "freezer.state", "FROZEN");
    for (const Group& group : groups_) {
        if (!group.name.empty()) kill_listed(group.directory.get());
    }
    if (freezer != nullptr) (void)write_at(freezer->directory.get(), "freezer.state", "THAWED");
}

bool Cgroup::is_empty() const {
    return std::all_of(groups_.begin(), groups_.end(), [](const Group& group) {
        if (group.name.empty()) return true;
        if (group.hierarchy->v2) {
            return number_after(group.try_read(kEvents).value_or(std::string()), "populated")
                       .value_or(1) == 0;
        }
        return lists_nobody(group.directory.get());
    });
}

bool Cgroup::remove() {
    bool all = true;
    for (Group& group : groups_) {
        if (group.name.empty()) continue;
        group.files.clear();
        if (::unlinkat(group.parent, group.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
            group.name.clear();
        } else {
            all = false;
        }
    }
    return all;
}

} // namespace cloister::isolate
