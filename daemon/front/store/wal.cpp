// The format is SQLite's, https://www.sqlite.org/fileformat2.html#walformat: a header of 32 bytes,
// then frames of 24 bytes and a page each. A frame counts when it repeats the header's two salts
// and its checksum continues that of the frame before; older frames may follow the last one.
#include "daemon/front/store/wal.h"

#include <array>
#include <fstream>
#include <string_view>
#include <vector>

namespace cloister::store {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682; ///< or one more: sums of big-endian words

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
    return out;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
    return out;
}

struct Sum {
    bool is_big_endian = false;
    std::uint32_t first = 0;
    std::uint32_t second = 0;

    /// A multiple of 8 bytes.
    void add(std::string_view bytes) {
        const auto word = is_big_endian ? big_endian : little_endian;
        for (std::size_t i = 0; i < bytes.size(); i += 8) {
            first += word(bytes, i) + second;
            second += word(bytes, i + 4) + first;
        }
    }
    bool equals(std::string_view bytes, std::size_t at) const {
        return big_endian(bytes, at) == first && big_endian(bytes, at + 4) == second;
    }
};

} // namespace

Wal look_at_wal(const std::string& path) {
    Wal out;
    std::ifstream file(path, std::ios::binary);
    std::array<char, kHeaderBytes> header_bytes{};
    if (!file.read(header_bytes.data(), kHeaderBytes)) return out;
    out.has_content = true;
    const std::string_view header(header_bytes.data(), kHeaderBytes);
    Sum sum{(big_endian(header, 0) & 1) != 0};
    sum.add(header.substr(0, 24));
    const std::uint32_t page_bytes = big_endian(header, 8);
    if ((big_endian(header, 0) & ~1U) != kMagic || page_bytes < 512 || page_bytes > 65'536 ||
        page_bytes % 8 != 0 || !sum.equals(header, 24)) {
        out.written_pages = 1; // it was begun, and nothing of it can be read
        return out;
    }
    std::vector<char> buffer(kFrameBytes + page_bytes);
    const std::string_view frame(buffer.data(), buffer.size());
    bool is_intact = true;
    for (std::uint64_t number = 1;
         file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())); ++number) {
        const bool is_ours = frame.substr(8, 8) == header.substr(16, 8);
        if (is_intact) {
            sum.add(frame.substr(0, 8));
            sum.add(frame.substr(kFrameBytes));
            is_intact = is_ours && sum.equals(frame, 16);
        }
        if (is_intact) out.intact_pages = number;
        if (is_ours && big_endian(frame, 4) != 0) out.written_pages = number;
    }
    return out;
}

} // namespace cloister::store
