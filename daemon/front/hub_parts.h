// A room and a person, as the parts of the hub know them. For the files that implement hub.h only.
#pragma once

#include "daemon/front/hub.h"

namespace cloister::front {

/// A room that is in memory.
struct Hub::Here {
    rooms::Room room;
    rooms::Time empty_since{};
    std::size_t memory = 0;
    bool has_content = false;          ///< something was made in it that should outlive its members
    std::deque<std::string> results{}; ///< of the last runs, as texts; the newest last
    /// What was done but could not be kept, and so has been told to nobody yet.
    struct Held {
        rooms::Deliveries deliveries;
        Connection actor = 0;
        std::optional<std::string> id{};
    };
    std::vector<Held> held{};
    /// Texts of files that were sent to somebody who joined, while they are still on their way.
    std::map<std::string, std::weak_ptr<const Message>> texts{};
};

/// A connection.
struct Hub::Person {
    Member* member = nullptr;
    Self self{};
    std::string wanted{};     ///< connection id
    std::string token{};      ///< for rooms, from its hello
    bool understands = false; ///< it has said hello
    RoomPtr here{};
};

/// A run that a room sees.
struct Hub::Run {
    SharedRun shared{};
    Connection starter = 0;
    std::weak_ptr<Here> here{};
    rooms::Person by{};
    std::string started{}; ///< the message, once it was told
};

} // namespace cloister::front
