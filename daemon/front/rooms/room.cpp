// Members, presence and talk. Documents and files: room_files.cpp.
#include "daemon/front/rooms/room.h"

#include "daemon/front/rooms/path.h"

#include <algorithm>
#include <utility>

namespace cloister::rooms {
namespace {

/// What each role may do. Talking and looking may everybody.
struct Rights {
    const char* name;
    bool edits;
    bool runs;
};
constexpr Rights kRights[] = {{"owner", true, true},
                              {"editor", true, false},
                              {"runner", true, true},
                              {"viewer", false, false}};

const Rights& rights(Role role) { return kRights[static_cast<std::size_t>(role)]; }

/// The first `characters` of `text`.
std::string clipped(std::string_view text, std::size_t characters) {
    const std::u16string units = from_utf8(text);
    std::size_t end = 0;
    for (; end < units.size() && characters > 0; --characters)
        end += is_inside_pair(units, end + 1) ? 2U : 1U;
    return to_utf8(std::u16string_view(units).substr(0, end));
}

std::size_t characters_in(std::u16string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) count += is_inside_pair(text, i) ? 0U : 1U;
    return count;
}

} // namespace

Position position_of(std::u16string_view text, std::size_t offset) {
    const std::u16string_view before = text.substr(0, std::min(offset, text.size()));
    const std::size_t line_break = before.rfind(u'\n');
    const auto lines = std::count(before.begin(), before.end(), u'\n');
    return {static_cast<std::uint64_t>(lines),
            before.size() - (line_break == std::u16string_view::npos ? 0 : line_break + 1)};
}

const char* name(Role role) { return rights(role).name; }

std::optional<Role> role_named(std::string_view name) {
    for (std::size_t i = 0; i < std::size(kRights); ++i)
        if (name == kRights[i].name) return static_cast<Role>(i);
    return std::nullopt;
}

bool may_edit(Role role) { return rights(role).edits; }
bool may_run(Role role) { return rights(role).runs; }

const char* name(FileAction action) {
    switch (action) {
    case FileAction::create: return "create";
    case FileAction::remove: return "delete";
    case FileAction::rename: return "rename";
    }
    return "";
}

bool Allowance::take(Time now) {
    const double passed = static_cast<double>(std::max(Time{}, now - last_).count()) / 1000;
    last_ = now;
    left_ = std::min(burst_, left_ + passed * per_second_);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
}

Room::Room(std::string room_id, const RoomLimits& limits, std::function<std::string()> fresh_epoch)
    : room_id_(std::move(room_id)), limits_(limits), fresh_epoch_(std::move(fresh_epoch)) {}

Deliveries Room::refuse(Connection actor, std::string code, std::string message) const {
    return refuse(actor, Refusal{std::move(code), std::move(message)});
}

Deliveries Room::refuse(Connection actor, Refusal refusal) const {
    Deliveries out;
    out.push_back({{actor}, std::move(refusal), true});
    return out;
}

std::vector<Connection> Room::others(Connection actor, Which which) const {
    std::vector<Connection> out;
    for (const auto& [connection, member] : members_)
        if (connection != actor &&
            (which == Which::all || member.understands == (which == Which::understanding)))
            out.push_back(connection);
    return out;
}

const Room::Member* Room::member(Connection actor) const {
    const auto found = members_.find(actor);
    return found == members_.end() ? nullptr : &found->second;
}

Room::Member* Room::member(Connection actor) {
    return const_cast<Member*>(std::as_const(*this).member(actor));
}

const Person* Room::person(Connection actor) const {
    const Member* found = member(actor);
    return found == nullptr ? nullptr : &found->person;
}

std::vector<Connection> Room::connections() const { return others(0); }

/// The color that fewest members have.
int Room::free_color() const {
    std::vector<int> users(static_cast<std::size_t>(limits_.colors));
    for (const auto& [connection, member] : members_)
        ++users[static_cast<std::size_t>(member.person.color)];
    return static_cast<int>(std::min_element(users.begin(), users.end()) - users.begin());
}

