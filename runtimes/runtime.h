// A language, as data: where its programs lie on the host, how a program of it is compiled and
// run, what its boxes show. Read from runtimes/ID/runtime.jsonc, strictly.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::runtimes {

/// An interpreter that is started ahead, in a finished box behind every lock, and waits there for
/// its program. How the two talk, and what a program may notice: runtimes/README.md.
struct WarmPlan {
    std::vector<std::string> command{};     ///< as StepPlan::command, but of the holes {memory_mib}
                                            ///< only
    std::vector<std::string> environment{}; ///< beside the step's own; gone before the program runs
    std::vector<std::string> mounts{};      ///< the step's own and these
    bool arguments = true;                  ///< false: only for runs without arguments
};

/// What a toolchain prepares once, in the daemon's first idle time, in a box; shown read-only at
/// /kit in the runtime's compile, run and check boxes.
struct KitPlan {
    /// One after the other, each in a box; all work in the same /box, which becomes /kit. No holes
    /// but {memory_mib}.
    std::vector<std::vector<std::string>> commands{};
    std::vector<std::string> environment{};
    std::vector<std::string> mounts{}; ///< as StepPlan::mounts
    std::string policy{};              ///< name of the policy; empty: the configured one
};

/// One command in a box of its own. Words of `command` are literal, except the whole words {entry}
/// (path of the file to run), {main} (its name in the language), {sources} (every source file),
/// {args} (the client's arguments) and, of a compiler, {options} (those that the client adds),
/// which the box fills in, and {memory_mib} anywhere inside a word, which the keeper replaces by
/// the run's memory limit.
struct StepPlan {
    std::vector<std::string> command{}; ///< first word: an absolute path; below /app for a compiled
                                        ///< program
    std::vector<std::string> command_with_kit{}; ///< in place of `command` once the runtime's kit
                                                 ///< is there; empty: `command` always
    std::vector<std::string> environment{};      ///< NAME=value, beside PATH HOME LANG TMPDIR
    std::vector<std::string> live_environment{}; ///< added when output is watched as it happens
    /// Host paths shown read-only at the same place; '*' globs; a leading '?': may be absent;
    /// "PATH => PLACE": shown there. A file's own "mounts", beside its steps, belong to each of
    /// them. In a runtime's file "./NAME => PLACE" is something of the runtime's own folder; here
    /// the path is absolute.
    /// "@runtimes", in a hidden runtime's file: what all others' compile and run steps show.
    std::vector<std::string> mounts{};
    std::string policy{};           ///< name of the policy; empty: the configured one
    std::optional<WarmPlan> warm{}; ///< none: each program starts its interpreter itself
};

struct Runtime {
    std::string id;   ///< folder name and wire name: "python"
    std::string name; ///< for people: "Python"
    /// No language: nobody is told of it or asks for it by name; it has a run step alone, whose
    /// command may be the client's own words and whose mounts may be those of all others.
    bool hidden = false;
    std::vector<std::string> aliases{};    ///< other accepted names: "py", "python3"
    std::string default_file;              ///< "main.py"
    std::vector<std::string> extensions{}; ///< of source files, with the dot
    std::string main_from{};               ///< how {main} is found: "file_stem" or "java_class"
    std::vector<std::string> packages{};   ///< Debian packages that bring it
    std::string docker_image{};
    StepPlan version{};                ///< prints the version; its first "N.N[.N]" is taken
    std::optional<StepPlan> compile{}; ///< works in /box; what it leaves there is the artifact
    /// Clients may add options to the compiler's own: each of its commands has {options}.
    bool takes_options() const;
    StepPlan run{};                  ///< works in /box; the artifact is at /app, read-only
    std::optional<StepPlan> check{}; ///< looks at the sources in /box for what is wrong with them,
                                     ///< and prints it as analysis/deep.jsonc says
    std::optional<KitPlan> kit{};    ///< none: /kit is not there
};

/// By id; the order (and so each runtime's number on the wire) is the ids' order.
using Runtimes = std::map<std::string, Runtime, std::less<>>;

/// Parses the texts of all runtime.jsonc files, keyed by folder: its path, whose last part is the
/// runtime's id, or the id alone, with which no file of the folder can be mounted. Throws
/// std::runtime_error that names file, key and what was expected; also when two runtimes claim one
/// name. Opens nothing.
Runtimes parse(const std::map<std::string, std::string, std::less<>>& texts);

/// Reads directory/*/runtime.jsonc as text, keyed by the folder's absolute path. Throws
/// std::system_error or std::runtime_error.
std::map<std::string, std::string, std::less<>> read_texts(const std::string& directory);

/// The runtime with that id or alias (any case) that is not hidden, or nullptr.
const Runtime* find(const Runtimes& runtimes, std::string_view name);

} // namespace cloister::runtimes
