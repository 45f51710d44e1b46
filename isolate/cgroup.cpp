// Finding, making, adopting, reading and removing control groups. No name comes from a client.
#include "isolate/cgroup.h"

#include "isolate/weaken.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace cloister::isolate {
namespace {

constexpr const char* kFolder = "cloister";
constexpr const char* kKeeperGroup = "keeper";

struct ControllerName {
    Controller controller;
    const char* name;
};
constexpr std::array kNames = {
    ControllerName{Controller::memory, "memory"},   ControllerName{Controller::pids, "pids"},
    ControllerName{Controller::cpu, "cpu"},         ControllerName{Controller::cpuacct, "cpuacct"},
    ControllerName{Controller::freezer, "freezer"},
};

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

std::string text_of(int file) {
    char text[4096];
    const ssize_t size = ::pread(file, text, sizeof text, 0);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

/// What is read before a run is answered, and of boxes that wait, again and again.
constexpr std::array kReadOften = {kCpuTimeOfTree,   kCpuTimeOfV1,      kMemoryPeak[0],
                                   kMemoryPeak[1],   kMemoryNow[0],     kMemoryNow[1],
                                   kOomKills[0],     kOomKills[1],      kForksRefused[0],
                                   kForksRefused[1], kProcessesPeak[0], kProcessesPeak[1]};

/// Empty when there is no such file. Nothing when it cannot be told: we have no descriptor or
/// memory for it just now.
std::optional<std::string> try_read_at(int directory, const char* file) {
    const Fd fd(::openat(directory, file, O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) return std::nullopt;
    return fd ? text_of(fd.get()) : std::string();
}

std::string read_at(int directory, const char* file) {
    return try_read_at(directory, file).value_or(std::string());
}

bool write_to(const Fd& file, const std::string& value) {
    return file && ::pwrite(file.get(), value.data(), value.size(), 0) ==
                       static_cast<ssize_t>(value.size());
}

bool write_at(int directory, const char* file, const std::string& value) {
    return write_to(Fd(::openat(directory, file, O_WRONLY | O_CLOEXEC)), value);
}

/// The number behind `key` at the start of a line; without a key, the first one of all.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!key.empty() &&
            !(line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' '))
            continue;
        const char* const end = line.data() + line.size();
        std::uint64_t value = 0;
        if (std::from_chars(line.data() + (key.empty() ? 0 : key.size() + 1), end, value).ec ==
            std::errc())
            return value;
    }
    return std::nullopt;
}

Fd open_directory(const std::string& path) {
    return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

void make_directory(int parent, const std::string& name) {
    if (::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) {
        throw SysError(errno, "make the control group " + name);
    }
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
    return words;
}

/// Our own v2 group, as /proc/self/cgroup names it.
std::string own_v2_group() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return "/";
}

bool is_delegated(const std::string& path) {
    // systemd marks a group of a unit with Delegate= (systemd.resource-control(5), since 251).
    char value[8];
    for (const char* name : {"trusted.delegate", "user.delegate"}) {
        if (::getxattr(path.c_str(), name, value, sizeof value) == 1 && value[0] == '1')
            return true;
    }
    return false;
}

/// Of a v1 group. One that cannot be looked at, for want of descriptors, say, is not empty.
bool lists_nobody(int directory) {
    const Fd fd(::openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC));
    char byte = 0;
    return fd && ::read(fd.get(), &byte, 1) == 0;
}

bool kill_listed(int directory) {
    std::string text = read_at(directory, "cgroup.procs");
    // A list longer than one read may end within a number, and half a number is somebody else's.
    text.resize(text.rfind('\n') + 1);
    std::istringstream lines(text);
    bool any = false;
    for (pid_t pid = 0; lines >> pid;) {
        if (pid > 0) any = ::kill(pid, SIGKILL) == 0 || any;
    }
    return any;
}

/// Where who has these lines in /proc/PID/cgroup is. The root is the host's, /.. is beyond us.
std::string path_in(const Hierarchy& hierarchy, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        const std::vector<std::string> parts = split(line, ':');
        if (parts.size() != 3 || parts[2].size() < 2 || parts[2].find("..") != std::string::npos)
            continue;
        const std::vector<std::string> names = split(parts[1], ',');
        const bool found = std::any_of(kNames.begin(), kNames.end(), [&](const auto& entry) {
            return hierarchy.has(entry.controller) && std::ranges::count(names, entry.name) > 0;
        });
        if (hierarchy.v2 ? parts[0] == "0" : found) return parts[2];
    }
    throw SysError(ENOENT, "find a container's control group");
}

} // namespace