Deliveries Room::join(Connection actor, Person person, bool understands, Time now) {
    Deliveries out;
    if (members_.contains(actor)) return refuse(actor, "bad_message", "You are in this room.");
    // One client on two connections would count the seq of its updates twice.
    for (auto each = members_.begin(); each != members_.end(); ++each) {
        if (each->second.person.client_id != person.client_id) continue;
        const Connection old = each->first;
        take_out(out, old);
        out.push_back({{old}, RoomLeft{true}});
        break;
    }
    if (members_.size() >= limits_.members)
        return refuse(actor, "room_full",
                      "A room has at most " + std::to_string(limits_.members) + " members.");
    person.name = clipped(person.name, limits_.name_chars);
    person.color = free_color();
    RoomJoined joined{person, {}, files(), {chat_.begin(), chat_.end()}};
    for (const auto& [connection, member] : members_) joined.users.push_back(member.person);
    out.push_back({{actor}, std::move(joined), true});
    if (!members_.empty()) out.push_back({others(actor), UserJoined{person}});
    members_.emplace(
        actor, Member{std::move(person), understands,
                      Allowance(limits_.chat_per_second, limits_.chat_burst, now),
                      Allowance(limits_.presence_per_second, limits_.presence_per_second, now),
                      Allowance(limits_.signal_per_second, limits_.signal_per_second, now)});
    if (understands) return out;
    // Without them a base client would overwrite texts that it has never seen.
    for (auto& [path, file] : files_) {
        file->viewers[actor].base.sent(file->document.version(), file->document.limits(), now);
        out.push_back(
            {{actor},
             CodeChange{path,
                        std::make_shared<const std::string>(to_utf8(file->document.text())),
                        file->document.version(),
                        "sync",
                        {}}});
    }
    return out;
}

Deliveries Room::understand(Connection actor) {
    if (Member* who = member(actor)) {
        who->understands = true;
        for (auto& [path, file] : files_) file->viewers.erase(actor);
    }
    return {};
}

Deliveries Room::introduce(Connection actor, std::string_view name) {
    Member* who = member(actor);
    const std::string clean = clipped(name, limits_.name_chars);
    if (who == nullptr || clean == who->person.name) return {};
    who->person.name = clean;
    Deliveries out;
    if (members_.size() > 1) out.push_back({others(actor), UserJoined{who->person}});
    return out;
}

void Room::take_out(Deliveries& out, Connection actor) {
    const auto found = members_.find(actor);
    const Person person = found->second.person;
    members_.erase(found);
    for (auto& [path, file] : files_) file->viewers.erase(actor);
    if (!members_.empty()) out.push_back({others(actor), UserLeft{person}});
}

Deliveries Room::leave(Connection actor) {
    if (!members_.contains(actor)) return refuse(actor, "not_in_room", "You are in no room.");
    Deliveries out;
    take_out(out, actor);
    out.push_back({{actor}, RoomLeft{}, true});
    return out;
}

std::optional<Refusal> Room::why_not_run(Connection actor) const {
    const Member* who = member(actor);
    if (who == nullptr) return Refusal{"not_in_room", "You are in no room."};
    if (!may_run(who->person.role))
        return Refusal{"forbidden", std::string("Who is ") + name(who->person.role) +
                                        " in this room may not run programs here."};
    return std::nullopt;
}

