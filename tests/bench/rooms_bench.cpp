// How long the authority of a document takes for one edit: the JSON of the push read, its change
// moved over what others did meanwhile, applied, logged, and printed for the others. One line for
// each kind of document: microseconds an edit and edits a second.
//
//   rooms_bench [EDITS]
#include "daemon/front/rooms/document.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

using namespace cloister::rooms;

namespace {

constexpr const char* kEpoch = "0123456789abcdef";

struct Work {
    const char* name;
    std::size_t length;   ///< of the text, in units
    std::uint64_t behind; ///< updates of others that the author has not seen
};

/// What somebody who types in a text of `length` units sends next.
std::string typed(std::mt19937& random, std::size_t& cursor, std::size_t length,
                  std::size_t usual_length, std::uint64_t version, std::uint64_t seq) {
    if (random() % 50 == 0) cursor = random() % (length + 1);
    cursor = std::min(cursor, length);
    const bool removes = cursor < length && length > usual_length && random() % 4 != 0;
    std::string changes = cursor > 0 ? std::to_string(cursor) + "," : "";
    changes += removes ? "[1]" : R"([0,"한"])";
    const std::size_t left = length - cursor - (removes ? 1 : 0);
    if (left > 0) changes += "," + std::to_string(left);
    if (!removes) ++cursor;
    return R"({"type":"doc_push","file_path":"main.py","epoch":")" + std::string(kEpoch) +
           R"(","version":)" + std::to_string(version) + R"(,"updates":[{"seq":)" +
           std::to_string(seq) + R"(,"changes":[)" + changes + "]}]}";
}

/// What the front does with a push; the bytes for the others, so that nothing is left out as
/// unused.
std::size_t handle(Document& document, const std::string& client, std::string_view message) {
    const nlohmann::json push = nlohmann::json::parse(message);
    std::vector<Sent> updates;
    for (const nlohmann::json& update : push["updates"])
        updates.push_back({update["seq"].get<std::uint64_t>(),
                           std::get<ChangeSet>(parse_changes(update["changes"]))});
    const auto result = document.push(client, push["epoch"].get_ref<const std::string&>(),
                                      push["version"].get<std::uint64_t>(), std::move(updates), {});
    std::string out;
    for (const UpdatePtr& update : std::get<Pushed>(result).updates)
        append_json(out, update->changes);
    return out.size();
}

void measure(const Work& work, std::size_t edits) {
    using Clock = std::chrono::steady_clock;
    std::mt19937 random(1);
    Document document(kEpoch, {std::u16string(work.length, u'x'), "\n"}, {});
    std::size_t cursor = 0;
    std::size_t other_cursor = work.length / 2;
    std::uint64_t other_seq = 0;
    std::size_t bytes = 0;
    Clock::duration spent{};
    for (std::size_t i = 0; i < edits; ++i) {
        const std::string message =
            typed(random, cursor, document.text().size(), work.length, document.version(), i + 1);
        for (std::uint64_t k = 0; k < work.behind; ++k)
            handle(document, "other",
                   typed(random, other_cursor, document.text().size(), work.length,
                         document.version(), ++other_seq));
        const Clock::time_point begin = Clock::now();
        bytes += handle(document, "author", message);
        spent += Clock::now() - begin;
    }
    const double micro =
        std::chrono::duration<double, std::micro>(spent).count() / static_cast<double>(edits);
    std::printf("%-44s %7.2f us %9.0f edits/s  (%zu bytes)\n", work.name, micro, 1e6 / micro,
                bytes);
}

} // namespace

int main(int count, char** words) {
    const std::size_t edits = count > 1 ? std::strtoul(words[1], nullptr, 10) : 100'000;
    for (const Work& work : {Work{"1,000 units, at the newest version", 1'000, 0},
                             Work{"100,000 units, at the newest version", 100'000, 0},
                             Work{"300,000 units, at the newest version", 300'000, 0},
                             Work{"10,000 units, 10 versions behind", 10'000, 10}})
        measure(work, work.behind == 0 ? edits : edits / 10);
}
