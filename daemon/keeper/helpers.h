// Where our own programs lie that are shown in boxes or containers.
#pragma once

#include <string>

namespace cloister::keeper {

/// Beside this program in a build tree, else where the package puts it. Throws isolate::SysError.
std::string helper_path(const std::string& name);

} // namespace cloister::keeper
