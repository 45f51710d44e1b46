// How the front gives up everything it will not need, before it reads a byte of a client's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>

namespace cloister::front {

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
};

/// The account `user`, or `fallback` for both ids where there is no such account; for a process
/// that is not root, itself.
Identity find_identity(const std::string& user, uid_t fallback);

/// Becomes the front's user: gives up groups, ids, new privileges and all capabilities but one, to
/// reach the state directory through folders that only root may enter. Throws isolate::SysError
/// naming the step; the caller must end then.
void become(const Identity& identity);

/// Gives up that one, and nothing else.
void drop_capabilities();

/// From here on this process opens files beneath `places` alone, with the Landlock rights
/// `allowed`; a place that is not there is left out. A kernel without Landlock leaves this to file
/// modes and filters. Throws isolate::SysError.
void close_files(std::span<const char* const> places, std::uint64_t allowed);

/// Gives up that one, all files (Landlock, where the kernel has it) and every system call that
/// serving does not need. For good.
void lock_in();

} // namespace cloister::front
