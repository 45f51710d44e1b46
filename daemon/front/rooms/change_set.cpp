// The algebra. `map` and `compose` follow @codemirror/state section by section; where that looks
// arbitrary (which neighbours are joined, what goes first) it is part of what both sides must agree
// on, and the golden file in tests/rooms holds it.
#include "daemon/front/rooms/change_set.h"

#include "daemon/front/rooms/text16.h"

#include <algorithm>
#include <cassert>

namespace cloister::rooms {
namespace {

constexpr std::int32_t kKept = Section::kKept;
constexpr std::int32_t kDone = -2;

/// More changes than these, and a text is rebuilt rather than changed in place.
constexpr std::size_t kChangesInPlace = 4;

std::int32_t narrow(std::size_t value) { return static_cast<std::int32_t>(value); }
std::size_t widen(std::int32_t value) { return static_cast<std::size_t>(value); }

/// Walks the sections of a set, piece by piece.
struct Walk {
    explicit Walk(const ChangeSet& changes) : set(changes) { next(); }

    void next() {
        if (index > 0 && set.sections()[index - 1].inserted > 0 && !is_done())
            text_begin += widen(set.sections()[index - 1].inserted);
        if (index < set.sections().size()) {
            length = set.sections()[index].length;
            inserted = set.sections()[index].inserted;
            ++index;
        } else {
            length = 0;
            inserted = kDone;
        }
        offset = 0;
    }
    /// Passes `units` of the old text.
    void forward(std::int32_t units) {
        if (units == length) {
            next();
        } else {
            length -= units;
            offset += units;
        }
    }
    /// Passes `units` of the new text.
    void forward_new(std::int32_t units) {
        if (inserted == kKept) {
            forward(units);
        } else if (units == inserted) {
            next();
        } else {
            inserted -= units;
            offset += units;
        }
    }
    bool is_done() const { return inserted == kDone; }
    std::int32_t new_length() const { return inserted < 0 ? length : inserted; }
    /// The whole text that the section inserts.
    std::u16string_view text() const {
        const std::int32_t units = set.sections()[index - 1].inserted;
        if (is_done() || units <= 0) return {};
        return std::u16string_view(set.inserted()).substr(text_begin, widen(units));
    }
    /// The next `units` of it.
    std::u16string_view text(std::int32_t units) const {
        return text().substr(widen(offset), widen(units));
    }

