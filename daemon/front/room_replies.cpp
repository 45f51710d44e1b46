// Field by field, in the order of PROTOCOL.md: the base fields first, then ours.
#include "daemon/front/room_replies.h"

#include "daemon/front/protocol.h"
#include "daemon/front/text.h"

#include <type_traits>
#include <variant>

namespace cloister::front {
namespace {

using Id = std::optional<std::string>;

void add_person(JsonObject& out, const rooms::Person& person) {
    out.text("connection_id", person.connection_id).text("client_id", person.client_id);
    out.text("user_id", person.user_id).text("name", person.name);
    out.number("color", person.color).text("role", rooms::name(person.role));
}

/// The one who did it, behind the fields of what was done.
void add_actor(JsonObject& out, const rooms::Person& person) {
    if (person.connection_id.empty()) return; // nobody: the room itself
    out.text("connection_id", person.connection_id).text("client_id", person.client_id);
    out.text("user_id", person.user_id).text("name", person.name);
}

std::string json_of(const rooms::Person& person) {
    JsonObject out;
    add_person(out, person);
    return out.close();
}

std::string json_of(const rooms::Position& position) {
    return JsonObject().count("line", position.line).count("column", position.column).close();
}

std::string json_of(const rooms::ChatLine& line) {
    JsonObject out;
    out.text("message", line.text).count("message_id", line.message_id);
    add_actor(out, line.from);
    return out.text("timestamp", timestamp(line.at)).close();
}

std::string json_of(const rooms::Range& range) {
    return JsonObject().count("anchor", range.anchor).count("head", range.head).close();
}

template <typename Items, typename Write>
std::string list_of(const Items& items, const Write& write) {
    std::string out = "[";
    for (const auto& item : items) {
        if (out.size() > 1) out.push_back(',');
        out += write(item);
    }
    out.push_back(']');
    return out;
}

template <typename Items>
std::string list_of(const Items& items) {
    return list_of(items, [](const auto& item) { return json_of(item); });
}

std::string updates_json(const std::vector<rooms::UpdatePtr>& updates) {
    return list_of(updates, [](const rooms::UpdatePtr& update) {
        std::string changes;
        rooms::append_json(changes, update->changes);
        JsonObject out;
        out.text("client_id", update->client_id).count("seq", update->seq).raw("changes", changes);
        return out.number("ts", update->at.count()).close();
    });
}

void add_hash(JsonObject& out, const std::optional<std::uint32_t>& hash) {
    if (hash) out.text("hash", rooms::hash_name(*hash));
}

JsonObject begin(std::string_view type) {
    JsonObject out;
    out.text("type", type);
    return out;
}

/// Its end: what every message of the base protocol carries.
std::string end(JsonObject& out, const Id& id) {
    return out.maybe("id", id).text("timestamp", timestamp()).close();
}

std::string text_of(const rooms::RoomJoined& event, const Id& id, const RoomContext& room) {
    JsonObject out = begin("room_joined");
    out.text("room_id", room.room_id);
    add_person(out, event.self);
    std::vector<rooms::Person> users{event.self};
    users.insert(users.end(), event.users.begin(), event.users.end());
    out.raw("users", list_of(users));
    out.raw("files", list_of(event.files, [&](const rooms::FileInfo& file) {
                JsonObject one;
                one.text("file_path", file.path).count("version", file.version);
                one.count("bytes", file.bytes);
                const std::string language = room.language_of(file.path);
                if (!language.empty()) one.text("language", language);
                return one.close();
            }));
    out.raw("chat", list_of(event.chat)).raw("runs", room.runs_json);
    return end(out, id);
}

std::string text_of(const rooms::RoomLeft& event, const Id& id, const RoomContext& room) {
    JsonObject out = begin("room_left");
    out.text("room_id", room.room_id);
    if (event.replaced) out.flag("replaced", true);
    return end(out, id);
}

std::string text_of(const rooms::UserJoined& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("user_joined");
    add_person(out, event.user);
    return end(out, id);
}

std::string text_of(const rooms::UserLeft& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("user_left");
    add_person(out, event.user);
    return end(out, id);
}

std::string text_of(const rooms::DocState& event, const Id& id, const RoomContext& room) {
    JsonObject out = begin("doc_state");
    out.text("file_path", event.path).text("epoch", event.epoch).count("version", event.version);
    out.text("content", *event.content);
    const std::string language = room.language_of(event.path);
    if (!language.empty()) out.text("language", language);
    out.text("eol", event.eol).count("last_seq", event.last_seq);
    add_hash(out, event.hash);
    return out.flag("read_only", event.read_only).maybe("id", id).close();
}

std::string text_of(const rooms::DocUpdates& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("doc_updates");
    out.text("file_path", event.path).text("epoch", event.epoch).count("version", event.version);
    if (event.resumed) out.flag("resumed", true);
    if (event.last_seq) out.count("last_seq", *event.last_seq);
    out.raw("updates", updates_json(event.updates));
    add_hash(out, event.hash);
    return out.maybe("id", id).close();
}

std::string text_of(const rooms::DocAck& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("doc_ack");
    out.text("file_path", event.path).text("epoch", event.epoch).count("version", event.version);
    out.count("count", event.count).count("last_seq", event.last_seq);
    add_hash(out, event.hash);
    return out.maybe("id", id).close();
}

std::string text_of(const rooms::DocHistoryChunk& event, const Id& id,
                    const RoomContext& /*room*/) {
    JsonObject out = begin("doc_history_chunk");
    out.text("file_path", event.path).count("version", event.version);
    out.raw("updates", updates_json(event.updates));
    return out.flag("more", event.more).maybe("id", id).close();
}

std::string text_of(const rooms::CodeChange& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("code_change");
    out.text("file_path", event.path).text("content", *event.content);
    out.text("change_type", event.change_type);
    if (event.position) out.raw("position", json_of(*event.position));
    out.count("version", event.version);
    add_actor(out, event.from);
    return end(out, id);
}

std::string text_of(const rooms::CursorChange& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("cursor_change");
    out.text("file_path", event.path).raw("position", json_of(event.position));
    add_actor(out, event.from);
    return end(out, id);
}

std::string text_of(const rooms::Presence& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("presence");
    add_actor(out, event.from);
    out.number("color", event.from.color);
    out.text("file_path", event.path).text("epoch", event.epoch).count("version", event.version);
    out.raw("ranges", list_of(event.ranges));
    if (event.viewport)
        out.raw("viewport",
                list_of(*event.viewport, [](std::uint64_t line) { return std::to_string(line); }));
    return out.flag("typing", event.typing).maybe("id", id).close();
}

std::string text_of(const rooms::ChatMessage& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("chat_message");
    out.text("message", event.line.text).count("message_id", event.line.message_id);
    add_actor(out, event.line.from);
    return out.maybe("id", id).text("timestamp", timestamp(event.line.at)).close();
}

std::string text_of(const rooms::FileOperation& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("file_operation");
    out.text("operation", rooms::name(event.action)).text("file_path", event.path);
    if (!event.new_path.empty()) out.text("new_path", event.new_path);
    add_actor(out, event.from);
    return end(out, id);
}

std::string text_of(const rooms::RtcSignal& event, const Id& id, const RoomContext& /*room*/) {
    JsonObject out = begin("rtc_signal");
    out.text("from", event.from.connection_id).text("kind", event.kind);
    return out.raw("payload", event.payload).maybe("id", id).close();
}

std::string text_of(const rooms::Refusal& event, const Id& id, const RoomContext& /*room*/) {
    Refusal refusal;
    refusal.code = event.code;
    refusal.message = event.message;
    refusal.id = id;
    return to_text(refusal);
}

/// Not empty for what is out of date as soon as the next one is there.
std::string topic_of(const rooms::Event& event) {
    const auto topic = [](const char* kind, const rooms::Person& from, const std::string& path) {
        return kind + from.connection_id + '\n' + path;
    };
    if (const auto* presence = std::get_if<rooms::Presence>(&event))
        return topic("presence\n", presence->from, presence->path);
    if (const auto* cursor = std::get_if<rooms::CursorChange>(&event))
        return topic("cursor\n", cursor->from, cursor->path);
    return {};
}

} // namespace

MessagePtr to_message(const rooms::Event& event, const std::optional<std::string>& id,
                      const RoomContext& room) {
    std::string text = std::visit([&](const auto& one) { return text_of(one, id, room); }, event);
    return std::make_shared<const Message>(Message{std::move(text), topic_of(event)});
}

} // namespace cloister::front
