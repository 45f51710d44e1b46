// Making and removing an instance's directory and the groups in it.
#include "isolate/cgroup_tree.h"

#include "isolate/cgroup_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace cloister::isolate {
namespace {

constexpr const char* kFolder = "cloister";
constexpr const char* kKeeperGroup = "keeper";

} // namespace

CgroupTree::CgroupTree(CgroupLayout layout, std::string name)
    : layout_(std::move(layout)), name_(std::move(name)) {
    for (const Hierarchy& hierarchy : layout_.hierarchies) {
        const Fd base = open_group(hierarchy.path);
        if (!base) throw SysError(errno, "open " + hierarchy.path);
        make_group(base.get(), kFolder);
        const std::string folder = hierarchy.path + "/" + kFolder;
        const Fd ours = open_group(folder);
        if (!ours) throw SysError(errno, "open " + folder);
        make_group(ours.get(), name_);
        Fd directory = open_group(folder + "/" + name_);
        if (!directory) throw SysError(errno, "open " + folder + "/" + name_);
        if (hierarchy.v2) {
            // A group with processes may not have controllers below it, so we move first. And a
            // child is killed at birth when its parent's group was killed more often than the
            // target: a fresh group never was.
            own_group_ = own_v2_group();
            make_group(directory.get(), kKeeperGroup);
            const Fd keeper(
                check(::openat(directory.get(), kKeeperGroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                      "open our group"));
            if (!write_at(keeper.get(), "cgroup.procs", "0"))
                throw SysError(errno, "enter our control group");
            for (const ControllerName& entry : kControllerNames) {
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
                const Fd ours = open_group(hierarchy.path + "/" + kFolder);
                const Fd base = open_group(hierarchy.path);
                for (const int level : {directories_[i].get(), ours.get(), base.get()}) {
                    for (const ControllerName& entry : kControllerNames) {
                        if (hierarchy.has(entry.controller))
                            (void)write_at(level, "cgroup.subtree_control",
                                           std::string("-") + entry.name);
                    }
                }
            }
            const std::string from =
                layout_.delegated ? std::string() : hierarchy.path + own_group_;
            const Fd directory = open_group(from.empty() ? hierarchy.path : from);
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
            const Fd directory = open_group(path + "/" + group);
            if (!directory) continue;
            if (!hierarchy.v2 || !write_at(directory.get(), "cgroup.kill", "1"))
                kill_listed(directory.get());
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
