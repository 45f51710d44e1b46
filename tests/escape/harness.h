// Runs one hostile program in a box, or without one, and says how it went. Everything that a
// program may aim at is made here and is the test's own: a file, a listening port, a socket, a
// name.
#pragma once

#include "daemon/keeper/local_runner.h"
#include "isolate/weaken.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace cloister::escape {

using isolate::Layer;
using isolate::Limits;
using keeper::LocalResult;

enum class Finding { contained, escaped, inconclusive };

/// What a judge has to go by: never only what the program said, where the kernel's word can be had.
struct Evidence {
    std::vector<LocalResult> results{}; ///< one for each run, in order
    std::vector<Limits> limits{};
    std::vector<int> left_behind{};     ///< processes of the program, a second later
    std::chrono::nanoseconds elapsed{}; ///< from the request to the answer, all runs together
};

using Words = std::vector<std::string>;
using Judge = std::function<Finding(const Evidence&)>;

struct Attack {
    std::string promise; ///< what the box promises, as the test's name
    std::string program; ///< file in tests/escape/attacks, with ".c" or ".py"
    /// The defences that stop it, all of which must be off for it to succeed. Empty: it is stopped
    /// by what a box is; the proof is then that it succeeds on the bare host.
    std::vector<Layer> layers{};
    /// Arguments of each run. {sentinel}: a file of the host, {shown}: a file that boxes are shown,
    /// {port}, {abstract}: where the host listens, {pid}: a process of the host, {hostname},
    /// {addresses}, {mark}, {key}: unlike any other, {memory} {files} {file_bytes} {processes}
    /// {open_files} {stack}: the limits.
    std::vector<Words> runs{{}};
    enum class Order {
        one_after_another,
        together,
        compile_then_run
    } order = Order::one_after_another;
    std::function<void(Limits&)> limits{};
    Judge judge{};
    std::string policy = "default";
    std::vector<std::string> bundle_paths{}; ///< of files that a hostile client sends along
    std::vector<std::string> collect{};      ///< files that are read back
    std::uint32_t collect_bytes = 64 * 1024; ///< of these together
    bool needs_a_route = false; ///< the host must have a network for the attack to succeed anywhere
};

/// Every attack, in the order of the topics.
const std::vector<Attack>& all_attacks();
/// Adds its part of the table.
std::vector<Attack> with_those_on_collecting(std::vector<Attack> attacks);

/// The last run's own words decide, with status 0 or 42; anything else is inconclusive.
Finding by_report(const Evidence& evidence);

/// In a box, with whatever layers are weakened at the moment.
Evidence attack_a_box(const Attack& attack);
/// Without a box. The program's words are all there is.
Evidence attack_the_host(const Attack& attack);
/// Ends what is left of the program and waits until it is gone.
void clean_up(const Attack& attack);

/// Starts a runner in another process, lets the program run there, kills the runner with SIGKILL,
/// and counts the program's processes a second later.
Evidence attack_after_keeper_died(const Attack& attack);

std::string describe(const Evidence& evidence);
/// CLOISTER_LEVEL, "cold" when absent: how much of each box is made ahead of its attack.
wire::Level asked_level();
/// The level that this attack's boxes can have: one whose output goes straight to somebody's
/// descriptor is never warm, nor is a compiler here.
wire::Level level_of(const Attack& attack);
bool host_has_a_route();
/// CLOISTER_SLOW, 1 when absent: how many times slower than a usual machine this one is.
int slowness();

} // namespace cloister::escape
