// The lines that must not differ between executors: when a clock is due, and what an end means that
// nobody reported.
#include "daemon/keeper/watched.h"

#include "isolate/life.h"

#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <utility>

namespace cloister::keeper {

using isolate::Step;

namespace {
/// Smallest wait between two looks at a processor clock.
constexpr std::chrono::milliseconds kCpuCheck{5};
/// For init to take the end of a program that was killed, and to end the rest: without a quota, and
/// beside no more processes than the box may have.
constexpr std::chrono::seconds kEndTime{2};
} // namespace

Clock::time_point Watched::time_of(const isolate::Report& report, Clock::time_point now) const {
    const Clock::time_point told{std::chrono::nanoseconds(report.time)};
    return std::clamp(told, std::min(taken, now), now);
}

void Watched::begin_clocks(Clock::time_point then) {
    started = then;
    usage.setup_time = then - taken;
    next_cpu_check = then;
    if (wants_usage) next_usage = then + kUsagePause;
}

void Watched::take_end(int status, Clock::time_point then,
                       std::optional<std::chrono::nanoseconds> used) {
    if (gone) then = std::min(then, *gone);
    ended = std::max(then, started.value_or(then));
    cpu_at_end = used;
    if (collects) spared_until = *ended + kCollectTime;
    if (WIFEXITED(status)) ending.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
}

void Watched::ask_life(std::uint32_t stream, int pidfd, const Events& events) {
    life_asked.at(stream) = true;
    if (pidfd >= 0) answer_life(pidfd, events);
}

void Watched::answer_life(int pidfd, const Events& events) {
    for (std::uint32_t stream = 0; stream < life_asked.size(); ++stream) {
        if (!std::exchange(life_asked.at(stream), false) || !events.life) continue;
        const isolate::Life life = ended ? isolate::Life::ends : isolate::life_of(pidfd);
        events.life({.run_id = id, .stream = stream, .life = life});
    }
}

bool Watched::spare_init(isolate::Verdict reason, Clock::time_point now) {
    if (reason == isolate::Verdict::cancelled || !started) collects = false;
    if (!collects) return false;
    if (!spared_until) spared_until = now + kEndTime; // a second cause gives no more
    return true;
}

void Watched::count(const isolate::Counters& counters) {
    usage.memory_peak_bytes = std::max(usage.memory_peak_bytes, counters.memory_peak_bytes);
    usage.processes_peak =
        std::max(usage.processes_peak, std::max(counters.processes_peak, 1U) - 1); // without init
    usage.oom_kills = std::max(usage.oom_kills, counters.oom_kills);
    usage.forks_refused = std::max(usage.forks_refused, counters.forks_refused);
}

void Watched::count(std::chrono::nanoseconds cpu_time) {
    if (!started) return;
    const auto used = cpu_at_end ? std::min(cpu_time, *cpu_at_end) : cpu_time;
    usage.cpu_time = std::max(usage.cpu_time, used - cpu_before);
}

bool Watched::is_used_up(std::optional<std::chrono::nanoseconds> used, std::uint32_t percent,
                         Clock::time_point now) {
    next_cpu_check = now + kCpuCheck;
    if (!used) return false;
    const std::chrono::nanoseconds left = limits.cpu_time - (*used - cpu_before);
    if (left <= std::chrono::nanoseconds::zero()) return true;
    // The quota bounds how soon the rest can be used up, but for what is saved up in it: a period's
    // quota and a burst as large, on all processors at once.
    const std::uint32_t most = std::max(percent, 1U);
    const std::chrono::nanoseconds saved = std::chrono::milliseconds(2 * most);
    const std::chrono::nanoseconds soonest = (left - saved) * 100 / most;
    next_cpu_check = now + std::max<std::chrono::nanoseconds>(soonest, kCpuCheck);
    return false;
}

std::optional<wire::UsageFrame> Watched::sample(std::optional<std::chrono::nanoseconds> used,
                                                std::uint64_t memory_bytes, Clock::time_point now) {
    next_usage = now + kUsagePause;
    if (!used || memory_bytes == 0) return std::nullopt;
    return wire::UsageFrame{.run_id = id,
                            .wall_ns = std::chrono::nanoseconds(now - *started).count(),
                            .cpu_ns = std::max<std::int64_t>((*used - cpu_before).count(), 0),
                            .memory_bytes = memory_bytes};
}

std::optional<Clock::time_point> Watched::next_deadline(std::chrono::seconds patience) const {
    if (collects && spared_until) return spared_until;
    if (is_settled()) return std::nullopt; // what comes next is init's end, which is an event
    if (!started) return taken + patience;
    Clock::time_point next = *started + limits.wall_time;
    if (next_cpu_check) next = std::min(next, *next_cpu_check);
    if (next_usage) next = std::min(next, *next_usage);
    return next;
}

isolate::Outcome Watched::outcome() {
    if (started) usage.wall_time = *ended - *started;
    // Killed together with its init, which could not tell.
    if (started && ending.exit_code < 0 && ending.signal == 0) ending.signal = SIGKILL;
    // The kernel's OOM killer may have taken init, which then said nothing.
    if (!started && ending.failed_step == Step::none && !ending.killed_for &&
        usage.oom_kills == 0) {
        ending.failed_step = Step::start_program;
        ending.error = ECHILD;
    }
    const auto ended_at = started ? ended->time_since_epoch() : Clock::duration::zero();
    return {.ending = ending, .usage = usage, .ended_at = ended_at};
}

} // namespace cloister::keeper
