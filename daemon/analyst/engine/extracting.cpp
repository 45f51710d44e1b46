// Each statement of the body in turn, the largest first; each is a few loops over the array.
#include "daemon/analyst/engine/extracting.h"

#include <algorithm>
#include <map>
#include <set>

namespace cloister::analyst {
namespace {

constexpr std::uint32_t kLeastLines = 15;
constexpr std::size_t kMostNames = 4;
/// Of those of the function: what is nearly all of it is no part of it.
constexpr double kLargestShare = 0.8;

class Extracting {
public:
    Extracting(const Language& language, const Subject& subject, const Facts& facts, Index function)
        : language_(language), plan_(language.extract), subject_(subject), tree_(subject.tree),
          function_(function),
          body_(tree_.child_by_field(
              function, ::ts_language_field_id_for_name(language_.grammar, "body", 4))) {
        if (body_ == kNone) return;
        const Node& whole = tree_[function];
        for (const Definition& one : facts.definitions) {
            const bool inside = one.name.start >= whole.start && one.name.end <= whole.end;
            const bool is_its_own = one.name.end <= tree_[body_].start && one.kind == "function";
            if (!inside || is_its_own || one.kind == "member" || one.word == 0) continue;
            locals_[one.word].push_back({one.name, is_of(facts.scopes[one.scope].place)});
        }
    }

    std::optional<Extract> find() {
        if (body_ == kNone) return std::nullopt;
        std::optional<Extract> best;
        for (Index at = tree_.first_child(body_); at < tree_.end_of(body_); at = tree_.end_of(at)) {
            const std::uint32_t lines = lines_of(at);
            const bool fits = plan_.blocks.has(tree_[at].symbol) && lines >= kLeastLines &&
                              lines <= kLargestShare * lines_of(function_);
            if (!fits || (best && lines <= best->lines)) continue;
            if (auto made = extract(at)) {
                made->lines = lines;
                best = std::move(made);
            }
        }
        return best;
    }

private:
    struct Local {
        Place name{};
        bool is_own = false; ///< of the function's scope, and no smaller one's
    };

    bool is_of(const Place& scope) const {
        const auto same = [&](const Node& node) {
            return scope.start == node.start && scope.end == node.end;
        };
        return same(tree_[function_]) || same(tree_[body_]);
    }

    std::uint32_t lines_of(Index node) const {
        const std::string_view text = subject_.text(node);
        return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    }

    std::optional<Extract> extract(Index block) const {
        if (leaves(block)) return std::nullopt;
        if (stands_behind(block, written_in(block))) return std::nullopt;
        Extract made;
        made.place = {tree_[block].start, tree_[block].end};
        std::set<Word> taken;
        for (Index i = block; i < tree_.end_of(block); ++i) {
            if (!is_name(i) || !taken.insert(word_of(i)).second) continue;
            const auto known = locals_.find(word_of(i));
            if (known == locals_.end() || is_born_in(known->second, block)) continue;
            if (!has_value(known->second, block)) return std::nullopt;
            made.names.push_back({tree_[i].start, tree_[i].end});
        }
        if (made.names.size() > kMostNames) return std::nullopt;
        return made;
    }

    Word word_of(Index node) const { return tree_[node].word; }

    bool is_name(Index node) const {
        return tree_.is_leaf(node) && language_.is(tree_[node].symbol, Language::kIdentifier) &&
               !language_.is_member(tree_[tree_[node].parent].symbol, tree_[node].field);
    }

    /// Something in it goes elsewhere, or means something else in another function.
    bool leaves(Index block) const {
        Index in_loop = plan_.loops.has(tree_[block].symbol) ? tree_.end_of(block) : block;
        for (Index i = block; i < tree_.end_of(block); ++i) {
            const Node& node = tree_[i];
            if (node.error || node.missing || plan_.stops.has(node.symbol)) return true;
            if (plan_.loops.has(node.symbol)) in_loop = std::max(in_loop, tree_.end_of(i));
            if (plan_.jumps.has(node.symbol) && i >= in_loop) return true;
            if (tree_.is_leaf(i) && plan_.words.contains(subject_.text(i))) return true;
        }
        return false;
    }

    std::set<Word> written_in(Index block) const {
        std::set<Word> written;
        const Node& place = tree_[block];
        for (const auto& [word, names] : locals_) {
            for (const Local& one : names)
                if (one.name.start >= place.start && one.name.end <= place.end)
                    written.insert(word);
        }
        for (Index i = block; i < tree_.end_of(block); ++i) {
            if (!plan_.writes.has(tree_[i].symbol)) continue;
            // What is written stands first; a place in something is no name.
            Index target = tree_.first_child(i);
            while (target < tree_.end_of(i) && !tree_[target].named) target = tree_.end_of(target);
            if (target >= tree_.end_of(i) || plan_.places.has(tree_[target].symbol)) continue;
            for (Index j = target; j < tree_.end_of(target); ++j)
                if (is_name(j)) written.insert(word_of(j));
        }
        return written;
    }

    bool stands_behind(Index block, const std::set<Word>& written) const {
        for (Index i = tree_.end_of(block); i < tree_.end_of(function_); ++i) {
            if (is_name(i) && written.contains(word_of(i)) && locals_.contains(word_of(i)))
                return true;
        }
        return false;
    }

    bool is_born_in(const std::vector<Local>& names, Index block) const {
        return std::all_of(names.begin(), names.end(),
                           [&](const Local& one) { return one.name.start >= tree_[block].start; });
    }

    /// It has one whatever way led here: it is a parameter, or what gives it one is a statement of
    /// the body itself.
    bool has_value(const std::vector<Local>& names, Index block) const {
        return std::any_of(names.begin(), names.end(), [&](const Local& one) {
            if (one.name.end > tree_[block].start || !one.is_own) return false;
            if (one.name.end <= tree_[body_].start) return true;
            Index at = tree_.at(one.name.start);
            while (at != kNone && tree_[at].parent != body_ && at != body_) {
                if (plan_.blocks.has(tree_[at].symbol) || lacks_value(at)) return false;
                at = tree_[at].parent;
            }
            return at != kNone && at != body_ && !plan_.blocks.has(tree_[at].symbol);
        });
    }

    /// Declared alone.
    bool lacks_value(Index node) const {
        if (!plan_.declarations.has(tree_[node].symbol)) return false;
        const TSFieldId field = ::ts_language_field_id_for_name(language_.grammar, "value", 5);
        return tree_.child_by_field(node, field) == kNone;
    }

    const Language& language_;
    const ExtractPlan& plan_;
    const Subject& subject_;
    const Tree& tree_;
    Index function_;
    Index body_;
    std::map<Word, std::vector<Local>> locals_{};
};

} // namespace

std::optional<Extract> find_extract(const Language& language, const Subject& subject,
                                    const Facts& facts, Index function) {
    if (!language.extract.is_known) return std::nullopt;
    return Extracting(language, subject, facts, function).find();
}

} // namespace cloister::analyst
