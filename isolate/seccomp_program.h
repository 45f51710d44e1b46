// A system call filter, compiled once at start. Loading it in a box is one system call; building it
// there would cost a millisecond (libseccomp builds its tree anew each time).
#pragma once

#include "isolate/syscall_policy.h"

#include <linux/filter.h>
#include <span>
#include <string>
#include <vector>

namespace cloister::isolate {

class SeccompProgram {
public:
    enum class Form {
        /// Most calls are answered by their number alone, and numbers with one answer stand side by
        /// side: a search over such ranges answers them, and libseccomp's part, which tests
        /// arguments, is for the rest. A third is saved, and the kernel checks, translates and
        /// tries out every instruction each time a box loads it.
        by_ranges,
        /// All of it by libseccomp; what a policy with too many ranges gets, too.
        by_library,
    };
    /// Throws SysError or std::runtime_error that names the rule which could not be compiled.
    explicit SeccompProgram(const SyscallPolicy& policy, Form form = Form::by_ranges);

    std::span<const sock_filter> instructions() const { return instructions_; }
    /// True when a rule kills: then the filter is loaded with a listener, so that the call's number
    /// can be told; a plain kill would not say which call it was.
    bool has_listener() const { return has_listener_; }

private:
    std::vector<sock_filter> instructions_;
    bool has_listener_ = false;
};

/// The filter in libseccomp's readable form ("pseudo filter code").
std::string explain(const SyscallPolicy& policy);

/// The call's name on this machine, or "call N"; "a call of a foreign ABI" for -1.
std::string syscall_name(int number);

/// The number of a call, also of those younger than the installed libseccomp; below 0 when this
/// architecture has no such call. Throws std::runtime_error for a name that nobody knows.
int syscall_number(const std::string& name);

} // namespace cloister::isolate
