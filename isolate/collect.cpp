// Reading back what a program left, without trusting a thing about it. Root opens none of these
// paths, nor any process that sees the host's files: this is the box's init, nobody by now, in the
// box's own mounts. It sees files as the program's user (setfsuid(2) is made for that: the rights
// of a user, without being open to its signals). First every process that is left is killed, with
// the one capability that init kept; it is given away before a byte of the client's is read. So
// what is opened then stands still: what the program could do to the reader it has done before, as
// files, and each of these is looked at without following, waiting or reading beyond the bound.
#include "isolate/collect.h"

#include "isolate/bundle.h"
#include "isolate/collection.h"
#include "isolate/program.h"
#include "isolate/report.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cloister::isolate {
namespace {

constexpr std::uint32_t kKillBit = 1U << CAP_KILL;

/// CAP_KILL reaches as far as pids do: no process outside of this pid namespace has one.
bool set_kill_capability(bool effective) {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct data[2] = {};
    data[0].permitted = kKillBit;
    data[0].effective = effective ? kKillBit : 0;
    return ::syscall(SYS_capset, &header, data) == 0;
}

/// Nobody but this process is in the namespace afterwards. One SIGKILL for all leaves no gap for a
/// fork: the kernel sends it with the list of processes locked.
void end_the_rest(int report_fd) {
    // Without a namespace of its own, which only tests leave out, this would reach everybody.
    const bool alone = ::getpid() == 1;
    if (alone && !weakened(Layer::kill_before_collect) && set_kill_capability(true)) {
        (void)::kill(-1, SIGKILL);
        while (::waitpid(-1, nullptr, __WALL) >= 0 || errno == EINTR) {}
    }
    drop_capabilities(report_fd);
}

/// Beneath `box`, a regular file or a folder, without following anything or waiting for anybody.
int open_file(int box, const char* path, bool folder = false) {
    if (weakened(Layer::checked_collect)) {
        if (::fchdir(box) != 0) return -1;
        return ::open(path, O_RDONLY | O_CLOEXEC | (folder ? O_DIRECTORY : 0));
    }
    open_how how{};
    // A FIFO would wait for its writer, a file with a lease for its holder.
    how.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (folder) how.flags |= O_DIRECTORY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return static_cast<int>(::syscall(SYS_openat2, box, path, &how, sizeof how));
}

Collected state_of(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: return Collected::missing;
    case EACCES:
    case EPERM: return Collected::unreadable;
    default: return Collected::not_regular; // ELOOP, EXDEV, ENXIO, EWOULDBLOCK, ENAMETOOLONG…
    }
}

