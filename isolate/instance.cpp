// Locks, sweeping and the private place for work mounts.
#include "isolate/instance.h"

#include "isolate/weaken.h"

#include <fcntl.h>
#include <filesystem>
#include <fts.h>
#include <sched.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

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

/// Follows no link, leaves no file system, and needs no memory for depth; what its owner has no
/// right to look into gets that right first.
void remove_tree(const std::string& path) {
    std::string root = path;
    char* const roots[] = {root.data(), nullptr};
    FTS* const walk = ::fts_open(roots, FTS_PHYSICAL | FTS_XDEV, nullptr);
    if (walk == nullptr) return;
    while (const FTSENT* const entry = ::fts_read(walk)) {
        if (entry->fts_info == FTS_D)
            (void)!::fchmodat(AT_FDCWD, entry->fts_accpath, 0700, AT_SYMLINK_NOFOLLOW);
        else if (entry->fts_info == FTS_DP) (void)::rmdir(entry->fts_accpath);
        else (void)::unlink(entry->fts_accpath);
    }
    (void)::fts_close(walk);
}

void remove_in_time(const std::string& path) {
    // A program may have left more than this thread has time for, as deep as it could.
    const pid_t helper = ::fork();
    if (helper < 0) return; // met by the next start's sweep
    if (helper == 0) {
        (void)::close_range(3, ~0U, 0); // streams and sockets must end with their owners
        if (::fork() == 0) {
            (void)::setsid();
            remove_tree(path);
        }
        ::_exit(0);
    }
    while (::waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {}
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
    if (means_ == Means::fence) {
        remove_in_time(path_);
        return;
    }
    // Lazily: a box that still shows it keeps its own copy until it is gone.
    (void)::umount2(path_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    (void)::rmdir(path_.c_str());
}

Work& Work::operator=(Work&& other) noexcept {
    if (this != &other) {
        const Work old(std::move(*this));
        path_ = std::exchange(other.path_, {});
        means_ = other.means_;
    }
    return *this;
}

Fd Work::tmp() const {
    const std::string path = path_ + "/tmp";
    return Fd(check(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path));
}

void Work::lead_to(const Work& artifact) const {
    check(::symlink((artifact.path_ + "/box").c_str(), (path_ + "/app").c_str()), "show work");
}

void Work::drop_tmp() const {
    const std::string gone = path_ + "/gone";
    if (::rename((path_ + "/tmp").c_str(), gone.c_str()) == 0) remove_in_time(gone);
}

Fd Work::show(View view) const {
    if (means_ == Means::fence) {
        const std::string box = path_ + "/box";
        return Fd(check(::open(box.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), box));
    }
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
    if (means_ == Means::fence) return;
    check(::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV,
                  size_options(bytes, files).c_str()),
          "resize work");
}

std::uint64_t Work::bytes() const {
    if (means_ == Means::fence) {
        constexpr int kDeepest = 32;
        constexpr int kMostFiles = 16 * 1024; // whatever else a compiler left is not worth the time
        std::uint64_t sum = 0;
        int count = 0;
        std::error_code error;
        for (std::filesystem::recursive_directory_iterator file(path_ + "/box", error), end;
             !error && file != end && ++count < kMostFiles; file.increment(error)) {
            struct stat info {};
            if (file.depth() >= kDeepest) file.disable_recursion_pending();
            if (::lstat(file->path().c_str(), &info) == 0)
                sum += static_cast<std::uint64_t>(info.st_blocks) * 512;
        }
        return sum;
    }
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
    : means_(means), work_folder_(std::filesystem::absolute(folder).string() + "/work") {
    if (::mkdir(work_folder_.c_str(), 0700) != 0 && errno != EEXIST)
        throw SysError(errno, "make " + work_folder_);
    if (means == Means::user_namespace) {
        mount_work_folder(work_folder_);
        return;
    }
    std::error_code error;
    std::vector<std::string> left;
    for (const auto& entry : std::filesystem::directory_iterator(work_folder_, error))
        left.push_back(entry.path().string());
    for (const std::string& path : left) remove_in_time(path);
}

Work Instance::make_work(const std::string& name, Owner owner, std::uint64_t bytes,
                         std::uint32_t files) {
    const std::string path = work_folder_ + "/" + name;
    if (means_ == Means::fence) {
        check(::mkdir(path.c_str(), 0700), "make " + path);
        Work made(path, means_);
        for (const char* folder : {"/box", "/tmp"})
            check(::mkdir((path + folder).c_str(), 0700), "make " + path + folder);
        return made;
    }
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
