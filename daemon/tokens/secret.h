// The daemon's own secret: a file in the state directory, so that what is signed today is good
// after a restart, too. Who can read it can be anybody in every room.
#pragma once

#include <array>
#include <string>

namespace cloister::tokens {

using Secret = std::array<unsigned char, 32>;

/// Reads the secret, or makes it when there is none. To be called by root, before the front gives
/// that up. Throws isolate::SysError, or std::runtime_error when what is there is no secret.
Secret load_secret(const std::string& state_dir);

/// Fills `secret` with random bytes from the kernel.
void fill(Secret& secret);

} // namespace cloister::tokens
