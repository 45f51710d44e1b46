// Which language a program is in, by the names of its files: the table of the package format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::package {

/// The code of the format's table for a file of that name; empty: not known by its ending.
std::string_view language_of(std::string_view file_name);

/// The one language of these files. Throws Wrong when there is none or more than one.
std::string single_language(const std::vector<std::string>& files, const std::string& where);

/// The file that is run, of several: `__main__.py`, `Main.java`, `main.js` and the like; empty
/// when the language has no such file, or it is not there.
std::string default_entry(const std::string& language, const std::vector<std::string>& files);

/// A language of the format as a daemon calls it: "python3" is "python", the others have one name.
std::string runtime_name(std::string_view language);

} // namespace cloister::package
