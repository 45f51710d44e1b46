// A table of open addresses over one string of letters.
#include "daemon/analyst/engine/words.h"

#include <functional>

namespace cloister::analyst {
namespace {

constexpr std::size_t kFirstPlaces = 1024;

std::uint32_t hash_of(std::string_view text) {
    const std::uint64_t hash = std::hash<std::string_view>{}(text);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
}

} // namespace

Words::Words() : entries_(1), places_(kFirstPlaces, 0) {}

std::size_t Words::place_of(std::uint32_t hash, std::string_view text) const {
    std::size_t place = hash & (places_.size() - 1);
    for (; places_[place] != 0; place = (place + 1) & (places_.size() - 1)) {
        const Entry& known = entries_[places_[place]];
        if (known.hash == hash && known.size == text.size() &&
            letters_.compare(known.at, known.size, text) == 0)
            break;
    }
    return place;
}

Word Words::find(std::string_view text) const { return places_[place_of(hash_of(text), text)]; }

Word Words::of(std::string_view text) {
    const std::uint32_t hash = hash_of(text);
    const std::size_t place = place_of(hash, text);
    if (places_[place] != 0) return places_[place];
    const auto word = static_cast<Word>(entries_.size());
    entries_.push_back({.hash = hash,
                        .at = static_cast<std::uint32_t>(letters_.size()),
                        .size = static_cast<std::uint32_t>(text.size())});
    letters_ += text;
    places_[place] = word;
    if (entries_.size() * 2 > places_.size()) grow();
    return word;
}

void Words::grow() {
    places_.assign(places_.size() * 2, 0);
    for (Word word = 1; word < entries_.size(); ++word) {
        std::size_t place = entries_[word].hash & (places_.size() - 1);
        while (places_[place] != 0) place = (place + 1) & (places_.size() - 1);
        places_[place] = word;
    }
}

} // namespace cloister::analyst
