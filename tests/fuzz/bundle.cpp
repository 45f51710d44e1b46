// The bundle's view is read in the box, but the keeper's promise is that any bytes are safe there:
// every string it returns lies inside the bytes.
#include "isolate/bundle.h"

#include "tests/fuzz/fuzz.h"

#include <cstring>
#include <string>
#include <vector>

using cloister::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy of exactly that size: the sanitizer then sees one byte too far.
    const std::vector<std::uint8_t> bytes(data, data + size);
    cloister::isolate::BundleView view;
    if (!view.open(std::as_bytes(std::span(bytes)))) return 0;
    std::size_t total = std::strlen(view.entry()) + std::strlen(view.main_name());
    for (std::size_t i = 0; i < view.file_count(); ++i) {
        const auto file = view.file(i);
        total += std::strlen(file.path);
        for (const std::byte byte : file.content) total += std::to_integer<std::size_t>(byte);
        if (file.link) total += std::strlen(reinterpret_cast<const char*>(file.content.data()));
    }
    for (std::size_t i = 0; i < view.argument_count(); ++i) total += std::strlen(view.argument(i));
    for (std::size_t i = 0; i < view.option_count(); ++i) total += std::strlen(view.option(i));
    for (std::size_t i = 0; i < view.collect_count(); ++i) total += std::strlen(view.collect(i));
    for (std::size_t i = 0; i < view.environment_count(); ++i)
        total += std::strlen(view.environment(i));
    require(total < std::size_t{1} << 40);
    return 0;
}
