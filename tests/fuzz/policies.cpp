// A policy file of any content: a policy or an error that says what is wrong, nothing else.
#include "policies/policy.h"
#include "tests/fuzz/fuzz.h"

#include <map>
#include <stdexcept>
#include <string>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::as_text(data, size));
    std::map<std::string, std::string, std::less<>> texts;
    // Up to the first NUL it is the groups, after it the policy.
    const std::size_t cut = text.find('\0');
    texts["groups"] = cut == std::string::npos ? "{}" : text.substr(0, cut);
    texts["default"] = cut == std::string::npos ? text : text.substr(cut + 1);
    try {
        for (const auto& [name, policy] : policies::parse(texts)) {
            fuzz::require(policy.limits.memory_bytes > 0 && policy.limits.processes > 0);
            (void)policies::describe(policy);
        }
    } catch (const std::runtime_error&) {
        // Expected for what is no policy.
    }
    return 0;
}
