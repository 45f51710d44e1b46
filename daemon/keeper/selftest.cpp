// Runs the probe through a LocalRunner under every policy that run steps may use.
#include "daemon/keeper/selftest.h"

#include "daemon/keeper/docker.h"
#include "daemon/keeper/local_runner.h"
#include "daemon/keeper/unprivileged.h"
#include "isolate/bundle.h"

#include <iterator>
#include <optional>
#include <poll.h>
#include <set>
#include <sys/mman.h>
#include <unistd.h>

namespace cloister::keeper {
namespace {

constexpr const char* kProbePlace = "/usr/libexec/cloister/cloister-probe";

/// What the probe's end says; empty when all is well.
std::string sentence_for(const isolate::Outcome& outcome, const std::string& what) {
    const isolate::Ending& ending = outcome.ending;
    const isolate::Verdict verdict = isolate::judge(ending, outcome.usage);
    if (verdict == isolate::Verdict::ok) return {};
    if (ending.failed_step != isolate::Step::none) {
        return what + " could not be made: step " +
               std::string(isolate::name_of(ending.failed_step)) + ": " +
               std::generic_category().message(ending.error);
    }
    const auto place = static_cast<std::size_t>(ending.exit_code);
    if (ending.exit_code > 0 && place <= kProbedLayers.size()) {
        return "this layer of " + what + " does not hold here: " + kProbedLayers[place - 1];
    }
    return "the self-test's probe ended with " + std::string(isolate::name_of(verdict));
}

/// As a frame's sender makes it: nothing in it is a client's.
isolate::Fd empty_bundle() {
    const std::string bytes = isolate::pack({});
    isolate::Fd memory(isolate::check(::memfd_create("bundle", MFD_CLOEXEC), "make a bundle"));
    isolate::check(::write(memory.get(), bytes.data(), bytes.size()), "write a bundle");
    return memory;
}

} // namespace

std::string selftest(const config::Settings& settings, const std::string& probe) {
    config::Settings own = settings;
    own.runtimes.clear();
    own.config.boxes = 1;
    runtimes::Runtime runtime;
    runtime.id = "probe";
    runtime.name = "probe";
    runtime.run.command = {"/usr/bin/probe"};
    runtime.run.mounts = {probe + " => /usr/bin/probe"};
    if (is_fenced()) { // nothing is shown at another place
        // Two slashes: wherever it lies, it is not in a folder of the box's own.
        runtime.run.command = {"/" + probe, "fenced"};
        runtime.run.mounts = {probe};
    }
    runtime.version = runtime.run;
    own.runtimes.emplace("probe", runtime);

    LocalRunner runner(own);
    LocalRun request;
    request.runtime = "probe";
    return sentence_for(runner.run(request).outcome, "a box");
}

std::string docker_selftest(const config::Settings& settings, const std::string& probe) {
    const std::set<std::string> there = images_in(DockerClient(settings.config.docker_host));
    std::string image;
    for (const auto& [id, runtime] : settings.runtimes) {
        for (const std::string& one : images_of(runtime)) {
            if (image.empty() && there.contains(one)) image = one;
        }
    }
    if (image.empty())
        return "there is no image for any language; `cloister docker-image` makes them";
    config::Settings own = settings;
    own.runtimes.clear();
    own.config.boxes = 1;
    runtimes::Runtime runtime;
    runtime.docker_image = image.substr(0, image.rfind(':'));
    runtime.run.command = {kProbePlace, "without", kLayerOfBoxes};
    runtime.version = runtime.run;
    // An image of a compiler's serves as well as one of programs.
    const bool compiles = !image.ends_with(":run");
    if (compiles) runtime.compile = runtime.run;
    own.runtimes.emplace("probe", runtime);

    std::optional<isolate::Outcome> outcome;
    Ends ends; // nobody reads them
    Events events;
    events.streams = [&](std::uint64_t, Ends ours) { ends = std::move(ours); };
    events.ended = [&](std::uint64_t, const isolate::Outcome& said, std::uint64_t) {
        outcome = said;
    };
    Docker docker(nullptr, own, events);
    docker.show(probe + " => " + kProbePlace);
    wire::RunFrame frame;
    frame.run_id = 1;
    frame.policy = static_cast<std::uint32_t>(
        std::distance(own.policies.begin(), own.policies.find(own.config.run_policy)));
    frame.stage = compiles ? wire::Stage::version : wire::Stage::run;
    frame.limits = own.policies.at(own.config.run_policy).limits;
    RunFds fds;
    fds.bundle = empty_bundle();
    if (!docker.start(frame, std::move(fds))) return "a container was refused";
    while (!outcome) {
        pollfd watched{.fd = docker.fd(), .events = POLLIN, .revents = 0};
        (void)::poll(&watched, 1, 50);
        docker.dispatch();
    }
    return sentence_for(*outcome, "a container");
}

} // namespace cloister::keeper
