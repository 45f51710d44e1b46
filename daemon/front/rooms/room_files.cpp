// The documents and files of a room: who may change them, and who is told how.
#include "daemon/front/rooms/path.h"
#include "daemon/front/rooms/room.h"

#include <algorithm>
#include <utility>

namespace cloister::rooms {
namespace {

/// Marks the updates that a client makes by whole texts. A client that understands updates would
/// take those under its own name for some that it has applied already.
constexpr char kBaseMark = '~';

/// For a sentence; what is no path may be as long as a message.
std::string quoted(std::string_view path) {
    return "'" + to_utf8(from_utf8(path.substr(0, 256))) + "'";
}

/// Where the first change of `changes` is.
std::size_t start_of(const ChangeSet& changes) {
    const auto& sections = changes.sections();
    const bool keeps = !sections.empty() && sections.front().inserted == Section::kKept;
    return keeps ? static_cast<std::size_t>(sections.front().length) : 0;
}

} // namespace

Room::File* Room::file(std::string_view path) {
    const auto found = files_.find(path);
    return found == files_.end() ? nullptr : found->second.get();
}

const Document* Room::document(std::string_view path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? nullptr : &found->second->document;
}

bool Room::is_open(Connection actor, std::string_view path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) return false;
    const auto viewer = found->second->viewers.find(actor);
    return viewer != found->second->viewers.end() && viewer->second.is_open;
}

std::vector<FileInfo> Room::files() const {
    std::vector<FileInfo> out;
    for (const auto& [path, file] : files_)
        out.push_back({path, file->document.version(), file->document.bytes()});
    return out;
}

std::optional<Refusal> Room::why_no_file(std::string_view path) const {
    if (files_.contains(path)) return std::nullopt;
    return Refusal{"no_such_file", "There is no file " + quoted(path) + "."};
}

std::optional<Refusal> Room::why_not_edit(const Member* who) const {
    if (who == nullptr) return Refusal{"not_in_room", "You are in no room."};
    if (may_edit(who->person.role)) return std::nullopt;
    return Refusal{"forbidden", std::string("Who is ") + name(who->person.role) +
                                    " in this room may not change its files."};
}

/// Why no file can be made at `path`.
std::optional<Refusal> Room::why_no_place(std::string_view path) const {
    if (std::string why = why_bad_path(path, limits_.part_bytes, limits_.path_bytes); !why.empty())
        return Refusal{"bad_path", std::move(why)};
    for (const auto& [there, file] : files_) {
        if (there == path || is_beneath(there, path))
            return Refusal{"file_exists", "There is a file or folder " + quoted(path) + "."};
        if (is_beneath(path, there))
            return Refusal{"bad_path", quoted(there) + " is a file, not a folder."};
    }
    return std::nullopt;
}

Room::File& Room::make_file(const std::string& path, Time now) {
    auto file = std::make_unique<File>(Document(fresh_epoch_(), {{}, "\n"}, limits_.document), now);
    return *files_.emplace(path, std::move(file)).first->second;
}

/// What a document may have: its own limit, or what the others leave of the room's.
std::size_t Room::bytes_for(const File* file) const {
    std::size_t others = 0;
    for (const auto& [path, each] : files_)
        if (each.get() != file) others += each->document.bytes();
    const std::size_t left = limits_.room_bytes - std::min(limits_.room_bytes, others);
    return std::min(limits_.document.doc_bytes, left);
}

