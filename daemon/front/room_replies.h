// What rooms say, as JSON texts.
#pragma once

#include "daemon/front/rooms/events.h"
#include "daemon/front/send_queue.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::front {

/// The runtime that runs files of such a name; empty when there is none.
using LanguageOf = std::function<std::string(std::string_view path)>;

/// What the event itself does not hold.
struct RoomContext {
    std::string_view room_id;
    const LanguageOf& language_of;
    std::string_view runs_json = "[]"; ///< the last results, for room_joined
};

/// `id`: of the request that it answers.
MessagePtr to_message(const rooms::Event& event, const std::optional<std::string>& id,
                      const RoomContext& room);

} // namespace cloister::front
