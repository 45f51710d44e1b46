// How such files are read and written, whatever the version.
#include "isolate/cgroup_files.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>

namespace cloister::isolate {

std::string text_of(int file) {
    char text[4096];
    const ssize_t size = ::pread(file, text, sizeof text, 0);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::string> try_read_at(int directory, const char* file) {
    const Fd fd(::openat(directory, file, O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) return std::nullopt;
    return fd ? text_of(fd.get()) : std::string();
}

std::string read_at(int directory, const char* file) {
    return try_read_at(directory, file).value_or(std::string());
}

bool write_to(const Fd& file, const std::string& value) {
    return file && ::pwrite(file.get(), value.data(), value.size(), 0) ==
                       static_cast<ssize_t>(value.size());
}

bool write_at(int directory, const char* file, const std::string& value) {
    return write_to(Fd(::openat(directory, file, O_WRONLY | O_CLOEXEC)), value);
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!key.empty() &&
            !(line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' '))
            continue;
        const char* const end = line.data() + line.size();
        std::uint64_t value = 0;
        if (std::from_chars(line.data() + (key.empty() ? 0 : key.size() + 1), end, value).ec ==
            std::errc())
            return value;
    }
    return std::nullopt;
}

Fd open_group(const std::string& path) {
    return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

void make_group(int parent, const std::string& name) {
    if (::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) {
        throw SysError(errno, "make the control group " + name);
    }
}

bool lists_nobody(int directory) {
    const Fd fd(::openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC));
    char byte = 0;
    return fd && ::read(fd.get(), &byte, 1) == 0;
}

void kill_listed(int directory) {
    std::string text = read_at(directory, "cgroup.procs");
    // A list longer than one read may end within a number, and half a number is somebody else's.
    text.resize(text.rfind('\n') + 1);
    std::istringstream lines(text);
    for (pid_t pid = 0; lines >> pid;) {
        if (pid > 0) (void)::kill(pid, SIGKILL);
    }
}

} // namespace cloister::isolate
