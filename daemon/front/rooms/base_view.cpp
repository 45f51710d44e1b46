// A base client that types while others do sends texts that are no version's: its own words are in
// them, those that are under way to it are not. Comparing only with versions would take the words
// of the others for deleted, or add the client's own twice; hence the texts "beside the history".
#include "daemon/front/rooms/base_view.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace cloister::rooms {

ChangeSet difference(std::u16string_view from, std::u16string_view to) {
    const std::size_t shorter = std::min(from.size(), to.size());
    auto prefix = static_cast<std::size_t>(
        std::mismatch(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(shorter), to.begin())
            .first -
        from.begin());
    while (is_inside_pair(from, prefix) || is_inside_pair(to, prefix)) --prefix;
    std::size_t suffix = 0;
    while (suffix < shorter - prefix &&
           from[from.size() - 1 - suffix] == to[to.size() - 1 - suffix])
        ++suffix;
    while (suffix > 0 &&
           (is_inside_pair(from, from.size() - suffix) || is_inside_pair(to, to.size() - suffix)))
        --suffix;
    return ChangeSet::replacing(from.size(), prefix, from.size() - suffix,
                                to.substr(prefix, to.size() - suffix - prefix));
}

struct BaseView::Choice {
    std::size_t index = 0; ///< of looks_; its size when the text of now was taken
    ChangeSet edit{};
    std::size_t cost = std::numeric_limits<std::size_t>::max();
};

void BaseView::sent(std::uint64_t version, const DocumentLimits& limits, Time now) {
    unsure_ = false;
    told_ = now;
    knows(version, limits);
}

void BaseView::knows(std::uint64_t version, const DocumentLimits& limits) {
    if (!looks_.empty() && !looks_.back().is_own && looks_.back().version == version) return;
    looks_.push_back({version});
    // Its own text stays longest: nobody can send it that one again.
    if (looks_.size() > limits.base_versions)
        looks_.erase(looks_.begin() + (looks_.front().is_own && looks_.size() > 1 ? 1 : 0));
}

/// The look from which the smallest edit leads to `text`; of equals, what it came to see last.
BaseView::Choice BaseView::choose(const Document& document, std::u16string_view text) const {
    std::vector<std::size_t> order(looks_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Newest version first: one copy of the text goes back through the history.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return looks_[a].version > looks_[b].version;
    });
    Choice best{looks_.size()};
    std::u16string past;
    std::uint64_t at = document.version();
    for (const std::size_t index : order) {
        const Look& look = looks_[index];
        if (look.version < document.first_version() ||
            document.version() - look.version > document.limits().base_reach)
            break;
        if (at == document.version() && at > look.version) past = document.text();
        for (; at > look.version; --at) document.undo(past, at - 1);
        std::u16string own;
        if (look.is_own) {
            own = at == document.version() ? document.text() : past;
            look.back.apply_to(own);
        }
        const std::u16string& seen =
            look.is_own ? own : (at == document.version() ? document.text() : past);
        ChangeSet edit = difference(seen, text);
        const std::size_t cost = edit.is_empty() ? 0
                                                 : edit.inserted().size() + edit.length() +
                                                       edit.inserted().size() - edit.new_length();
        if (cost < best.cost || (cost == best.cost && index > best.index))
            best = {index, std::move(edit), cost};
    }
    return best;
}

std::variant<Merged, Refusal> BaseView::merge(Document& document, const std::string& client_id,
                                              std::string_view content,
                                              std::optional<std::uint64_t> version, Time now) {
    if (version && *version > document.version())
        return Refusal{"version_ahead",
                       "The document is at version " + std::to_string(document.version()) + "."};
    if (version && (*version < document.first_version() ||
                    document.version() - *version > document.limits().base_reach))
        return Refusal{"stale_epoch", "Version " + std::to_string(*version) + " is too long ago."};
    const std::u16string text = ingest(content).text;

    if (version) looks_.assign(1, Look{*version}); // it says what it saw
    Choice choice = choose(document, text);
    if (choice.index == looks_.size()) { // it never saw anything, or too long ago
        looks_.assign(1, Look{document.version()});
        choice = {0, difference(document.text(), text), 0};
    }
    const Look& look = looks_[choice.index];

    // The edit goes over what others did, one by one; what they did goes over the edit, so that we
    // know how the client's text lies beside the document.
    ChangeSet edit = choice.edit;
    ChangeSet ahead = ChangeSet::none(edit.new_length());
    std::size_t work = 0;
    const auto pass = [&](const ChangeSet& other) {
        work += edit.sections().size() + other.sections().size() + ahead.sections().size();
        ChangeSet moved = edit.map(other);
        ahead = ahead.compose(other.map(edit, true));
        edit = std::move(moved);
    };
    if (look.is_own) pass(look.ahead);
    for (std::uint64_t v = look.version; v < document.version(); ++v) {
        if (work > document.limits().rebase_work) break;
        pass(document.update_of(v).changes);
    }
    if (work > document.limits().rebase_work) {
        looks_.clear();
        return Refusal{"busy", "Too much happened since: send the text again."};
    }

    Merged out;
    out.pushed.version = document.version();
    out.pushed.last_seq = document.last_seq(client_id);
    if (!edit.is_empty()) {
        auto accepted = document.append(client_id, std::move(edit), now);
        if (auto* refusal = std::get_if<Refusal>(&accepted)) return std::move(*refusal);
        out.pushed = std::move(std::get<Pushed>(accepted));
    }
    Look own{document.version()};
    if (!ahead.is_empty()) {
        own.is_own = true;
        own.back = ahead.inverse(text);
        own.ahead = std::move(ahead);
    }
    unsure_ = unsure_ || (told_ && now - *told_ < document.limits().base_arrival);
    told_.reset();
    looks_.erase(looks_.begin(), looks_.begin() + static_cast<std::ptrdiff_t>(choice.index) + 1);
    looks_.insert(looks_.begin(), std::move(own));
    out.differs = document.text() != text;
    return out;
}

} // namespace cloister::rooms
