// Walks each path as the kernel would and notes the links and the final object.
#include "isolate/mount_plan.h"

#include "isolate/fd.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <glob.h>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>

namespace cloister::isolate {
namespace {

constexpr int kMaxLinks = 40; // as the kernel: fs/namei.c, MAXSYMLINKS

std::vector<std::string> expand(const std::string& pattern) {
    glob_t found{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread, and patterns without ~ or locale
    const int result = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
    const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&found, &::globfree);
    if (result == GLOB_NOMATCH) throw SysError(ENOENT, pattern);
    if (result != 0) throw SysError(EIO, pattern);
    return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start < path.size()) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        std::string part = path.substr(start, end - start);
        start = end + 1;
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(std::move(part));
        } else if (!parts.empty()) {
            parts.pop_back();
        }
    }
    return parts;
}

class Planner {
public:
    void show(const std::string& path, int links = 0) {
        if (links > kMaxLinks) throw SysError(ELOOP, path);
        const std::vector<std::string> parts = parts_of(path);
        std::string prefix;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::string here = prefix + "/" + parts[i];
            struct stat info {};
            check(::lstat(here.c_str(), &info), here);
            if (S_ISLNK(info.st_mode)) {
                char target[PATH_MAX];
                const ssize_t size = check(::readlink(here.c_str(), target, sizeof target), here);
                const std::string to(target, static_cast<std::size_t>(size));
                add({.path = here, .target = to});
                std::string next = to.starts_with('/') ? to : prefix + "/" + to;
                for (std::size_t rest = i + 1; rest < parts.size(); ++rest)
                    next += "/" + parts[rest];
                return show(next, links + 1);
            }
            prefix = here;
        }
        if (prefix.empty()) throw std::runtime_error("a box never shows the host's whole root");
        plan_.binds.push_back({.source = prefix, .target = prefix});
    }

    void show_at(const std::string& source, const std::string& target) {
        const std::unique_ptr<char, decltype(&std::free)> real(::realpath(source.c_str(), nullptr),
                                                               &std::free);
        if (!real) throw SysError(errno, source);
        std::string place;
        for (const std::string& part : parts_of(target)) place += "/" + part;
        if (place.empty())
            throw std::runtime_error("nothing can be shown in place of a box's root");
        plan_.binds.push_back({.source = real.get(), .target = place});
    }

    void add(MountPlan::Link link) {
        if (std::find(plan_.links.begin(), plan_.links.end(), link) == plan_.links.end()) {
            plan_.links.push_back(std::move(link));
        }
    }

    /// Drops what a bound folder shows anyhow.
    MountPlan finish() {
        std::vector<MountPlan::Bind> kept;
        std::sort(plan_.binds.begin(), plan_.binds.end(),
                  [](const auto& a, const auto& b) { return a.target < b.target; });
        for (MountPlan::Bind& bind : plan_.binds) {
            if (!is_within(bind.target, kept)) kept.push_back(std::move(bind));
        }
        plan_.binds = std::move(kept);
        std::erase_if(plan_.links,
                      [&](const auto& link) { return is_within(link.path, plan_.binds); });
        return std::move(plan_);
    }

private:
    static bool is_within(const std::string& path, const std::vector<MountPlan::Bind>& folders) {
        return std::any_of(folders.begin(), folders.end(), [&](const MountPlan::Bind& folder) {
            return path == folder.target || path.starts_with(folder.target + "/");
        });
    }

    MountPlan plan_;
};

} // namespace

MountPlan plan_mounts(const std::vector<std::string>& paths) {
    Planner planner;
    // The dynamic loader is named by /lib64/…, the libraries by /lib/…: on a merged-/usr host both
    // are links, and every box needs them.
    for (const char* name : {"/lib", "/lib64"}) {
        char target[PATH_MAX];
        const ssize_t size = ::readlink(name, target, sizeof target);
        if (size > 0)
            planner.add(
                {.path = name, .target = std::string(target, static_cast<std::size_t>(size))});
    }
    for (const std::string& entry : paths) {
        const bool may_be_absent = entry.starts_with('?');
        const std::string path = may_be_absent ? entry.substr(1) : entry;
        if (!path.starts_with('/'))
            throw std::runtime_error("not an absolute path: '" + path + "'");
        try {
            constexpr std::string_view kAt = " => ";
            if (const auto at = path.find(kAt); at != std::string::npos) {
                planner.show_at(path.substr(0, at), path.substr(at + kAt.size()));
                continue;
            }
            for (const std::string& match : expand(path)) planner.show(match);
        } catch (const SysError& error) {
            if (!may_be_absent || error.code().value() != ENOENT) throw;
        }
    }
    if (weakened(Layer::private_root)) {
        for (const char* path : {"/etc", "/root", "/home", "/var", "/run", "/sys"})
            planner.show(path);
    }
    return planner.finish();
}

} // namespace cloister::isolate
