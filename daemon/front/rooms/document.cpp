// The rules R1 to R9 of the protocol, as far as they are the document's.
#include "daemon/front/rooms/document.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace cloister::rooms {
namespace {

/// Presence from longer ago is not worth mapping: a newer one is on its way.
constexpr std::uint64_t kPresenceReach = 1024;

Refusal bad_update(std::string why) { return {"bad_update", std::move(why)}; }

} // namespace

Document::Document(std::string epoch, Ingested content, const DocumentLimits& limits)
    : limits_(limits), epoch_(std::move(epoch)), eol_(std::move(content.eol)),
      text_(std::move(content.text)), bytes_(utf8_size(text_)) {}

std::optional<Document> Document::restore(const SavedDocument& saved,
                                          const DocumentLimits& limits) {
    Document out(saved.epoch, {saved.text, saved.eol}, limits);
    out.first_version_ = saved.first_version;
    for (const UpdatePtr& update : saved.updates) {
        const ChangeSet& changes = update->changes;
        if (changes.length() != out.text_.size()) return std::nullopt;
        Entry entry{update, changes.inverse(out.text_).inserted()};
        changes.apply_to(out.text_);
        out.log_bytes_ += entry.bytes();
        out.log_.push_back(std::move(entry));
        out.remember(update->client_id, update->seq);
    }
    for (const auto& [client_id, seq] : saved.last_seqs)
        if (out.last_seq(client_id) < seq) out.remember(client_id, seq);
    out.bytes_ = utf8_size(out.text_);
    out.trim();
    return out;
}

SavedDocument Document::saved() const {
    SavedDocument out{epoch_, eol_, first_version_, text_at(first_version_), {}, {}};
    for (const Entry& entry : log_) out.updates.push_back(entry.update);
    for (const auto& [client_id, seen] : seen_) out.last_seqs.emplace_back(client_id, seen.seq);
    return out;
}

std::uint64_t Document::last_seq(const std::string& client_id) const {
    const auto found = seen_.find(client_id);
    return found == seen_.end() ? 0 : found->second.seq;
}

std::optional<Refusal> Document::check(std::string_view epoch, std::uint64_t version,
                                       const std::vector<Sent>& updates) const {
    if (epoch != epoch_)
        return Refusal{"stale_epoch", "The history has begun anew: open the document again."};
    if (version > this->version())
        return Refusal{"version_ahead",
                       "The document is at version " + std::to_string(this->version()) + "."};
    if (version < first_version_)
        return Refusal{"stale_epoch", "Version " + std::to_string(version) +
                                          " is too long ago: open the document again."};
    if (updates.empty()) return bad_update("A push holds at least one update.");
    if (updates.size() > limits_.push_updates)
        return Refusal{"too_many_updates", "A push holds at most " +
                                               std::to_string(limits_.push_updates) + " updates."};
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < updates.size(); ++i) {
        if (updates[i].seq == 0 || updates[i].seq != updates[0].seq + i)
            return bad_update("The seq of updates grows by one, from 1.");
        bytes += utf8_size(updates[i].changes.inserted());
    }
    if (bytes > limits_.push_bytes)
        return Refusal{"too_large",
                       "A push inserts at most " + std::to_string(limits_.push_bytes) + " bytes."};
    return std::nullopt;
}

