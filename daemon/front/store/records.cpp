// The forms of texts and changes, and their reading with every bound checked: what lies on a disk
// may be anything.
#include "daemon/front/store/records.h"

#include "daemon/front/rooms/text16.h"

#include <array>
#include <limits>

namespace cloister::store {
namespace {

constexpr char kUtf8 = 'u';
constexpr char kUtf16 = 'w';

bool has_half_characters(std::u16string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (rooms::is_high_surrogate(text[i]) && i + 1 < text.size() &&
            rooms::is_low_surrogate(text[i + 1]))
            ++i;
        else if (rooms::is_high_surrogate(text[i]) || rooms::is_low_surrogate(text[i])) return true;
    }
    return false;
}

void append_text(std::string& out, std::u16string_view text) {
    if (!has_half_characters(text)) {
        out.push_back(kUtf8);
        rooms::append_utf8(out, text);
        return;
    }
    out.push_back(kUtf16);
    for (const char16_t unit : text) {
        out.push_back(static_cast<char>(unit & 0xff));
        out.push_back(static_cast<char>(unit >> 8));
    }
}

void append_number(std::string& out, std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
}

/// At most 31 bits, since sections are counted in signed numbers.
std::optional<std::int32_t> take_number(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) != 0) continue;
        if (value > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
        return static_cast<std::int32_t>(value);
    }
    return std::nullopt;
}

} // namespace

std::string packed(std::u16string_view text) {
    std::string out;
    out.reserve(text.size() + 1);
    append_text(out, text);
    return out;
}

std::optional<std::u16string> unpacked_text(std::string_view bytes) {
    if (bytes.empty()) return std::nullopt;
    const char form = bytes.front();
    bytes.remove_prefix(1);
    if (form == kUtf8) return rooms::from_utf8(bytes);
    if (form != kUtf16 || bytes.size() % 2 != 0) return std::nullopt;
    std::u16string out;
    out.reserve(bytes.size() / 2);
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        out.push_back(static_cast<char16_t>(at(i) | at(i + 1) << 8));
    return out;
}

std::string packed(const rooms::ChangeSet& changes) {
    std::string out;
    append_number(out, static_cast<std::uint32_t>(changes.sections().size()));
    for (const rooms::Section& section : changes.sections()) {
        append_number(out, static_cast<std::uint32_t>(section.length));
        append_number(out, static_cast<std::uint32_t>(section.inserted - rooms::Section::kKept));
    }
    append_text(out, changes.inserted());
    return out;
}

std::optional<rooms::ChangeSet> unpacked_changes(std::string_view bytes) {
    const auto count = take_number(bytes);
    // Two bytes at least for each section: no more is reserved than is there.
    if (!count || static_cast<std::size_t>(*count) > bytes.size() / 2) return std::nullopt;
    std::vector<rooms::Section> sections(static_cast<std::size_t>(*count));
    for (rooms::Section& section : sections) {
        const auto length = take_number(bytes);
        const auto inserted = take_number(bytes);
        if (!length || !inserted) return std::nullopt;
        section = {*length, *inserted + rooms::Section::kKept};
    }
    const auto text = unpacked_text(bytes);
    if (!text) return std::nullopt;
    rooms::ChangeSet out;
    std::u16string_view left = *text;
    for (const rooms::Section& section : sections) {
        const auto inserted = static_cast<std::size_t>(section.inserted < 0 ? 0 : section.inserted);
        if (inserted > left.size()) return std::nullopt;
        out.add_as_is(section, left.substr(0, inserted));
        left.remove_prefix(inserted);
    }
    if (!left.empty()) return std::nullopt;
    return out;
}

void RowCheck::add(std::uint64_t value) {
    std::array<char, 8> bytes{};
    for (char& byte : bytes) {
        byte = static_cast<char>(value & 0xff);
        value >>= 8;
    }
    crc_ = rooms::crc32c({bytes.data(), bytes.size()}, crc_);
}

void RowCheck::add(std::string_view bytes) {
    add(static_cast<std::uint64_t>(bytes.size()));
    crc_ = rooms::crc32c(bytes, crc_);
}

} // namespace cloister::store
