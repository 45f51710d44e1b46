// What a client's zip archive holds, as files in memory: nothing is written anywhere, names are
// checked where every run's are, links and special files are refused, and what it may come to is
// bounded before it is unpacked. Runs in the front, which has no privilege.
#pragma once

#include "daemon/front/program.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front::judge0 {

struct ArchiveBounds {
    std::size_t files = 64;
    std::uint64_t bytes = 10 * 1024 * 1024; ///< of all files, unpacked
};

/// The files, or in one sentence why there are none.
std::variant<std::vector<SourceFile>, std::string> unpack(std::string_view zip,
                                                          const ArchiveBounds& bounds);

} // namespace cloister::front::judge0
