// The part of the table that is about files which are read back from a box (isolate/collect.cpp).
#include "tests/escape/harness.h"

#include <cstdlib>

namespace cloister::escape {
namespace {

using isolate::kMiB;
using isolate::Verdict;

/// Of what was left, the last file, which is honest, came back, and nothing came by another one
/// that the program could not have read, or waited, or was more than the bound. In none of the
/// runs: one that is a race needs several.
Finding nothing_but_its_own(const Evidence& evidence) {
    for (const LocalResult& result : evidence.results) {
        if (result.verdict != Verdict::ok || result.files.empty()) return Finding::inconclusive;
        for (const isolate::CollectedFile& file : result.files) {
            const bool own = file.content.empty() || file.content == "mine" ||
                             file.content == "honest" || file.content.front() == '\0';
            if (!own) return Finding::escaped;
        }
        if (result.files.back().content != "honest") return Finding::escaped;
    }
    return Finding::contained;
}

/// Two files that were written in turn, one after the other, and read with much in between.
Finding stands_still(const Evidence& evidence) {
    const LocalResult& last = evidence.results.back();
    if (last.verdict != Verdict::ok || last.files.size() != 3) return Finding::inconclusive;
    const std::string& first = last.files.front().content;
    const std::string& second = last.files.back().content;
    if (first.size() != 8 || second.size() != 8) return Finding::inconclusive;
    return std::abs(std::atol(first.c_str()) - std::atol(second.c_str())) <= 1 ? Finding::contained
                                                                               : Finding::escaped;
}

std::vector<std::string> many_times(const std::string& path, const std::string& last) {
    std::vector<std::string> paths(200, path);
    paths.push_back(last);
    return paths;
}

} // namespace

std::vector<Attack> with_those_on_collecting(std::vector<Attack> attacks) {
    const std::vector<Attack> more = {
        {.promise = "a file that is read back is no link",
         .program = "leave.c",
         .layers = {Layer::checked_collect},
         .runs = {{"link"}},
         .judge = nothing_but_its_own,
         .collect = {"loot", "honest"}},
        {.promise = "the way to a file that is read back has no link in it",
         .program = "leave.c",
         .layers = {Layer::checked_collect},
         .runs = {{"way"}},
         .judge = nothing_but_its_own,
         .collect = {"way/self/status", "honest"}},
        {.promise = "a file that is read back lies in /box",
         .program = "leave.c",
         .layers = {Layer::checked_collect},
         .runs = {{"way"}},
         .judge = nothing_but_its_own,
         .collect = {"../proc/self/status", "/proc/self/status", "honest"}},
        {.promise = "nobody waits for a FIFO that is read back",
         .program = "leave.c",
         .layers = {Layer::checked_collect},
         .runs = {{"fifo"}},
         .judge = nothing_but_its_own,
         .collect = {"loot", "honest"}},
        {.promise = "what is read back holds no more than it may, and leaves the others their turn",
         .program = "leave.c",
         .layers = {Layer::checked_collect},
         .runs = {{"sparse"}},
         .judge = nothing_but_its_own,
         .collect = {"loot", "honest"}},
        {.promise = "a file cannot become a link while it is read back",
         .program = "leave.c",
         .layers = {Layer::checked_collect, Layer::kill_before_collect},
         .runs = {{"swap"}, {"swap"}, {"swap"}, {"swap"}, {"swap"}, {"swap"}},
         .judge = nothing_but_its_own,
         .collect = many_times("loot", "honest")},
        {.promise = "nobody of the program is left to change what is read back",
         .program = "leave.c",
         .layers = {Layer::kill_before_collect},
         .runs = {{"count"}},
         .judge = stands_still,
         .collect = {"loot", "big", "other"},
         .collect_bytes = 20 * static_cast<std::uint32_t>(kMiB)},
    };
    attacks.insert(attacks.end(), more.begin(), more.end());
    return attacks;
}

} // namespace cloister::escape
