// Inside a container that another engine made: the same two processes as in a box of our own, the
// same order and the same reports over the same kind of socket, but nothing is left for them to do
// that needs a privilege. What the engine cannot be asked for is done here: limits and filter of
// the program to the letter, its session, its streams.
#pragma once

#include "isolate/inside.h"

namespace cloister::isolate {

/// The whole life of the container's pid 1. `inside.report_fd` is connected to the keeper;
/// `command`, the environments, `user_id` and `umask` are used, and the order brings the rest, the
/// filter too.
///
/// When the program ends everything else in the container is ended; then its end is reported. This
/// process stays until the keeper closes the socket, so that the container's counters can be read,
/// and what a compiler left stays where it is.
[[noreturn]] void be_contained_init(const Inside& inside);

} // namespace cloister::isolate
