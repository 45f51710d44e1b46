// A client's message: any text gives a request or a refusal whose answer is itself valid JSON text.
#include "daemon/front/protocol.h"

#include "daemon/front/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <variant>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const config::Config kBounds{};
    const std::string text = front::repaired(fuzz::as_text(data, size));
    (void)front::nesting(text);
    if (text.size() > kBounds.message_bytes) return 0;
    const auto parsed = front::parse(text, kBounds);
    if (const auto* refusal = std::get_if<front::Refusal>(&parsed)) {
        const std::string answer = front::to_text(*refusal);
        fuzz::require(front::is_utf8(answer) && front::nesting(answer) == 1);
    }
    return 0;
}