    const ChangeSet& set;
    std::size_t index = 0; ///< of the section after this one
    std::size_t text_begin = 0;
    std::int32_t length = 0;
    std::int32_t inserted = 0;
    std::int32_t offset = 0;
};

} // namespace

ChangeSet ChangeSet::none(std::size_t length) {
    ChangeSet out;
    out.add(narrow(length), kKept, {});
    return out;
}

ChangeSet ChangeSet::replacing(std::size_t length, std::size_t from, std::size_t to,
                               std::u16string_view text) {
    assert(from <= to && to <= length);
    ChangeSet out;
    out.add(narrow(from), kKept, {});
    out.add(narrow(to - from), narrow(text.size()), text);
    out.add(narrow(length - to), kKept, {});
    return out;
}

void ChangeSet::add_as_is(Section section, std::u16string_view text) {
    sections_.push_back(section);
    inserted_ += text;
    length_ += widen(section.length);
    new_length_ += widen(section.inserted < 0 ? section.length : section.inserted);
}

void ChangeSet::add(std::int32_t length, std::int32_t inserted, std::u16string_view text,
                    bool join) {
    if (length == 0 && inserted <= 0) return;
    Section* last = sections_.empty() ? nullptr : &sections_.back();
    if (last != nullptr && inserted <= 0 && inserted == last->inserted) {
        last->length += length;
    } else if (last != nullptr && length == 0 && last->length == 0) {
        last->inserted += inserted;
    } else if (last != nullptr && join) {
        last->length += length;
        last->inserted += inserted;
    } else {
        sections_.push_back({length, inserted});
    }
    inserted_ += text;
    length_ += widen(length);
    new_length_ += widen(inserted < 0 ? length : inserted);
}

bool ChangeSet::is_empty() const {
    return sections_.empty() || (sections_.size() == 1 && sections_[0].inserted < 0);
}

std::size_t ChangeSet::bytes() const {
    return sizeof *this + sections_.size() * sizeof(Section) + inserted_.size() * sizeof(char16_t);
}

void ChangeSet::apply_to(std::u16string& text) const {
    assert(text.size() == length_);
    const auto is_change = [](const Section& section) { return section.inserted >= 0; };
    const auto changes = std::count_if(sections_.begin(), sections_.end(), is_change);
    std::size_t position = 0; // in the new text when in place, in the old one when not
    std::size_t taken = 0;    // of inserted_
    if (static_cast<std::size_t>(changes) <= kChangesInPlace) {
        for (const Section& section : sections_) {
            if (section.inserted < 0) {
                position += widen(section.length);
                continue;
            }
            text.replace(position, widen(section.length), inserted_, taken,
                         widen(section.inserted));
            position += widen(section.inserted);
            taken += widen(section.inserted);
        }
        return;
    }
    std::u16string out;
    out.reserve(new_length_);
    for (const Section& section : sections_) {
        if (section.inserted < 0) {
            out.append(text, position, widen(section.length));
        } else {
            out.append(inserted_, taken, widen(section.inserted));
            taken += widen(section.inserted);
        }
        position += widen(section.length);
    }
    text = std::move(out);
}

ChangeSet ChangeSet::inverse(std::u16string_view text) const {
    assert(text.size() == length_);
    ChangeSet out;
    std::size_t position = 0;
    for (const Section& section : sections_) {
        if (section.inserted < 0) {
            out.add_as_is(section, {});
        } else {
            out.add_as_is({section.inserted, section.length},
                          text.substr(position, widen(section.length)));
        }
        position += widen(section.length);
    }
    return out;
}

ChangeSet ChangeSet::inverse_from(std::u16string_view removed) const {
    ChangeSet out;
    for (const Section& section : sections_) {
        if (section.inserted < 0) {
            out.add_as_is(section, {});
        } else {
            out.add_as_is({section.inserted, section.length},
                          removed.substr(0, widen(section.length)));
            removed.remove_prefix(widen(section.length));
        }
    }
    return out;
}

ChangeSet ChangeSet::map(const ChangeSet& other, bool before) const {
    assert(other.length_ == length_);
    if (other.is_empty()) return *this;
    ChangeSet out;
    Walk a(*this);
    Walk b(other);
    // The section of `a` whose text is already placed, when it is handled in pieces.
    std::size_t placed = 0;
    while (!a.is_done() || !b.is_done()) {
        if (a.inserted == kKept && b.inserted == kKept) {
            const std::int32_t length = std::min(a.length, b.length);
            out.add(length, kKept, {});
            a.forward(length);
            b.forward(length);
        } else if (b.inserted >= 0 && (a.inserted < 0 || placed == a.index ||
                                       (a.offset == 0 && (b.length < a.length ||
                                                          (b.length == a.length && !before))))) {
            // The other's change comes before ours, by its start, then its length, then `before`:
            // it is skipped, with what of ours lies under it.
            std::int32_t length = b.length;
            out.add(b.inserted, kKept, {});
            while (length > 0) {
                const std::int32_t piece = std::min(a.length, length);
                if (a.inserted >= 0 && placed < a.index && a.length <= piece) {
                    out.add(0, a.inserted, a.text());
                    placed = a.index;
                }
                a.forward(piece);
                length -= piece;
            }
            b.next();
        } else {
            // Our change, up to the next change of the other that is more than a deletion.
            assert(a.inserted >= 0);
            std::int32_t length = 0;
            std::int32_t left = a.length;
            while (left > 0) {
                if (b.inserted == kKept) {
                    const std::int32_t piece = std::min(left, b.length);
                    length += piece;
                    left -= piece;
                    b.forward(piece);
                } else if (b.inserted == 0 && b.length < left) {
                    left -= b.length;
                    b.next();
                } else {
                    break;
                }
            }
            const bool place = placed < a.index;
            out.add(length, place ? a.inserted : 0, place ? a.text() : std::u16string_view{});
            placed = a.index;
            a.forward(a.length - left);
        }
    }
    return out;
}

ChangeSet ChangeSet::compose(const ChangeSet& next) const {
    assert(next.length_ == new_length_);
    if (is_empty()) return next;
    if (next.is_empty()) return *this;
    ChangeSet out;
    Walk a(*this);
    Walk b(next);
    bool open = false; // the last section goes on
    while (!a.is_done() || !b.is_done()) {
        if (a.inserted == 0) { // deleted before `next` could see it
            out.add(a.length, 0, {}, open);
            a.next();
        } else if (b.length == 0 && !b.is_done()) { // inserted by `next` alone
            out.add(0, b.inserted, b.text(), open);
            b.next();
        } else {
            const std::int32_t length = std::min(a.new_length(), b.length);
            const std::size_t count = out.sections_.size();
            if (a.inserted == kKept) {
                const std::int32_t inserted = b.inserted == kKept ? kKept
                                              : b.offset != 0     ? 0
                                                                  : b.inserted;
                out.add(length, inserted, inserted > 0 ? b.text() : std::u16string_view{}, open);
            } else if (b.inserted == kKept) {
                out.add(a.offset != 0 ? 0 : a.length, length, a.text(length), open);
            } else {
                const bool first = b.offset == 0;
                out.add(a.offset != 0 ? 0 : a.length, first ? b.inserted : 0,
                        first ? b.text() : std::u16string_view{}, open);
            }
            open = (a.inserted > length || (b.inserted >= 0 && b.length > length)) &&
                   (open || out.sections_.size() > count);
            a.forward_new(length);
            b.forward(length);
        }
    }
    return out;
}

std::size_t ChangeSet::map_position(std::size_t position, Side side) const {
    std::size_t old_begin = 0;
    std::size_t new_begin = 0;
    for (const Section& section : sections_) {
        const std::size_t old_end = old_begin + widen(section.length);
        if (section.inserted < 0) {
            if (old_end > position) return new_begin + (position - old_begin);
            new_begin += widen(section.length);
        } else {
            const bool stays = side == Side::before;
            if (old_end > position || (old_end == position && stays && section.length == 0))
                return position == old_begin || stays ? new_begin
                                                      : new_begin + widen(section.inserted);
            new_begin += widen(section.inserted);
        }
        old_begin = old_end;
    }
    return new_begin;
}

bool ChangeSet::splits_pair(std::u16string_view text) const {
    std::size_t position = 0;
    for (const Section& section : sections_) {
        const std::size_t end = position + widen(section.length);
        if (section.inserted >= 0 && (is_inside_pair(text, position) || is_inside_pair(text, end)))
            return true;
        position = end;
    }
    return false;
}

} // namespace cloister::rooms
