// The hand-over of the settings from keeper to front: any text gives settings or an
// error; the front then ends, since only a broken keeper can have sent it.
#include "daemon/config/settings.h"

#include "tests/fuzz/fuzz.h"

#include <exception>
#include <string>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::as_text(data, size));
    try {
        const config::Settings settings = config::from_text(text);
        (void)config::to_text(settings);
    } catch (const std::exception&) {
        // Expected for what is not a hand-over.
    }
    return 0;
}
