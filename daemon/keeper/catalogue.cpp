// From settings to ready plans.
#include "daemon/keeper/catalogue.h"

#include "isolate/fenced_policy.h"
#include "isolate/loader_cache.h"
#include "isolate/mount_plan.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>

namespace cloister::keeper {
namespace {

/// Roots by their list of mounts: stages that show the same share one.
class Roots {
public:
    Roots(uid_t first_id, unsigned slots, isolate::Means means)
        : etc_(isolate::generated_etc(first_id, slots)), means_(means) {}

    /// Null, and an errno in `missing`, when a listed path is not there: the runtime is not
    /// installed (here, or any more), and asking for it will say so.
    Root give(std::vector<std::string> mounts, int& missing) {
        std::sort(mounts.begin(), mounts.end());
        Root& known = made_[mounts];
        if (known) return known;
        isolate::MountPlan mount_plan;
        try {
            mount_plan = isolate::plan_mounts(mounts);
        } catch (const isolate::SysError& error) {
            missing = error.code().value();
            return nullptr;
        }
        if (means_ == isolate::Means::fence) return known = at_their_places(mount_plan, missing);
        mount_plan.files = etc_;
        if (std::string cache = isolate::loader_cache(mount_plan); !cache.empty())
            mount_plan.files.push_back({.path = "/etc/ld.so.cache", .content = std::move(cache)});
        return known = std::make_shared<const isolate::RootTemplate>(mount_plan);
    }

private:
    static Root at_their_places(const isolate::MountPlan& plan, int& missing) {
        try {
            return std::make_shared<const isolate::RootTemplate>(plan, isolate::Means::fence);
        } catch (const isolate::SysError& error) {
            missing = error.code().value();
            return nullptr;
        }
    }

    std::vector<isolate::MountPlan::File> etc_;
    isolate::Means means_;
    std::map<std::vector<std::string>, Root> made_;
};

std::vector<std::string> together(std::vector<std::string> first,
                                  const std::vector<std::string>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

StagePlan plan_of(const runtimes::StepPlan& step, Roots& roots) {
    StagePlan plan;
    plan.command = Command(step.command);
    if (!step.command_with_kit.empty()) plan.command_with_kit.emplace(step.command_with_kit);
    plan.environment = together(standard_environment(), step.environment);
    plan.live_environment = step.live_environment;
    plan.root = roots.give(step.mounts, plan.missing_error);
    if (!step.warm || !plan.root) return plan;
    int missing = 0;
    WarmStage warm;
    warm.command = Command(step.warm->command);
    warm.environment = together(plan.environment, step.warm->environment);
    warm.root = roots.give(together(step.mounts, step.warm->mounts), missing);
    if (warm.root) plan.warm = std::move(warm);
    return plan;
}

} // namespace

const std::vector<std::string>& standard_environment() {
    static const std::vector<std::string> kEnvironment = {"PATH=/usr/bin", "HOME=/tmp",
                                                          "LANG=C.UTF-8", "TMPDIR=/tmp"};
    return kEnvironment;
}

Catalogue::Catalogue(const config::Settings& settings, uid_t first_id, unsigned slots,
                     isolate::Means means)
    : first_id_(first_id), slots_(slots), means_(means) {
    (void)extend(settings);
}

First Catalogue::extend(const config::Settings& settings) {
    if (readings_ >= kMaxReadings)
        throw std::runtime_error("the settings were read " + std::to_string(readings_) +
                                 " times; restart the service");
    const First first{static_cast<std::uint32_t>(runtimes_.size()),
                      static_cast<std::uint32_t>(policies_.size())};
    std::vector<RuntimePlan> runtimes;
    std::vector<PolicyPlan> policies;
    const auto policy_number = [&](const std::string& asked) {
        const std::string& name = asked.empty() ? settings.config.run_policy : asked;
        const auto found = settings.policies.find(name);
        return first.policy +
               static_cast<std::uint32_t>(std::distance(settings.policies.begin(), found));
    };
    Roots roots(first_id_, slots_, means_);
    for (const auto& [id, runtime] : settings.runtimes) {
        RuntimePlan plan;
        plan.name = id;
        plan.hidden = runtime.hidden;
        plan.stages[0] = plan_of(runtime.version, roots);
        if (runtime.compile) plan.stages[1] = plan_of(*runtime.compile, roots);
        plan.stages[2] = plan_of(runtime.run, roots);
        if (runtime.check) plan.stages[3] = plan_of(*runtime.check, roots);
        plan.policies = {policy_number(runtime.version.policy),
                         policy_number(runtime.compile ? runtime.compile->policy : ""),
                         policy_number(runtime.run.policy),
                         policy_number(runtime.check ? runtime.check->policy : "")};
        if (runtime.kit) {
            KitPlan kit;
            kit.policy = policy_number(runtime.kit->policy);
            for (const std::vector<std::string>& command : runtime.kit->commands) {
                runtimes::StepPlan step;
                step.command = command;
                step.environment = runtime.kit->environment;
                step.mounts = runtime.kit->mounts;
                kit.commands.push_back(plan_of(step, roots));
            }
            const bool whole =
                std::all_of(kit.commands.begin(), kit.commands.end(),
                            [](const StagePlan& one) { return one.root != nullptr; });
            if (whole) plan.kit = std::move(kit);
        }
        runtimes.push_back(std::move(plan));
    }
    for (const auto& [name, policy] : settings.policies) {
        policies.push_back({.name = name,
                            .ceilings = policy.limits,
                            .filter = std::make_unique<const isolate::SeccompProgram>(
                                means_ == isolate::Means::fence ? isolate::fenced(policy.syscalls)
                                                                : policy.syscalls),
                            .executable_files = policy.executable_files});
    }
    for (RuntimePlan& plan : runtimes) runtimes_.push_back(std::move(plan));
    for (PolicyPlan& plan : policies) policies_.push_back(std::move(plan));
    ++readings_;
    return first;
}

void Catalogue::retire(First before) {
    for (std::uint32_t runtime = 0; runtime < before.runtime; ++runtime) {
        RuntimePlan& plan = runtimes_[runtime];
        plan.kit.reset();
        for (std::optional<StagePlan>& stage : plan.stages) {
            if (!stage) continue;
            stage->root.reset();
            stage->missing_error = EAGAIN;
            stage->warm.reset();
        }
    }
}

const StagePlan* Catalogue::stage(std::uint32_t runtime, wire::Stage stage) const {
    const auto index = static_cast<std::size_t>(stage);
    if (runtime >= runtimes_.size() || index >= wire::kStages) return nullptr;
    const auto& plan = runtimes_[runtime].stages[index];
    return plan ? &*plan : nullptr;
}

const PolicyPlan* Catalogue::policy(std::uint32_t number) const {
    return number < policies_.size() ? &policies_[number] : nullptr;
}

const KitPlan* Catalogue::kit(std::uint32_t runtime) const {
    return runtime < runtimes_.size() && runtimes_[runtime].kit ? &*runtimes_[runtime].kit
                                                                : nullptr;
}

} // namespace cloister::keeper
