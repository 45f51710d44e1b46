// The pipes of a run: made by the keeper, read and fed by the front, used by the program.
#pragma once

#include "daemon/keeper/executor.h"
#include "isolate/inside.h"

#include <fcntl.h>
#include <unistd.h>

namespace cloister::keeper {

struct Pipes {
    Ends ours{};
    Ends theirs{};
};

/// Our ends are made non-blocking by whoever reads them; the program's stay as it expects them, and
/// are its own, so that /dev/stdin, /dev/stdout and /dev/stderr can be opened. Who opens one gets
/// no more than it was given: a pipe that ends with its box. Throws isolate::SysError.
inline Pipes make_pipes(isolate::Owner owner) {
    Pipes pipes;
    for (std::size_t i = 0; i < kStreams; ++i) {
        int ends[2];
        isolate::check(::pipe2(ends, O_CLOEXEC), "make a pipe");
        isolate::Fd read(ends[0]);
        isolate::Fd write(ends[1]);
        isolate::check(::fchown(read.get(), owner.user, owner.group), "give a pipe to its program");
        const bool input = i == 0;
        pipes.theirs[i] = std::move(input ? read : write);
        pipes.ours[i] = std::move(input ? write : read);
    }
    return pipes;
}

} // namespace cloister::keeper
