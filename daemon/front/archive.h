// Where rooms outlive the process that they are in. Every call is done when it returns, and throws
// when it could not be done; then nothing of it was.
#pragma once

#include "daemon/front/rooms/room.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::front {

class Archive {
public:
    struct Saved {
        std::vector<std::pair<std::string, rooms::SavedDocument>> files{}; ///< by path
        std::vector<rooms::ChatLine> chat{};
        std::string owner{}; ///< Room::owner
    };
    struct History {
        std::uint64_t version = 0; ///< of the first update
        std::vector<rooms::UpdatePtr> updates{};
        bool more = false;
    };

    virtual ~Archive() = default;
    /// Absent when nothing is kept of the room. From now on it is in use, until close().
    virtual std::optional<Saved> open(const std::string& room_id, rooms::Time now) = 0;
    /// Nobody is in it any more; from now on its time runs.
    virtual void close(const std::string& room_id, rooms::Time now) = 0;
    /// What is kept of the room becomes what the room is.
    virtual void keep(const rooms::Room& room, rooms::Time now) = 0;
    /// The same when only the text of this file can have changed.
    virtual void keep(const rooms::Room& room, std::string_view path, rooms::Time now) = 0;
    /// Updates from `from` on, or from the oldest that is kept. Absent when there is no such file.
    virtual std::optional<History> history(const std::string& room_id, std::string_view path,
                                           std::uint64_t from, std::uint64_t to) = 0;
    /// Housekeeping, every minute or so: drops what was left alone for too long.
    virtual void tidy(rooms::Time now) = 0;
};

} // namespace cloister::front
