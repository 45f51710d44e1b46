// How texts and changes lie in the store, exactly: what is read back equals what was written.
// SQLite knows damage of its own structure, not of what is in it, so every row also carries a
// checksum of what it says.
#pragma once

#include "daemon/front/rooms/change_set.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::store {

/// One byte that tells the form, then UTF-8; or UTF-16 when there are halves of characters.
std::string packed(std::u16string_view text);
std::optional<std::u16string> unpacked_text(std::string_view bytes);

/// The sections as variable-length numbers, then the inserted text as above.
std::string packed(const rooms::ChangeSet& changes);
std::optional<rooms::ChangeSet> unpacked_changes(std::string_view bytes);

/// CRC-32C of the values of a row, in order.
class RowCheck {
public:
    template <typename... Values>
    explicit RowCheck(const Values&... values) {
        (add(values), ...);
    }
    std::uint32_t value() const { return crc_; }

private:
    void add(std::uint64_t value);
    void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
    void add(int value) { add(static_cast<std::int64_t>(value)); }
    void add(std::string_view bytes);
    std::uint32_t crc_ = 0;
};
template <typename... Values>
std::uint32_t check_of(const Values&... values) {
    return RowCheck(values...).value();
}

} // namespace cloister::store
