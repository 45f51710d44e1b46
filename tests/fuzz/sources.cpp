// Paths and Java sources as clients send them, and the handshake's fields.
#include "daemon/front/sources.h"

#include "daemon/front/access.h"
#include "tests/fuzz/fuzz.h"

#include <string>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::as_text(data, size));
    (void)front::java_names(text);
    (void)front::stem_of(text);
    (void)front::extension_of(text);
    if (front::why_bad_path(text).empty()) {
        const std::string path = "/" + text + "/";
        fuzz::require(path.find("/../") == std::string::npos &&
                      path.find("//") == std::string::npos);
    }
    (void)front::read_subprotocols(text);
    (void)front::bearer_token(text);
    (void)front::is_websocket_key(text);
    (void)front::has_token(text, "websocket");
    const front::LocalAddress local{.text = "127.0.0.1", .port = 8000, .loopback = true};
    const front::Access access{};
    if (front::origin_allowed(access, text, local)) {
        fuzz::require(text.starts_with("http://127.0.0.1") || text.starts_with("http://localhost"));
    }
    return 0;
}
