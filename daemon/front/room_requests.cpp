// One reader for each message, in a table by its type. Paths are put into their one spelling here,
// so that every message finds the file that another one made.
#include "daemon/front/room_requests.h"

#include "daemon/front/analysis_requests.h"
#include "daemon/front/fields.h"
#include "daemon/front/rooms/path.h"
#include "daemon/front/text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

using nlohmann::json;
using namespace fields;

constexpr std::size_t kMaxRoomId = 128;
constexpr std::size_t kMaxRejoined = 64; ///< rooms that a message may list
constexpr std::size_t kMaxRanges = 1'024;
constexpr std::size_t kMaxChangeType = 32;
constexpr std::size_t kMaxShortText = 4'096; ///< names, tokens, kinds

/// A text that is short by its nature, so that a megabyte of it is not carried around.
std::string short_text(const json& object, const char* key) {
    std::string text = text_or(object, key, "");
    if (text.size() > kMaxShortText)
        throw Wrong{"too_large", name_of_field(key) + " is longer than " +
                                     std::to_string(kMaxShortText) + " bytes."};
    return text;
}

std::string path_in(const json& message, const char* key = "file_path") {
    return rooms::composed(need_text(message, key));
}

std::string room_id_in(const json& object) {
    std::string room_id = need_text(object, "room_id");
    if (const std::string why = why_bad_room_id(room_id); !why.empty()) wrong(why);
    return room_id;
}

rooms::Position position_in(const json& position) {
    if (!position.is_object())
        wrong("The field 'position' must be an object with line and column.");
    return {need_count(position, "line"), need_count(position, "column")};
}

JoinRoom read_join(const json& message, const config::Config& /*bounds*/) {
    return {room_id_in(message), short_text(message, "name"), short_text(message, "token")};
}

LeaveRoom read_leave(const json& /*message*/, const config::Config& /*bounds*/) { return {}; }

Hello read_hello(const json& message, const config::Config& /*bounds*/) {
    if (const auto version = maybe_whole(message, "protocol", ""); version && *version != 2)
        wrong("The field 'protocol' must be 2.");
    Hello hello;
    hello.name = short_text(message, "name");
    hello.token = short_text(message, "token");
    hello.lang = short_text(message, "lang");
    const json* resume = find(message, "resume");
    if (resume == nullptr) return hello;
    if (!resume->is_object()) wrong("The field 'resume' must be an object.");
    hello.resume_token = short_text(*resume, "resume_token");
    const json* list = find(*resume, "rooms");
    if (list == nullptr) return hello;
    if (!list->is_array() || list->size() > kMaxRejoined)
        wrong("The field 'resume.rooms' must be a list of at most " + std::to_string(kMaxRejoined) +
              " rooms.");
    for (const json& room : *list) {
        if (!room.is_object()) wrong("Each of 'resume.rooms' must be an object with room_id.");
        hello.rejoin = JoinRoom{room_id_in(room), {}, short_text(room, "token")};
    }
    return hello;
}

ChangeCode read_change(const json& message, const config::Config& /*bounds*/) {
    ChangeCode change;
    change.path = path_in(message);
    change.content = need_text(message, "content");
    change.change_type = text_or(message, "change_type", "edit");
    if (change.change_type.size() > kMaxChangeType)
        wrong("The field 'change_type' must be at most " + std::to_string(kMaxChangeType) +
              " bytes long.");
    if (const json* position = find(message, "position")) change.position = position_in(*position);
    change.version = maybe_count(message, "version");
    return change;
}

MoveCursor read_cursor(const json& message, const config::Config& /*bounds*/) {
    const json* position = find(message, "position");
    if (position == nullptr) wrong("The field 'position' is missing.");
    return {path_in(message), position_in(*position)};
}

Say read_chat(const json& message, const config::Config& /*bounds*/) {
    return {need_text(message, "message")};
}

OperateFile read_operation(const json& message, const config::Config& /*bounds*/) {
    OperateFile operate;
    const std::string operation = need_text(message, "operation");
    if (operation == "create") operate.action = rooms::FileAction::create;
    else if (operation == "delete") operate.action = rooms::FileAction::remove;
    else if (operation == "rename") operate.action = rooms::FileAction::rename;
    else wrong("The field 'operation' must be \"create\", \"delete\" or \"rename\".");
    operate.path = path_in(message);
    // Some clients send it always; it means something here only.
    if (operate.action == rooms::FileAction::rename)
        operate.new_path = path_in(message, "new_path");
    return operate;
}

OpenDocument read_open(const json& message, const config::Config& /*bounds*/) {
    OpenDocument open;
    open.path = path_in(message);
    open.epoch = short_text(message, "epoch");
    open.version = maybe_count(message, "version");
    open.diverged = text_or(message, "reason", "") == "hash";
    return open;
}

