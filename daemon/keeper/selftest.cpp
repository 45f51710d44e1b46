// Runs the probe through a LocalRunner under every policy that run steps may use.
#include "daemon/keeper/selftest.h"

#include "daemon/keeper/local_runner.h"

namespace cloister::keeper {

std::string selftest(const config::Settings& settings, const std::string& probe) {
    config::Settings own = settings;
    own.runtimes.clear();
    own.config.boxes = 1;
    runtimes::Runtime runtime;
    runtime.id = "probe";
    runtime.name = "probe";
    runtime.run.command = {"/usr/bin/probe"};
    runtime.run.mounts = {probe + " => /usr/bin/probe"};
    runtime.version = runtime.run;
    own.runtimes.emplace("probe", runtime);

    LocalRunner runner(own);
    LocalRun request;
    request.runtime = "probe";
    const LocalResult result = runner.run(request);
    const isolate::Ending& ending = result.outcome.ending;
    if (result.verdict == isolate::Verdict::ok) return {};
    if (ending.failed_step != isolate::Step::none) {
        return "a box could not be made: step " +
               std::string(isolate::name_of(ending.failed_step)) + ": " +
               std::generic_category().message(ending.error);
    }
    const auto place = static_cast<std::size_t>(ending.exit_code);
    if (ending.exit_code > 0 && place <= kProbedLayers.size()) {
        return std::string("this layer of the box does not hold here: ") + kProbedLayers[place - 1];
    }
    return "the self-test's probe ended with " + std::string(isolate::name_of(result.verdict));
}

} // namespace cloister::keeper
