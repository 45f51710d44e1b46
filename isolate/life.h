// Whether a process that has closed something did so because it ends. Asked of the kernel by its
// pidfd, so that nothing is read that the process could have written.
#pragma once

#include <cstdint>

namespace cloister::isolate {

enum class Life : std::uint32_t {
    goes_on, ///< it is alive: what it closed, it closed by itself
    ends,    ///< it has begun to end, and cannot turn back; or has ended
    unknown, ///< this kernel does not say (before 5.15), or forbids asking
};

/// Of the process of `pidfd`, with all its threads. A process that ends gives back its memory
/// before the kernel closes what it has open (exit_mm before exit_files, in do_exit): so once a
/// pipe's end was seen that came of its end, and not of a call of its own, this never says goes_on.
Life life_of(int pidfd);

} // namespace cloister::isolate
