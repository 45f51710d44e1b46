// Why the store could not do something. Every failure is one of these; none is a crash, and none
// leaves half of a batch behind.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace cloister::store {

enum class Trouble : std::uint8_t {
    full,    ///< no room: the disk, or the bound `file_bytes`. Try again when there is some
    io,      ///< the disk or the file system refused. Try again later
    limit,   ///< a bound of Limits: more rooms, or a larger value, than may be kept
    in_use,  ///< another process holds the file
    newer,   ///< written by a later version of Cloister
    damaged, ///< what is there is not what was written
    misuse,  ///< ours: the caller or the store is wrong
};
const char* name(Trouble trouble);

/// `what()` is a sentence for the operator: which file, what is wrong, what can be done.
class StoreError : public std::runtime_error {
public:
    StoreError(Trouble trouble, const std::string& sentence)
        : std::runtime_error(sentence), trouble_(trouble) {}
    Trouble trouble() const { return trouble_; }

private:
    Trouble trouble_;
};

} // namespace cloister::store
