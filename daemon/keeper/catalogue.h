// Everything that can be run, worked out once from the settings: per runtime and stage the root,
// the command and the environment; per policy the compiled filter and the ceilings. Numbers in
// frames are places in these lists. Settings that are read again come behind those that there are,
// so that what was asked for by an earlier number stays what it was.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/keeper/command.h"
#include "daemon/keeper/executor.h"
#include "daemon/wire/frames.h"
#include "isolate/inside.h"
#include "isolate/root_template.h"
#include "isolate/seccomp_program.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cloister::keeper {

/// What every program finds in its environment, beside its runtime's own.
const std::vector<std::string>& standard_environment();

using Root = std::shared_ptr<const isolate::RootTemplate>;

/// An interpreter that can be started ahead.
struct WarmStage {
    Command command{};
    std::vector<std::string> environment{};
    Root root{};
};

/// One stage of one runtime, ready to be run.
struct StagePlan {
    Command command{};
    std::optional<Command> command_with_kit{}; ///< instead, once the runtime's kit is there
    std::vector<std::string> environment{};
    std::vector<std::string> live_environment{};
    Root root{};           ///< null when a listed path is missing
    int missing_error = 0; ///< then the errno
    std::optional<WarmStage> warm{};
};

struct PolicyPlan {
    std::string name;
    isolate::Limits ceilings{};
    std::unique_ptr<const isolate::SeccompProgram> filter;
    bool executable_files = false;
};

/// What a runtime's toolchain prepares once.
struct KitPlan {
    std::vector<StagePlan> commands{};
    std::uint32_t policy = 0;
};

class Catalogue {
public:
    /// Readings in a keeper's life: each leaves its filters behind.
    static constexpr std::uint32_t kMaxReadings = 1'000;

    /// Builds roots and filters; needs root. `first_id` and `slots` fill /etc/passwd. Throws
    /// isolate::SysError when this host cannot make a root at all.
    Catalogue(const config::Settings& settings, uid_t first_id, unsigned slots,
              isolate::Means means = isolate::Means::root);

    /// Adds what new settings say, all of it or nothing. Throws as the constructor.
    First extend(const config::Settings& settings);
    /// Lets the roots of earlier readings go. Who still asks for one is told to try again.
    void retire(First before);

    /// nullptr for numbers that name nothing.
    const StagePlan* stage(std::uint32_t runtime, wire::Stage stage) const;
    const PolicyPlan* policy(std::uint32_t number) const;
    /// nullptr when the runtime has none, or is not installed.
    const KitPlan* kit(std::uint32_t runtime) const;
    std::uint32_t runtimes() const { return static_cast<std::uint32_t>(runtimes_.size()); }
    /// True when no box is to be made before somebody asks for one.
    bool is_hidden(std::uint32_t runtime) const { return runtimes_[runtime].hidden; }
    const std::string& name(std::uint32_t runtime) const { return runtimes_[runtime].name; }
    /// The policy that a stage has when no request says otherwise.
    std::uint32_t usual_policy(std::uint32_t runtime, wire::Stage stage) const {
        return runtimes_[runtime].policies[static_cast<std::size_t>(stage)];
    }

private:
    struct RuntimePlan {
        std::string name;
        bool hidden = false;
        std::array<std::optional<StagePlan>, wire::kStages> stages{}; ///< by wire::Stage
        std::optional<KitPlan> kit{};
        std::array<std::uint32_t, wire::kStages> policies{};
    };
    uid_t first_id_;
    unsigned slots_;
    isolate::Means means_;
    std::uint32_t readings_ = 0;
    std::deque<RuntimePlan> runtimes_; ///< deques: who holds a plan holds it through a reload
    std::deque<PolicyPlan> policies_;
};

} // namespace cloister::keeper
