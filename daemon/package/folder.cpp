// RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS make the kernel refuse whatever would lead out, at every
// part of a path; a FIFO is opened without waiting, and then refused.
#include "daemon/package/folder.h"

#include "daemon/package/error.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cloister::package {
namespace {

constexpr std::size_t kMaxName = 255;

std::string reason(int error) {
    if (error == ELOOP) return "is a symbolic link, or lies behind one; links are not followed";
    if (error == EXDEV) return "leads out of the package";
    if (error == EACCES)
        return "may not be read. A package is read as its owner, or as nobody when that is root: "
               "chmod -R a+rX";
    return std::generic_category().message(error);
}

struct Descriptor {
    explicit Descriptor(int number) : fd(number) {}
    ~Descriptor() {
        if (fd >= 0) (void)::close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int release() { return std::exchange(fd, -1); }
    int fd;
};

/// -1 with errno.
int open_beneath(int folder, const std::string& path, int flags) {
    open_how how{};
    const int quietly = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY; // which O_PATH excludes
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC | quietly);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const std::string name = path.empty() ? "." : path;
    return static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
}

bool is_kind(int folder, const std::string& path, mode_t kind) {
    const Descriptor file(open_beneath(folder, path, O_PATH));
    // A link is no reason to go on without what stands behind it.
    if (file.fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != EXDEV)
        wrong(path, reason(errno));
    struct stat info {};
    return file.fd >= 0 && ::fstat(file.fd, &info) == 0 && (info.st_mode & S_IFMT) == kind;
}

} // namespace

bool is_good_name(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    if (name.empty() || name.size() > kMaxName || !letter(name.front())) return false;
    return std::ranges::all_of(name, [&](char c) { return letter(c) || c == '.' || c == '-'; });
}

Folder::Folder(const std::string& path)
    : fd_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) wrong(path, reason(errno));
    const std::unique_ptr<char, decltype(&std::free)> whole(::realpath(path.c_str(), nullptr),
                                                            &std::free);
    name_ = whole ? whole.get() : path;
    name_ = name_.substr(name_.rfind('/') + 1);
    if (name_.empty()) name_ = "package";
}

Folder::~Folder() { (void)::close(fd_); }

std::vector<Folder::Entry> Folder::list(const std::string& path) const {
    Descriptor opened(open_beneath(fd_, path, O_RDONLY | O_DIRECTORY));
    if (opened.fd < 0) wrong(path, reason(errno));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(opened.fd), &::closedir);
    if (!stream) wrong(path, reason(errno));
    const int folder = opened.release();
    std::vector<Entry> entries;
    while (const dirent* found = ::readdir(stream.get())) { // NOLINT(concurrency-mt-unsafe): own
        Entry entry;
        entry.name = found->d_name;
        if (entry.name == "." || entry.name == "..") continue;
        const std::string whole = path.empty() ? entry.name : path + "/" + entry.name;
        if (!is_good_name(entry.name))
            wrong(path, "holds a name of other characters than letters, digits, '_', '.' and '-', "
                        "or that begins with one of the last two");
        struct stat info {};
        if (::fstatat(folder, found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            wrong(whole, reason(errno));
        if (S_ISLNK(info.st_mode)) wrong(whole, reason(ELOOP));
        entry.is_folder = S_ISDIR(info.st_mode);
        if (!entry.is_folder && !S_ISREG(info.st_mode))
            wrong(whole, "is neither a file nor a folder");
        entry.bytes = entry.is_folder ? 0 : static_cast<std::uint64_t>(info.st_size);
        entries.push_back(std::move(entry));
        if (entries.size() > kMaxEntries)
            wrong(path, "holds more than " + std::to_string(kMaxEntries) + " files");
    }
    std::ranges::sort(entries, {}, &Entry::name);
    return entries;
}

bool Folder::has_file(const std::string& path) const { return is_kind(fd_, path, S_IFREG); }
bool Folder::has_folder(const std::string& path) const { return is_kind(fd_, path, S_IFDIR); }

std::string Folder::read(const std::string& path, std::uint64_t most) const {
    const Descriptor file(open_beneath(fd_, path, O_RDONLY));
    struct stat info {};
    if (file.fd < 0 || ::fstat(file.fd, &info) != 0) wrong(path, reason(errno));
    if (!S_ISREG(info.st_mode)) wrong(path, "is not a plain file");
    const auto too_large = [&] {
        wrong(path, "is larger than " + std::to_string(most) + " bytes");
    };
    if (static_cast<std::uint64_t>(info.st_size) > most) too_large();
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t size = 0;
    for (;;) { // until its end, wherever that is by now
        if (size == text.size()) text.resize(size + 1);
        const ssize_t got = ::read(file.fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) wrong(path, reason(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > most) too_large();
    }
    text.resize(size);
    return text;
}

} // namespace cloister::package
