// Finding our own programs.
#include "daemon/keeper/helpers.h"

#include "isolate/fd.h"

#include <unistd.h>

namespace cloister::keeper {

std::string helper_path(const std::string& name) {
    // Asked once: with the mount namespace that it was started in, this program's file loses the
    // path to the mount that it is on.
    static const std::string kFolder = [] {
        char path[4096];
        const ssize_t size =
            isolate::check(::readlink("/proc/self/exe", path, sizeof path), "find this program");
        const std::string whole(path, static_cast<std::size_t>(size));
        return whole.substr(0, whole.rfind('/'));
    }();
    const std::string beside = kFolder + "/" + name;
    return ::access(beside.c_str(), X_OK) == 0 ? beside : "/usr/libexec/cloister/" + name;
}

} // namespace cloister::keeper
