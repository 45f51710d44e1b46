// The dynamic loader's cache (/etc/ld.so.cache) for a box's root. Without one the loader looks for
// each library in two dozen folders that are not there, at every start of every program.
#pragma once

#include "isolate/mount_plan.h"

#include <string>

namespace cloister::isolate {

/// The cache of the shared libraries that `plan` shows in the loader's own folder, in the format
/// that ld.so(8) and ldconfig(8) read since glibc 2.2. Names alone: root opens no library. Empty
/// when there is none, or the architecture is unknown to us: the loader then searches, as before.
std::string loader_cache(const MountPlan& plan);

/// How the loader orders names: digits as numbers. Below, at or above zero.
int compare_library_names(const char* left, const char* right);

} // namespace cloister::isolate