bool write_all(int pipe, const void* bytes, std::size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t done = ::write(pipe, at, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false; // nobody reads any more
        at += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

class Collector {
public:
    Collector(int box, int pipe, std::uint64_t most) : box_(box), pipe_(pipe), left_(most) {}

    /// False when nobody reads any more.
    bool pass(std::uint32_t index, const char* path) {
        const std::size_t length = std::strlen(path);
        if (length == 0 || path[length - 1] != '/') return pass_file(index, box_, path);
        const int folder = open_file(box_, path, true);
        const Collected state = folder < 0 ? state_of(errno) : pass_folder(index, folder);
        if (folder >= 0) (void)::close(folder);
        return end(index, state);
    }

private:
    bool end(std::uint32_t index, Collected state) const {
        CollectionPart part;
        part.file = index;
        part.kind = CollectionPart::kEnd + static_cast<std::uint32_t>(state);
        return write_all(pipe_, &part, sizeof part);
    }

    bool pass_file(std::uint32_t index, int folder, const char* path) {
        const int file = open_file(folder, path);
        const Collected state = file < 0 ? state_of(errno) : content(index, file);
        if (file >= 0) (void)::close(file);
        return end(index, state);
    }

    /// What lies in it, folders in it by their names alone. By the kernel's call, since the
    /// library's own reading of folders allocates.
    Collected pass_folder(std::uint32_t index, int folder) {
        alignas(8) char entries[4096];
        std::size_t files = 0;
        for (;;) {
            const long size = ::syscall(SYS_getdents64, folder, entries, sizeof entries);
            if (size < 0) return Collected::unreadable;
            if (size == 0) return Collected::whole;
            for (long at = 0; at < size;) {
                // linux_dirent64: inode, offset, length, kind, name.
                constexpr long kLength = 16;
                constexpr long kName = 19;
                std::uint16_t length = 0;
                std::memcpy(&length, entries + at + kLength, sizeof length);
                const char* const name = entries + at + kName;
                at += length;
                if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
                if (++files > kMaxFolderFiles) return Collected::too_large;
                if (!pass_name(index, name) || !pass_file(index, folder, name))
                    return Collected::unreadable; // nobody reads any more
            }
        }
    }

    bool pass_name(std::uint32_t index, const char* name) const {
        char piece[sizeof(CollectionPart) + kMaxFolderName];
        CollectionPart part;
        part.file = index;
        part.kind = CollectionPart::kName;
        part.size = static_cast<std::uint32_t>(::strnlen(name, kMaxFolderName));
        std::memcpy(piece, &part, sizeof part);
        std::memcpy(piece + sizeof part, name, part.size);
        return write_all(pipe_, piece, sizeof part + part.size);
    }

    Collected content(std::uint32_t index, int file) {
        const bool checks = !weakened(Layer::checked_collect);
        struct stat info {};
        if (checks && (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)))
            return Collected::not_regular;
        // By its size, not by its bytes: most of a sparse file need not be there.
        if (checks && static_cast<std::uint64_t>(info.st_size) > left_) return Collected::too_large;
        char piece[sizeof(CollectionPart) + kPiece];
        for (;;) {
            // One byte more than may be passed on tells that there is more.
            const std::size_t most =
                checks ? static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, left_ + 1))
                       : kPiece;
            const ssize_t size = ::read(file, piece + sizeof(CollectionPart), most);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return Collected::unreadable;
            if (size == 0) return Collected::whole;
            if (checks && static_cast<std::uint64_t>(size) > left_) return Collected::too_large;
            left_ -= static_cast<std::uint64_t>(size);
            CollectionPart part;
            part.file = index;
            part.size = static_cast<std::uint32_t>(size);
            std::memcpy(piece, &part, sizeof part); // in one write with its content
            if (!write_all(pipe_, piece, sizeof part + part.size)) return Collected::unreadable;
        }
    }

    static constexpr std::size_t kPiece = 32 * 1024;
    int box_;
    int pipe_;
    std::uint64_t left_;
};

} // namespace

void open_files_as(int report_fd, uid_t user_id) {
    if (weakened(Layer::own_identity)) return;
    (void)::setfsgid(user_id);
    (void)::setfsuid(user_id);
    // The two return what was before, whatever happens: asked again with what is no id, they tell.
    const bool set = ::setfsgid(static_cast<gid_t>(-1)) == static_cast<int>(user_id) &&
                     ::setfsuid(static_cast<uid_t>(-1)) == static_cast<int>(user_id);
    if (!set) errno = EPERM;
    Steps(report_fd).require(Step::drop_identity, set);
}

void keep_kill_capability(int report_fd) {
    if (weakened(Layer::capabilities)) return;
    Steps(report_fd).require(Step::drop_capabilities, set_kill_capability(false));
}

void collect(int report_fd, bool alone, const char* box_path) {
    CollectOrder order{0, 0};
    Packet packet = receive_packet(report_fd, writable_bytes_of(order), MSG_DONTWAIT);
    if (packet.size != sizeof order || packet.cut || packet.fd_count != 2 ||
        order.magic != CollectOrder::kMagic)
        return;
    if (!alone) end_the_rest(report_fd);
    // A reader that is gone must not end this process before its report is read.
    (void)std::signal(SIGPIPE, SIG_IGN);
    struct stat info {};
    const int bundle_fd = packet.fds[0].get();
    const bool known = ::fstat(bundle_fd, &info) == 0 && info.st_size > 0 &&
                       static_cast<std::uint64_t>(info.st_size) <= kMaxBundleBytes;
    if (!known) return;
    const auto bytes = static_cast<std::size_t>(info.st_size);
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, bundle_fd, 0);
    if (mapped == MAP_FAILED) return;
    BundleView bundle;
    if (!bundle.open({static_cast<const std::byte*>(mapped), bytes})) return;
    const int box = ::open(box_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (box < 0) return;
    Collector collector(box, packet.fds[1].get(),
                        std::min(bundle.collect_bytes(), kMaxCollectBytes));
    for (std::uint32_t i = 0; i < bundle.collect_count(); ++i) {
        if (!collector.pass(i, bundle.collect(i))) return;
    }
}

} // namespace cloister::isolate
