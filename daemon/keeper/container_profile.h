// A policy's system calls as the container engine takes them: its JSON format of seccomp profiles.
// It is the outer of two filters: the inner one is the policy itself, to the letter, loaded by our
// own first process before the program begins; where both refuse, the inner one's answer counts.
#pragma once

#include "isolate/syscall_policy.h"

#include <string>

namespace cloister::keeper {

/// The profile for `policy`: what it allows, what it answers itself with death, and the few calls
/// with which the container's first process does its work. Everything else fails with EPERM.
std::string container_profile(const isolate::SyscallPolicy& policy);

} // namespace cloister::keeper
