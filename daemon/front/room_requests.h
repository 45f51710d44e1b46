// What clients may ask of rooms, as typed requests: one struct for each message of PROTOCOL.md.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/rooms/events.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front {

struct JoinRoom {
    std::string room_id;
    std::string name{}; ///< empty: as before
    std::string token{};
};
struct LeaveRoom {};

/// Opts in to all that a base client does not know.
struct Hello {
    std::string name{};
    std::string token{}; ///< for rooms that are joined without one of their own
    std::string lang{};  ///< empty: not said
    std::string resume_token{};
    std::optional<JoinRoom> rejoin{}; ///< of `resume.rooms`; one connection is in one room
};

/// code_change: a whole text.
struct ChangeCode {
    std::string path;
    std::string content;
    std::string change_type{};
    std::optional<rooms::Position> position{};
    std::optional<std::uint64_t> version{};
};
struct MoveCursor {
    std::string path;
    rooms::Position position{};
};
struct Say {
    std::string text;
};
struct OperateFile {
    rooms::FileAction action{};
    std::string path;
    std::string new_path{};
};

struct OpenDocument {
    std::string path;
    std::string epoch{};
    std::optional<std::uint64_t> version{};
    bool diverged = false; ///< its text was not that of the hash
};
struct PushUpdates {
    std::string path;
    std::string epoch;
    std::uint64_t version = 0;
    std::vector<rooms::Sent> updates{};
};
struct CloseDocument {
    std::string path;
};
struct AskHistory {
    std::string path;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};
struct ShowPresence {
    rooms::Presence presence;
};
struct SendSignal {
    std::string to;
    std::string kind;
    std::string payload; ///< JSON
};

/// analysis_subscribe and analysis_unsubscribe.
struct WatchAnalysis {
    std::string path;
    bool wanted = true;
    std::optional<bool> korean{}; ///< `lang`; absent: as the client's hello said
};

struct RoomRequest {
    std::optional<std::string> id{};
    std::variant<JoinRoom, LeaveRoom, Hello, ChangeCode, MoveCursor, Say, OperateFile, OpenDocument,
                 PushUpdates, CloseDocument, AskHistory, ShowPresence, SendSignal, WatchAnalysis>
        ask{};
};

/// Reads the message when its `type` is one of these; else nothing. Throws fields::Wrong.
std::optional<RoomRequest> read_room_request(std::string_view type, const nlohmann::json& message,
                                             const config::Config& bounds);

/// Why nobody can join a room of such a name; empty when one can.
std::string why_bad_room_id(std::string_view room_id);

} // namespace cloister::front
