// The limits of the store from the configuration; the rest only passes on.
#include "daemon/front/store_archive.h"

#include <algorithm>
#include <cstdio>

namespace cloister::front {
namespace {

/// What one tidying takes away at most, so that nobody waits for it.
constexpr int kTidySteps = 16;

store::Start start_of(const config::Config& config) {
    store::Start start;
    start.set_damaged_aside = config.store_damaged == "set_aside";
    return start;
}

} // namespace

store::Limits store_limits(const config::Config& config) {
    store::Limits limits;
    limits.file_bytes = config.store_bytes;
    limits.rooms = config.store_rooms;
    limits.submissions = config.submissions;
    limits.submissions_bytes = config.submissions_bytes;
    // A text may be kept in UTF-16; one change may replace all of it.
    limits.value_bytes =
        std::max(limits.value_bytes, static_cast<std::size_t>(4 * config.document_bytes));
    limits.history_updates = config.history_updates;
    limits.history_bytes = static_cast<std::size_t>(config.history_bytes);
    limits.resume_updates = config.document_log_updates;
    limits.resume_bytes = static_cast<std::size_t>(config.document_log_bytes);
    limits.chat_restored = config.chat_kept;
    limits.empty_room = std::chrono::hours(config.room_keep_hours);
    return limits;
}

StoreArchive::StoreArchive(const config::Config& config)
    : store_(config.state_dir + "/" + kStoreFile, store_limits(config), start_of(config)) {
    for (const std::string& notice : store_.notices())
        (void)std::fprintf(stderr, "cloister: %s\n", notice.c_str());
}

std::optional<Archive::Saved> StoreArchive::open(const std::string& room_id, rooms::Time now) {
    auto kept = store_.open_room(room_id, now);
    if (!kept) return std::nullopt;
    Saved out;
    for (store::SavedFile& file : kept->files)
        out.files.emplace_back(std::move(file.path), std::move(file.document));
    out.chat = std::move(kept->chat);
    out.owner = std::move(kept->owner);
    return out;
}

void StoreArchive::close(const std::string& room_id, rooms::Time now) {
    store_.close_room(room_id, now);
}

void StoreArchive::keep(const rooms::Room& room, rooms::Time now) { store_.keep(room, now); }

void StoreArchive::keep(const rooms::Room& room, std::string_view path, rooms::Time now) {
    store_.keep(room, path, now);
}

std::optional<Archive::History> StoreArchive::history(const std::string& room_id,
                                                      std::string_view path, std::uint64_t from,
                                                      std::uint64_t to) {
    auto kept = store_.history(room_id, path, from, to);
    if (!kept) return std::nullopt;
    return History{kept->version, std::move(kept->updates), kept->more};
}

void StoreArchive::tidy(rooms::Time now) {
    (void)store_.expire(now);
    for (int step = 0; step < kTidySteps && store_.tidy(); ++step) {}
}

} // namespace cloister::front
