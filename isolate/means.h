// What this process may make boxes with: all that root can, or what the kernel gives an ordinary
// user. Found out once, at start, by trying it in a process that ends at once.
#pragma once

#include <cstdint>
#include <string>

namespace cloister::isolate {

enum class Means : std::uint32_t {
    root,           ///< control groups, namespaces, a user id for each box
    user_namespace, ///< an ordinary user's: namespaces and a private root; no groups, one user id
    fence,          ///< the same user's, without: file rules, filters and resource limits alone
    none,           ///< nothing that could be called a box
};

/// What an ordinary user has here.
struct FoundMeans {
    Means means = Means::none;
    std::string missing{}; ///< not of `user_namespace`: what the kernel refused, and its reason
};
/// For root: what the user `nobody` would have. Throws SysError when nothing can even be tried.
FoundMeans find_means();

/// Makes this process, which has one thread, the owner of a user namespace that knows its own user
/// and group under their own numbers, and nobody else. What it executes has no more than before.
/// Throws SysError.
void enter_user_namespace();

} // namespace cloister::isolate
