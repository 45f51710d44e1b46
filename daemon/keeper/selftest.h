// Before anything is served: a probe of ours runs in a box, reads what the kernel says about it and
// tries what must fail. The daemon refuses to serve when a layer is missing, and says which.
#pragma once

#include "daemon/config/settings.h"

#include <array>
#include <string>

namespace cloister::keeper {

/// What the probe tests, in order; its exit status is the place (from 1) of the first that is
/// missing.
inline constexpr std::array kProbedLayers = {
    "user and group identity",
    "empty capability sets",
    "no_new_privs",
    "system call filter",
    "pid namespace",
    "network namespace",
    "a root without the host's files",
    "read-only root",
    "small /proc",
    "closed descriptors",
    "refused namespaces",
    "refused mounts",
    "refused tracing",
    "no program in writable places",
    "clean environment",
    // of a fence alone
    "files of the user",
    "no sockets",
    "no signals to others",
    "one process group",
    "modes of files",
    "no program in its own folder",
};
inline constexpr std::size_t kFirstOfFence = 15;
static_assert(kProbedLayers.size() == kFirstOfFence + 6);

/// The layer that a container has not: its /proc is the engine's.
inline constexpr const char* kLayerOfBoxes = "small /proc";

/// Empty when every layer holds; else one sentence that names what is missing. `probe` is the path
/// of the probe program. Throws when no box could be made at all.
std::string selftest(const config::Settings& settings, const std::string& probe);

/// The same of the container engine: that it answers, has an image, and that a container holds
/// every layer but kLayerOfBoxes. Throws when no container could be made at all.
std::string docker_selftest(const config::Settings& settings, const std::string& probe);

} // namespace cloister::keeper
