// Reading a pattern, and taking its choices apart.
#include "daemon/analyst/engine/pattern.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cloister::analyst {
namespace {

struct Item;
/// The choices for one node.
using Slot = std::vector<Item>;

struct Item {
    Step step{};
    std::vector<Slot> children{};
};

class Reader {
public:
    Reader(const TSLanguage* language, std::string_view text,
           const std::function<std::uint32_t(std::string_view)>& capture, const std::string& place)
        : language_(language), text_(text), capture_(capture), place_(place) {}

    Slot read() {
        Slot top = slot();
        skip();
        if (at_ != text_.size()) fail("a pattern has one node at its top");
        for (const Item& one : top)
            if (one.step.symbols.empty()) fail("a pattern's top has a kind");
        return top;
    }

private:
    [[noreturn]] void fail(const std::string& sentence) const {
        throw std::runtime_error(place_ + ": " + sentence);
    }

    /// White space and comments.
    void skip() {
        while (at_ < text_.size()) {
            if (text_[at_] == ';') at_ = std::min(text_.find('\n', at_), text_.size());
            else if (is_space(text_[at_])) ++at_;
            else return;
        }
    }
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    static bool is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    }
    bool sees(char wanted) {
        skip();
        return at_ < text_.size() && text_[at_] == wanted;
    }
    bool take(char wanted) {
        if (!sees(wanted)) return false;
        ++at_;
        return true;
    }
    void expect(char wanted) {
        if (!take(wanted)) fail(std::string("'") + wanted + "' is missing in a pattern");
    }
    std::string_view word() {
        skip();
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        if (at_ == begin) fail("a name is missing in a pattern");
        return text_.substr(begin, at_ - begin);
    }
    std::string quoted() {
        std::string out;
        for (expect('"'); at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && ++at_ == text_.size()) break;
            const bool is_line = text_[at_ - 1] == '\\' && text_[at_] == 'n';
            out += is_line ? '\n' : text_[at_];
        }
        expect('"');
        return out;
    }

    /// A node or a choice, with the captures behind it.
    Slot slot() {
        Slot made = bare();
        if (sees('*') || sees('+') || sees('?')) fail("repetition is not known here");
        while (take('@')) {
            const std::uint32_t number = capture_(word());
            for (Item& one : made) one.step.captures.push_back(number);
        }
        return made;
    }

    Slot bare() {
        if (take('[')) {
            Slot all;
            while (!take(']'))
                for (Item& one : slot()) all.push_back(std::move(one));
            return all;
        }
        if (sees('"')) {
            const std::string text = quoted();
            return {leaf(text, false)};
        }
        expect('(');
        const bool is_group = sees('(') || sees('[') || sees('"');
        Slot made;
        if (is_group) {
            made = slot();
        } else {
            const std::string_view kind = word();
            made.push_back(kind == "_" ? Item{} : leaf(kind, true));
        }
        rest(made.front(), is_group);
        return made;
    }

    Item leaf(std::string_view text, bool named) {
        const TSSymbol symbol = ::ts_language_symbol_for_name(
            language_, text.data(), static_cast<std::uint32_t>(text.size()), named);
        const TSSymbolType wanted = named ? TSSymbolTypeRegular : TSSymbolTypeAnonymous;
        if (symbol == 0 || symbol >= ::ts_language_symbol_count(language_) ||
            ::ts_language_symbol_type(language_, symbol) != wanted)
            fail("'" + std::string(text) + "' is no kind of one node");
        Item made;
        made.step.symbols.push_back(symbol);
        return made;
    }

    TSFieldId field(std::string_view name) {
        const TSFieldId found = ::ts_language_field_id_for_name(
            language_, name.data(), static_cast<std::uint32_t>(name.size()));
        if (found == 0) fail("the grammar has no field '" + std::string(name) + "'");
        return found;
    }

    /// Children and predicates, up to the parenthesis that closes. A group has predicates alone.
    void rest(Item& item, bool is_group) {
        bool immediate = false;
        while (!take(')')) {
            if (at_ == text_.size()) fail("')' is missing in a pattern");
            if (take('.')) {
                immediate = true;
            } else if (take('!')) {
                item.step.without.push_back(field(word()));
            } else if (is_predicate()) {
                pass();
            } else {
                if (is_group) fail("a pattern has one node at its top");
                item.children.push_back(child(std::exchange(immediate, false)));
            }
        }
        if (!immediate) return;
        if (item.children.empty()) fail("an anchor has nothing to hold");
        for (Item& one : item.children.back()) one.step.last = true;
    }

    Slot child(bool immediate) {
        TSFieldId in = 0;
        if (!sees('(') && !sees('[') && !sees('"')) {
            in = field(word());
            expect(':');
        }
        Slot made = slot();
        for (Item& one : made) {
            one.step.immediate = immediate;
            one.step.field = in;
        }
        return made;
    }

    bool is_predicate() {
        skip();
        return text_.substr(at_).starts_with("(#");
    }

    /// Over a predicate; query.cpp reads them.
    void pass() {
        while (!take(')')) {
            if (at_ == text_.size()) fail("')' is missing in a pattern");
            if (sees('"')) (void)quoted();
            else ++at_;
        }
    }

    const TSLanguage* language_;
    std::string_view text_;
    const std::function<std::uint32_t(std::string_view)>& capture_;
    const std::string& place_;
    std::size_t at_ = 0;
};