bool Hierarchy::has(Controller controller) const {
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

std::string CgroupLayout::kind() const {
    const bool any_v1 = std::any_of(hierarchies.begin(), hierarchies.end(),
                                    [](const Hierarchy& h) { return !h.v2; });
    const bool any_v2 = std::any_of(hierarchies.begin(), hierarchies.end(),
                                    [](const Hierarchy& h) { return h.v2; });
    return any_v1 ? (any_v2 ? "hybrid" : "v1") : "v2";
}

CgroupLayout find_cgroups() {
    CgroupLayout layout;
    Hierarchy tree;
    std::vector<Hierarchy> v1;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        const std::vector<std::string> before = split(line.substr(0, dash), ' ');
        const std::vector<std::string> after = split(line.substr(dash + 3), ' ');
        if (before.size() < 5 || after.size() < 3) continue;
        const std::string& root = before[3];
        const std::string& place = before[4];
        if (after[0] == "cgroup2" && tree.path.empty()) {
            tree.v2 = true;
            std::string own = own_v2_group();
            if (root != "/" && own.starts_with(root)) own = own.substr(root.size());
            layout.delegated = own != "/" && is_delegated(place + own);
            tree.path = layout.delegated ? place + own : place;
            tree.mount = place;
            tree.controllers.push_back(Controller::core);
            const Fd directory = open_directory(tree.path);
            const std::vector<std::string> offered =
                split(read_at(directory.get(), "cgroup.controllers"), ' ');
            for (const ControllerName& entry : kNames) {
                const bool found =
                    std::any_of(offered.begin(), offered.end(), [&](const std::string& name) {
                        return name.substr(0, name.find('\n')) == entry.name;
                    });
                if (found) tree.controllers.push_back(entry.controller);
            }
        } else if (after[0] == "cgroup") {
            Hierarchy hierarchy;
            hierarchy.path = place;
            hierarchy.mount = place;
            for (const std::string& option : split(after[2], ',')) {
                for (const ControllerName& entry : kNames) {
                    if (option == entry.name) hierarchy.controllers.push_back(entry.controller);
                }
            }
            const bool known = std::any_of(v1.begin(), v1.end(), [&](const Hierarchy& other) {
                return other.controllers == hierarchy.controllers;
            });
            if (!hierarchy.controllers.empty() && !known) v1.push_back(std::move(hierarchy));
        }
    }

    // CPU time comes from the v2 tree's cpu.stat wherever there is a tree, with or without
    // controllers, and so do kill and emptiness; only a pure v1 host needs cpuacct and freezer.
    const bool has_tree = !tree.path.empty();
    const auto wanted = [&](Controller controller) {
        const bool only_v1 = controller == Controller::cpuacct || controller == Controller::freezer;
        return only_v1 ? !has_tree : !tree.has(controller);
    };
    for (Hierarchy& hierarchy : v1) {
        std::erase_if(hierarchy.controllers,
                      [&](Controller controller) { return !wanted(controller); });
        if (!hierarchy.controllers.empty()) layout.hierarchies.push_back(std::move(hierarchy));
    }
    if (has_tree) layout.hierarchies.insert(layout.hierarchies.begin(), std::move(tree));

    for (const ControllerName& entry : kNames) {
        const bool only_v1 =
            entry.controller == Controller::cpuacct || entry.controller == Controller::freezer;
        const bool found = std::any_of(layout.hierarchies.begin(), layout.hierarchies.end(),
                                       [&](const Hierarchy& h) { return h.has(entry.controller); });
        if (!found && !(only_v1 && has_tree)) {
            throw std::runtime_error(
                std::string("no control group hierarchy offers the '") + entry.name +
                "' controller (see /proc/cgroups and the mounts below /sys/fs/cgroup)");
        }
    }
    return layout;
}

