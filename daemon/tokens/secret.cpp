// The state directory belongs to the front's user, and this runs as root: so nothing in it is
// followed, and only a plain file is read. What somebody puts there in its place is read as a key
// or refused; it is never shown.
#include "daemon/tokens/secret.h"

#include "isolate/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cloister::tokens {
namespace {

using isolate::check;
using isolate::Fd;

constexpr const char* kName = "room.key";
constexpr const char* kNewName = "room.key.new";

Secret read(const Fd& file, const std::string& path) {
    struct stat info {};
    check(::fstat(file.get(), &info), "look at " + path);
    Secret secret{};
    if (!S_ISREG(info.st_mode) || info.st_size != static_cast<off_t>(secret.size()) ||
        (info.st_mode & 077) != 0) {
        throw std::runtime_error(path + " is not a key that only its owner can read: remove it, "
                                        "and every room token becomes invalid");
    }
    if (check(::read(file.get(), secret.data(), secret.size()), "read " + path) !=
        static_cast<ssize_t>(secret.size()))
        throw std::runtime_error(path + " ended while it was read");
    return secret;
}

/// Written whole, then given its name: an end in between leaves no half of a key.
void make(const Fd& directory, const std::string& path) {
    Secret secret{};
    fill(secret);
    (void)::unlinkat(directory.get(), kNewName, 0); // of a start that did not get farther
    const Fd file(check(::openat(directory.get(), kNewName,
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
                        "make " + path));
    if (check(::write(file.get(), secret.data(), secret.size()), "write " + path) !=
        static_cast<ssize_t>(secret.size()))
        throw isolate::SysError(ENOSPC, "write " + path);
    check(::fsync(file.get()), "keep " + path);
    check(::renameat(directory.get(), kNewName, directory.get(), kName), "name " + path);
}

} // namespace

void fill(Secret& secret) {
    check(::getrandom(secret.data(), secret.size(), 0), "draw a random key");
}

Secret load_secret(const std::string& state_dir) {
    const std::string path = state_dir + "/" + kName;
    const Fd directory(
        check(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              "open " + state_dir));
    constexpr int kRead = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    Fd file(::openat(directory.get(), kName, kRead));
    if (!file && errno == ENOENT) {
        make(directory, path);
        file = Fd(::openat(directory.get(), kName, kRead));
    }
    check(file.get(), "open " + path);
    return read(file, path);
}

} // namespace cloister::tokens