PushUpdates read_push(const json& message, const config::Config& bounds) {
    PushUpdates push;
    push.path = path_in(message);
    push.epoch = need_text(message, "epoch");
    push.version = need_count(message, "version");
    const json* list = find(message, "updates");
    if (list == nullptr || !list->is_array()) wrong("The field 'updates' must be a list.");
    if (list->size() > bounds.push_updates)
        throw Wrong{"too_many_updates",
                    "A push holds at most " + std::to_string(bounds.push_updates) + " updates."};
    rooms::ChangeBounds allowed;
    allowed.length = static_cast<std::size_t>(bounds.document_bytes);
    for (const json& item : *list) {
        if (!item.is_object()) wrong("Each of 'updates' must be an object with seq and changes.");
        const json* changes = find(item, "changes");
        if (changes == nullptr) wrong("Each of 'updates' needs 'changes'.");
        rooms::Sent sent;
        sent.seq = need_count(item, "seq");
        auto parsed = rooms::parse_changes(*changes, allowed);
        if (auto* refusal = std::get_if<rooms::Refusal>(&parsed))
            throw Wrong{refusal->code, refusal->message};
        sent.changes = std::get<rooms::ChangeSet>(std::move(parsed));
        push.updates.push_back(std::move(sent));
    }
    return push;
}

CloseDocument read_close(const json& message, const config::Config& /*bounds*/) {
    return {path_in(message)};
}

AskHistory read_history(const json& message, const config::Config& /*bounds*/) {
    AskHistory ask{path_in(message), maybe_count(message, "from").value_or(0),
                   maybe_count(message, "to").value_or(UINT64_MAX)};
    if (ask.from > ask.to) wrong("The field 'from' must not be larger than 'to'.");
    return ask;
}

ShowPresence read_presence(const json& message, const config::Config& /*bounds*/) {
    ShowPresence show;
    rooms::Presence& presence = show.presence;
    presence.path = path_in(message);
    presence.epoch = need_text(message, "epoch");
    presence.version = need_count(message, "version");
    presence.typing = flag(message, "typing");
    if (const json* list = find(message, "ranges")) {
        if (!list->is_array() || list->size() > kMaxRanges)
            wrong("The field 'ranges' must be a list of a few ranges.");
        for (const json& range : *list) {
            if (!range.is_object()) wrong("Each of 'ranges' must be an object with anchor, head.");
            presence.ranges.push_back({static_cast<std::size_t>(need_count(range, "anchor")),
                                       static_cast<std::size_t>(need_count(range, "head"))});
        }
    }
    if (const json* viewport = find(message, "viewport")) {
        if (!viewport->is_array() || viewport->size() != 2)
            wrong("The field 'viewport' must be a list of two line numbers.");
        presence.viewport = {count((*viewport)[0], "The field 'viewport'"),
                             count((*viewport)[1], "The field 'viewport'")};
    }
    return show;
}

SendSignal read_signal(const json& message, const config::Config& bounds) {
    SendSignal signal;
    signal.to = need_text(message, "to");
    signal.kind = need_text(message, "kind");
    const auto payload = message.find("payload");
    signal.payload = payload == message.end() ? "null" : payload->dump();
    if (signal.payload.size() > bounds.signal_bytes)
        throw Wrong{"too_large", "The field 'payload' holds more than " +
                                     readable_bytes(bounds.signal_bytes) + "."};
    return signal;
}

WatchAnalysis read_watch(const json& message, const config::Config& /*bounds*/) {
    WatchAnalysis watch{path_in(message)};
    const std::string lang = short_text(message, "lang");
    if (!lang.empty()) watch.korean = is_korean(lang);
    return watch;
}

WatchAnalysis read_unwatch(const json& message, const config::Config& /*bounds*/) {
    return {path_in(message), false};
}

struct Reader {
    std::string_view type;
    void (*read)(RoomRequest& into, const json& message, const config::Config& bounds);
};

template <auto ReadOne>
constexpr auto kAsReader =
    [](RoomRequest& into, const json& message, const config::Config& bounds) {
        into.ask = ReadOne(message, bounds);
    };

constexpr Reader kReaders[] = {
    {"join_room", kAsReader<read_join>},
    {"leave_room", kAsReader<read_leave>},
    {"hello", kAsReader<read_hello>},
    {"code_change", kAsReader<read_change>},
    {"cursor_change", kAsReader<read_cursor>},
    {"chat_message", kAsReader<read_chat>},
    {"file_operation", kAsReader<read_operation>},
    {"doc_open", kAsReader<read_open>},
    {"doc_push", kAsReader<read_push>},
    {"doc_close", kAsReader<read_close>},
    {"doc_history", kAsReader<read_history>},
    {"presence", kAsReader<read_presence>},
    {"rtc_signal", kAsReader<read_signal>},
    {"analysis_subscribe", kAsReader<read_watch>},
    {"analysis_unsubscribe", kAsReader<read_unwatch>},
};

} // namespace

std::optional<RoomRequest> read_room_request(std::string_view type, const json& message,
                                             const config::Config& bounds) {
    const auto* const reader = std::ranges::find(kReaders, type, &Reader::type);
    if (reader == std::end(kReaders)) return std::nullopt;
    RoomRequest request;
    reader->read(request, message, bounds);
    return request;
}

std::string why_bad_room_id(std::string_view room_id) {
    if (room_id.empty() || room_id.size() > kMaxRoomId)
        return "The field 'room_id' must be 1 to " + std::to_string(kMaxRoomId) + " bytes long.";
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
    };
    if (std::ranges::any_of(room_id, is_control))
        return "The field 'room_id' holds a control character.";
    return {};
}

} // namespace cloister::front
