// The command of a script is its one line that does something; its first word, without folders and
// versions, names the language.
#include "daemon/front/judge0/scripts.h"

#include "daemon/front/judge0/submission.h"
#include "daemon/front/sources.h"

#include <algorithm>
#include <optional>

namespace cloister::front::judge0 {
namespace {

constexpr const char* kNotUnderstood =
    "must hold a script 'run' that is one command of an installed language";

std::optional<std::string> take(std::vector<SourceFile>& files, std::string_view name) {
    const auto found = std::ranges::find(files, name, &SourceFile::path);
    if (found == files.end()) return std::nullopt;
    std::string content = std::move(found->content);
    files.erase(found);
    return content;
}

/// The words of the only command; nothing when there are several.
std::vector<std::string> command_of(std::string_view script) {
    std::vector<std::string> command;
    for (std::string_view rest = script; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        std::vector<std::string> words = words_of(line);
        if (!words.empty() && words.front() == "exec") words.erase(words.begin());
        const bool does_nothing =
            words.empty() || words.front().starts_with('#') || words.front() == "set";
        if (does_nothing) continue;
        if (!command.empty()) return {};
        command = std::move(words);
    }
    return command;
}

/// "/usr/local/python-3.8.1/bin/python3" is "python3", "gcc-12" is "gcc".
std::string program_of(const std::string& word) {
    std::string name = word.substr(word.rfind('/') + 1);
    const auto dash = name.rfind('-');
    if (dash != std::string::npos && dash + 1 < name.size() && name[dash + 1] >= '0' &&
        name[dash + 1] <= '9')
        name.resize(dash);
    const auto dot = name.find('.');
    if (name.starts_with("python") && dot != std::string::npos) name.resize(dot); // "python3.11"
    return name == "javac" ? "java" : name;
}

const runtimes::Runtime* runtime_of(const std::string& program, const Catalog& catalog) {
    const runtimes::Runtime* found = runtimes::find(catalog.settings->runtimes, program);
    const auto entry = std::ranges::find(catalog.entries, found, &Catalog::Entry::runtime);
    return entry == catalog.entries.end() || !entry->version ? nullptr : found;
}

std::string plain(std::string path) {
    while (path.starts_with("./")) path.erase(0, 2);
    return path;
}

bool is_source(const runtimes::Runtime& runtime, std::string_view path) {
    return std::ranges::find(runtime.extensions, extension_of(path)) != runtime.extensions.end();
}

/// The file that the language is to begin with, and where its arguments begin.
std::optional<Project> interpreted(const runtimes::Runtime& runtime,
                                   const std::vector<std::string>& command,
                                   const std::vector<SourceFile>& files) {
    for (std::size_t i = 1; i < command.size(); ++i) {
        const std::string path = plain(command[i]);
        if (std::ranges::find(files, path, &SourceFile::path) == files.end()) {
            if (command[i].starts_with('-')) continue; // an option of the interpreter's
            return std::nullopt;
        }
        Project project;
        project.runtime = runtime.id;
        project.entry = path;
        project.arguments.assign(command.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 command.end());
        return project;
    }
    return std::nullopt;
}

/// A compiler's first source; the program that it makes has the arguments of `run`.
std::optional<Project> compiled(const runtimes::Runtime& runtime,
                                const std::vector<std::string>& command,
                                const std::vector<std::string>& run,
                                const std::vector<SourceFile>& files) {
    Project project;
    project.runtime = runtime.id;
    for (const std::string& word : command) {
        const std::string path = plain(word);
        const bool names_one = is_source(runtime, path) &&
                               std::ranges::find(files, path, &SourceFile::path) != files.end();
        if (project.entry.empty() && names_one) project.entry = path;
    }
    const auto there = [&](const SourceFile& file) {
        return project.entry.empty() ? is_source(runtime, file.path) : file.path == project.entry;
    };
    const auto found = std::ranges::find_if(files, there);
    if (found == files.end()) return std::nullopt;
    project.entry = found->path;
    // "java -cp . Main a b": what follows the class; "./a.out a b": what follows the program.
    std::size_t first = 1;
    if (program_of(run.front()) == "java") {
        while (first < run.size() && run[first].starts_with('-'))
            first += run[first] == "-cp" || run[first] == "-classpath" ? 2U : 1U;
        ++first;
    }
    for (std::size_t i = first; i < run.size(); ++i) project.arguments.push_back(run[i]);
    return project;
}

} // namespace

std::variant<Project, std::string> read_scripts(std::vector<SourceFile>& files,
                                                const Catalog& catalog) {
    auto script = take(files, "run");
    if (!script) script = take(files, "run.sh");
    if (!script) return kNotUnderstood;
    auto building = take(files, "compile");
    if (!building) building = take(files, "compile.sh");
    const auto run = command_of(*script);
    if (run.empty()) return kNotUnderstood;
    std::optional<Project> project;
    if (const auto command = command_of(building.value_or("")); !command.empty()) {
        const auto* const runtime = runtime_of(program_of(command.front()), catalog);
        if (runtime != nullptr) project = compiled(*runtime, command, run, files);
    } else if (const auto* const runtime = runtime_of(program_of(run.front()), catalog)) {
        project = interpreted(*runtime, run, files);
    }
    if (!project) return kNotUnderstood;
    return *std::move(project);
}

} // namespace cloister::front::judge0
