// What a problem package's texts go through: YAML, words, patterns, names, and what is shown of
// them. Any bytes give values within their bounds, or a refusal.
#include "daemon/package/error.h"
#include "daemon/package/glob.h"
#include "daemon/package/text.h"
#include "daemon/package/validator_flags.h"
#include "daemon/package/yaml.h"
#include "tests/fuzz/fuzz.h"

#include <string>

using namespace cloister;

namespace {

/// Every value, as everything that it could be.
std::size_t visit(const package::Yaml& yaml, std::size_t depth) {
    fuzz::require(depth <= package::kMaxYamlDepth);
    std::size_t count = 1;
    for (const auto act : {0, 1, 2, 3}) {
        try {
            if (act == 0) (void)yaml.number(-1e9, 1e9);
            if (act == 1) (void)yaml.whole(0, 1'000);
            if (act == 2) (void)yaml.texts();
            if (act == 3) (void)yaml.flag();
        } catch (const package::Wrong&) {
            // Most values are not what is asked for.
        }
    }
    for (const auto& item : yaml.items()) count += visit(item, depth + 1);
    for (const auto& [key, member] : yaml.members()) count += visit(member, depth + 1);
    return count;
}

template <typename Act>
void tolerate(const Act& act) {
    try {
        act();
    } catch (const package::Wrong&) {
        // Expected for what is not well formed.
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::as_text(data, size));
    tolerate([&] {
        fuzz::require(visit(package::Yaml::parse(text, "x.yaml"), 1) <= package::kMaxYamlNodes);
    });
    tolerate([&] { (void)package::read_flags(package::split_words(text, "x"), "x"); });
    const std::size_t half = text.find('\n');
    if (half != std::string::npos)
        tolerate([&] { (void)package::matches(text.substr(0, half), text.substr(half + 1)); });
    const std::string seen = package::shown(text, 1'000);
    fuzz::require(seen.size() <= 1'010 && package::is_utf8(seen));
    return 0;
}
