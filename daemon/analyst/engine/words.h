// Texts of a source's tokens as numbers: two tokens are the same text when they have the same
// number. So names are counted and compared without looking at their letters again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::analyst {

/// 0: no word.
using Word = std::uint32_t;

class Words {
public:
    Words();
    /// The number of a text, a new one when it was not met before.
    Word of(std::string_view text);
    /// The same, quicker where the last text with this hint (a number below kHints) was this one.
    Word of(std::string_view text, std::uint32_t hint) {
        if (hint < last_.size() && this->text(last_[hint]) == text) return last_[hint];
        const Word word = of(text);
        if (hint >= last_.size() && hint < kHints) last_.resize(hint + 1);
        if (hint < kHints) last_[hint] = word;
        return word;
    }
    static constexpr std::uint32_t kHints = 4096;
    /// 0 when it was not met before.
    Word find(std::string_view text) const;
    std::string_view text(Word word) const {
        return std::string_view(letters_).substr(entries_[word].at, entries_[word].size);
    }
    /// One more than the largest number.
    std::size_t size() const { return entries_.size(); }
    /// Nothing is ever forgotten; about the bytes that this has come to.
    std::size_t bytes() const {
        return letters_.capacity() + entries_.capacity() * sizeof(Entry) + places_.size() * 4;
    }

private:
    struct Entry {
        std::uint32_t hash = 0;
        std::uint32_t at = 0;
        std::uint32_t size = 0;
    };
    std::size_t place_of(std::uint32_t hash, std::string_view text) const;
    void grow();

    std::string letters_{};
    std::vector<Entry> entries_{};
    std::vector<Word> places_{};
    std::vector<Word> last_{}; ///< by hint
};

} // namespace cloister::analyst
