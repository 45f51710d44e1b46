// The page, built from daemon/front/page/ and part of the binary: nothing of it is read from a disk
// while the service runs. pack_page.mjs writes what is declared here.
#pragma once

#include <span>
#include <string_view>

namespace cloister::front::page {

/// A file that never changes: its name holds a hash of what is in it.
struct Asset {
    std::string_view name{};
    std::string_view type{};
    std::string_view hash{}; ///< of `plain`
    std::string_view plain{};
    std::string_view gzip{};   ///< empty where it would not be smaller
    std::string_view brotli{}; ///< the same
};

/// index.html, in the parts between which the answer's nonce is put.
std::span<const std::string_view> index();

/// In the order of their names.
std::span<const Asset> assets();

} // namespace cloister::front::page
