// What is kept of rooms: documents with their history, who sent what last, chat. One SQLite file in
// WAL mode, used synchronously by the front's one thread.
//
// The rule: keep first, answer then. Whatever a message caused is put into one batch, and only when
// that is committed may anybody hear of it:
//
//     Deliveries deliveries = room.push(...);
//     store.keep(room, path, now);        // or several in one Batch
//     send(deliveries);
//
// `keep` looks at the room and writes what the store does not have yet, so nothing can be forgotten
// between two calls, and a call that failed is made good by the next one that succeeds.
//
// What is committed survives the end of the process, kill -9 included, at once. It survives a loss
// of power only after the next checkpoint, which comes after about a thousand changed pages: a
// power loss may cost the newest commits, never the consistency of the file. Documents have new
// epochs then (lifetime.h).
//
// When a call throws StoreError, the batch has been undone as a whole and the store can be used
// again. The room is ahead of the store then: hold its deliveries back and keep again later, or
// drop the room from memory and open it anew, as if the daemon had been restarted.
#pragma once

#include "daemon/front/rooms/room.h"
#include "daemon/front/store/error.h"
#include "daemon/front/store/submission.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::store {

using rooms::Time;
class Database;
class Statement;
struct Statements;

/// What strangers can make grow on the disk, and how far; and how much is done at once.
struct Limits {
    std::uint64_t file_bytes = std::uint64_t{4} << 30; ///< the whole store, without its WAL
    std::size_t rooms = 10'000;
    std::size_t value_bytes = std::size_t{8} << 20; ///< one text, one change
    std::size_t cache_bytes = std::size_t{8} << 20; ///< memory
    /// A text is kept every so many updates, or bytes of updates.
    std::size_t snapshot_updates = 2'000;
    std::size_t snapshot_bytes = std::size_t{1} << 20;
    /// Of one document, updates and texts: beyond it, the oldest text and what follows it up to the
    /// next text are dropped.
    std::size_t history_updates = 100'000;
    std::size_t history_bytes = std::size_t{8} << 20;
    /// What a document that is opened again remembers, at least, when it is there.
    std::size_t resume_updates = 10'000;
    std::size_t resume_bytes = std::size_t{4} << 20;
    std::size_t resume_room_bytes = std::size_t{32} << 20; ///< shared by its documents
    std::size_t clients = 4'096; ///< of one document, whose last seq is kept
    std::size_t chat_lines = 1'000;
    std::size_t chat_restored = 50;
    std::size_t history_chunk = 256; ///< updates of one answer; and their bytes, but for the last
    std::size_t history_chunk_bytes = std::size_t{1} << 20;
    std::size_t tidy_rows = 2'000; ///< removed by one call of tidy()
    Time empty_room{std::chrono::hours(24)};
    std::size_t submissions = 10'000;
    std::uint64_t submissions_bytes = std::uint64_t{256} << 20; ///< of their texts
};

/// How the store is opened.
struct Start {
    /// Damaged documents do not keep the others from being served: they are taken out of their
    /// rooms and stay in the file. Without it, one damaged document refuses the whole start.
    bool set_damaged_aside = false;
    /// Also apply every update that is kept: minutes for a large store.
    bool rebuild_texts = false;
    std::optional<std::string> boot_id{}; ///< of the machine; absent: ask the kernel
};

struct SavedFile {
    std::string path;
    rooms::SavedDocument document;
};
struct SavedRoom {
    std::vector<SavedFile> files;
    std::vector<rooms::ChatLine> chat; ///< the newest, in their order
    std::string owner;                 ///< Room::owner
};

/// Updates from `version` on.
struct History {
    std::uint64_t version = 0;
    std::vector<rooms::UpdatePtr> updates{};
    bool more = false;
};
struct Snapshot {
    std::uint64_t version = 0;
    std::u16string text{};
};

class Store {
public:
    /// Opens the file, or makes it; brings an earlier version up to date; looks at all that is in
    /// it, and refuses what is damaged. Afterwards no file is opened any more and the front may
    /// lock itself in: what remains is pread64, pwrite64, fdatasync, ftruncate and fstat. To be
    /// called as the user that serves, not as root: the file holds what strangers wrote.
    Store(const std::string& path, const Limits& limits, const Start& start = {});
    /// What the operator must know of the opening: sentences for the log.
    const std::vector<std::string>& notices() const { return notices_; }
    /// Ends in good order: what is kept survives a loss of power, too.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // --- Batches. Without one, each call below is one of its own.
    void begin();
    /// Throws when a call since begin() has thrown, too: half a batch is never kept.
    void commit();
    /// Undoes what came since begin(). Does nothing when there is no batch.
    void roll_back() noexcept;

    // --- Rooms
    bool has_room(std::string_view room_id);
    std::size_t room_count();
    /// Absent when nothing is kept of it. Until close_room(), the room counts as in use.
    std::optional<SavedRoom> open_room(const std::string& room_id, Time now);
    /// Nobody is in it any more. From now on its time runs; when this throws, it runs since the
    /// last use that was written.
    void close_room(const std::string& room_id, Time now);
    /// Makes the store equal to the room: files made, renamed, removed, edited; chat.
    void keep(const rooms::Room& room, Time now);
    /// The same for the text of one file, when nothing else can have changed.
    void keep(const rooms::Room& room, std::string_view path, Time now);

