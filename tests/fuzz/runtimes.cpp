// A runtime file of any content: a runtime or an error that says what is wrong, nothing else.
#include "runtimes/runtime.h"
#include "tests/fuzz/fuzz.h"

#include <map>
#include <stdexcept>
#include <string>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::map<std::string, std::string, std::less<>> texts;
    texts["/usr/share/runtimes/python"] = std::string(fuzz::as_text(data, size));
    try {
        for (const auto& [id, runtime] : runtimes::parse(texts)) {
            fuzz::require(id == "python" && runtime.id == id && !runtime.run.command.empty());
            for (const std::string& mount : runtime.run.mounts)
                fuzz::require(mount.starts_with('/') || mount.starts_with("?/"));
            if (runtime.run.warm) {
                fuzz::require(runtime.run.warm->command.at(0).starts_with('/'));
                fuzz::require(runtime.run.warm->mounts.size() >= runtime.run.mounts.size());
            }
            if (runtime.kit) fuzz::require(!runtime.kit->commands.at(0).empty());
        }
    } catch (const std::runtime_error&) {
        // Expected for what is no runtime.
    }
    return 0;
}
