// Builds the template in a forked helper, so that a failure half way leaves the keeper's own
// namespace as it was. Nothing here sees anything of a client's: all paths are the operator's.
#include "isolate/root_template.h"

#include "isolate/weaken.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace cloister::isolate {
namespace {

constexpr std::array kDevices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                 "/dev/urandom"};
constexpr std::array kFolders = {"/etc", "/dev", "/dev/shm", "/proc",
                                 "/tmp", "/box", "/app",     "/kit"};
const std::array kDeviceLinks = {
    MountPlan::Link{"/dev/fd", "/proc/self/fd"},
    MountPlan::Link{"/dev/stdin", "/proc/self/fd/0"},
    MountPlan::Link{"/dev/stdout", "/proc/self/fd/1"},
    MountPlan::Link{"/dev/stderr", "/proc/self/fd/2"},
};

/// What the helper tells: 0 and nothing, or errno and the act that failed.
struct BuildReport {
    int error = 0;
    char act[252] = {};
};

void make_folders(const std::string& path, bool with_last) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        if (end == std::string::npos && !with_last) return;
        const std::string folder = "." + path.substr(0, end);
        if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
            throw SysError(errno, "make " + folder);
        if (end == std::string::npos) return;
    }
}

Fd grab(const std::string& path) {
    // Not recursive: what is mounted beneath a shown folder is somebody else's.
    return Fd(check(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                    "show " + path));
}

void attach(const Fd& tree, const std::string& path, std::uint64_t flags) {
    struct stat info {};
    check(::fstat(tree.get(), &info), "look at " + path);
    const std::string place = "." + path;
    make_folders(path, S_ISDIR(info.st_mode));
    if (!S_ISDIR(info.st_mode)) {
        const Fd file(::open(place.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444));
        if (!file) throw SysError(errno, "make " + place);
    }
    mount_attr attributes{
        .attr_set = flags, .attr_clr = 0, .propagation = MS_PRIVATE, .userns_fd = 0};
    if (weakened(Layer::read_only_binds)) attributes.attr_set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
    check(::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes),
          "lock " + path);
    check(::move_mount(tree.get(), "", AT_FDCWD, place.c_str(), MOVE_MOUNT_F_EMPTY_PATH),
          "place " + path);
}

void write_file(const MountPlan::File& file) {
    make_folders(file.path, false);
    const std::string place = "." + file.path;
    const int fd =
        ::open(place.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (fd < 0 && errno == EEXIST && weakened(Layer::private_root)) return;
    const Fd owner(check(fd, "make " + place));
    if (::write(fd, file.content.data(), file.content.size()) !=
        static_cast<ssize_t>(file.content.size())) {
        throw SysError(errno, "write " + place);
    }
}

void build(const MountPlan& plan) {
    check(::unshare(CLONE_NEWNS), "own mount namespace");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts");
    std::vector<Fd> trees;
    for (const MountPlan::Bind& bind : plan.binds) trees.push_back(grab(bind.source));
    std::vector<Fd> devices;
    devices.reserve(kDevices.size());
    for (const char* path : kDevices) devices.push_back(grab(path));

    // /proc exists everywhere and nothing is shown from it: a place to stand on for a moment.
    check(::mount("cloister", "/proc", "tmpfs", MS_NOSUID | MS_NODEV,
                  "size=1m,nr_inodes=1024,mode=755"),
          "new root");
    check(::chdir("/proc"), "enter the new root");
    for (const char* path : kFolders) make_folders(path, true);
    for (std::size_t i = 0; i < trees.size(); ++i) {
        attach(trees[i], plan.binds[i].target,
               MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }
    for (std::size_t i = 0; i < devices.size(); ++i) {
        attach(devices[i], kDevices[i], MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    }
    const auto link = [](const MountPlan::Link& entry) {
        make_folders(entry.path, false);
        check(::symlink(entry.target.c_str(), ("." + entry.path).c_str()), "link " + entry.path);
    };
    for (const MountPlan::Link& entry : plan.links) link(entry);
    for (const MountPlan::Link& entry : kDeviceLinks) link(entry);
    for (const MountPlan::File& file : plan.files) write_file(file);

    check(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(::umount2(".", MNT_DETACH), "leave the host's root");
    check(::chdir("/"), "enter the root");
    mount_attr locked{.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                      .attr_clr = 0,
                      .propagation = 0,
                      .userns_fd = 0};
    if (!weakened(Layer::read_only_binds))
        check(::mount_setattr(AT_FDCWD, "/", 0, &locked, sizeof locked), "lock the root");
}

} // namespace

RootTemplate::RootTemplate(const MountPlan& plan, Means means) {
    if (means == Means::fence) {
        for (const MountPlan::Bind& bind : plan.binds) {
            if (bind.source != bind.target)
                throw SysError(EXDEV, "show " + bind.source + " at " + bind.target);
            shown_.emplace_back(
                check(::open(bind.source.c_str(), O_PATH | O_CLOEXEC), "show " + bind.source));
            numbers_.push_back(shown_.back().get());
        }
        return;
    }
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "pipe to a root builder");
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t builder = check(::fork(), "start a root builder");
    if (builder == 0) {
        ours.reset();
        BuildReport report;
        try {
            build(plan);
        } catch (const std::system_error& error) {
            report.error = error.code().value();
            std::strncpy(report.act, error.what(), sizeof report.act - 1);
        } catch (...) {
            report.error = ENOMEM;
        }
        char byte = 0;
        (void)!::write(theirs.get(), &report, sizeof report);
        (void)!::read(theirs.get(), &byte, sizeof byte); // until the keeper holds the namespace, or
                                                         // is gone
        ::_exit(0);
    }
    theirs.reset();
    BuildReport report;
    const ssize_t size = ::read(ours.get(), &report, sizeof report);
    int error = size == sizeof report ? report.error : EPIPE;
    report.act[sizeof report.act - 1] = '\0';
    if (error == 0) {
        const std::string path = "/proc/" + std::to_string(builder) + "/ns/mnt";
        namespace_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!namespace_) error = errno;
    }
    ours.reset();
    while (::waitpid(builder, nullptr, 0) < 0 && errno == EINTR) {}
    // what() of the builder's error already ends in the errno's text.
    std::string act(report.act);
    if (const auto cut = act.rfind(": "); cut != std::string::npos) act.resize(cut);
    if (error != 0) throw SysError(error, act.empty() ? "make a box's root" : act);
}

std::vector<MountPlan::File> generated_etc(uid_t first_id, std::uint32_t count) {
    std::string passwd = "root:x:0:0:root:/:/usr/sbin/nologin\n";
    std::string group = "root:x:0:\n";
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string id = std::to_string(first_id + 2 * i);
        const std::string name = "box" + std::to_string(i);
        passwd.append(name).append(":x:").append(id).append(":").append(id).append(
            "::/tmp:/usr/sbin/nologin\n");
        group.append(name).append(":x:").append(id).append(":\n");
    }
    passwd += "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
    group += "nogroup:x:65534:\n";
    return {
        {.path = "/etc/passwd", .content = std::move(passwd)},
        {.path = "/etc/group", .content = std::move(group)},
        {.path = "/etc/hosts", .content = "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n"},
        {.path = "/etc/nsswitch.conf", .content = "passwd: files\ngroup: files\nhosts: files\n"}};
}

} // namespace cloister::isolate