    // --- History of the document at `path` as it is now
    /// Absent when there is no such file. `from` is moved to the oldest version that is kept, and
    /// at most Limits::history_chunk updates come at once.
    std::optional<History> history(const std::string& room_id, std::string_view path,
                                   std::uint64_t from, std::uint64_t to);
    /// The newest text that is kept of `version` or before. Updates from there lead to `version`.
    std::optional<Snapshot> snapshot(const std::string& room_id, std::string_view path,
                                     std::uint64_t version);

    // --- Submissions
    /// New, or in the place of the one with this id. The oldest ended ones make room for it.
    void keep(const SavedSubmission& submission);
    /// One that is not as it was written is absent, as if it had expired.
    std::optional<SavedSubmission> find_submission(std::string_view id);
    std::optional<SavedSubmission> find_submission_by_key(std::string_view key);
    /// Those under way, of which nobody knows any more, become `failed` with this text.
    void end_interrupted(std::string_view text, Time now, Time expires);
    /// Removes some of those that have expired.
    void expire_submissions(Time now);
    std::size_t submission_count();
    std::size_t submission_count(std::string_view kind);
    /// Ids, the newest first, from the one that `skip` others precede.
    std::vector<std::string> list_submissions(std::string_view kind, std::uint64_t skip,
                                              std::uint64_t count);
    /// Nothing where there is none such.
    void forget_submission(const std::string& id);

    // --- Housekeeping, in idle time
    /// Removes rooms that have been empty for too long; returns their names. Renews the time of
    /// those in use. To be called every few minutes.
    std::vector<std::string> expire(Time now);
    /// Removes some of what belonged to files that are gone; true when there is more to do.
    bool tidy();

private:
    /// What is known of a kept document without asking.
    struct FileState {
        std::int64_t id = 0;
        std::string epoch{};
        std::string eol{};
        std::uint64_t version = 0; ///< everything before it is kept
        std::uint64_t oldest = 0;  ///< version of the oldest text
        std::uint64_t newest = 0;  ///< version of the newest text
        // Bytes of all updates that it has had: up to each of these, and of the texts.
        std::uint64_t total = 0;
        std::uint64_t oldest_total = 0;
        std::uint64_t newest_total = 0;
        std::uint64_t text_bytes = 0;
    };
    struct RoomState {
        std::int64_t id = 0;
        Time used{};
        std::string owner{};
        std::uint64_t last_message = 0;
        std::map<std::string, FileState, std::less<>> files{};
    };
    struct Text {
        std::uint64_t version = 0;
        std::uint64_t bytes = 0;
        std::uint64_t total = 0; ///< as in FileState
    };
    /// What is begun ends as a whole: joins the caller's batch, or makes one of its own.
    class Part;

    // store.cpp
    RoomState read_state(const std::string& room_id, std::int64_t id);
    RoomState* find(const std::string& room_id);
    RoomState& make_room(const std::string& room_id, Time now);
    void use(RoomState& state, const std::string& room_id, Time now);
    void keep_chat(RoomState& state, const rooms::Room& room);
    std::vector<rooms::ChatLine> read_chat(const RoomState& state);
    void drop_room(const std::string& room_id);
    // documents.cpp
    void place_files(RoomState& state, const rooms::Room& room);
    void make_file(RoomState& state, const std::string& path, const rooms::Document& document);
    void keep_document(RoomState& state, const std::string& path, const rooms::Document& document);
    void append(FileState& file, std::uint64_t version, const rooms::Update& update);
    void take_snapshot(FileState& file, std::u16string_view text);
    void bound_history(FileState& file);
    FileState read_file_state(std::int64_t id, std::string epoch, std::string eol);
    rooms::SavedDocument read_document(const FileState& file, std::uint64_t bytes);
    std::vector<Text> read_texts(std::int64_t file); ///< newest first, without what they say
    std::u16string read_text(std::int64_t file, std::uint64_t version);
    std::vector<rooms::UpdatePtr> read_updates(std::int64_t file, std::uint64_t from,
                                               std::uint64_t to, std::uint64_t bytes);

    // submissions.cpp
    struct Held {
        std::size_t count = 0;
        std::uint64_t bytes = 0;
    };
    Held& held();
    void drop_submission(const std::string& id);
    std::optional<SavedSubmission> found(Statement& statement, std::string_view value);
    void make_room_for(const SavedSubmission& submission);

    [[noreturn]] void damaged(const std::string& what) const;

    Limits limits_;
    std::vector<std::string> notices_{};
    std::unique_ptr<Database> database_;
    std::unique_ptr<Statements> sql_;
    /// Rooms that have been looked at since they were opened.
    std::map<std::string, RoomState, std::less<>> states_{};
    std::map<std::string, Time, std::less<>> in_use_{};
    std::optional<Held> held_{}; ///< all submissions; absent: to be counted
    bool in_batch_ = false;
    bool failed_ = false;
};

/// A batch and its life: what is not committed is undone.
class Batch {
public:
    explicit Batch(Store& store) : store_(store) { store_.begin(); }
    ~Batch() { store_.roll_back(); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    void commit() { store_.commit(); }

private:
    Store& store_;
};

} // namespace cloister::store
