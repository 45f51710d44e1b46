// Change sets: how one text becomes another, in the form and with the exact algebra of CodeMirror
// 6, because the pages that edit with us compute with the same rules and must arrive at the same
// text.
//
// A change set is a list of sections that walks the whole old text: so many units kept, or so many
// units replaced by some inserted text (either may be none). `map` moves a change over another one
// made to the same text; `compose` joins two that follow each other. Mapping over a composed change
// is NOT the same as mapping over its parts one after the other: whoever wants to agree with others
// maps one update at a time.
#pragma once

#include "daemon/front/rooms/refusal.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::rooms {

/// `length` units of the old text, replaced by `inserted` units, or kept.
struct Section {
    static constexpr std::int32_t kKept = -1;
    std::int32_t length = 0;
    std::int32_t inserted = kKept;
    bool operator==(const Section&) const = default;
};

/// To which side a position goes when something is inserted exactly there.
enum class Side { before, after };

class ChangeSet {
public:
    /// Changes nothing in an empty text.
    ChangeSet() = default;
    /// Changes nothing in a text of `length` units.
    static ChangeSet none(std::size_t length);
    /// Replaces [from, to) of a text of `length` units. from <= to <= length.
    static ChangeSet replacing(std::size_t length, std::size_t from, std::size_t to,
                               std::u16string_view text);

    /// Units of the text that it applies to, and of what comes of it.
    std::size_t length() const { return length_; }
    std::size_t new_length() const { return new_length_; }
    bool is_empty() const;
    const std::vector<Section>& sections() const { return sections_; }
    /// The inserted texts of all sections, one after the other.
    const std::u16string& inserted() const { return inserted_; }
    /// About the bytes that it occupies.
    std::size_t bytes() const;

    /// Changes `text`, of length() units.
    void apply_to(std::u16string& text) const;
    /// What undoes it; `text` is the text before.
    ChangeSet inverse(std::u16string_view text) const;
    /// The same from inverse(text).inserted() alone.
    ChangeSet inverse_from(std::u16string_view removed) const;
    /// This, then `next`, as one. next.length() == new_length().
    ChangeSet compose(const ChangeSet& next) const;
    /// The same intention after `other`, which was made to the same text. When both insert at one
    /// place, what is `before` comes first.
    ChangeSet map(const ChangeSet& other, bool before = false) const;
    /// Where a position of the old text is in the new one; one beyond the end is at the end.
    std::size_t map_position(std::size_t position, Side side = Side::before) const;
    /// True when it begins or ends a change between the halves of one character of `text`.
    bool splits_pair(std::u16string_view text) const;

    bool operator==(const ChangeSet&) const = default;

    // For those that build one from its parts.
    /// Appends a section as CodeMirror does: like joins like.
    void add(std::int32_t length, std::int32_t inserted, std::u16string_view text,
             bool join = false);
    /// Appends a section as it stands.
    void add_as_is(Section section, std::u16string_view text);

private:
    std::vector<Section> sections_{};
    std::u16string inserted_{};
    std::size_t length_ = 0;
    std::size_t new_length_ = 0;
};

/// What a change set that comes from outside may be.
struct ChangeBounds {
    std::size_t length = std::size_t{1} << 20; ///< units, before and after
    std::size_t sections = std::size_t{1} << 16;
};

/// Reads the JSON form, `[5,[2],[0,"line","line"]]`: a number keeps, a list deletes and inserts
/// lines.
std::variant<ChangeSet, Refusal> parse_changes(const nlohmann::json& json,
                                               const ChangeBounds& bounds = {});
/// Appends the JSON form, exactly as CodeMirror would print it.
void append_json(std::string& out, const ChangeSet& changes);

} // namespace cloister::rooms
