// A range is alternatives; an alternative is comparisons that all hold. Each form of a range is
// spelled out as such comparisons, as node's semver does.
#include "daemon/front/piston/versions.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cloister::front::piston {
namespace {

constexpr std::size_t kMaxRange = 256; ///< node's own bound
constexpr std::uint64_t kMaxNumber = 9'007'199'254'740'991;
constexpr std::string_view kNone{};

using Triple = std::array<std::uint64_t, 3>;

/// "1", "1.2.x", "*": how many numbers are told, and whether a prerelease tag follows the third.
struct Partial {
    Triple numbers{};
    std::size_t told = 0;
    bool tagged = false;
    bool is_mixed = false; ///< a number behind a placeholder: "3.x.2"
};

enum class Operator { less, at_most, equal, at_least, more };

struct Comparison {
    Operator how = Operator::equal;
    Triple with{};
    bool tagged = false; ///< a tagged version comes before its release
};

using Alternative = std::vector<Comparison>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_tag(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

bool holds(const Comparison& comparison, const Triple& version) {
    const bool before = version < comparison.with;
    const bool behind = comparison.with < version || (!before && comparison.tagged);
    switch (comparison.how) {
    case Operator::less: return before;
    case Operator::at_most: return !behind;
    case Operator::equal: return !before && !behind;
    case Operator::at_least: return !before;
    case Operator::more: return behind;
    }
    return false;
}

/// Reads from the front of `text`, and takes what it has read.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool is_done() const { return text_.empty(); }
    void skip_spaces() {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t'))
            text_.remove_prefix(1);
    }
    bool take(std::string_view word) {
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    /// True at the end of a word.
    bool is_between() const {
        return text_.empty() || text_.front() == ' ' || text_.front() == '\t';
    }
    bool starts_hyphen() const { return text_.starts_with(" - "); }
    std::optional<Partial> partial();

private:
    /// Absent: no number. `any`: it is a placeholder.
    std::optional<std::uint64_t> number(bool& any);
    bool tag();

    std::string_view text_;
};

std::optional<std::uint64_t> Reader::number(bool& any) {
    any = take("x") || take("X") || take("*");
    if (any) return 0;
    std::size_t size = 0;
    std::uint64_t value = 0;
    for (; size < text_.size() && is_digit(text_[size]); ++size) {
        value = value * 10 + static_cast<std::uint64_t>(text_[size] - '0');
        if (value > kMaxNumber) return std::nullopt;
    }
    if (size == 0 || (size > 1 && text_.front() == '0')) return std::nullopt;
    text_.remove_prefix(size);
    return value;
}

/// What stands behind '-' or '+'; false when that is nothing.
bool Reader::tag() {
    std::size_t size = 0;
    while (size < text_.size() && is_tag(text_[size])) ++size;
    text_.remove_prefix(size);
    return size > 0;
}

std::optional<Partial> Reader::partial() {
    (void)take("v");
    Partial found;
    bool open = false; // a placeholder was read: what follows says nothing
    for (std::size_t part = 0; part < found.numbers.size(); ++part) {
        if (part > 0 && !take(".")) break;
        bool any = false;
        const auto value = number(any);
        if (!value) return std::nullopt;
        found.is_mixed = found.is_mixed || (open && !any);
        open = open || any;
        if (!open) {
            found.numbers.at(part) = *value;
            found.told = part + 1;
        }
    }
    if (take("-")) {
        if (!tag()) return std::nullopt;
        found.tagged = found.told == 3;
    }
    if (take("+") && !tag()) return std::nullopt;
    return found;
}

/// The first version behind all that begin as `partial` does in its first `parts` numbers.
Triple next_after(const Partial& partial, std::size_t parts) {
    Triple next{};
    for (std::size_t i = 0; i < parts; ++i) next.at(i) = partial.numbers.at(i);
    ++next.at(parts - 1);
    return next;
}

void add_nothing(Alternative& all) { all.push_back({Operator::less, {}, false}); }

/// From `partial` on, up to where its first `parts` numbers end.
void add_span(Alternative& all, const Partial& partial, std::size_t parts) {
    all.push_back({Operator::at_least, partial.numbers, partial.tagged});
    all.push_back({Operator::less, next_after(partial, parts), false});
}

void add_caret(Alternative& all, const Partial& partial) {
    if (partial.told == 0) return;
    std::size_t parts = 1; // up to the first number that is not zero
    while (parts < partial.told && partial.numbers.at(parts - 1) == 0) ++parts;
    add_span(all, partial, parts);
}

void add_tilde(Alternative& all, const Partial& partial) {
    if (partial.told == 0) return;
    add_span(all, partial, partial.told == 1 ? 1 : 2);
}

void add_compared(Alternative& all, Operator how, const Partial& partial) {
    const bool whole = partial.told == 3;
    if (partial.told == 0) {
        if (how == Operator::less || how == Operator::more) add_nothing(all);
        return;
    }
    if (whole || how == Operator::less || how == Operator::at_least) {
        all.push_back({how, partial.numbers, partial.tagged});
    } else if (how == Operator::equal) {
        add_span(all, partial, partial.told);
    } else if (how == Operator::at_most) {
        all.push_back({Operator::less, next_after(partial, partial.told), false});
    } else {
        all.push_back({Operator::at_least, next_after(partial, partial.told), false});
    }
}

/// The upper end of "1.2 - 3".
void add_upper(Alternative& all, const Partial& partial) {
    if (partial.told > 0) add_compared(all, Operator::at_most, partial);
}

bool read_simple(Reader& reader, Alternative& all) {
    enum class Form { caret, tilde, compared } form = Form::compared;
    auto how = Operator::equal;
    bool plain = false;
    if (reader.take("^")) form = Form::caret;
    else if (reader.take("~>") || reader.take("~")) form = Form::tilde;
    else if (reader.take(">=")) how = Operator::at_least;
    else if (reader.take("<=")) how = Operator::at_most;
    else if (reader.take(">")) how = Operator::more;
    else if (reader.take("<")) how = Operator::less;
    else plain = !reader.take("=");
    reader.skip_spaces();
    const auto partial = reader.partial();
    if (!partial) return false;
    if (plain && reader.starts_hyphen()) {
        (void)reader.take(" - ");
        reader.skip_spaces();
        const auto upper = reader.partial();
        if (!upper || !reader.is_between()) return false;
        add_compared(all, Operator::at_least, *partial);
        add_upper(all, *upper);
        return true;
    }
    if (!reader.is_between() || (form == Form::compared && partial->is_mixed)) return false;
    if (form == Form::caret) add_caret(all, *partial);
    if (form == Form::tilde) add_tilde(all, *partial);
    if (form == Form::compared) add_compared(all, how, *partial);
    return true;
}

std::optional<Alternative> read_alternative(std::string_view text) {
    Alternative all;
    Reader reader(text);
    for (reader.skip_spaces(); !reader.is_done(); reader.skip_spaces()) {
        if (!read_simple(reader, all)) return std::nullopt;
    }
    return all;
}

std::optional<Triple> read_version(std::string_view text) {
    Reader reader(text);
    const auto partial = reader.partial();
    if (!partial || partial->told == 0) return std::nullopt;
    return partial->numbers;
}

} // namespace

bool is_in_range(std::string_view version, std::string_view range) {
    const auto numbers = read_version(version);
    if (!numbers || range.size() > kMaxRange) return false;
    bool found = false;
    for (bool more = true; more;) {
        const auto bar = range.find("||");
        more = bar != std::string_view::npos;
        const auto alternative = read_alternative(range.substr(0, bar));
        if (!alternative) return false; // a range that is wrong in one place is no range
        bool all = true;
        for (const Comparison& one : *alternative) all = all && holds(one, *numbers);
        found = found || all;
        range = more ? range.substr(bar + 2) : kNone;
    }
    return found;
}

bool is_later(std::string_view left, std::string_view right) {
    return read_version(left).value_or(Triple{}) > read_version(right).value_or(Triple{});
}

} // namespace cloister::front::piston
