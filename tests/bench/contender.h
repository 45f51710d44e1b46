// What runs /bin/true: another program that is started and waited for, or a box of ours. A
// contender can do it once, and it can do it in several loops at one time.
#pragma once

#include "daemon/keeper/local_runner.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cloister::bench {

using Clock = std::chrono::steady_clock;

/// Set by SIGINT and SIGTERM: whoever loops ends its loop after the run under way, so that no box,
/// group or container is left behind.
bool is_interrupted();
void watch_for_interrupts();

/// The times of one slice of closed loops.
struct Slice {
    std::vector<std::chrono::nanoseconds> runs{};
    std::chrono::nanoseconds elapsed{}; ///< from the first start to the last end
};

class Contender {
public:
    explicit Contender(std::string name) : name_(std::move(name)) {}
    virtual ~Contender() = default;
    Contender(const Contender&) = delete;
    Contender& operator=(const Contender&) = delete;

    const std::string& name() const { return name_; }
    /// What a contender does ahead of a run, outside of its time. Throws when it went wrong.
    virtual void get_ready() {}
    /// One run, from the request until it is known to be over. Throws when it went wrong.
    virtual void run() = 0;
    /// `loops` loops, each of which begins its next run as long as `length` has not passed; every
    /// loop runs at least once. Throws when a run went wrong.
    virtual Slice run_in_loops(unsigned loops, std::chrono::nanoseconds length) = 0;

private:
    std::string name_;
};

/// Commands are words, a lone ";" stands between commands that make one run together, and "{loop}"
/// in a word becomes the loop's number, from 0.
std::unique_ptr<Contender> make_command(std::string name, const std::string& text);

/// Boxes of ours for /bin/true under the shipped policy. `settings` from settings_for_true(). One
/// box at least stands ready before a run unless `prepared` is 0, which is how many may at most. In
/// loops nobody waits for that: runs take what the pool had time for.
std::unique_ptr<Contender> make_boxes(std::string name, const config::Settings& settings,
                                      unsigned prepared);

/// One runtime, whose program is /bin/true, and as many boxes as `loops`.
config::Settings settings_for_true(const std::string& policies_dir, unsigned loops);

} // namespace cloister::bench