Deliveries Room::present(Connection actor, Presence presence, Time now) {
    Member* who = member(actor);
    if (who == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    const File* at = file(presence.path);
    if (at == nullptr)
        return refuse(actor, "no_such_file", "There is no file '" + presence.path + "'.");
    if (presence.ranges.size() > limits_.presence_ranges)
        return refuse(actor, "bad_message",
                      "ranges has more than " + std::to_string(limits_.presence_ranges) +
                          " entries.");
    if (presence.epoch != at->document.epoch())
        return refuse(actor, "stale_epoch", "The history has begun anew: open the document again.");
    if (presence.version > at->document.version())
        return refuse(actor, "version_ahead",
                      "The document is at version " + std::to_string(at->document.version()) + ".");
    presence.from = who->person;
    who->last = std::move(presence);
    who->held_back = true;
    Deliveries out;
    if (who->presence.take(now)) tell_presence(out, actor, *who);
    return out; // else tick() tells the newest
}

void Room::tell_presence(Deliveries& out, Connection actor, Member& who) {
    who.held_back = false;
    const File* at = who.last ? file(who.last->path) : nullptr;
    if (at == nullptr) return;
    Presence& last = *who.last;
    std::vector<std::size_t> positions;
    for (const Range& range : last.ranges) {
        positions.push_back(range.anchor);
        positions.push_back(range.head);
    }
    if (!at->document.map_positions(last.version, positions)) return; // too old to be of use
    last.version = at->document.version();
    for (std::size_t i = 0; i < last.ranges.size(); ++i)
        last.ranges[i] = {positions[2 * i], positions[2 * i + 1]};
    std::vector<Connection> open;
    for (const auto& [connection, viewer] : at->viewers)
        if (connection != actor && viewer.is_open) open.push_back(connection);
    if (!open.empty()) out.push_back({std::move(open), last});
    std::vector<Connection> base = others(actor, Which::base);
    if (!base.empty() && !last.ranges.empty())
        out.push_back(
            {std::move(base),
             CursorChange{last.path, position_of(at->document.text(), last.ranges[0].head),
                          who.person}});
}

Deliveries Room::move_cursor(Connection actor, std::string_view path, Position position, Time now) {
    Member* who = member(actor);
    if (who == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    if (auto refusal = why_no_file(path)) return refuse(actor, *std::move(refusal));
    Deliveries out;
    std::vector<Connection> to = others(actor);
    if (who->presence.take(now) && !to.empty())
        out.push_back({std::move(to), CursorChange{std::string(path), position, who->person}});
    return out;
}

Deliveries Room::chat(Connection actor, std::string_view text, Time now) {
    Member* who = member(actor);
    if (who == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    const std::u16string units = from_utf8(text);
    if (units.empty()) return refuse(actor, "bad_message", "message is empty.");
    if (characters_in(units) > limits_.chat_chars)
        return refuse(actor, "too_large",
                      "A chat message has at most " + std::to_string(limits_.chat_chars) +
                          " characters.");
    if (!who->chat.take(now))
        return refuse(actor, "rate_limited", "Not so many chat messages at a time, please.");
    chat_.push_back({next_message_++, who->person, to_utf8(units), now});
    if (chat_.size() > limits_.chat_kept) chat_.pop_front();
    Deliveries out;
    std::vector<Connection> to = others(actor);
    if (!to.empty()) out.push_back({std::move(to), ChatMessage{chat_.back()}});
    // A base client shows its own words itself, and would show them twice.
    if (who->understands) out.push_back({{actor}, ChatMessage{chat_.back()}, true});
    return out;
}

Deliveries Room::signal(Connection actor, std::string_view to_connection_id, std::string kind,
                        std::string payload, Time now) {
    Member* who = member(actor);
    if (who == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    if (kind != "description" && kind != "candidate" && kind != "bye")
        return refuse(actor, "bad_message", "kind is description, candidate or bye.");
    if (payload.size() > limits_.signal_bytes)
        return refuse(actor, "too_large",
                      "payload has at most " + std::to_string(limits_.signal_bytes) + " bytes.");
    if (!who->signals.take(now))
        return refuse(actor, "rate_limited", "Not so many signals at a time, please.");
    const auto found = std::find_if(members_.begin(), members_.end(), [&](const auto& each) {
        return each.second.person.connection_id == to_connection_id;
    });
    if (found == members_.end() || found->first == actor)
        return refuse(actor, "bad_message", "to names no other member of this room.");
    Deliveries out;
    out.push_back({{found->first}, RtcSignal{std::move(kind), std::move(payload), who->person}});
    return out;
}

Deliveries Room::tick(Time now) {
    Deliveries out;
    for (auto& [connection, who] : members_)
        if (who.held_back && who.presence.take(now)) tell_presence(out, connection, who);
    for (auto& [path, file] : files_) {
        const Document& document = file->document;
        if (now - file->changed < limits_.hash_after_idle) continue;
        for (auto& [connection, viewer] : file->viewers) {
            if (!viewer.base.is_unsure()) continue;
            viewer.base.sent(document.version(), document.limits(), now);
            out.push_back({{connection},
                           CodeChange{path,
                                      std::make_shared<const std::string>(to_utf8(document.text())),
                                      document.version(),
                                      "sync",
                                      {}}});
        }
        if (file->hashed_version == document.version()) continue;
        std::vector<Connection> open;
        for (const auto& [connection, viewer] : file->viewers)
            if (viewer.is_open) open.push_back(connection);
        file->hashed_version = document.version();
        if (open.empty()) continue;
        DocUpdates look{path, document.epoch(), document.version()};
        look.hash = document.hash();
        out.push_back({std::move(open), std::move(look)});
    }
    return out;
}

std::size_t Room::memory() const {
    constexpr std::size_t kMember = 512;
    std::size_t total = sizeof(Room) + members_.size() * kMember;
    for (const auto& [path, file] : files_)
        total += path.size() + sizeof(File) + file->document.memory();
    for (const ChatLine& line : chat_) total += sizeof(ChatLine) + line.text.size();
    return total;
}

void Room::shorten_logs(std::size_t bytes) {
    for (auto& [path, file] : files_) file->document.shorten_log(bytes);
}

void Room::load_chat(std::vector<ChatLine> lines) {
    for (ChatLine& line : lines) {
        next_message_ = std::max(next_message_, line.message_id + 1);
        chat_.push_back(std::move(line));
        if (chat_.size() > limits_.chat_kept) chat_.pop_front();
    }
}

} // namespace cloister::rooms