Deliveries Room::open(Connection actor, std::string_view path, std::string_view epoch,
                      std::optional<std::uint64_t> version) {
    const Member* who = member(actor);
    if (who == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    if (!who->understands)
        return refuse(actor, "bad_message", "Say hello before you open a document.");
    if (auto refusal = why_no_file(path)) return refuse(actor, *std::move(refusal));
    File& found = *file(path);
    const Document& document = found.document;
    found.viewers[actor].is_open = true;

    Deliveries out;
    const std::uint64_t last_seq = document.last_seq(who->person.client_id);
    auto missed = version && epoch == document.epoch() ? document.updates_since(*version)
                                                       : std::optional<std::vector<UpdatePtr>>{};
    if (missed) {
        // In pieces, of which the first is the answer; the others follow as if they came just now.
        std::size_t begin = 0;
        do {
            const std::size_t end = std::min(missed->size(), begin + limits_.updates_per_message);
            DocUpdates updates{std::string(path), document.epoch(), *version + begin};
            const auto at = [&](std::size_t i) {
                return missed->begin() + static_cast<std::ptrdiff_t>(i);
            };
            updates.updates.assign(at(begin), at(end));
            updates.resumed = begin == 0;
            if (begin == 0) updates.last_seq = last_seq;
            if (missed->empty()) updates.hash = document.hash();
            out.push_back({{actor}, std::move(updates), begin == 0});
            begin = end;
        } while (begin < missed->size());
    } else {
        DocState state{std::string(path), document.epoch(), document.version()};
        state.content = std::make_shared<const std::string>(to_utf8(document.text()));
        state.eol = document.eol();
        state.last_seq = last_seq;
        state.hash = crc32c(*state.content);
        state.read_only = !may_edit(who->person.role);
        out.push_back({{actor}, std::move(state), true});
    }
    for (auto& [connection, other] : members_) {
        if (connection == actor || !other.last || other.last->path != path) continue;
        Deliveries told;
        tell_presence(told, connection, other); // brings it up to date for all
        std::move(told.begin(), told.end(), std::back_inserter(out));
    }
    return out;
}

Deliveries Room::close(Connection actor, std::string_view path) {
    if (member(actor) == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    if (auto refusal = why_no_file(path)) return refuse(actor, *std::move(refusal));
    file(path)->viewers.erase(actor);
    return {};
}

void Room::publish(Deliveries& out, const std::string& path, File& file, const Pushed& pushed,
                   Connection actor, const Person& from, Time now, const Edit& edit) {
    if (pushed.updates.empty()) return;
    const Document& document = file.document;
    if (pushed.hash) file.hashed_version = pushed.version;
    std::vector<Connection> open;
    for (const auto& [connection, viewer] : file.viewers)
        if (connection != actor && viewer.is_open) open.push_back(connection);
    if (!open.empty()) {
        out.push_back(
            {open, DocUpdates{path, document.epoch(), pushed.first_version(), pushed.updates}});
        if (pushed.hash) {
            DocUpdates look{path, document.epoch(), pushed.version};
            look.hash = pushed.hash;
            out.push_back({std::move(open), std::move(look)});
        }
    }
    std::vector<Connection> base = others(actor, Which::base);
    if (base.empty()) return;
    for (const Connection each : base)
        file.viewers[each].base.sent(pushed.version, document.limits(), now);
    const Position where =
        edit.position ? *edit.position
                      : position_of(document.text(), start_of(pushed.updates.back()->changes));
    out.push_back({std::move(base),
                   CodeChange{path, std::make_shared<const std::string>(to_utf8(document.text())),
                              pushed.version, edit.change_type, from, where}});
}

Deliveries Room::push(Connection actor, std::string_view path, std::string_view epoch,
                      std::uint64_t version, std::vector<Sent> updates, Time now) {
    const Member* who = member(actor);
    if (auto refusal = why_not_edit(who)) return refuse(actor, *std::move(refusal));
    if (auto refusal = why_no_file(path)) return refuse(actor, *std::move(refusal));
    File& found = *file(path);
    const auto viewer = found.viewers.find(actor);
    if (viewer == found.viewers.end() || !viewer->second.is_open)
        return refuse(actor, "bad_message", "Open the document before you push to it.");
    found.document.allow_bytes(bytes_for(&found));
    auto result =
        found.document.push(who->person.client_id, epoch, version, std::move(updates), now);
    if (auto* refusal = std::get_if<Refusal>(&result)) return refuse(actor, std::move(*refusal));
    const Pushed& pushed = std::get<Pushed>(result);
    if (!pushed.updates.empty()) found.changed = now;
    Deliveries out;
    const std::string name(path);
    publish(out, name, found, pushed, actor, who->person, now, {});
    out.push_back({{actor},
                   DocAck{name, found.document.epoch(), pushed.version, pushed.count,
                          pushed.last_seq, pushed.hash},
                   true});
    return out;
}

Deliveries Room::change_code(Connection actor, std::string_view asked, std::string_view content,
                             std::optional<std::uint64_t> version, Time now, const Edit& edit) {
    const Member* who = member(actor);
    if (auto refusal = why_not_edit(who)) return refuse(actor, *std::move(refusal));
    if (who->understands && !version)
        return refuse(actor, "bad_message",
                      "version: who has said hello tells which version the content was made of.");
    const std::string path = composed(asked);
    File* found = file(path);
    Deliveries out;
    if (found == nullptr) {
        if (content.size() > limits_.document.doc_bytes)
            return refuse(actor, "doc_too_large",
                          "A document has at most " + std::to_string(limits_.document.doc_bytes) +
                              " bytes.");
        out = create(actor, path);
        found = file(path);
        if (found == nullptr) return out;
        version.reset();
    }
    found->document.allow_bytes(bytes_for(found));
    BaseView& view = found->viewers[actor].base;
    auto result =
        view.merge(found->document, who->person.client_id + kBaseMark, content, version, now);
    if (auto* refusal = std::get_if<Refusal>(&result)) {
        for (Delivery& each : refuse(actor, std::move(*refusal))) out.push_back(std::move(each));
        return out;
    }
    const Merged& merged = std::get<Merged>(result);
    const Pushed& pushed = merged.pushed;
    if (!pushed.updates.empty()) found->changed = now;
    publish(out, path, *found, pushed, actor, who->person, now, edit);
    const Document& document = found->document;
    if (found->viewers[actor].is_open && !pushed.updates.empty())
        out.push_back(
            {{actor}, DocUpdates{path, document.epoch(), pushed.first_version(), pushed.updates}});
    if (merged.differs && !who->understands) {
        view.sent(document.version(), document.limits(), now);
        out.push_back(
            {{actor},
             CodeChange{path, std::make_shared<const std::string>(to_utf8(document.text())),
                        document.version(), "merge", who->person},
             true});
    }
    return out;
}

Deliveries Room::history(Connection actor, std::string_view path, std::uint64_t from,
                         std::uint64_t to) const {
    if (member(actor) == nullptr) return refuse(actor, "not_in_room", "You are in no room.");
    if (auto refusal = why_no_file(path)) return refuse(actor, *std::move(refusal));
    const Document& document = *this->document(path);
    to = std::min(to, document.version());
    from = std::clamp(from, document.first_version(), document.version());
    DocHistoryChunk chunk{std::string(path), from};
    const std::uint64_t end =
        std::max(from, std::min<std::uint64_t>(to, from + limits_.updates_per_message));
    for (std::uint64_t v = from; v < end; ++v) chunk.updates.push_back(document.update_at(v));
    chunk.more = end < to;
    Deliveries out;
    out.push_back({{actor}, std::move(chunk), true});
    return out;
}

void Room::announce(Deliveries& out, Connection actor, const FileOperation& operation) const {
    std::vector<Connection> to = others(actor);
    if (!to.empty()) out.push_back({std::move(to), operation});
    // The base messages know no answer for the one who asked.
    if (member(actor)->understands) out.push_back({{actor}, operation, true});
}

Deliveries Room::create(Connection actor, std::string_view asked) {
    const Member* who = member(actor);
    if (auto refusal = why_not_edit(who)) return refuse(actor, *std::move(refusal));
    const std::string path = composed(asked);
    if (auto refusal = why_no_place(path)) return refuse(actor, *std::move(refusal));
    if (files_.size() >= limits_.files)
        return refuse(actor, "too_large",
                      "A room has at most " + std::to_string(limits_.files) + " files.");
    // Not changed yet: an empty document needs no look at whether all have the same text.
    File& made = make_file(path, Time{});
    // Until they are told more, base clients take it for empty.
    for (const auto& [connection, each] : members_)
        if (!each.understands)
            made.viewers[connection].base.knows(made.document.version(), limits_.document);
    Deliveries out;
    announce(out, actor, {FileAction::create, path, {}, who->person});
    return out;
}

Deliveries Room::remove(Connection actor, std::string_view asked) {
    const Member* who = member(actor);
    if (auto refusal = why_not_edit(who)) return refuse(actor, *std::move(refusal));
    const std::string path = composed(asked);
    const std::size_t gone = std::erase_if(files_, [&](const auto& each) {
        return each.first == path || is_beneath(each.first, path);
    });
    if (gone == 0)
        return refuse(actor, "no_such_file", "There is no file or folder " + quoted(path) + ".");
    Deliveries out;
    announce(out, actor, {FileAction::remove, path, {}, who->person});
    return out;
}

Deliveries Room::rename(Connection actor, std::string_view asked, std::string_view asked_new) {
    const Member* who = member(actor);
    if (auto refusal = why_not_edit(who)) return refuse(actor, *std::move(refusal));
    const std::string path = composed(asked);
    const std::string new_path = composed(asked_new);
    std::vector<std::string> moving;
    for (const auto& [there, file] : files_)
        if (there == path || is_beneath(there, path)) moving.push_back(there);
    if (moving.empty())
        return refuse(actor, "no_such_file", "There is no file or folder " + quoted(path) + ".");
    if (is_beneath(new_path, path))
        return refuse(actor, "bad_path", "A folder cannot be moved into itself.");
    if (auto refusal = why_no_place(new_path)) return refuse(actor, *std::move(refusal));
    for (const std::string& each : moving) {
        const std::string moved = new_path + each.substr(path.size());
        if (std::string why = why_bad_path(moved, limits_.part_bytes, limits_.path_bytes);
            !why.empty())
            return refuse(actor, "bad_path", std::move(why));
    }
    // Documents, their viewers and their histories go along; so does whoever is in them.
    for (const std::string& each : moving) {
        auto node = files_.extract(each);
        node.key() = new_path + each.substr(path.size());
        for (auto& [connection, other] : members_)
            if (other.last && other.last->path == each) other.last->path = node.key();
        files_.insert(std::move(node));
    }
    Deliveries out;
    announce(out, actor, {FileAction::rename, path, new_path, who->person});
    return out;
}

bool Room::load(std::string_view path, const SavedDocument& saved) {
    auto document = Document::restore(saved, limits_.document);
    if (!document || why_no_place(path)) return false;
    files_.emplace(std::string(path), std::make_unique<File>(*std::move(document), Time{}));
    return true;
}

} // namespace cloister::rooms
