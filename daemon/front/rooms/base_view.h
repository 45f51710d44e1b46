// Base clients send whole texts and know no versions. What such a client did is found by comparing
// its text with each text that it may have been looking at, and is then moved over what came later,
// like everybody's updates.
#pragma once

#include "daemon/front/rooms/document.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::rooms {

/// The smallest single replacement that makes `to` of `from`, never between the halves of a
/// character.
ChangeSet difference(std::u16string_view from, std::u16string_view to);

/// What became of a base client's text.
struct Merged {
    Pushed pushed{};
    /// The document is not what the client sent: it must be told the text.
    bool differs = false;
};

/// What one connection may be looking at in one document.
class BaseView {
public:
    /// The text of `version` was sent to it.
    void sent(std::uint64_t version, const DocumentLimits& limits, Time now);
    /// It knows the text of `version` without having been told, as it knows that a new file is
    /// empty.
    void knows(std::uint64_t version, const DocumentLimits& limits);
    /// The client says that its text is `content` now, perhaps also of which version it made that.
    /// Its updates are put down to `client_id`.
    std::variant<Merged, Refusal> merge(Document& document, const std::string& client_id,
                                        std::string_view content,
                                        std::optional<std::uint64_t> version, Time now);
    std::size_t size() const { return looks_.size(); }
    /// Something was sent to it shortly before it wrote. If that had not arrived then, it shows
    /// that now, without its own words: it is to be told the text again when it is not typing.
    bool is_unsure() const { return unsure_; }

private:
    /// A text that it may be looking at: a version's, or one of its own that lies beside the
    /// history.
    struct Look {
        std::uint64_t version = 0;
        /// When its own: what others did meanwhile, that leads from its text to `version`; and
        /// back.
        ChangeSet ahead{};
        ChangeSet back{};
        bool is_own = false;
    };
    struct Choice;

    Choice choose(const Document& document, std::u16string_view text) const;

    std::optional<Time> told_{}; ///< when something was sent to it
    bool unsure_ = false;
    std::vector<Look> looks_{}; ///< in the order in which the client may have come to see them
};

} // namespace cloister::rooms
