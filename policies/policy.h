// A policy: limits that are both default and ceiling, and the system calls that are allowed. Read
// from policies/NAME.jsonc, strictly: an unknown key, a wrong type or a zero is an error that names
// the place.
#pragma once

#include "isolate/limits.h"
#include "isolate/syscall_policy.h"

#include <map>
#include <string>
#include <string_view>

namespace cloister::policies {

struct Policy {
    std::string name;
    std::string description;
    isolate::Limits limits{};
    isolate::SyscallPolicy syscalls{};
    /// What a program writes to /box and /tmp it may also execute (SECURITY.md, Commands).
    bool executable_files = false;
};

/// By name; the order (and so each policy's number on the wire) is the names' order.
using Policies = std::map<std::string, Policy, std::less<>>;

/// Parses the texts of all policy files, keyed by file name without ".jsonc". The file `groups`
/// holds the named syscall groups; a policy may start from another one (`extends`).
/// Throws std::runtime_error that names file, key and what was expected.
Policies parse(const std::map<std::string, std::string, std::less<>>& texts);

/// Reads every *.jsonc of `directory` as text. Throws std::system_error or std::runtime_error.
std::map<std::string, std::string, std::less<>> read_texts(const std::string& directory);

/// The policy as people read it: limits, then each call with its rule.
std::string describe(const Policy& policy);

} // namespace cloister::policies
