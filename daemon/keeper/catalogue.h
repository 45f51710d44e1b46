// Everything that can be run, worked out once from the settings: per runtime and stage the root,
// the command and the environment; per policy the compiled filter and the ceilings. Numbers in
// frames are places in these lists.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/wire/frames.h"
#include "isolate/inside.h"
#include "isolate/root_template.h"
#include "isolate/seccomp_program.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cloister::keeper {

/// One stage of one runtime, ready to be run.
struct StagePlan {
    std::vector<std::string> command{};
    std::vector<std::string> environment{};
    std::vector<std::string> live_environment{};
    std::shared_ptr<const isolate::RootTemplate> root{}; ///< null when a listed path is missing
    int missing_error = 0;                               ///< then the errno
};

struct PolicyPlan {
    std::string name;
    isolate::Limits ceilings{};
    std::unique_ptr<const isolate::SeccompProgram> filter;
};

class Catalogue {
public:
    /// Builds roots and filters; needs root. `first_id` and `slots` fill /etc/passwd. Throws
    /// isolate::SysError when this host cannot make a root at all.
    Catalogue(const config::Settings& settings, uid_t first_id, unsigned slots);

    /// nullptr for numbers that name nothing.
    const StagePlan* stage(std::uint32_t runtime, wire::Stage stage) const;
    const PolicyPlan* policy(std::uint32_t number) const;

private:
    struct RuntimePlan {
        std::array<std::optional<StagePlan>, 3> stages; ///< by wire::Stage
    };
    std::vector<RuntimePlan> runtimes_;
    std::vector<PolicyPlan> policies_;
};

/// The command's words with {memory_mib} replaced; they borrow from `storage`.
std::vector<isolate::Word> fill(const std::vector<std::string>& command,
                                const isolate::Limits& limits, std::vector<std::string>& storage);

} // namespace cloister::keeper
