// A policy's system calls where a program has no namespaces, but a fence (fence.h): what namespaces
// would keep to the box, and Landlock does not know of, is taken away.
#pragma once

#include "isolate/syscall_policy.h"

namespace cloister::isolate {

/// `policy` with less allowed, and nothing more.
SyscallPolicy fenced(SyscallPolicy policy);

} // namespace cloister::isolate
