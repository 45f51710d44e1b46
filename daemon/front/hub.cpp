// Connections, rooms that come and go, keeping and delivering. Requests: hub_requests.cpp. Runs:
// hub_runs.cpp.
#include "daemon/front/hub_parts.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <cstdio>

namespace cloister::front {
namespace {

using rooms::Time;

constexpr Time kExpiryPause = std::chrono::minutes(1);
/// An empty room that is kept elsewhere stays in memory for so long, for those who come back.
constexpr Time kLinger = std::chrono::minutes(5);
/// What a room's logs may hold of each document when there is no memory for more.
constexpr std::size_t kShortLog = 64 * isolate::kKiB;

rooms::RoomLimits limits_of(const config::Config& config) {
    rooms::RoomLimits limits;
    limits.members = config.room_members;
    limits.files = config.room_files;
    limits.room_bytes = static_cast<std::size_t>(config.room_bytes);
    limits.part_bytes = config.path_part_bytes;
    limits.name_chars = config.name_chars;
    limits.chat_chars = config.chat_chars;
    limits.chat_kept = config.chat_kept;
    limits.chat_per_second = config.chat_per_second;
    limits.chat_burst = config.chat_burst;
    limits.presence_per_second = config.presence_per_second;
    limits.signal_per_second = config.signals_per_second;
    limits.signal_bytes = static_cast<std::size_t>(config.signal_bytes);
    limits.document.doc_bytes = static_cast<std::size_t>(config.document_bytes);
    limits.document.log_updates = config.document_log_updates;
    limits.document.log_bytes = static_cast<std::size_t>(config.document_log_bytes);
    limits.document.push_updates = config.push_updates;
    limits.document.push_bytes = static_cast<std::size_t>(config.push_bytes);
    return limits;
}

/// True for what may be large because the receiver asked for much.
bool is_bulk(const rooms::Event& event) {
    if (const auto* change = std::get_if<rooms::CodeChange>(&event))
        return change->change_type == "sync";
    return std::holds_alternative<rooms::RoomJoined>(event) ||
           std::holds_alternative<rooms::DocState>(event) ||
           std::holds_alternative<rooms::DocUpdates>(event) ||
           std::holds_alternative<rooms::DocHistoryChunk>(event);
}

} // namespace

Hub::Hub(const config::Config& config, const tokens::Secret& secret, Archive* archive,
         LanguageOf language_of, std::function<Time()> now)
    : config_(config), secret_(secret), archive_(archive), language_of_(std::move(language_of)),
      now_(std::move(now)), limits_(limits_of(config)), last_expiry_(now_()) {}

Hub::~Hub() = default;

// --- Connections

Hub::Connection Hub::open(Member& member, const std::string& wanted) {
    const Connection connection = ++last_connection_;
    auto person = std::make_shared<Person>();
    person->member = &member;
    person->wanted = wanted;
    Self& self = person->self;
    // Two connections of one id could be taken for each other by those who write to them.
    const bool is_free = !wanted.empty() && !by_connection_id_.contains(wanted);
    self.connection_id = is_free ? wanted : fresh_uuid();
    self.client_id = "c" + fresh_word();
    self.user_id = "user_" + fresh_word();
    self.name = self.user_id;
    by_connection_id_[self.connection_id] = connection;
    by_client_[self.client_id] = connection;
    people_.emplace(connection, std::move(person));
    return connection;
}

void Hub::close(Connection connection) {
    const auto found = people_.find(connection);
    if (found == people_.end()) return;
    end_runs_of(connection);
    found->second->member = nullptr;
    leave(connection, {}, false);
    by_client_.erase(found->second->self.client_id);
    by_connection_id_.erase(found->second->self.connection_id);
    people_.erase(found);
}

const Self& Hub::self(Connection connection) const { return person(connection).self; }

std::string Hub::resume_token(Connection connection) const {
    const Self& self = person(connection).self;
    return tokens::sign(secret_, tokens::Identity{self.client_id, self.user_id});
}

void Hub::say(Connection connection, const MessagePtr& message, bool bulk) {
    const auto found = people_.find(connection);
    if (found != people_.end() && found->second->member != nullptr)
        found->second->member->hear(message, bulk);
}

void Hub::refuse(Connection connection, std::string code, std::string message,
                 const std::optional<std::string>& id) {
    if (refused_) refused_(code);
    Refusal refusal;
    refusal.code = std::move(code);
    refusal.message = std::move(message);
    refusal.id = id;
    say(connection, message_of(to_text(refusal)));
}

// --- Rooms that come and go

Hub::RoomPtr Hub::find_room(const std::string& room_id) {
    const auto found = rooms_.find(room_id);
    return found == rooms_.end() ? load_room(room_id) : found->second;
}

/// From the archive, or new; nothing when there is no place for another one.
Hub::RoomPtr Hub::load_room(const std::string& room_id) {
    if (rooms_.size() >= config_.rooms && !make_place()) return nullptr;
    auto here =
        std::make_shared<Here>(Here{rooms::Room(room_id, limits_, [] { return fresh_word(); })});
    here->empty_since = now_();
    if (auto saved = archive_ == nullptr ? std::nullopt : archive_->open(room_id, now_())) {
        for (const auto& [path, document] : saved->files) {
            if (!here->room.load(path, document))
                throw std::runtime_error("the file '" + path + "' of the room '" + room_id +
                                         "' cannot be read back");
        }
        here->room.load_chat(std::move(saved->chat));
        here->room.set_owner(std::move(saved->owner));
        here->has_content = true;
    }
    rooms_.emplace(room_id, here);
    weigh(*here);
    return here;
}

/// Lets go of the room that has been empty longest.
bool Hub::make_place() {
    auto oldest = rooms_.end();
    for (auto at = rooms_.begin(); at != rooms_.end(); ++at) {
        const Here& here = *at->second;
        // Without an archive, what is in memory is all there is.
        const bool may_go =
            here.room.is_empty() && here.held.empty() && (archive_ != nullptr || !here.has_content);
        if (may_go && (oldest == rooms_.end() || here.empty_since < oldest->second->empty_since))
            oldest = at;
    }
    if (oldest == rooms_.end()) return false;
    unload(oldest->first);
    return true;
}

void Hub::unload(const std::string& room_id) {
    const auto found = rooms_.find(room_id);
    const RoomPtr here = found->second;
    memory_ -= here->memory;
    rooms_.erase(found);
    try {
        if (archive_ != nullptr) archive_->close(here->room.room_id(), now_());
    } catch (const std::exception& error) {
        // What is in it was kept when it was done; only the time of its leaving is lost.
        (void)std::fprintf(stderr, "cloister: a room could not be closed: %s\n", error.what());
    }
}

void Hub::weigh(Here& here) {
    memory_ -= here.memory;
    here.memory = here.room.memory();
    for (const std::string& result : here.results) here.memory += result.size();
    memory_ += here.memory;
}

/// Makes memory where it can: rooms that nobody is in, then what this room remembers of the past.
bool Hub::has_memory_for(Here& here) {
    while (memory_ > config_.rooms_memory && make_place()) {}
    if (memory_ <= config_.rooms_memory) return true;
    here.room.shorten_logs(kShortLog);
    weigh(here);
    return memory_ <= config_.rooms_memory;
}

/// Somebody has left.
void Hub::settle(Here& here) {
    if (!here.room.is_empty()) return;
    here.empty_since = now_();
    if (!here.has_content && here.held.empty()) unload(std::string(here.room.room_id()));
}

void Hub::leave(Connection connection, const std::optional<std::string>& id, bool replaced) {
    const RoomPtr here = std::exchange(person(connection).here, nullptr);
    if (here == nullptr) return;
    --members_in_rooms_;
    if (watcher_ != nullptr) watcher_->on_left(connection);
    rooms::Deliveries deliveries = here->room.leave(connection);
    if (replaced) {
        deliveries.back().event = rooms::RoomLeft{true};
        deliveries.back().is_reply = false;
    }
    deliver(*here, deliveries, connection, id);
    settle(*here);
}

/// What a token, or none, makes of whoever shows it: a role, or that of somebody without one.
std::variant<std::optional<rooms::Role>, rooms::Refusal> Hub::role_by_token(
    const std::string& room_id, const Person& who, const std::string& own_token) {
    const std::string& token = own_token.empty() ? who.token : own_token;
    if (!token.empty()) {
        const auto pass = tokens::read_room_pass(secret_, token);
        const auto role = pass ? rooms::role_named(pass->role) : std::nullopt;
        if (pass && role && pass->room_id == room_id && Time(pass->expires * 1'000) > now_())
            return role;
        // One that the client has for another room does no harm where none is needed.
        const bool is_meant_here = !own_token.empty() || config_.room_tokens == "required";
        if (is_meant_here)
            return rooms::Refusal{"unauthorized", "The room token is not good for this room now."};
    } else if (config_.room_tokens == "required") {
        return rooms::Refusal{"unauthorized", "A room token is needed: join_room with 'token'."};
    }
    return std::optional<rooms::Role>();
}

/// The room, and what somebody is in it; or why nothing. Those who may not know learn nothing of
/// it.
std::variant<Hub::Admission, rooms::Refusal> Hub::admit(const std::string& room_id,
                                                        const Person& who,
                                                        const std::string& token) {
    auto by_token = role_by_token(room_id, who, token);
    if (auto* refusal = std::get_if<rooms::Refusal>(&by_token)) return *std::move(refusal);
    Admission out;
    try {
        out.here = find_room(room_id);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: a room could not be opened: %s\n", error.what());
        return rooms::Refusal{"internal_error", "The room cannot be opened now."};
    }
    if (out.here == nullptr)
        return rooms::Refusal{"busy", "The server has as many rooms as it may have."};
    const std::string& owner = out.here->room.owner();
    const bool is_owner = owner.empty() || owner == who.self.user_id;
    const auto others = rooms::role_named(config_.room_role).value_or(rooms::Role::viewer);
    out.role = std::get<std::optional<rooms::Role>>(by_token).value_or(is_owner ? rooms::Role::owner
                                                                                : others);
    return out;
}

void Hub::join(Connection connection, const JoinRoom& asked, const std::optional<std::string>& id) {
    Person& who = person(connection);
    auto admission = admit(asked.room_id, who, asked.token);
    if (auto* refusal = std::get_if<rooms::Refusal>(&admission))
        return refuse(connection, refusal->code, refusal->message, id);
    const auto& [here, role] = std::get<Admission>(admission);
    if (who.here == here)
        return refuse(connection, "bad_message", "You are in this room already.", id);
    if (!here->held.empty())
        return refuse(connection, "busy", "The room cannot be kept on disk now.", id);
    if (here->room.connections().size() >= config_.room_members) {
        return refuse(connection, "room_full",
                      "A room has at most " + std::to_string(config_.room_members) + " members.",
                      id);
    }
    leave(connection, {}, false); // one connection is in one room
    if (!asked.name.empty()) who.self.name = asked.name;
    rooms::Person member;
    member.connection_id = who.self.connection_id;
    member.client_id = who.self.client_id;
    member.user_id = who.self.user_id;
    member.name = who.self.name;
    member.role = role;
    const auto deliveries = here->room.join(connection, member, who.understands, now_());
    if (here->room.has(connection)) {
        who.here = here;
        ++members_in_rooms_;
        if (here->room.owner().empty() && member.role == rooms::Role::owner)
            here->room.set_owner(member.user_id);
    }
    deliver(*here, deliveries, connection, id);
    weigh(*here);
    settle(*here);
}

// --- Keeping and delivering

MessagePtr Hub::message_for(Here& here, const rooms::Event& event,
                            const std::optional<std::string>& id) {
    if (const auto* refusal = std::get_if<rooms::Refusal>(&event); refusal != nullptr && refused_)
        refused_(refusal->code);
    const bool joins = std::holds_alternative<rooms::RoomJoined>(event);
    const std::string runs = joins ? runs_json(here) : "[]";
    const RoomContext context{here.room.room_id(), language_of_, runs};
    const auto* change = std::get_if<rooms::CodeChange>(&event);
    if (change == nullptr || change->change_type != "sync") return to_message(event, id, context);
    // The same text goes to everybody who joins; on its way to many, it is one.
    const rooms::Document* document = here.room.document(change->path);
    if (document == nullptr) return to_message(event, id, context);
    std::erase_if(here.texts, [](const auto& each) { return each.second.expired(); });
    const std::string key =
        change->path + '\n' + document->epoch() + '\n' + std::to_string(change->version);
    std::weak_ptr<const Message>& known = here.texts[key];
    MessagePtr message = known.lock();
    if (message == nullptr) {
        message = to_message(event, id, context);
        known = message;
    }
    return message;
}

void Hub::deliver(Here& here, const rooms::Deliveries& deliveries, Connection actor,
                  const std::optional<std::string>& id) {
    for (const rooms::Delivery& delivery : deliveries) {
        const MessagePtr message =
            message_for(here, delivery.event, delivery.is_reply ? id : std::nullopt);
        for (const Connection to : delivery.to)
            say(to, message, to == actor && delivery.to.size() == 1 && is_bulk(delivery.event));
    }
}

void Hub::keep_and_deliver(Here& here, rooms::Deliveries deliveries, Connection actor,
                           const std::optional<std::string>& id, std::string_view path) {
    weigh(here);
    if (!here.room.files().empty()) here.has_content = true;
    const bool refused =
        !deliveries.empty() && std::holds_alternative<rooms::Refusal>(deliveries.back().event);
    if (refused && !path.empty()) return deliver(here, deliveries, actor, id);
    try {
        if (archive_ != nullptr && path.empty()) archive_->keep(here.room, now_());
        if (archive_ != nullptr && !path.empty()) archive_->keep(here.room, path, now_());
    } catch (const std::exception& error) {
        if (here.held.empty())
            (void)std::fprintf(stderr, "cloister: a room cannot be kept: %s\n", error.what());
        here.held.push_back({std::move(deliveries), actor, id});
        return;
    }
    deliver(here, deliveries, actor, id);
}

/// Tries again what could not be kept; told is it then.
void Hub::keep_held(Here& here) {
    try {
        archive_->keep(here.room, now_());
    } catch (const std::exception&) {
        return; // it was reported; the next tick tries again
    }
    for (const Here::Held& held : std::exchange(here.held, {}))
        deliver(here, held.deliveries, held.actor, held.id);
}

void Hub::tick() {
    const Time now = now_();
    for (const auto& [room_id, here] : rooms_) {
        if (!here->held.empty()) keep_held(*here);
        if (!here->room.is_empty() && here->held.empty())
            deliver(*here, here->room.tick(now), 0, {});
    }
    if (now - last_expiry_ < kExpiryPause) return;
    last_expiry_ = now;
    expire();
}

void Hub::expire() {
    const Time now = now_();
    const Time kept =
        archive_ != nullptr ? kLinger : Time(std::chrono::hours(config_.room_keep_hours));
    std::vector<std::string> over;
    for (const auto& [room_id, here] : rooms_) {
        if (here->room.is_empty() && here->held.empty() && now - here->empty_since >= kept)
            over.push_back(room_id);
    }
    for (const std::string& room_id : over) unload(room_id);
    try {
        if (archive_ != nullptr) archive_->tidy(now);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: the store could not be tidied: %s\n", error.what());
    }
}

} // namespace cloister::front
