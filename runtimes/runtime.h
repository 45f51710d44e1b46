// A language, as data: where its programs lie on the host, how a program of it is compiled and
// run, what its boxes show. Read from runtimes/ID/runtime.jsonc, strictly.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::runtimes {

/// One command in a box of its own. Words of `command` are literal, except the whole words {entry}
/// (path of the file to run), {main} (its name in the language), {sources} (every source file) and
/// {args} (the client's arguments), which the box fills in, and {memory_mib} anywhere inside a
/// word, which the keeper replaces by the run's memory limit.
struct StepPlan {
    std::vector<std::string> command{}; ///< first word: an absolute path; below /app for a compiled
                                        ///< program
    std::vector<std::string> environment{};      ///< NAME=value, beside PATH HOME LANG TMPDIR
    std::vector<std::string> live_environment{}; ///< added when output is watched as it happens
    /// Host paths shown read-only at the same place; '*' globs; a leading '?': may be absent;
    /// "PATH => PLACE": shown there. A file's own "mounts", beside its steps, belong to each of
    /// them.
    std::vector<std::string> mounts{};
    std::string policy{}; ///< name of the policy; empty: the configured one
};

struct Runtime {
    std::string id;                        ///< folder name and wire name: "python"
    std::string name;                      ///< for people: "Python"
    std::vector<std::string> aliases{};    ///< other accepted names: "py", "python3"
    std::string default_file;              ///< "main.py"
    std::vector<std::string> extensions{}; ///< of source files, with the dot
    std::string main_from{};               ///< how {main} is found: "file_stem" or "java_class"
    std::vector<std::string> packages{};   ///< Debian packages that bring it
    std::string docker_image{};
    StepPlan version{};                ///< prints the version; its first "N.N[.N]" is taken
    std::optional<StepPlan> compile{}; ///< works in /box; what it leaves there is the artifact
    StepPlan run{};                    ///< works in /box; the artifact is at /app, read-only
};

/// By id; the order (and so each runtime's number on the wire) is the ids' order.
using Runtimes = std::map<std::string, Runtime, std::less<>>;

/// Parses the texts of all runtime.jsonc files, keyed by folder name. Throws std::runtime_error
/// that names file, key and what was expected; also when two runtimes claim one name.
Runtimes parse(const std::map<std::string, std::string, std::less<>>& texts);

/// Reads directory/*/runtime.jsonc as text. Throws std::system_error or std::runtime_error.
std::map<std::string, std::string, std::less<>> read_texts(const std::string& directory);

/// The runtime with that id or alias (any case), or nullptr.
const Runtime* find(const Runtimes& runtimes, std::string_view name);

} // namespace cloister::runtimes