CgroupTree::CgroupTree(CgroupLayout layout, std::string name)
    : layout_(std::move(layout)), name_(std::move(name)) {
    for (const Hierarchy& hierarchy : layout_.hierarchies) {
        const Fd base = open_directory(hierarchy.path);
        if (!base) throw SysError(errno, "open " + hierarchy.path);
        make_directory(base.get(), kFolder);
        const std::string folder = hierarchy.path + "/" + kFolder;
        const Fd ours = open_directory(folder);
        if (!ours) throw SysError(errno, "open " + folder);
        make_directory(ours.get(), name_);
        Fd directory = open_directory(folder + "/" + name_);
        if (!directory) throw SysError(errno, "open " + folder + "/" + name_);
        if (hierarchy.v2) {
            // A group with processes may not have controllers below it, so we move first. And a
            // child is killed at birth when its parent's group was killed more often than the
            // target: a fresh group never was.
            own_group_ = own_v2_group();
            make_directory(directory.get(), kKeeperGroup);
            const Fd keeper(
                check(::openat(directory.get(), kKeeperGroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                      "open our group"));
            if (!write_at(keeper.get(), "cgroup.procs", "0"))
                throw SysError(errno, "enter our control group");
            for (const ControllerName& entry : kNames) {
                if (!hierarchy.has(entry.controller)) continue;
                for (const int level : {base.get(), ours.get(), directory.get()}) {
                    if (!write_at(level, "cgroup.subtree_control", std::string("+") + entry.name)) {
                        throw SysError(errno, std::string("enable the ") + entry.name +
                                                  " controller below " + hierarchy.path);
                    }
                }
            }
        }
        directories_.push_back(std::move(directory));
    }
}

CgroupTree::~CgroupTree() {
    for (std::size_t i = 0; i < directories_.size(); ++i) {
        const Hierarchy& hierarchy = layout_.hierarchies[i];
        if (hierarchy.v2) {
            // Back to where we came from. In a delegated group that takes that nobody below it has
            // controllers any more, from the lowest level up; who stayed behind would not find the
            // delegated group again.
            if (layout_.delegated) {
                const Fd ours = open_directory(hierarchy.path + "/" + kFolder);
                const Fd base = open_directory(hierarchy.path);
                for (const int level : {directories_[i].get(), ours.get(), base.get()}) {
                    for (const ControllerName& entry : kNames) {
                        if (hierarchy.has(entry.controller))
                            (void)write_at(level, "cgroup.subtree_control",
                                           std::string("-") + entry.name);
                    }
                }
            }
            const std::string from =
                layout_.delegated ? std::string() : hierarchy.path + own_group_;
            const Fd directory = open_directory(from.empty() ? hierarchy.path : from);
            if (directory) (void)write_at(directory.get(), "cgroup.procs", "0");
            (void)::unlinkat(directories_[i].get(), kKeeperGroup, AT_REMOVEDIR);
        }
        directories_[i].reset();
        const std::string folder = hierarchy.path + "/" + kFolder;
        // Fails, rightly, while anything is inside; the next start sweeps it.
        (void)::rmdir((folder + "/" + name_).c_str());
        (void)::rmdir(folder.c_str());
    }
}

Cgroup CgroupTree::make(const std::string& name, const Limits& limits) {
    Cgroup made;
    made.groups_.reserve(directories_.size());
    try {
        for (std::size_t i = 0; i < directories_.size(); ++i) {
            const Hierarchy& hierarchy = layout_.hierarchies[i];
            const int parent = directories_[i].get();
            check(::mkdirat(parent, name.c_str(), 0755), "make the control group " + name);
            Cgroup::Group& group =
                made.groups_.emplace_back(Cgroup::Group{&hierarchy, parent, name, {}, {}, {}});
            group.directory = Fd(check(
                ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                "open " + name));
            if (hierarchy.v2) {
                made.clone_fd_ = group.directory.get();
            } else {
                group.tasks = Fd(check(
                    ::openat(group.directory.get(), "tasks", O_WRONLY | O_CLOEXEC), "open tasks"));
                made.join_fds_.push_back(group.tasks.get());
            }
            if (!hierarchy.v2 && hierarchy.has(Controller::memory)) made.watch_memory(group);
        }
        made.write(limits, false);
    } catch (...) {
        (void)made.remove();
        throw;
    }
    return made;
}

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
    const std::vector<std::string> lines = split(read_at(AT_FDCWD, file.c_str()), '\n');
    Cgroup adopted;
    adopted.groups_.reserve(layout.hierarchies.size());
    for (const Hierarchy& hierarchy : layout.hierarchies) {
        const std::string path = path_in(hierarchy, lines);
        Group& group = adopted.groups_.emplace_back(Group{&hierarchy, -1, path, {}, {}, {}});
        group.directory = open_directory(hierarchy.mount + path);
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
        if (!group.name.empty()) (void)kill_listed(group.directory.get());
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

int sweep_cgroups(const CgroupLayout& layout, const std::string& name) {
    int swept = 0;
    for (const Hierarchy& hierarchy : layout.hierarchies) {
        const std::string path = hierarchy.path + "/" + kFolder + "/" + name;
        const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
        if (!folder) continue;
        std::vector<std::string> groups;
        while (const dirent* entry = ::readdir(folder.get())) {
            if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                groups.emplace_back(entry->d_name);
        }
        for (const std::string& group : groups) {
            const Fd directory = open_directory(path + "/" + group);
            if (!directory) continue;
            if (!hierarchy.v2 || !write_at(directory.get(), "cgroup.kill", "1"))
                (void)kill_listed(directory.get());
            // What was alive needs a moment to be gone; what cannot be removed is met again next
            // time.
            for (int attempt = 0; attempt < 100; ++attempt) {
                if (::rmdir((path + "/" + group).c_str()) == 0) {
                    ++swept;
                    break;
                }
                if (errno != EBUSY) break;
                const timespec moment{.tv_sec = 0, .tv_nsec = 5'000'000};
                (void)::nanosleep(&moment, nullptr);
            }
        }
        (void)::rmdir(path.c_str());
    }
    return swept;
}

} // namespace cloister::isolate
