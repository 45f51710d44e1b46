// A client's change set: any JSON gives a change set or a refusal. One that is taken prints and
// reads as itself, applies and is undone, and keeps the promise of transformation beside another
// one.
#include "daemon/front/rooms/change_set.h"
#include "daemon/front/rooms/text16.h"
#include "tests/fuzz/fuzz.h"

#include <string>
#include <variant>

#include <nlohmann/json.hpp>

using namespace cloister;
using rooms::ChangeSet;

namespace {

/// Text with characters of one and of two units, of a length that the input chose.
std::u16string text_of(std::size_t length) {
    std::u16string out;
    for (std::size_t i = 0; i < length; ++i)
        out.push_back(i % 4 == 1 ? u'\xD83D' : i % 4 == 2 ? u'\xDE00' : u'x');
    return out;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const rooms::ChangeBounds bounds{4096, 512};
    const nlohmann::json json = nlohmann::json::parse(fuzz::as_text(data, size), nullptr, false);
    if (json.is_discarded()) return 0;
    // Two lists in one make two changes of one text.
    const bool is_pair =
        json.is_array() && json.size() == 2 && json[0].is_array() && json[1].is_array();
    const auto parsed = rooms::parse_changes(is_pair ? json[0] : json, bounds);
    const auto* changes = std::get_if<ChangeSet>(&parsed);
    if (changes == nullptr) {
        const auto& refusal = std::get<rooms::Refusal>(parsed);
        fuzz::require(refusal.code == "bad_update" && !refusal.message.empty());
        return 0;
    }
    fuzz::require(changes->length() <= bounds.length && changes->new_length() <= bounds.length);
    std::string printed;
    rooms::append_json(printed, *changes);
    const auto again = rooms::parse_changes(nlohmann::json::parse(printed), bounds);
    fuzz::require(std::get<ChangeSet>(again) == *changes);

    const std::u16string before = text_of(changes->length());
    std::u16string after = before;
    changes->apply_to(after);
    fuzz::require(after.size() == changes->new_length());
    (void)changes->splits_pair(before);
    const ChangeSet back = changes->inverse(before);
    fuzz::require(back == changes->inverse_from(back.inserted()));
    std::u16string undone = after;
    back.apply_to(undone);
    fuzz::require(undone == before);
    for (std::size_t at = 0; at <= before.size(); at += 1 + before.size() / 8)
        fuzz::require(changes->map_position(at) <= changes->map_position(at, rooms::Side::after) &&
                      changes->map_position(at, rooms::Side::after) <= after.size());

    if (!is_pair) return 0;
    const auto parsed_other = rooms::parse_changes(json[1], bounds);
    const auto* other = std::get_if<ChangeSet>(&parsed_other);
    if (other == nullptr || other->length() != changes->length()) return 0;
    const ChangeSet theirs = other->map(*changes);
    const ChangeSet ours = changes->map(*other, true);
    std::u16string left = after;
    theirs.apply_to(left);
    std::u16string right = before;
    other->apply_to(right);
    ours.apply_to(right);
    fuzz::require(left == right);
    std::u16string composed = before;
    changes->compose(theirs).apply_to(composed);
    fuzz::require(composed == left);
    return 0;
}
