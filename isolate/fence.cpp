// Landlock's system calls, whose younger names the C library's headers may lack. Used between clone
// and exec: nothing here allocates.
#include "isolate/fence.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cloister::isolate {
namespace {

// include/uapi/linux/landlock.h
constexpr std::uint64_t kExecute = 1ULL << 0;
constexpr std::uint64_t kWriteFile = 1ULL << 1;
constexpr std::uint64_t kReadFile = 1ULL << 2;
constexpr std::uint64_t kReadFolder = 1ULL << 3;
constexpr std::uint64_t kRemoveFolder = 1ULL << 4;
constexpr std::uint64_t kRemoveFile = 1ULL << 5;
constexpr std::uint64_t kMakeFolder = 1ULL << 7;
constexpr std::uint64_t kMakeFile = 1ULL << 8;
constexpr std::uint64_t kMakeFifo = 1ULL << 10;
constexpr std::uint64_t kMakeLink = 1ULL << 12;
constexpr std::uint64_t kRefer = 1ULL << 13;
constexpr std::uint64_t kTruncate = 1ULL << 14;
constexpr std::uint64_t kDeviceControl = 1ULL << 15;
constexpr std::uint64_t kAllOfFiles = (kDeviceControl << 1) - 1; ///< also sockets and device nodes
constexpr std::uint64_t kOfOneFile = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceControl;
constexpr std::uint64_t kOwn = kReadFile | kReadFolder | kWriteFile | kTruncate | kRemoveFile |
                               kRemoveFolder | kMakeFile | kMakeFolder | kMakeFifo | kMakeLink |
                               kRefer;
constexpr std::uint64_t kAllOfNetwork = 3; ///< bind and connect, of TCP
constexpr std::uint64_t kAllScopes = 3;    ///< abstract sockets, signals
constexpr unsigned kAskForm = 1;
constexpr int kBeneath = 1;

struct Handled {
    std::uint64_t files = kAllOfFiles;
    std::uint64_t network = kAllOfNetwork;
    std::uint64_t scopes = kAllScopes;
};

struct [[gnu::packed]] Beneath {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};

std::uint64_t rights_of(Shown what) {
    switch (what) {
    case Shown::read_only: return kReadFile | kReadFolder;
    case Shown::program: return kReadFile | kReadFolder | kExecute;
    case Shown::device: return kReadFile | kWriteFile;
    case Shown::own: return kOwn;
    case Shown::own_program: return kOwn | kExecute;
    }
    return 0;
}

} // namespace

int landlock_form() {
    const long form = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskForm);
    return form < 0 ? 0 : static_cast<int>(form);
}

int make_fence() {
    const Handled handled;
    return static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
}

bool show(int fence, int path_fd, Shown what) {
    struct stat info {};
    if (::fstat(path_fd, &info) != 0) return false;
    Beneath rule{.allowed = rights_of(what), .parent = path_fd};
    if (!S_ISDIR(info.st_mode)) rule.allowed &= kOfOneFile;
    return ::syscall(SYS_landlock_add_rule, fence, kBeneath, &rule, 0) == 0;
}

bool enter_fence(int fence) { return ::syscall(SYS_landlock_restrict_self, fence, 0) == 0; }

} // namespace cloister::isolate
