// A wall clock that jumps by a day, back and forth, each second: this program's clock_gettime comes
// before the C library's, also for the libraries that it is linked with. The other clocks are true.
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

namespace {
constexpr time_t kDay = 86'400;
} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    if (::syscall(SYS_clock_gettime, clock, time) != 0) return -1;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
    timespec steady{};
    (void)::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &steady);
    time->tv_sec += (steady.tv_sec % 3 - 1) * kDay;
    return 0;
}
