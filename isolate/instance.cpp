// Locks, sweeping and the private place for work mounts.
#include "isolate/instance.h"

#include "isolate/weaken.h"

#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace cloister::isolate {
namespace {

constexpr const char* kRunFolder = "/run/cloister";
/// Empty on the host; a tmpfs inside our own mount namespace.
constexpr const char* kWorkFolder = "/run/cloister/work";

std::string name_of_instance(unsigned number) { return "instance-" + std::to_string(number); }

void make_own_folder(const char* path, mode_t mode) {
    if (::mkdir(path, mode) != 0 && errno != EEXIST)
        throw SysError(errno, std::string("make ") + path);
    struct stat info {};
    check(::lstat(path, &info), path);
    if (!S_ISDIR(info.st_mode) || info.st_uid != 0)
        throw std::runtime_error(std::string(path) + " is not root's own folder");
}

std::string size_options(std::uint64_t bytes, std::uint32_t files) {
    return "size=" + std::to_string(bytes) + ",nr_inodes=" + std::to_string(files);
}

/// The lock of that number, or nothing when a living instance holds it.
Fd try_lock(unsigned number) {
    const std::string path = std::string(kRunFolder) + "/" + name_of_instance(number);
    Fd lock(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600),
                  "open " + path));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) throw SysError(errno, "lock " + path);
    return {};
}

/// What is mounted from here on is seen by nobody else, and is gone with this process.
void mount_work_folder(const std::string& path) {
    check(::unshare(CLONE_NEWNS), "own mount namespace");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts");
    check(::mount("cloister-work", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "size=64k,mode=700"),
          "mount the work folder");
}

} // namespace

Work::~Work() {
    if (path_.empty()) return;
    // Lazily: a box that still shows it keeps its own copy until it is gone.
    (void)::umount2(path_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    (void)::rmdir(path_.c_str());
}

Work& Work::operator=(Work&& other) noexcept {
    if (this != &other) {
        const Work old(std::move(*this));
        path_ = std::exchange(other.path_, {});
    }
    return *this;
}

Fd Work::show(View view) const {
    Fd tree(check(::open_tree(AT_FDCWD, path_.c_str(),
                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW),
                  "show work"));
    // Programs run from the finished work only, never from one that a box can still write.
    mount_attr attributes{.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                          .attr_clr = 0,
                          .propagation = MS_PRIVATE,
                          .userns_fd = 0};
    if (view == View::writable && !weakened(Layer::no_exec))
        attributes.attr_set |= MOUNT_ATTR_NOEXEC;
    if (view == View::read_only && !weakened(Layer::read_only_binds))
        attributes.attr_set |= MOUNT_ATTR_RDONLY;
    if (view != View::writable) attributes.attr_clr |= MOUNT_ATTR_NOEXEC;
    check(::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes),
          "lock work");
    return tree;
}

void Work::resize(std::uint64_t bytes, std::uint32_t files) {
    check(::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV,
                  size_options(bytes, files).c_str()),
          "resize work");
}

std::uint64_t Work::bytes() const {
    struct statfs info {};
    if (::statfs(path_.c_str(), &info) != 0) return 0;
    return (info.f_blocks - info.f_bfree) * static_cast<std::uint64_t>(info.f_bsize);
}

Instance::Instance() : work_folder_(kWorkFolder) {
    make_own_folder(kRunFolder, 0755);
    make_own_folder(kWorkFolder, 0700);
    const CgroupLayout layout = find_cgroups();
    for (unsigned number = 0; number < kMaxInstances; ++number) {
        Fd lock = try_lock(number);
        if (!lock) continue;
        swept_ += sweep_cgroups(layout, name_of_instance(number));
        if (!lock_) {
            lock_ = std::move(lock);
            number_ = number;
        }
    }
    if (!lock_) throw std::runtime_error("64 instances of Cloister run on this host already");
    cgroups_ = std::make_unique<CgroupTree>(layout, name_of_instance(number_));
    mount_work_folder(work_folder_);
}

Instance::Instance(Means means, const std::string& folder)
    : means_(means), work_folder_(folder + "/work") {
    if (::mkdir(work_folder_.c_str(), 0700) != 0 && errno != EEXIST)
        throw SysError(errno, "make " + work_folder_);
    mount_work_folder(work_folder_);
}

Work Instance::make_work(const std::string& name, Owner owner, std::uint64_t bytes,
                         std::uint32_t files) {
    const std::string path = work_folder_ + "/" + name;
    check(::mkdir(path.c_str(), 0755), "make " + path);
    const std::string options = size_options(bytes, files) +
                                ",mode=755,uid=" + std::to_string(owner.user) +
                                ",gid=" + std::to_string(owner.group);
    if (::mount("cloister-work", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) !=
        0) {
        const int error = errno;
        (void)::rmdir(path.c_str());
        throw SysError(error, "mount " + path);
    }
    return Work(path);
}

} // namespace cloister::isolate
