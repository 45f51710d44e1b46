// What lies on a disk may be anything: bytes give a text or a change set, or nothing. One that is
// taken is written and read as itself, and its sections fit on its text.
#include "daemon/front/store/records.h"
#include "tests/fuzz/fuzz.h"

#include <cstddef>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::as_text(data, size);
    if (const auto text = store::unpacked_text(bytes))
        fuzz::require(store::unpacked_text(store::packed(*text)) == text);
    const auto changes = store::unpacked_changes(bytes);
    if (!changes) return 0;
    fuzz::require(store::unpacked_changes(store::packed(*changes)) == changes);
    std::size_t inserted = 0;
    for (const rooms::Section& section : changes->sections()) {
        fuzz::require(section.length >= 0 && section.inserted >= rooms::Section::kKept);
        inserted += static_cast<std::size_t>(section.inserted < 0 ? 0 : section.inserted);
    }
    fuzz::require(inserted == changes->inserted().size());
    // Whoever applies it holds its length against the text's first.
    if (changes->length() > 4096 || changes->new_length() > 65'536) return 0;
    std::u16string text(changes->length(), u'x');
    changes->apply_to(text);
    fuzz::require(text.size() == changes->new_length());
    return 0;
}