std::variant<Pushed, Refusal> Document::push(const std::string& client_id, std::string_view epoch,
                                             std::uint64_t version, std::vector<Sent> updates,
                                             Time now) {
    if (auto refusal = check(epoch, version, updates)) return *std::move(refusal);
    const std::uint64_t last = last_seq(client_id);
    const auto own_since = static_cast<std::uint64_t>(std::count_if(
        log_.begin() + static_cast<std::ptrdiff_t>(version - first_version_), log_.end(),
        [&](const Entry& entry) { return entry.update->client_id == client_id; }));
    if (own_since > last)
        return Refusal{"stale_epoch", "This client was away too long: open the document again."};

    // Up to here the client's updates are part of `version` itself: sent twice, they are dropped.
    const std::uint64_t part_of_version = last - own_since;
    const std::size_t count = updates.size();
    const auto fresh = std::find_if(updates.begin(), updates.end(),
                                    [&](const Sent& sent) { return sent.seq > part_of_version; });
    updates.erase(updates.begin(), fresh);
    if (updates.empty()) return Pushed{this->version(), count, last};
    if (updates.front().seq != part_of_version + 1)
        return bad_update("The next seq after version " + std::to_string(version) + " is " +
                          std::to_string(part_of_version + 1) + ".");
    std::size_t length = length_at(version);
    for (const Sent& sent : updates) {
        if (sent.changes.length() != length)
            return bad_update("The changes with seq " + std::to_string(sent.seq) + " are of " +
                              std::to_string(sent.changes.length()) + " units, the text has " +
                              std::to_string(length) + ".");
        length = sent.changes.new_length();
    }
    if (auto refusal = rebase(updates, client_id, version)) return *std::move(refusal);
    auto accepted = accept(client_id, std::move(updates), now);
    if (auto* pushed = std::get_if<Pushed>(&accepted)) pushed->count = count;
    return accepted;
}

/// Moves `pending`, made to `version`, over what came since. Those of them that are already in the
/// log leave the list where they are met there.
std::optional<Refusal> Document::rebase(std::vector<Sent>& pending, const std::string& client_id,
                                        std::uint64_t version) const {
    std::size_t work = 0;
    std::size_t done = 0; // of pending, found in the log
    for (std::uint64_t v = version; v < this->version() && done < pending.size(); ++v) {
        const Update& update = update_of(v);
        if (update.client_id == client_id) {
            ++done;
            continue;
        }
        const ChangeSet* other = &update.changes;
        ChangeSet moved;
        for (std::size_t i = done; i < pending.size(); ++i) {
            work += other->sections().size() + pending[i].changes.sections().size();
            if (work > limits_.rebase_work)
                return Refusal{"stale_epoch", "Too much happened since version " +
                                                  std::to_string(version) +
                                                  ": open the document again."};
            ChangeSet mine = pending[i].changes.map(*other);
            if (i + 1 < pending.size()) {
                moved = other->map(pending[i].changes, true);
                other = &moved;
            }
            pending[i].changes = std::move(mine);
        }
    }
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(done));
    return std::nullopt;
}

std::variant<Pushed, Refusal> Document::append(const std::string& client_id, ChangeSet changes,
                                               Time now) {
    std::vector<Sent> updates;
    updates.push_back({last_seq(client_id) + 1, std::move(changes)});
    return accept(client_id, std::move(updates), now);
}

/// Applies updates that fit on the text as it is: all of them, or none.
std::variant<Pushed, Refusal> Document::accept(const std::string& client_id,
                                               std::vector<Sent> updates, Time now) {
    std::vector<Entry> entries;
    entries.reserve(updates.size());
    const std::size_t bytes_before = bytes_;
    std::optional<Refusal> refusal;
    for (Sent& sent : updates) {
        if (sent.changes.splits_pair(text_)) {
            refusal =
                Refusal{"split_surrogate", "The changes with seq " + std::to_string(sent.seq) +
                                               " cut a character in two."};
            break;
        }
        std::u16string removed = sent.changes.inverse(text_).inserted();
        const std::size_t added = utf8_size(sent.changes.inserted());
        const std::size_t taken = utf8_size(removed);
        // What makes a text smaller is always welcome.
        if (added > taken && bytes_ + added - taken > limits_.doc_bytes) {
            refusal = Refusal{"doc_too_large", "A document has at most " +
                                                   std::to_string(limits_.doc_bytes) + " bytes."};
            break;
        }
        bytes_ = bytes_ + added - taken;
        sent.changes.apply_to(text_);
        auto update = std::make_shared<const Update>(
            Update{client_id, sent.seq, std::move(sent.changes), now});
        entries.push_back({std::move(update), std::move(removed)});
    }
    if (refusal) {
        for (; !entries.empty(); entries.pop_back())
            entries.back().update->changes.inverse_from(entries.back().removed).apply_to(text_);
        bytes_ = bytes_before;
        return *std::move(refusal);
    }
    const std::uint64_t before = version();
    Pushed out;
    out.version = before + entries.size();
    out.count = entries.size();
    for (Entry& entry : entries) {
        out.updates.push_back(entry.update);
        log_bytes_ += entry.bytes();
        log_.push_back(std::move(entry));
    }
    if (!out.updates.empty()) remember(client_id, out.updates.back()->seq);
    out.last_seq = last_seq(client_id);
    if (before / limits_.hash_every != out.version / limits_.hash_every) out.hash = hash();
    trim();
    return out;
}

