// From the settings to boxes, and what the service is told of them.
#include "daemon/keeper/native.h"

#include "daemon/keeper/unprivileged.h"

namespace cloister::keeper {
namespace {

/// A box behind a fence would have to know ahead where its run's files lie.
Pool::Bounds pool_of(const config::Config& config) {
    if (is_fenced()) return {.boxes = 0, .warm = 0, .memory = 0};
    return {.boxes = config.prepared_boxes,
            .warm = config.warm_boxes,
            .memory = config.prepared_memory};
}

} // namespace

Native::Native(isolate::Instance& instance, const config::Settings& settings, Events events)
    : catalogue_(settings, instance.user_id(0),
                 Runs::slots_for(boxes_of(settings.config), pool_of(settings.config)),
                 instance.means()),
      runs_(instance, catalogue_, boxes_of(settings.config), pool_of(settings.config),
            std::move(events)) {}

wire::StatusReply Native::status() const {
    return {.boxes = runs_.boxes() - runs_.quarantined(),
            .running = static_cast<std::uint32_t>(runs_.running()),
            .artifacts = static_cast<std::uint32_t>(runs_.artifacts()),
            .prepared = runs_.ready(false),
            .warm = runs_.ready(true),
            .quarantined = runs_.quarantined(),
            .runs = runs_.total()};
}

First Native::extend(const config::Settings& settings) {
    const First first = catalogue_.extend(settings);
    runs_.admit();
    return first;
}

void Native::renew(First before, First first) {
    catalogue_.retire(before);
    runs_.renew(first);
}

} // namespace cloister::keeper
