// Which executor a name means, and which one a host can have.
#include "daemon/keeper/executor.h"

#include "daemon/keeper/docker.h"
#include "daemon/keeper/native.h"
#include "daemon/keeper/selftest.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace cloister::keeper {
namespace {

std::string trouble_of(const std::function<std::string()>& test) {
    try {
        return test();
    } catch (const std::exception& error) {
        return error.what();
    }
}

} // namespace

unsigned boxes_of(const config::Config& config) {
    const unsigned asked =
        config.boxes != 0 ? config.boxes : 4 * std::max(1U, std::thread::hardware_concurrency());
    return std::min(asked, isolate::kMaxSlots);
}

std::string choose_method(const config::Settings& settings, const std::string& probe) {
    const std::string& wish = settings.config.executor;
    std::string why;
    if (wish != "docker") {
        why = trouble_of([&] { return selftest(settings, probe); });
        if (why.empty()) return settings.method; // native, or local where that is what was entered
        if (wish != "auto") throw std::runtime_error("refusing to serve: " + why);
    }
    const std::string docker = trouble_of([&] { return docker_selftest(settings, probe); });
    if (docker.empty()) return "docker";
    throw std::runtime_error("refusing to serve: " + (why.empty() ? "" : why + "; and ") +
                             "with docker: " + docker);
}

std::unique_ptr<Executor> make_executor(const config::Settings& settings,
                                        isolate::Instance* instance, Events events) {
    const bool boxes = settings.method == "native" || settings.method == "local";
    if (boxes && instance != nullptr)
        return std::make_unique<Native>(*instance, settings, std::move(events));
    if (settings.method == "docker")
        return std::make_unique<Docker>(instance, settings, std::move(events));
    throw std::runtime_error("no executor is called '" + settings.method + "' here");
}

} // namespace cloister::keeper
