// Claims, and who has to go when there is no place.
#include "daemon/front/held_documents.h"

#include <algorithm>

namespace cloister::front {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

} // namespace

TextEdit difference(std::string_view before, std::string_view after) {
    const std::size_t most = std::min(before.size(), after.size());
    const auto from_front = std::mismatch(
        before.begin(), before.begin() + static_cast<std::ptrdiff_t>(most), after.begin());
    auto start = static_cast<std::size_t>(from_front.first - before.begin());
    const auto is_inside = [](std::string_view text, std::size_t at) {
        return at < text.size() && is_continuation(text[at]);
    };
    while (start > 0 && (is_inside(before, start) || is_inside(after, start))) --start;
    const auto from_back =
        std::mismatch(before.rbegin(), before.rbegin() + static_cast<std::ptrdiff_t>(most - start),
                      after.rbegin());
    auto same = static_cast<std::size_t>(from_back.first - before.rbegin());
    while (same > 0 && is_continuation(before[before.size() - same])) --same;
    TextEdit edit;
    edit.start = static_cast<std::uint32_t>(start);
    edit.removed = static_cast<std::uint32_t>(before.size() - same - start);
    edit.inserted = after.substr(start, after.size() - same - start);
    return edit;
}

HeldDocuments::Way HeldDocuments::claim(const RoomDocument& document, const std::string& language,
                                        std::string_view text, Time now) {
    Way way;
    if (const auto found = held_.find(document); found != held_.end()) {
        Held& held = found->second;
        if (held.claimed) {
            way.kind = Way::Kind::wait;
        } else if (held.language == language) {
            held.claimed = true;
            way.kind = Way::Kind::follow;
            way.worker = held.worker;
            way.edit = difference(held.text, text);
        }
        return way;
    }
    if (!make_place(document, now)) return way;
    Held& held = held_[document];
    held.language = language;
    held.claimed = true;
    way.kind = Way::Kind::hold;
    return way;
}

void HeldDocuments::keep(const RoomDocument& document, Worker worker, std::string text,
                         std::size_t bytes, Time now) {
    const auto found = held_.find(document);
    if (found == held_.end()) { // forgotten meanwhile
        dropped_.push_back(worker);
        return;
    }
    Held& held = found->second;
    bytes_ += bytes - held.bytes;
    held.worker = worker;
    held.text = std::move(text);
    held.bytes = bytes;
    held.used = now;
    held.claimed = false;
    while (bytes_ > bounds_.bytes) {
        const auto victim = longest_unused(nullptr, Time::max());
        if (victim == held_.end()) return;
        drop(victim);
    }
}

void HeldDocuments::let_go(const RoomDocument& document) {
    if (const auto found = held_.find(document); found != held_.end()) drop(found);
}

void HeldDocuments::forget(Worker worker) {
    const auto found =
        std::ranges::find_if(held_, [&](const auto& one) { return one.second.worker == worker; });
    if (found == held_.end() || found->second.claimed) return; // its request's end is still to come
    found->second.worker = 0;
    drop(found);
}

void HeldDocuments::forget_all() {
    held_.clear();
    dropped_.clear();
    bytes_ = 0;
}

void HeldDocuments::expire(Time now) {
    for (;;) {
        const auto old = longest_unused(nullptr, now - bounds_.idle);
        if (old == held_.end()) return;
        drop(old);
    }
}

/// A room takes from itself first: it cannot push others out by opening many.
bool HeldDocuments::make_place(const RoomDocument& document, Time now) {
    const auto of_room = std::ranges::count_if(
        held_, [&](const auto& one) { return one.first.room_id == document.room_id; });
    const bool own = static_cast<std::size_t>(of_room) >= bounds_.of_a_room;
    if (!own && held_.size() < bounds_.all) return true;
    const auto victim = own ? longest_unused(&document.room_id, Time::max())
                            : longest_unused(nullptr, now - bounds_.in_use);
    if (victim == held_.end()) return false;
    drop(victim);
    return true;
}

/// Of those that nobody waits for and that were used last before that time.
HeldDocuments::Map::iterator HeldDocuments::longest_unused(const std::string* room_id,
                                                           Time before) {
    auto found = held_.end();
    for (auto at = held_.begin(); at != held_.end(); ++at) {
        const Held& held = at->second;
        if (held.claimed || held.used > before) continue;
        if (room_id != nullptr && at->first.room_id != *room_id) continue;
        if (found == held_.end() || held.used < found->second.used) found = at;
    }
    return found;
}

void HeldDocuments::drop(Map::iterator which) {
    bytes_ -= which->second.bytes;
    if (which->second.worker != 0) dropped_.push_back(which->second.worker);
    held_.erase(which);
}

} // namespace cloister::front
