// From settings to ready plans.
#include "daemon/keeper/catalogue.h"

#include "isolate/mount_plan.h"

#include <algorithm>
#include <map>

namespace cloister::keeper {
namespace {

/// What every program finds in its environment, beside its runtime's own.
const std::vector<std::string> kEnvironment = {"PATH=/usr/bin", "HOME=/tmp", "LANG=C.UTF-8",
                                               "TMPDIR=/tmp"};

/// Roots by their list of mounts: stages that show the same share one.
class Roots {
public:
    Roots(uid_t first_id, unsigned slots) : etc_(isolate::generated_etc(first_id, slots)) {}

    void give(StagePlan& plan, std::vector<std::string> mounts) {
        std::sort(mounts.begin(), mounts.end());
        auto& known = made_[mounts];
        if (!known) {
            isolate::MountPlan mount_plan;
            try {
                mount_plan = isolate::plan_mounts(mounts);
            } catch (const isolate::SysError& error) {
                // The runtime is not installed (here, or any more): asking for it will say so.
                plan.missing_error = error.code().value();
                return;
            }
            mount_plan.files = etc_;
            known = std::make_shared<const isolate::RootTemplate>(mount_plan);
        }
        plan.root = known;
    }

private:
    std::vector<isolate::MountPlan::File> etc_;
    std::map<std::vector<std::string>, std::shared_ptr<const isolate::RootTemplate>> made_;
};

StagePlan plan_of(const runtimes::StepPlan& step, Roots& roots) {
    StagePlan plan;
    plan.command = step.command;
    plan.environment = kEnvironment;
    plan.environment.insert(plan.environment.end(), step.environment.begin(),
                            step.environment.end());
    plan.live_environment = step.live_environment;
    roots.give(plan, step.mounts);
    return plan;
}

} // namespace

Catalogue::Catalogue(const config::Settings& settings, uid_t first_id, unsigned slots) {
    Roots roots(first_id, slots);
    for (const auto& [id, runtime] : settings.runtimes) {
        RuntimePlan plan;
        plan.stages[0] = plan_of(runtime.version, roots);
        if (runtime.compile) plan.stages[1] = plan_of(*runtime.compile, roots);
        plan.stages[2] = plan_of(runtime.run, roots);
        runtimes_.push_back(std::move(plan));
    }
    for (const auto& [name, policy] : settings.policies) {
        policies_.push_back(
            {.name = name,
             .ceilings = policy.limits,
             .filter = std::make_unique<const isolate::SeccompProgram>(policy.syscalls)});
    }
}

const StagePlan* Catalogue::stage(std::uint32_t runtime, wire::Stage stage) const {
    const auto index = static_cast<std::size_t>(stage);
    if (runtime >= runtimes_.size() || index >= 3) return nullptr;
    const auto& plan = runtimes_[runtime].stages[index];
    return plan ? &*plan : nullptr;
}

const PolicyPlan* Catalogue::policy(std::uint32_t number) const {
    return number < policies_.size() ? &policies_[number] : nullptr;
}

std::vector<isolate::Word> fill(const std::vector<std::string>& command,
                                const isolate::Limits& limits, std::vector<std::string>& storage) {
    using Kind = isolate::Word::Kind;
    static const std::map<std::string_view, Kind> kHoles = {{"{entry}", Kind::entry},
                                                            {"{main}", Kind::main_name},
                                                            {"{sources}", Kind::sources},
                                                            {"{args}", Kind::arguments}};
    constexpr std::string_view kMemory = "{memory_mib}";
    std::vector<isolate::Word> words;
    storage.clear();
    storage.reserve(command.size()); // words point into it
    for (const std::string& word : command) {
        if (const auto hole = kHoles.find(word); hole != kHoles.end()) {
            words.push_back({.kind = hole->second, .text = ""});
            continue;
        }
        std::string& text = storage.emplace_back(word);
        if (const auto at = text.find(kMemory); at != std::string::npos) {
            text.replace(at, kMemory.size(), std::to_string(limits.memory_bytes / isolate::kMiB));
        }
        words.push_back({.kind = Kind::text, .text = text.c_str()});
    }
    return words;
}

} // namespace cloister::keeper