std::size_t Document::Entry::bytes() const {
    return sizeof(Entry) + sizeof(Update) + update->changes.bytes() +
           removed.size() * sizeof(char16_t);
}

void Document::remember(const std::string& client_id, std::uint64_t seq) {
    seen_[client_id] = {seq, version()};
    if (seen_.size() <= limits_.clients) return;
    // Whoever was silent longest. Should it come back, its seq will not fit, and it opens anew.
    const auto oldest =
        std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
            return a.second.version < b.second.version;
        });
    seen_.erase(oldest);
}

std::size_t Document::memory() const {
    constexpr std::size_t kClient = 96; // a node of the table and its key
    return sizeof(Document) + text_.capacity() * sizeof(char16_t) + log_bytes_ +
           seen_.size() * kClient;
}

void Document::trim() { shorten_log(limits_.log_bytes); }

void Document::shorten_log(std::size_t bytes) {
    while (log_.size() > limits_.log_updates || (log_bytes_ > bytes && !log_.empty())) {
        log_bytes_ -= log_.front().bytes();
        log_.pop_front();
        ++first_version_;
    }
}

std::size_t Document::length_at(std::uint64_t version) const {
    return version == this->version() ? text_.size() : update_of(version).changes.length();
}

std::optional<std::vector<UpdatePtr>> Document::updates_since(std::uint64_t version) const {
    if (version < first_version_ || version > this->version()) return std::nullopt;
    std::vector<UpdatePtr> out;
    out.reserve(this->version() - version);
    for (std::size_t i = version - first_version_; i < log_.size(); ++i)
        out.push_back(log_[i].update);
    return out;
}

const UpdatePtr& Document::update_at(std::uint64_t version) const {
    assert(version >= first_version_ && version < this->version());
    return log_[version - first_version_].update;
}

void Document::undo(std::u16string& text, std::uint64_t version) const {
    assert(version >= first_version_ && version < this->version());
    const Entry& entry = log_[version - first_version_];
    entry.update->changes.inverse_from(entry.removed).apply_to(text);
}

std::u16string Document::text_at(std::uint64_t version) const {
    std::u16string out = text_;
    for (std::uint64_t v = this->version(); v > version; --v) undo(out, v - 1);
    return out;
}

bool Document::map_positions(std::uint64_t version, std::vector<std::size_t>& positions) const {
    const std::uint64_t now = this->version();
    if (version < first_version_ || version > now || now - version > kPresenceReach) return false;
    for (std::size_t& position : positions) position = std::min(position, length_at(version));
    std::size_t work = 0;
    for (std::uint64_t v = version; v < now; ++v) {
        const ChangeSet& changes = update_of(v).changes;
        work += changes.sections().size() * positions.size();
        if (work > limits_.rebase_work) return false;
        for (std::size_t& position : positions) position = changes.map_position(position);
    }
    return true;
}

} // namespace cloister::rooms
