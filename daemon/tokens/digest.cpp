// Nettle's SHA-256, written out.
#include "daemon/tokens/digest.h"

#include <array>
#include <cstdint>
#include <nettle/sha2.h>

namespace cloister::tokens {

std::string digest(std::string_view bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    sha256_ctx context{};
    ::sha256_init(&context);
    ::sha256_update(&context, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> sum{};
    ::sha256_digest(&context, sum.size(), sum.data());
    std::string out;
    for (const std::uint8_t byte : sum) {
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
    return out;
}

} // namespace cloister::tokens
