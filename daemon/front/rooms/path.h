// Names of files in a room. The same rules as for the files of a run, because a room's files become
// those of a run; and one spelling for each name, so that no two files look the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cloister::rooms {

/// Empty when `path` may name a file, else the sentence for the client.
std::string why_bad_path(std::string_view path, std::size_t part_bytes, std::size_t path_bytes);

/// The path with Hangul that comes in single letters (as macOS stores names) put together into
/// syllables, as in Unicode's form NFC.
std::string composed(std::string_view path);

/// True when `path` lies in the folder `folder`, at any depth.
bool is_beneath(std::string_view path, std::string_view folder);

} // namespace cloister::rooms
