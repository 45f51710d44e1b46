// Due, asked, told; and what is let go on the way.
#include "daemon/front/pushed_analyses.h"

#include <algorithm>

namespace cloister::front {

PushedAnalyses::PushedAnalyses(Hub& hub, Analyses& analyses, const Bounds& bounds,
                               std::function<Time()> now, std::function<void(Time)> wake)
    : hub_(hub), analyses_(analyses), bounds_(bounds), now_(std::move(now)),
      wake_(std::move(wake)) {
    hub_.watch_with(this);
}

PushedAnalyses::~PushedAnalyses() {
    hub_.watch_with(nullptr);
    for (const auto& [document, watch] : watches_) analyses_.close_client(watch.client);
}

std::optional<rooms::Refusal> PushedAnalyses::subscribe(Connection connection,
                                                        const RoomDocument& document, bool korean) {
    AskAnalyst asked;
    asked.file_path = document.path;
    Refusal refusal;
    if (!analyses_.knows(asked, refusal)) return rooms::Refusal{refusal.code, refusal.message};
    std::set<RoomDocument>& own = documents_[connection];
    if (!own.contains(document) && own.size() >= bounds_.per_connection) {
        return rooms::Refusal{"busy", "A connection may subscribe to the analysis of " +
                                          std::to_string(bounds_.per_connection) + " documents."};
    }
    own.insert(document);
    const auto [which, is_new] = watches_.try_emplace(document);
    if (is_new) which->second.client = analyses_.open_client();
    which->second.korean[connection] = korean;
    which->second.asked.reset();
    set_due(which, now_());
    return std::nullopt;
}

void PushedAnalyses::unsubscribe(Connection connection, const RoomDocument& document) {
    const auto own = documents_.find(connection);
    if (own == documents_.end() || own->second.erase(document) == 0) return;
    if (own->second.empty()) documents_.erase(own);
    const auto which = watches_.find(document);
    which->second.korean.erase(connection);
    if (which->second.korean.empty()) remove(which);
}

void PushedAnalyses::on_left(Connection connection) {
    const auto own = documents_.find(connection);
    if (own == documents_.end()) return;
    for (const RoomDocument& document : std::set<RoomDocument>(own->second))
        unsubscribe(connection, document);
}

void PushedAnalyses::on_changed(const RoomDocument& document) {
    const auto which = watches_.find(document);
    if (which != watches_.end() && !which->second.due) set_due(which, now_() + bounds_.pause);
}

/// Files came, went or are called otherwise: each is looked for anew.
void PushedAnalyses::on_files(const std::string& room_id) {
    for (auto which = watches_.lower_bound({room_id, {}});
         which != watches_.end() && which->first.room_id == room_id; ++which)
        if (!which->second.due) set_due(which, now_());
}

void PushedAnalyses::set_due(Map::iterator which, Time at) {
    if (which->second.due) due_.erase({*which->second.due, which->first});
    which->second.due = at;
    due_.emplace(at, which->first);
    wake_(due_.begin()->first);
}

void PushedAnalyses::on_time() {
    const Time now = now_();
    while (!due_.empty() && due_.begin()->first <= now) {
        const RoomDocument document = due_.begin()->second;
        due_.erase(due_.begin());
        const auto which = watches_.find(document);
        // One that is under way is followed by the next.
        if (which->second.under_way == 0) begin(which);
    }
    if (!due_.empty()) wake_(due_.begin()->first);
}

void PushedAnalyses::begin(Map::iterator which) {
    const RoomDocument document = which->first;
    which->second.due.reset();
    std::vector<Connection> gone;
    for (const auto& [connection, korean] : which->second.korean)
        if (!hub_.is_open(connection, document)) gone.push_back(connection);
    for (const Connection connection : gone) unsubscribe(connection, document);
    which = watches_.find(document);
    const auto text = hub_.text_of(document);
    if (which == watches_.end() || !text) return;
    // Not every message about a document changes it.
    auto version = std::optional(std::pair(text->epoch, text->version));
    if (which->second.asked == version) return;
    which->second.asked = std::move(version);
    std::array<bool, 2> wanted{};
    for (const auto& [connection, korean] : which->second.korean) wanted[korean ? 1 : 0] = true;
    for (const bool korean : {false, true})
        if (wanted[korean ? 1 : 0]) ask(which, *text, korean);
}

void PushedAnalyses::ask(Map::iterator which, const Hub::Text& text, bool korean) {
    const RoomDocument document = which->first;
    AskAnalyst asked;
    asked.file_path = document.path;
    asked.content = text.content;
    asked.korean = korean;
    asked.document = document;
    asked.pushed = DocumentVersion{text.epoch, text.version};
    const DocumentVersion version = *asked.pushed;
    ++which->second.under_way;
    if (text.content.size() > bounds_.source_bytes) {
        const std::string language = analyses_.language_of(asked).value_or("");
        return take(document, version, korean, without_analyst(asked, language, "too_large"));
    }
    const auto refusal = analyses_.ask(
        which->second.client, std::move(asked),
        [this, document, version, korean](std::string answer) {
            take(document, version, korean, std::move(answer));
        },
        now_());
    if (refusal) take(document, version, korean, {});
}

/// The answer, or that there is none.
void PushedAnalyses::take(const RoomDocument& document, const DocumentVersion& version, bool korean,
                          std::string text) {
    const auto which = watches_.find(document);
    if (which == watches_.end()) return;
    Watch& watch = which->second;
    --watch.under_way;
    const Time now = now_();
    Time& told = watch.told[korean ? 1 : 0];
    const bool is_newest = hub_.version_of(document) == std::pair(version.epoch, version.version);
    if (text.empty()) {
        watch.asked.reset();
        if (!watch.due) set_due(which, now + bounds_.retry);
    } else if (is_newest || now - told >= bounds_.patience) {
        told = now;
        const MessagePtr message = message_of(std::move(text));
        for (const auto& [connection, in_korean] : watch.korean)
            if (in_korean == korean) hub_.tell(connection, message);
    }
    // What became due meanwhile was waiting for this.
    if (watch.under_way == 0 && watch.due && *watch.due <= now) set_due(which, now);
}

void PushedAnalyses::remove(Map::iterator which) {
    if (which->second.due) due_.erase({*which->second.due, which->first});
    analyses_.close_client(which->second.client);
    watches_.erase(which);
}

} // namespace cloister::front
