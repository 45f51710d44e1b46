// What programs print: repaired, it is UTF-8 whatever the pieces it came in; base64 goes both ways.
#include "daemon/front/text.h"

#include "daemon/front/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <string>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::as_text(data, size);
    const std::string whole = front::repaired(bytes);
    fuzz::require(front::is_utf8(whole));
    front::Utf8Repair repair;
    std::string pieces;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + at % 3) {
        repair.feed(bytes.substr(at, 1 + at % 3), pieces);
    }
    repair.finish(pieces);
    fuzz::require(pieces == whole);
    if (front::is_utf8(bytes)) fuzz::require(whole == bytes);
    fuzz::require(front::from_base64(front::to_base64(bytes)) == std::string(bytes));
    (void)front::from_base64(bytes);
    std::string quoted;
    front::append_quoted(quoted, whole);
    fuzz::require(quoted.size() >= whole.size() + 2);
    return 0;
}
