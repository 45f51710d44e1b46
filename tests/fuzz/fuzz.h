// What the targets share: libFuzzer's entry and the way in which they turn bytes into text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// The entry that libFuzzer calls with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace cloister::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// A property that must hold; the fuzzer keeps the input that breaks it.
inline void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace cloister::fuzz
