// Which system calls a box may make, as data. Policies are read from policies/*.jsonc; a
// SeccompProgram is compiled from one at start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cloister::isolate {

/// `(argument & mask) == value`. Arguments are 64 bits wide; where the kernel reads only the low 32
/// (ioctl requests, socket domains) the mask must say so, or a high bit walks past the test.
struct ArgumentTest {
    unsigned argument = 0; ///< 0 to 5
    std::uint64_t mask = ~std::uint64_t{0};
    std::uint64_t value = 0;
};

struct SyscallRule {
    enum class Action { allow, refuse, kill };
    std::string name;
    Action action = Action::allow;
    /// For `refuse`: the caller hears of success, and nothing is done.
    static constexpr int kPretend = 0;
    int error = 0;                     ///< errno of `refuse`
    std::vector<ArgumentTest> tests{}; ///< all must hold; several rules of one name are
                                       ///< alternatives
};

/// A call that no rule names is refused with EPERM when it is older than `first_unknown`, and with
/// ENOSYS from there on, because libraries fall back to an older call only on ENOSYS. A call of a
/// foreign ABI (i386, x32) kills the process.
struct SyscallPolicy {
    std::vector<SyscallRule> rules{};
    std::uint32_t first_unknown = 463;
};

} // namespace cloister::isolate
