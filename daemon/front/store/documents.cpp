// Documents in the store: which files there are, their updates, texts and bounds, and their
// reading.
#include "daemon/front/store/part.h"
#include "daemon/front/store/records.h"
#include "daemon/front/store/rows.h"
#include "daemon/front/store/statements.h"
#include "daemon/front/store/store.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <set>

namespace cloister::store {
namespace {

/// What a row costs beside its changes.
constexpr std::uint64_t kRowBytes = 64;
constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

/// No file of a room has such a path: paths are relative.
std::string between(std::int64_t file) { return "/" + std::to_string(file); }

} // namespace

// --- Which files there are

/// A document is known by its epoch: the same one at another path was renamed, one that is nowhere
/// was removed.
void Store::place_files(RoomState& state, const rooms::Room& room) {
    std::vector<std::string> displaced;
    for (const auto& [path, file] : state.files) {
        const rooms::Document* there = room.document(path);
        if (there == nullptr || there->epoch() != file.epoch) displaced.push_back(path);
    }
    if (displaced.empty()) return;
    std::map<std::string, std::string, std::less<>> new_paths; // by epoch
    for (const rooms::FileInfo& info : room.files()) {
        const std::string& epoch = room.document(info.path)->epoch();
        const auto known = state.files.find(info.path);
        if (known == state.files.end() || known->second.epoch != epoch)
            new_paths.emplace(epoch, info.path);
    }
    std::vector<std::pair<std::string, FileState>> moved;
    for (const std::string& path : displaced) {
        auto node = state.files.extract(path);
        FileState& file = node.mapped();
        const auto found = new_paths.find(file.epoch);
        if (found == new_paths.end()) {
            run(sql_->leave_file, file.id);
            continue;
        }
        // Two may have changed places: each first goes where no other one is.
        run(sql_->move_file, file.id, between(file.id), std::int64_t{0});
        moved.emplace_back(found->second, std::move(file));
        new_paths.erase(found);
    }
    for (auto& [path, file] : moved) {
        run(sql_->move_file, file.id, path, check_of_file(state.id, path, file.epoch, file.eol));
        state.files.emplace(path, std::move(file));
    }
}

void Store::make_file(RoomState& state, const std::string& path, const rooms::Document& document) {
    FileState file;
    file.epoch = document.epoch();
    file.eol = document.eol();
    run(sql_->add_file, state.id, path, file.epoch, file.eol,
        check_of_file(state.id, path, file.epoch, file.eol));
    file.id = database_->last_id();
    if (document.version() == 0) {
        take_snapshot(file, document.text());
    } else {
        const rooms::SavedDocument saved = document.saved();
        file.version = file.oldest = saved.first_version;
        for (const auto& [client, seq] : saved.last_seqs)
            run(sql_->put_seq, file.id, client, seq, file.version,
                check_of_seq(file.id, client, seq, file.version));
        take_snapshot(file, saved.text);
    }
    state.files[path] = std::move(file);
}

// --- Writing

void Store::keep_document(RoomState& state, const std::string& path,
                          const rooms::Document& document) {
    auto known = state.files.find(path);
    // A change so large that the room has forgotten it already: its history begins anew here.
    const bool has_gap =
        known != state.files.end() && document.first_version() > known->second.version;
    if (has_gap) run(sql_->leave_file, known->second.id);
    if (has_gap || known == state.files.end()) {
        make_file(state, path, document);
        known = state.files.find(path);
    }
    FileState& file = known->second;
    if (document.version() < file.version)
        throw StoreError(Trouble::misuse,
                         "The document " + path + " is older than what is kept of it.");
    for (; file.version < document.version(); ++file.version)
        append(file, file.version, document.update_of(file.version));
    if (file.version - file.newest >= limits_.snapshot_updates ||
        file.total - file.newest_total >= limits_.snapshot_bytes)
        take_snapshot(file, document.text());
}

void Store::append(FileState& file, std::uint64_t version, const rooms::Update& update) {
    const std::string changes = packed(update.changes);
    run(sql_->add_update, file.id, version, update.client_id, update.seq, update.at.count(),
        Blob{changes},
        check_of_update(file.id, version, update.client_id, update.seq, update.at.count(),
                        changes));
    file.total += changes.size() + kRowBytes;
}

/// `text` is that of file.version.
void Store::take_snapshot(FileState& file, std::u16string_view text) {
    const std::string content = packed(text);
    run(sql_->add_snapshot, file.id, file.version, Blob{content}, file.total,
        check_of_text(file.id, file.version, content, file.total));
    struct Last {
        std::string client;
        std::uint64_t seq;
        std::uint64_t version;
    };
    std::vector<Last> lasts;
    {
        Query query(sql_->last_seqs, file.id, file.newest, file.version);
        while (query.step())
            lasts.push_back({std::string(query.text(0)), query.count(1), query.count(2)});
    }
    for (const Last& last : lasts)
        run(sql_->put_seq, file.id, last.client, last.seq, last.version,
            check_of_seq(file.id, last.client, last.seq, last.version));
    if (!lasts.empty()) run(sql_->trim_seqs, file.id, std::uint64_t{limits_.clients});
    file.newest = file.version;
    file.newest_total = file.total;
    file.text_bytes += content.size();
    bound_history(file);
}

/// Drops the oldest text, and the updates from it to the next one, as often as it takes; never the
/// newest text.
void Store::bound_history(FileState& file) {
    const auto is_over = [&] {
        return file.version - file.oldest > limits_.history_updates ||
               file.total - file.oldest_total + file.text_bytes > limits_.history_bytes;
    };
    if (!is_over()) return;
    std::vector<Text> texts = read_texts(file.id); // newest first
    while (is_over() && texts.size() > 1) {
        file.text_bytes -= texts.back().bytes;
        texts.pop_back();
        file.oldest = texts.back().version;
        file.oldest_total = texts.back().total;
    }
    run(sql_->drop_snapshots, file.id, file.oldest);
    run(sql_->drop_updates, file.id, file.oldest);
}

// --- Reading

Store::FileState Store::read_file_state(std::int64_t id, std::string epoch, std::string eol) {
    FileState file;
    file.id = id;
    file.epoch = std::move(epoch);
    file.eol = std::move(eol);
    const std::vector<Text> texts = read_texts(id);
    if (texts.empty()) damaged("a document has no text");
    file.newest = texts.front().version;
    file.newest_total = texts.front().total;
    file.oldest = texts.back().version;
    file.oldest_total = texts.back().total;
    for (const Text& text : texts) file.text_bytes += text.bytes;
    Query query(sql_->size_updates, id, file.newest);
    query.step();
    file.version = query.is_null(0) ? file.newest : query.count(0) + 1;
    file.total = file.newest_total + query.count(1) + (file.version - file.newest) * kRowBytes;
    return file;
}

std::vector<Store::Text> Store::read_texts(std::int64_t file) {
    std::vector<Text> out;
    Query query(sql_->list_snapshots, file);
    while (query.step()) out.push_back({query.count(0), query.count(1), query.count(2)});
    return out;
}

std::u16string Store::read_text(std::int64_t file, std::uint64_t version) {
    Query query(sql_->read_snapshot, file, version);
    if (!query.step() || query.count(0) != version) damaged("a text is missing");
    auto text = read_text_row(query, file, 0);
    if (!text) damaged("a text is not as it was written");
    return *std::move(text);
}

std::vector<rooms::UpdatePtr> Store::read_updates(std::int64_t file, std::uint64_t from,
                                                  std::uint64_t to, std::uint64_t bytes) {
    std::vector<rooms::UpdatePtr> out;
    Query query(sql_->read_updates, file, from, to);
    std::uint64_t read = 0;
    for (std::uint64_t version = from; read < bytes && query.step(); ++version) {
        if (query.count(0) != version) damaged("an update is missing");
        read += query.blob(4).size() + kRowBytes;
        auto update = read_update_row(query, file, 0);
        if (!update) damaged("an update is not as it was written");
        out.push_back(std::make_shared<const rooms::Update>(*std::move(update)));
    }
    if (out.size() != to - from && read < bytes) damaged("an update is missing");
    return out;
}

/// With at least so many `bytes` of updates, or Limits::resume_updates, when they are there.
rooms::SavedDocument Store::read_document(const FileState& file, std::uint64_t bytes) {
    rooms::SavedDocument out{file.epoch, file.eol};
    for (const Text& text : read_texts(file.id)) {
        out.first_version = text.version;
        if (file.version - text.version >= limits_.resume_updates ||
            file.total - text.total >= bytes)
            break;
    }
    out.text = read_text(file.id, out.first_version);
    out.updates = read_updates(file.id, out.first_version, file.version, kAll);
    Query query(sql_->read_seqs, file.id);
    while (query.step()) {
        if (!is_right_seq_row(query, file.id, 0))
            damaged("a client's last seq is not as it was written");
        out.last_seqs.emplace_back(query.text(0), query.count(1));
    }
    return out;
}

std::optional<History> Store::history(const std::string& room_id, std::string_view path,
                                      std::uint64_t from, std::uint64_t to) {
    RoomState* state = find(room_id);
    if (state == nullptr) return std::nullopt;
    const auto found = state->files.find(path);
    if (found == state->files.end()) return std::nullopt;
    const FileState& file = found->second;
    History out;
    to = std::min(to, file.version);
    out.version = std::clamp(from, file.oldest, file.version);
    const std::uint64_t end =
        std::max(out.version, std::min<std::uint64_t>(to, out.version + limits_.history_chunk));
    out.updates = read_updates(file.id, out.version, end, limits_.history_chunk_bytes);
    out.more = out.version + out.updates.size() < to;
    return out;
}

std::optional<Snapshot> Store::snapshot(const std::string& room_id, std::string_view path,
                                        std::uint64_t version) {
    RoomState* state = find(room_id);
    if (state == nullptr) return std::nullopt;
    const auto found = state->files.find(path);
    if (found == state->files.end() || version < found->second.oldest) return std::nullopt;
    Snapshot out;
    {
        Query query(sql_->read_snapshot, found->second.id, version);
        if (!query.step()) return std::nullopt;
        out.version = query.count(0);
    }
    out.text = read_text(found->second.id, out.version);
    return out;
}

} // namespace cloister::store
