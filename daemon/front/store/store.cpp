// Batches, rooms, chat, expiry. Documents: documents.cpp.
#include "daemon/front/store/store.h"

#include "daemon/front/store/lifetime.h"
#include "daemon/front/store/open.h"
#include "daemon/front/store/part.h"
#include "daemon/front/store/rows.h"
#include "daemon/front/store/statements.h"

#include <algorithm>

namespace cloister::store {
namespace {

/// The time of a room in use is written so often, at most.
constexpr Time kRenewal = std::chrono::minutes(10);
/// Rooms looked at for expiry at once.
constexpr std::int64_t kExpiredAtOnce = 64;

} // namespace

Store::Store(const std::string& path, const Limits& limits, const Start& start)
    : limits_(limits), database_(open_database(path, limits, start, notices_)),
      sql_(std::make_unique<Statements>(*database_)) {}

Store::~Store() {
    roll_back();
    try {
        end_lifetime(*database_);
    } catch (const StoreError&) {
        // The next start will take it for one after a loss of power.
    }
}

void Store::damaged(const std::string& what) const {
    throw StoreError(Trouble::damaged,
                     "The store " + database_->path() + " is damaged: " + what +
                         ". Put a backup back, or move the file away to begin with an empty "
                         "store.");
}

// --- Batches

void Store::begin() {
    if (in_batch_) throw StoreError(Trouble::misuse, "A batch is begun within another one.");
    run(sql_->begin);
    in_batch_ = true;
    failed_ = false;
}

void Store::commit() {
    if (!in_batch_ || failed_) {
        roll_back();
        throw StoreError(Trouble::misuse, "A batch of which a part failed cannot be kept.");
    }
    try {
        run(sql_->commit);
    } catch (...) {
        roll_back();
        throw;
    }
    in_batch_ = false;
}

void Store::roll_back() noexcept {
    if (!in_batch_) return;
    in_batch_ = false;
    states_.clear(); // they may tell of what is undone now
    held_.reset();
    // Some failures have rolled back already. Nothing can be done about one of this.
    try {
        if (database_->is_in_transaction()) database_->execute("ROLLBACK");
    } catch (const StoreError&) {}
}

Store::Part::Part(Store& store) : store_(store), own_(!store.in_batch_) {
    if (own_) store_.begin();
    else if (store_.failed_)
        throw StoreError(Trouble::misuse, "A part of this batch has failed: it must be undone.");
}

Store::Part::~Part() {
    if (done_) return;
    if (own_) store_.roll_back();
    else store_.failed_ = true;
}

void Store::Part::done() {
    done_ = true;
    if (own_) store_.commit();
}

// --- Rooms

bool Store::has_room(std::string_view room_id) {
    return states_.contains(room_id) || Query(sql_->find_room, room_id).step();
}

std::size_t Store::room_count() {
    Query query(sql_->count_rooms);
    query.step();
    return static_cast<std::size_t>(query.number(0));
}

Store::RoomState Store::read_state(const std::string& room_id, std::int64_t id) {
    RoomState state;
    state.id = id;
    {
        Query last(sql_->last_message, id);
        last.step();
        state.last_message = last.count(0);
    }
    Query query(sql_->room_files, id);
    while (query.step()) {
        const std::string path(query.text(1));
        std::string epoch(query.text(2));
        std::string eol(query.text(3));
        if (query.number(4) != check_of_file(id, path, epoch, eol))
            damaged("a file of the room " + room_id + " is not as it was written");
        state.files.emplace(path,
                            read_file_state(query.number(0), std::move(epoch), std::move(eol)));
    }
    return state;
}

Store::RoomState* Store::find(const std::string& room_id) {
    if (const auto known = states_.find(room_id); known != states_.end()) return &known->second;
    std::int64_t id = 0;
    Time used{};
    std::string owner;
    {
        Query query(sql_->find_room, room_id);
        if (!query.step()) return nullptr;
        id = query.number(0);
        used = Time(query.number(1));
        owner = query.text(2);
    }
    RoomState state = read_state(room_id, id);
    state.used = used;
    state.owner = std::move(owner);
    return &states_.emplace(room_id, std::move(state)).first->second;
}

Store::RoomState& Store::make_room(const std::string& room_id, Time now) {
    if (RoomState* known = find(room_id)) return *known;
    if (room_count() >= limits_.rooms)
        throw StoreError(Trouble::limit, "The store " + database_->path() + " holds " +
                                             std::to_string(limits_.rooms) +
                                             " rooms, as many as it may.");
    run(sql_->add_room, room_id, now.count(), std::string_view{},
        check_of_room(room_id, now.count(), {}));
    RoomState state;
    state.id = database_->last_id();
    state.used = now;
    return states_.emplace(room_id, std::move(state)).first->second;
}

void Store::use(RoomState& state, const std::string& room_id, Time now) {
    run(sql_->use_room, state.id, now.count(), state.owner,
        check_of_room(room_id, now.count(), state.owner));
    state.used = now;
}

std::optional<SavedRoom> Store::open_room(const std::string& room_id, Time now) {
    std::optional<SavedRoom> out;
    if (const RoomState* state = find(room_id)) {
        out.emplace();
        const std::size_t share =
            limits_.resume_room_bytes / std::max<std::size_t>(1, state->files.size());
        for (const auto& [path, file] : state->files)
            out->files.push_back(
                {path, read_document(file, std::min(limits_.resume_bytes, share))});
        out->chat = read_chat(*state);
        out->owner = state->owner;
    }
    in_use_[room_id] = now;
    return out;
}

void Store::close_room(const std::string& room_id, Time now) {
    in_use_.erase(room_id); // whatever becomes of the rest
    if (RoomState* state = find(room_id)) {
        Part part(*this);
        use(*state, room_id, now);
        part.done();
    }
    states_.erase(room_id);
}

void Store::keep(const rooms::Room& room, Time now) {
    const std::string& room_id = room.room_id();
    const std::vector<rooms::FileInfo> files = room.files();
    if (files.empty() && room.chat_lines().empty() && !has_room(room_id)) return;
    Part part(*this);
    RoomState& state = make_room(room_id, now);
    place_files(state, room);
    for (const rooms::FileInfo& file : files)
        keep_document(state, file.path, *room.document(file.path));
    keep_chat(state, room);
    if (now - state.used >= kRenewal || state.owner != room.owner()) {
        state.owner = room.owner();
        use(state, room_id, now);
    }
    part.done();
}

void Store::keep(const rooms::Room& room, std::string_view path, Time now) {
    const rooms::Document* document = room.document(path);
    RoomState* state = find(room.room_id());
    const auto known = state == nullptr ? decltype(state->files.end()){} : state->files.find(path);
    if (document == nullptr || state == nullptr || known == state->files.end() ||
        known->second.epoch != document->epoch() || now - state->used >= kRenewal ||
        state->owner != room.owner()) {
        keep(room, now);
        return;
    }
    Part part(*this);
    keep_document(*state, known->first, *document);
    part.done();
}

// --- Chat

void Store::keep_chat(RoomState& state, const rooms::Room& room) {
    for (const rooms::ChatLine& line : room.chat_lines()) {
        if (line.message_id <= state.last_message) continue;
        const rooms::Person& from = line.from;
        run(sql_->add_chat, state.id, line.message_id, from.connection_id, from.client_id,
            from.user_id, from.name, from.color, static_cast<int>(from.role), line.text,
            line.at.count(), check_of_line(state.id, line));
        state.last_message = line.message_id;
        if (line.message_id > limits_.chat_lines)
            run(sql_->trim_chat, state.id, line.message_id - limits_.chat_lines);
    }
}

std::vector<rooms::ChatLine> Store::read_chat(const RoomState& state) {
    std::vector<rooms::ChatLine> out;
    const std::uint64_t restored = limits_.chat_restored;
    const std::uint64_t after = state.last_message - std::min(state.last_message, restored);
    Query query(sql_->read_chat, state.id, after);
    while (query.step()) {
        auto line = read_chat_row(query, state.id, 0);
        if (!line) damaged("a chat message is not as it was written");
        out.push_back(*std::move(line));
    }
    return out;
}

// --- Housekeeping

void Store::drop_room(const std::string& room_id) {
    std::int64_t id = 0;
    {
        Query query(sql_->find_room, room_id);
        if (!query.step()) return;
        id = query.number(0);
    }
    run(sql_->leave_files, id);
    run(sql_->drop_chat, id);
    run(sql_->drop_room, id);
    states_.erase(room_id);
}

std::vector<std::string> Store::expire(Time now) {
    std::vector<std::string> gone;
    Part part(*this);
    for (const auto& [room_id, since] : in_use_)
        if (RoomState* state = find(room_id); state != nullptr && now - state->used >= kRenewal)
            use(*state, room_id, now);
    {
        Query query(sql_->old_rooms, (now - limits_.empty_room).count(), kExpiredAtOnce, 0);
        while (query.step())
            if (!in_use_.contains(query.text(0))) gone.emplace_back(query.text(0));
    }
    for (const std::string& room_id : gone) drop_room(room_id);
    part.done();
    return gone;
}

bool Store::tidy() {
    std::int64_t file = 0;
    {
        Query query(sql_->gone_file);
        if (!query.step()) return false;
        file = query.number(0);
    }
    Part part(*this);
    bool has_updates = false;
    std::uint64_t first = 0;
    {
        Query query(sql_->first_update, file);
        has_updates = query.step() && !query.is_null(0);
        first = query.count(0);
    }
    if (has_updates) {
        run(sql_->drop_updates, file, first + limits_.tidy_rows);
    } else {
        run(sql_->drop_snapshots, file, std::numeric_limits<std::int64_t>::max());
        run(sql_->drop_seqs, file);
        run(sql_->drop_file, file);
    }
    part.done();
    return true;
}

} // namespace cloister::store
