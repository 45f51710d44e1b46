// Two system calls that need the memory of a process, asked for nothing: whether they find any is
// the answer.
#include "isolate/life.h"

#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cloister::isolate {
namespace {

/// Looks at the first thread alone, and at no page of it: nothing is advised.
int try_advice(int pidfd) {
    if (::syscall(SYS_process_madvise, pidfd, nullptr, 0UL, MADV_COLD, 0U) >= 0) return 0;
    return errno;
}

/// Looks at every thread. A process that is alive is refused; of one that is ending, and has its
/// memory still, it takes it.
int try_release(int pidfd) {
    if (::syscall(SYS_process_mrelease, pidfd, 0U) >= 0) return 0;
    return errno;
}

} // namespace

Life life_of(int pidfd) {
    // The usual answer of one that is alive, so that the second call hardly ever has work to do.
    // EACCES is said of memory that is there and not ours; EPERM may be a filter's word.
    const int advice = try_advice(pidfd);
    if (advice == 0 || advice == EACCES) return Life::goes_on;
    // A first thread that ended alone leaves the others, who have the memory.
    switch (try_release(pidfd)) {
    case EINVAL: return Life::goes_on;
    case ESRCH:
    case 0: return Life::ends;
    default: return Life::unknown;
    }
}

} // namespace cloister::isolate
