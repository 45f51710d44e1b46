// Which executor a name means.
#include "daemon/keeper/executor.h"

#include "daemon/keeper/native.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace cloister::keeper {

unsigned boxes_of(const config::Config& config) {
    const unsigned asked =
        config.boxes != 0 ? config.boxes : 4 * std::max(1U, std::thread::hardware_concurrency());
    return std::min(asked, isolate::kMaxSlots);
}

std::unique_ptr<Executor> make_executor(const config::Settings& settings,
                                        isolate::Instance* instance, Events events) {
    const bool boxes = settings.method == "native" || settings.method == "local";
    if (boxes && instance != nullptr)
        return std::make_unique<Native>(*instance, settings, std::move(events));
    throw std::runtime_error("no executor is called '" + settings.method + "' here");
}

} // namespace cloister::keeper
