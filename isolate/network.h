// A network namespace with nothing but its loopback. Making one costs half a millisecond and,
// later, a kernel worker more than that; so a slot keeps its own for as long as nobody can tell
// that it was used: every counter and every socket that the kernel shows of it is as on the first
// day. A program that sends one packet, or leaves one socket behind, takes its namespace with it.
#pragma once

#include "isolate/fd.h"

#include <string>
#include <vector>

namespace cloister::isolate {

class Network {
public:
    Network() = default;
    /// Enters a new namespace for a moment. Needs root and one thread. Throws SysError.
    static Network make();

    explicit operator bool() const { return static_cast<bool>(namespace_); }
    int fd() const { return namespace_.get(); }
    /// True when no trace of its users is left. Only to be asked when all of them are gone.
    bool is_untouched() const;

private:
    Fd namespace_;
    std::vector<Fd> views_; ///< of the namespace's tables in /proc/net
    std::string first_look_;
};

} // namespace cloister::isolate
