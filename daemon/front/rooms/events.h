// What a room says, and to whom. One struct for each message of the protocol; whoever holds the
// sockets writes them out. Contents are shared, not copied: one edit goes to a hundred members.
#pragma once

#include "daemon/front/rooms/document.h"
#include "daemon/front/rooms/refusal.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::rooms {

/// A connection, as whoever holds the sockets numbers it, from 1. Never used again for another one.
using Connection = std::uint64_t;

enum class Role : std::uint8_t { owner, editor, runner, viewer };
const char* name(Role role);
std::optional<Role> role_named(std::string_view name);
/// Writes documents; makes, renames and deletes files.
bool may_edit(Role role);
bool may_run(Role role);

/// Who a member is. All of it is given by the server; nothing of it is taken from messages.
struct Person {
    std::string connection_id;
    std::string client_id;
    std::string user_id;
    std::string name;
    int color = 0;
    Role role = Role::viewer;
};

struct FileInfo {
    std::string path;
    std::uint64_t version = 0;
    std::size_t bytes = 0;
};

struct ChatLine {
    std::uint64_t message_id = 0;
    Person from{};
    std::string text{};
    Time at{};
};

struct RoomJoined {
    Person self;
    std::vector<Person> users; ///< without the one who joins
    std::vector<FileInfo> files;
    std::vector<ChatLine> chat;
};
struct RoomLeft {
    bool replaced = false; ///< its client has come back on another connection
};
struct UserJoined {
    Person user;
};
struct UserLeft {
    Person user;
};

using Content = std::shared_ptr<const std::string>; ///< UTF-8, line breaks "\n"

struct DocState {
    std::string path;
    std::string epoch;
    std::uint64_t version = 0;
    Content content{};
    std::string eol{};
    std::uint64_t last_seq = 0; ///< of the one who asked
    std::uint32_t hash = 0;
    bool read_only = false;
};
/// `updates` begin at `version`. None, with a hash: a look at whether all have the same text.
struct DocUpdates {
    std::string path;
    std::string epoch;
    std::uint64_t version = 0;
    std::vector<UpdatePtr> updates{};
    bool resumed = false;                    ///< the answer to doc_open
    std::optional<std::uint64_t> last_seq{}; ///< with `resumed`
    std::optional<std::uint32_t> hash{};     ///< of the text at `version`
};
struct DocAck {
    std::string path;
    std::string epoch;
    std::uint64_t version = 0;
    std::size_t count = 0;
    std::uint64_t last_seq = 0;
    std::optional<std::uint32_t> hash{};
};
struct DocHistoryChunk {
    std::string path;
    std::uint64_t version = 0;
    std::vector<UpdatePtr> updates{};
    bool more = false;
};
struct Position {
    std::uint64_t line = 0;
    std::uint64_t column = 0; ///< UTF-16 units
};
Position position_of(std::u16string_view text, std::size_t offset);
/// For base clients: the whole text. "merge": it is not what the receiver sent; "sync": as it is
/// when the receiver joins; else somebody changed it, and called that so.
struct CodeChange {
    std::string path;
    Content content{};
    std::uint64_t version = 0;
    std::string change_type = "edit";
    Person from{};
    std::optional<Position> position{}; ///< of the edit
};
struct CursorChange {
    std::string path;
    Position position{};
    Person from{};
};
struct Range {
    std::size_t anchor = 0;
    std::size_t head = 0;
};
struct Presence {
    std::string path;
    std::string epoch;
    std::uint64_t version = 0;
    std::vector<Range> ranges{};
    std::optional<std::array<std::uint64_t, 2>> viewport{};
    bool typing = false;
    Person from{};
};

struct ChatMessage {
    ChatLine line;
};
enum class FileAction : std::uint8_t { create, remove, rename };
const char* name(FileAction action); ///< `remove` is "delete" on the wire
struct FileOperation {
    FileAction action = FileAction::create;
    std::string path{};
    std::string new_path{};
    Person from{};
};
/// WebRTC's own words, from one member to another, as they are.
struct RtcSignal {
    std::string kind;
    std::string payload; ///< JSON
    Person from{};
};

using Event = std::variant<RoomJoined, RoomLeft, UserJoined, UserLeft, DocState, DocUpdates, DocAck,
                           DocHistoryChunk, CodeChange, CursorChange, Presence, ChatMessage,
                           FileOperation, RtcSignal, Refusal>;

struct Delivery {
    std::vector<Connection> to;
    Event event;
    bool is_reply = false; ///< answers what was just asked, and repeats its `id`
};
/// In the order in which each receiver must get them.
using Deliveries = std::vector<Delivery>;

} // namespace cloister::rooms
