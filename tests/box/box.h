// What the box tests share: one runner over the shipped policies, whose runtimes all run the actor.
#pragma once

#include "daemon/keeper/local_runner.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace cloister::box_test {

using isolate::Limits;
using isolate::Step;
using isolate::Verdict;
using keeper::LocalResult;
using keeper::LocalRun;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

/// CLOISTER_SLOW, 1 when absent: how many times slower than a usual machine this one is. Upper
/// bounds of time are multiplied by it; nothing is asserted to take long.
int slowness();

/// Runtimes: "actor"; "compiled" (a compile step that leaves a program, and a run step that runs
/// it); "broken" (whose compile step fails); "missing" (whose program is not there); "absent"
/// (whose mounts are not there).
config::Settings actor_settings();
/// One for the whole program, as a daemon has one.
keeper::LocalRunner& runner();

LocalRun play(const Words& arguments, const std::string& runtime = "actor");
/// The policies and runtimes as shipped, but for the times on a slow machine.
config::Settings shipped_settings();
/// A program of one of the shipped languages: all files below `folder`, the default one its entry.
LocalRun program_in(const std::filesystem::path& folder, const std::string& id);
/// The file's bytes; empty when there is none.
std::string text_of(const std::filesystem::path& path);

/// The default policy's limits, with times that suit this machine.
Limits usual_limits();
LocalResult run(const Words& arguments);

/// A line for each thing of this process's instance that is still on the host: processes of its
/// user ids, groups of boxes, mounts, files. Waits up to a second for it to become nothing.
std::vector<std::string> left_on_host();
/// Of any instance: processes that run the actor.
std::vector<int> actors();
/// Groups named instance-*, in every hierarchy, that hold a box.
std::vector<std::string> groups_with_boxes();

std::string describe(const LocalResult& result);

/// Looks every 10 ms, for a second at most (more on a slow machine): for what tells nobody that it
/// happens.
template <typename Condition>
bool within_a_second(const Condition& holds) {
    const auto patience = std::chrono::steady_clock::now() + 1s * slowness();
    while (!holds()) {
        if (std::chrono::steady_clock::now() > patience) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

} // namespace cloister::box_test
