// What each message of PROTOCOL.md does: the room's own rules are in rooms/.
#include "daemon/front/hub_parts.h"
#include "daemon/front/rooms/path.h"
#include "daemon/front/text.h"

#include <cstdio>

namespace cloister::front {

using rooms::Deliveries;

void Hub::handle(Connection connection, RoomRequest request) {
    const Caller caller{connection, request.id};
    std::visit([&](auto& asked) { act(caller, asked); }, request.ask);
}

Hub::Here* Hub::room_of(const Caller& caller, bool grows) {
    Here* here = person(caller.connection).here.get();
    if (here == nullptr) {
        refuse(caller.connection, "not_in_room", "You are in no room.", caller.id);
        return nullptr;
    }
    // What is not kept yet is not shown either.
    if (!here->held.empty()) {
        refuse(caller.connection, "busy", "The room cannot be kept on disk now; nothing was done.",
               caller.id);
        return nullptr;
    }
    if (grows && !has_memory_for(*here)) {
        refuse(caller.connection, "busy", "The server's rooms hold as much as they may.",
               caller.id);
        return nullptr;
    }
    return here;
}

void Hub::act(const Caller& caller, JoinRoom& asked) { join(caller.connection, asked, caller.id); }

void Hub::act(const Caller& caller, LeaveRoom& /*asked*/) {
    if (is_in_room(caller.connection)) return leave(caller.connection, caller.id, false);
    refuse(caller.connection, "not_in_room", "You are in no room.", caller.id);
}

// --- Who somebody is

/// Makes the connection the client that the token names; false when we have not signed it.
bool Hub::resume(Connection connection, const std::string& token) {
    const auto identity = tokens::read_identity(secret_, token);
    if (!identity) return false;
    Person& who = person(connection);
    if (const auto known = by_client_.find(identity->client_id);
        known != by_client_.end() && known->second != connection) {
        // Whoever held it is somebody new from now on: two at a time would count the seq of their
        // updates twice.
        const Connection old = known->second;
        leave(old, {}, true);
        Self& other = person(old).self;
        other.client_id = "c" + fresh_word();
        other.user_id = "user_" + fresh_word();
        if (!who.wanted.empty() && other.connection_id == who.wanted) {
            by_connection_id_.erase(who.self.connection_id);
            by_connection_id_[who.wanted] = connection;
            who.self.connection_id = who.wanted;
            other.connection_id = fresh_uuid();
            by_connection_id_[other.connection_id] = old;
        }
        by_client_[other.client_id] = old;
    }
    by_client_.erase(who.self.client_id);
    if (who.self.name == who.self.user_id) who.self.name = identity->user_id;
    who.self.client_id = identity->client_id;
    who.self.user_id = identity->user_id;
    by_client_[who.self.client_id] = connection;
    return true;
}

void Hub::act(const Caller& caller, Hello& asked) {
    Person& who = person(caller.connection);
    if (who.understands)
        return refuse(caller.connection, "bad_message", "You have said hello already.", caller.id);
    std::optional<JoinRoom> rejoin = std::move(asked.rejoin);
    // Under another identity it is another member.
    const RoomPtr here = who.here;
    const bool changes = !asked.resume_token.empty() &&
                         tokens::read_identity(secret_, asked.resume_token).has_value();
    if (changes && here != nullptr) {
        if (!rejoin) rejoin = JoinRoom{here->room.room_id()};
        leave(caller.connection, {}, false);
    }
    const bool resumed = changes && resume(caller.connection, asked.resume_token);
    who.understands = true;
    who.token = std::move(asked.token);
    if (!asked.name.empty()) who.self.name = std::move(asked.name);

    JsonObject out;
    out.text("type", "hello_ok").text("connection_id", who.self.connection_id);
    out.text("client_id", who.self.client_id).text("user_id", who.self.user_id);
    if (who.here != nullptr) {
        out.text("role", rooms::name(who.here->room.person(caller.connection)->role));
    } else if (rejoin) {
        const auto admission = admit(rejoin->room_id, who, rejoin->token);
        if (const auto* granted = std::get_if<Admission>(&admission))
            out.text("role", rooms::name(granted->role));
    }
    out.flag("resumed", resumed).text("resume_token", resume_token(caller.connection));
    say(caller.connection, message_of(out.maybe("id", caller.id).close()));

    if (who.here != nullptr) {
        Here& room = *who.here;
        deliver(room, room.room.understand(caller.connection), caller.connection, caller.id);
        deliver(room, room.room.introduce(caller.connection, who.self.name), caller.connection,
                caller.id);
    }
    if (rejoin && (who.here == nullptr || who.here->room.room_id() != rejoin->room_id))
        join(caller.connection, *rejoin, caller.id);
}

// --- Documents and files

void Hub::act(const Caller& caller, ChangeCode& asked) {
    Here* here = room_of(caller, true);
    if (here == nullptr) return;
    // A file that is not there is made, and that is more than its text.
    const bool is_new = here->room.document(asked.path) == nullptr;
    Deliveries out =
        here->room.change_code(caller.connection, asked.path, asked.content, asked.version, now_(),
                               {asked.change_type, asked.position});
    keep_and_deliver(*here, std::move(out), caller.connection, caller.id,
                     is_new ? std::string_view{} : asked.path);
    if (watcher_ != nullptr) watcher_->on_changed({here->room.room_id(), asked.path});
}

void Hub::act(const Caller& caller, OperateFile& asked) {
    // Removing is always possible: it is what helps when there is no room for more.
    const bool grows = asked.action != rooms::FileAction::remove;
    Here* here = room_of(caller, grows);
    if (here == nullptr) return;
    const auto operate = [&] {
        switch (asked.action) {
        case rooms::FileAction::create: return here->room.create(caller.connection, asked.path);
        case rooms::FileAction::remove: return here->room.remove(caller.connection, asked.path);
        case rooms::FileAction::rename:
            return here->room.rename(caller.connection, asked.path, asked.new_path);
        }
        return Deliveries{};
    };
    keep_and_deliver(*here, operate(), caller.connection, caller.id);
    if (watcher_ != nullptr) watcher_->on_files(here->room.room_id());
}

void Hub::act(const Caller& caller, PushUpdates& asked) {
    Here* here = room_of(caller, true);
    if (here == nullptr) return;
    keep_and_deliver(*here,
                     here->room.push(caller.connection, asked.path, asked.epoch, asked.version,
                                     std::move(asked.updates), now_()),
                     caller.connection, caller.id, asked.path);
    if (watcher_ != nullptr) watcher_->on_changed({here->room.room_id(), asked.path});
}

void Hub::act(const Caller& caller, OpenDocument& asked) {
    Here* here = room_of(caller, false);
    if (here == nullptr) return;
    if (asked.diverged) {
        ++divergences_;
        if (divergences_ == 1 || divergences_ % 1'000 == 0) // a stranger can say so, too
            (void)std::fprintf(stderr,
                               "cloister: a client's text is not the document's (%llu times)\n",
                               static_cast<unsigned long long>(divergences_));
    }
    deliver(*here, here->room.open(caller.connection, asked.path, asked.epoch, asked.version),
            caller.connection, caller.id);
}

void Hub::act(const Caller& caller, CloseDocument& asked) {
    Here* here = room_of(caller, false);
    if (here == nullptr) return;
    deliver(*here, here->room.close(caller.connection, asked.path), caller.connection, caller.id);
    if (watcher_ != nullptr)
        watcher_->unsubscribe(caller.connection, {here->room.room_id(), asked.path});
}

/// From the room's memory as far as that goes back, else from the archive.
void Hub::act(const Caller& caller, AskHistory& asked) {
    Here* here = room_of(caller, false);
    if (here == nullptr) return;
    const rooms::Document* document = here->room.document(asked.path);
    if (archive_ != nullptr && document != nullptr && asked.from < document->first_version()) {
        std::optional<Archive::History> kept;
        try {
            kept = archive_->history(here->room.room_id(), asked.path, asked.from, asked.to);
        } catch (const std::exception& error) {
            (void)std::fprintf(stderr, "cloister: a history cannot be read: %s\n", error.what());
            return refuse(caller.connection, "internal_error", "The history cannot be read now.",
                          caller.id);
        }
        if (kept && !kept->updates.empty()) {
            const rooms::Event chunk = rooms::DocHistoryChunk{asked.path, kept->version,
                                                              std::move(kept->updates), kept->more};
            return say(caller.connection, message_for(*here, chunk, caller.id), true);
        }
    }
    deliver(*here, here->room.history(caller.connection, asked.path, asked.from, asked.to),
            caller.connection, caller.id);
}

// --- What is said about documents

const rooms::Document* Hub::document(const RoomDocument& which) const {
    const auto found = rooms_.find(which.room_id);
    return found == rooms_.end() ? nullptr : found->second->room.document(which.path);
}

std::optional<Hub::Text> Hub::text_of(const RoomDocument& which) const {
    const rooms::Document* found = document(which);
    if (found == nullptr) return std::nullopt;
    return Text{rooms::to_utf8(found->text()), found->epoch(), found->version()};
}

std::optional<std::pair<std::string, std::uint64_t>> Hub::version_of(
    const RoomDocument& which) const {
    const rooms::Document* found = document(which);
    if (found == nullptr) return std::nullopt;
    return std::pair(found->epoch(), found->version());
}

bool Hub::is_open(Connection connection, const RoomDocument& which) const {
    const auto who = people_.find(connection);
    const Here* here = who == people_.end() ? nullptr : who->second->here.get();
    return here != nullptr && here->room.room_id() == which.room_id &&
           here->room.is_open(connection, which.path);
}

/// What one member alone says about a file must not be what the others are told about theirs.
std::optional<RoomDocument> Hub::document_of(Connection connection, std::string_view path,
                                             std::string_view content) const {
    const Here* here = person(connection).here.get();
    if (here == nullptr) return std::nullopt;
    RoomDocument which{here->room.room_id(), rooms::composed(path)};
    const rooms::Document* found = here->room.document(which.path);
    if (found == nullptr) return std::nullopt;
    const bool may_say =
        rooms::may_edit(here->room.person(connection)->role) ||
        (found->bytes() == content.size() && rooms::to_utf8(found->text()) == content);
    return may_say ? std::optional(which) : std::nullopt;
}

void Hub::act(const Caller& caller, WatchAnalysis& asked) {
    Here* here = room_of(caller, false);
    if (here == nullptr) return;
    const RoomDocument which{here->room.room_id(), asked.path};
    if (watcher_ == nullptr)
        return refuse(caller.connection, "runtime_unavailable",
                      "This server runs without analysis.", caller.id);
    if (!asked.wanted) return watcher_->unsubscribe(caller.connection, which);
    if (!here->room.is_open(caller.connection, asked.path))
        return refuse(caller.connection, "bad_message",
                      "Open the document before you subscribe to its analysis.", caller.id);
    if (const auto refusal =
            watcher_->subscribe(caller.connection, which, asked.korean.value_or(false)))
        refuse(caller.connection, refusal->code, refusal->message, caller.id);
}

// --- Presence and talk

void Hub::act(const Caller& caller, MoveCursor& asked) {
    if (Here* here = room_of(caller, false))
        deliver(*here,
                here->room.move_cursor(caller.connection, asked.path, asked.position, now_()),
                caller.connection, caller.id);
}

void Hub::act(const Caller& caller, ShowPresence& asked) {
    if (Here* here = room_of(caller, false))
        deliver(*here, here->room.present(caller.connection, std::move(asked.presence), now_()),
                caller.connection, caller.id);
}

void Hub::act(const Caller& caller, Say& asked) {
    Here* here = room_of(caller, true);
    if (here == nullptr) return;
    Deliveries out = here->room.chat(caller.connection, asked.text, now_());
    const bool refused = !out.empty() && std::holds_alternative<rooms::Refusal>(out.front().event);
    if (!refused) here->has_content = true;
    keep_and_deliver(*here, std::move(out), caller.connection, caller.id);
}

void Hub::act(const Caller& caller, SendSignal& asked) {
    if (Here* here = room_of(caller, false))
        deliver(*here,
                here->room.signal(caller.connection, asked.to, std::move(asked.kind),
                                  std::move(asked.payload), now_()),
                caller.connection, caller.id);
}

} // namespace cloister::front