/// Choices that differ in their kind alone are one, where it makes no difference to what follows
/// which of two children is meant.
void join(Slot& slot, bool is_last_child) {
    const auto plain = [](const Item& one) {
        return one.children.empty() && one.step.without.empty() && !one.step.symbols.empty();
    };
    const Item& first = slot.front();
    const bool joins = slot.size() > 1 && std::all_of(slot.begin(), slot.end(), plain) &&
                       (is_last_child || first.step.field != 0 || !first.step.captures.empty()) &&
                       std::all_of(slot.begin(), slot.end(), [&](const Item& one) {
                           return one.step.captures == first.step.captures;
                       });
    if (!joins) return;
    Item all = first;
    for (const Item& one : std::span(slot).subspan(1)) {
        for (const TSSymbol symbol : one.step.symbols) all.step.symbols.push_back(symbol);
    }
    slot.assign(1, std::move(all));
}

/// Each of the ways so far goes on with each choice.
class Spreading {
public:
    explicit Spreading(const std::string& place) : place_(place) {}

    std::vector<Steps> spread(Slot top) {
        join(top, true);
        for (const Item& one : top)
            for (Steps& way : with_children(one, {one.step}, 0)) all_.push_back(std::move(way));
        return std::move(all_);
    }

private:
    static constexpr std::size_t kMostWays = 256;

    /// `way` ends with the step of the item, which is number `own`.
    std::vector<Steps> with_children(const Item& item, Steps way, std::uint32_t own) const {
        way[own].first_fit = item.children.empty() && way[own].captures.empty();
        std::vector<Steps> ways(1, std::move(way));
        std::vector<std::uint32_t> before(1, Step::kNobody);
        for (std::size_t i = 0; i < item.children.size(); ++i) {
            Slot slot = item.children[i];
            join(slot, i + 1 == item.children.size());
            std::vector<Steps> next;
            std::vector<std::uint32_t> next_before;
            for (std::size_t j = 0; j < ways.size(); ++j) {
                for (const Item& one : slot) {
                    Steps longer = ways[j];
                    const auto number = static_cast<std::uint32_t>(longer.size());
                    longer.push_back(one.step);
                    longer.back().parent = own;
                    longer.back().before = before[j];
                    for (Steps& made : with_children(one, std::move(longer), number)) {
                        next.push_back(std::move(made));
                        next_before.push_back(number);
                    }
                }
            }
            if (next.size() > kMostWays)
                throw std::runtime_error(place_ + ": a pattern has too many choices");
            ways = std::move(next);
            before = std::move(next_before);
        }
        return ways;
    }

    const std::string& place_;
    std::vector<Steps> all_{};
};

} // namespace

std::vector<Steps> ways_of(const TSLanguage* language, std::string_view pattern,
                           const std::function<std::uint32_t(std::string_view)>& capture,
                           const std::string& place) {
    return Spreading(place).spread(Reader(language, pattern, capture, place).read());
}

bool Matcher::is_last(Index node) const {
    const Index end = tree_.end_of(tree_[node].parent);
    for (Index i = tree_.end_of(node); i < end; i = tree_.end_of(i))
        if (tree_[i].named) return false;
    return true;
}

bool Matcher::has_none(const Step& step, Index node) const {
    return std::all_of(step.without.begin(), step.without.end(),
                       [&](TSFieldId field) { return tree_.child_by_field(node, field) == kNone; });
}

} // namespace cloister::analyst
