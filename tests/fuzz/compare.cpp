// The judge's comparer: the same texts are the same in every manner, stricter manners accept less,
// and what is told of a difference lies within the texts.
#include "daemon/front/judge/compare.h"

#include "tests/fuzz/fuzz.h"

#include <string>

using namespace cloister;
using judge::Manner;

namespace {

void check(std::string_view expected, std::string_view printed, Manner manner,
           const judge::TokenRules& rules) {
    fuzz::require(!judge::compare(expected, expected, manner, rules));
    const auto found = judge::compare(expected, printed, manner, rules);
    if (!found) return;
    fuzz::require(found->offset <= printed.size());
    fuzz::require(found->line >= 1 && found->line <= printed.size() + expected.size() + 1);
    fuzz::require(found->expected.size() <= judge::kMaxShown);
    fuzz::require(found->printed.size() <= judge::kMaxShown);
    fuzz::require(expected != printed);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes = fuzz::as_text(data, size).substr(2);
    const auto cut = bytes.find('|');
    const std::string_view expected = bytes.substr(0, cut);
    const std::string_view printed =
        cut == std::string_view::npos ? std::string_view{} : bytes.substr(cut + 1);
    judge::TokenRules rules;
    rules.case_sensitive = (data[0] & 1) != 0;
    rules.space_sensitive = (data[0] & 2) != 0;
    if ((data[0] & 4) != 0) rules.absolute = data[1] / 16.0;
    if ((data[0] & 8) != 0) rules.relative = data[1] / 256.0;
    for (const Manner manner : {Manner::exact, Manner::lines, Manner::token})
        check(expected, printed, manner, rules);
    const bool exact = !judge::compare(expected, printed, Manner::exact);
    const bool lines = !judge::compare(expected, printed, Manner::lines);
    judge::TokenRules strict;
    strict.case_sensitive = true;
    const bool words = !judge::compare(expected, printed, Manner::token, strict);
    fuzz::require(exact == (expected == printed));
    fuzz::require(!exact || lines);
    fuzz::require(!lines || words);
    fuzz::require(!words || !judge::compare(expected, printed, Manner::token));
    const bool close = !judge::compare(expected, printed, Manner::token, rules);
    rules.absolute.reset();
    rules.relative.reset();
    fuzz::require(close || judge::compare(expected, printed, Manner::token, rules).has_value());
    return 0;
}
