// Where a client's sources go in the box, and what the language calls them. Paths are checked here
// for a clear answer; the box checks them again on its own when it unpacks.
#pragma once

#include <string>
#include <string_view>

namespace cloister::front {

/// Empty when `path` may name a file of a run, else the sentence for the client: relative, no
/// empty,
/// "." or ".." part, no backslash or control character, at most 255 bytes a part and 1023 in all.
std::string why_bad_path(std::string_view path);

/// "src/Main.java" gives "Main" and ".java"; the dot of a hidden file starts no extension.
std::string_view stem_of(std::string_view path);
std::string_view extension_of(std::string_view path);
/// "src/" of "src/Main.java"; empty without a folder.
std::string_view folder_of(std::string_view path);

/// What a Java source declares, found by skimming its top level past comments and literals.
struct JavaNames {
    std::string package{};
    std::string public_type{}; ///< javac wants the file named after it
    std::string main_type{};   ///< first top-level type with a `main(`; else the public, else the
                               ///< first one
};
JavaNames java_names(std::string_view source);

} // namespace cloister::front
