// Reads /proc/self/mountinfo and /proc/self/cgroup.
#include "isolate/cgroup_layout.h"

#include "isolate/cgroup_files.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/xattr.h>

namespace cloister::isolate {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
    return words;
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

/// The v2 tree that is mounted at `place`, where its group `root` is seen.
Hierarchy v2_tree(const std::string& root, const std::string& place, bool& delegated) {
    std::string own = own_v2_group();
    if (root != "/" && own.starts_with(root)) own = own.substr(root.size());
    delegated = own != "/" && is_delegated(place + own);
    Hierarchy tree{.v2 = true,
                   .path = delegated ? place + own : place,
                   .mount = place,
                   .controllers = {Controller::core}};
    const Fd directory = open_group(tree.path);
    std::istringstream words(read_at(directory.get(), "cgroup.controllers"));
    std::vector<std::string> offered;
    for (std::string word; words >> word;) offered.push_back(word);
    for (const ControllerName& entry : kControllerNames) {
        if (std::ranges::count(offered, entry.name) > 0)
            tree.controllers.push_back(entry.controller);
    }
    return tree;
}

/// A v1 hierarchy that is mounted at `place` with these options; maybe none of ours.
Hierarchy v1_hierarchy(const std::string& place, const std::string& options) {
    Hierarchy hierarchy{.path = place, .mount = place};
    for (const std::string& option : split(options, ',')) {
        for (const ControllerName& entry : kControllerNames) {
            if (option == entry.name) hierarchy.controllers.push_back(entry.controller);
        }
    }
    return hierarchy;
}

/// CPU time comes from the v2 tree's cpu.stat wherever there is a tree, with or without
/// controllers, and so do kill and emptiness.
bool only_without_tree(Controller controller) {
    return controller == Controller::cpuacct || controller == Controller::freezer;
}

} // namespace

std::string own_v2_group() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return "/";
}

std::string group_in(const Hierarchy& hierarchy, const std::string& text) {
    for (const std::string& line : split(text, '\n')) {
        const std::vector<std::string> parts = split(line, ':');
        if (parts.size() != 3 || parts[2].size() < 2 || parts[2].find("..") != std::string::npos)
            continue;
        const std::vector<std::string> names = split(parts[1], ',');
        const bool found =
            std::any_of(kControllerNames.begin(), kControllerNames.end(), [&](const auto& entry) {
                return hierarchy.has(entry.controller) && std::ranges::count(names, entry.name) > 0;
            });
        if (hierarchy.v2 ? parts[0] == "0" : found) return parts[2];
    }
    throw SysError(ENOENT, "find a container's control group");
}

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
        if (after[0] == "cgroup2" && tree.path.empty()) {
            tree = v2_tree(before[3], before[4], layout.delegated);
        } else if (after[0] == "cgroup") {
            Hierarchy hierarchy = v1_hierarchy(before[4], after[2]);
            const bool known = std::ranges::any_of(v1, [&](const Hierarchy& other) {
                return other.controllers == hierarchy.controllers;
            });
            if (!hierarchy.controllers.empty() && !known) v1.push_back(std::move(hierarchy));
        }
    }

    const bool has_tree = !tree.path.empty();
    for (Hierarchy& hierarchy : v1) {
        std::erase_if(hierarchy.controllers, [&](Controller controller) {
            return only_without_tree(controller) ? has_tree : tree.has(controller);
        });
        if (!hierarchy.controllers.empty()) layout.hierarchies.push_back(std::move(hierarchy));
    }
    if (has_tree) layout.hierarchies.insert(layout.hierarchies.begin(), std::move(tree));

    for (const ControllerName& entry : kControllerNames) {
        const bool found = std::ranges::any_of(
            layout.hierarchies, [&](const Hierarchy& h) { return h.has(entry.controller); });
        if (!found && !(only_without_tree(entry.controller) && has_tree)) {
            throw std::runtime_error(
                std::string("no control group hierarchy offers the '") + entry.name +
                "' controller (see /proc/cgroups and the mounts below /sys/fs/cgroup)");
        }
    }
    return layout;
}

} // namespace cloister::isolate
