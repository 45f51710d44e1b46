// Files and folders of control groups, by their group's descriptor. None of their names comes from
// a client.
#pragma once

#include "isolate/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::isolate {

/// What such a file says; they fit into one read.
std::string text_of(int file);
/// Empty when there is no such file. Nothing when it cannot be told: we have no descriptor or
/// memory for it just now.
std::optional<std::string> try_read_at(int directory, const char* file);
/// Empty as well when it cannot be told.
std::string read_at(int directory, const char* file);

/// False, with errno, when the kernel refuses the value.
bool write_to(const Fd& file, const std::string& value);
bool write_at(int directory, const char* file, const std::string& value);

/// The number behind `key` at the start of a line; without a key, the first one of all.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key);

/// Invalid, with errno, when there is none.
Fd open_group(const std::string& path);
/// Throws SysError; one that is there already is fine.
void make_group(int parent, const std::string& name);

/// Of a v1 group. One that cannot be looked at, for want of descriptors, say, is not empty.
bool lists_nobody(int directory);
/// Sends SIGKILL to all that cgroup.procs lists.
void kill_listed(int directory);

} // namespace cloister::isolate
