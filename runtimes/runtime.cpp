// Reads runtimes. What a step may say is checked here, once, so that nobody later has to wonder
// whether a command begins with an absolute path or a placeholder is spelled right.
#include "runtimes/runtime.h"

#include "policies/strict_json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace cloister::runtimes {
namespace {

using strict_json::fail;
using strict_json::json;
using strict_json::Object;

using Texts = std::map<std::string, std::string, std::less<>>;

constexpr const char* kFile = "runtime.jsonc";
constexpr std::array kPlaceholders = {"{entry}", "{main}", "{sources}", "{args}"};
constexpr std::string_view kMemory = "{memory_mib}";

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

bool is_name(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '+' || c == '#' || c == '.';
    });
}

/// A file's own name: one part of a path.
bool is_file_name(const std::string& text) {
    return !text.empty() && text != "." && text != ".." && text.find('/') == std::string::npos;
}

void check_word(const std::string& word, const std::string& place) {
    if (std::find(kPlaceholders.begin(), kPlaceholders.end(), word) != kPlaceholders.end()) return;
    std::string rest = word;
    for (std::size_t at = rest.find(kMemory); at != std::string::npos; at = rest.find(kMemory))
        rest.erase(at, kMemory.size());
    if (rest.find_first_of("{}") != std::string::npos) {
        fail(place, "'" + word +
                        "': {entry}, {main}, {sources} and {args} are whole words, {memory_mib} "
                        "may stand inside one; there are no others");
    }
}

std::vector<std::string> read_command(const json& value, const std::string& place) {
    std::vector<std::string> command = strict_json::read_texts(value, place);
    if (command.empty() || !command.front().starts_with('/'))
        fail(place, "the first word is the program's absolute path");
    for (const std::string& word : command) {
        if (word.empty()) fail(place, "an empty word");
        check_word(word, place);
    }
    return command;
}

std::vector<std::string> read_environment(const json& value, const std::string& place) {
    std::vector<std::string> entries = strict_json::read_texts(value, place);
    for (const std::string& entry : entries) {
        if (entry.find('=') == std::string::npos || entry.starts_with('='))
            fail(place, "'" + entry + "' is not NAME=value");
    }
    return entries;
}

void check_mounted_path(const std::string& path, const std::string& place) {
    if (path.size() < 2 || path[0] != '/')
        fail(place, "'" + path + "' is not the absolute path of something below the root");
    if ((path + "/").find("/../") != std::string::npos)
        fail(place, "'" + path + "': '..' has no place here");
}

/// "PATH", "?PATH" (may be absent) or "PATH => PLACE" (shown there in the box).
std::vector<std::string> read_mounts(const json& value, const std::string& place) {
    constexpr std::string_view kArrow = " => ";
    std::vector<std::string> mounts = strict_json::read_texts(value, place);
    for (const std::string& mount : mounts) {
        const std::size_t start = mount.starts_with('?') ? 1 : 0;
        const std::size_t arrow = mount.find(kArrow);
        check_mounted_path(mount.substr(start, arrow == std::string::npos ? arrow : arrow - start),
                           place);
        if (arrow != std::string::npos)
            check_mounted_path(mount.substr(arrow + kArrow.size()), place);
    }
    return mounts;
}

StepPlan read_step(const json& value, const std::string& place,
                   const std::vector<std::string>& shared_mounts) {
    Object object(value, place, true);
    StepPlan step;
    step.command = read_command(object.need("command"), object.place_of("command"));
    step.mounts = shared_mounts;
    if (const json* given = object.take("environment"))
        step.environment = read_environment(*given, object.place_of("environment"));
    if (const json* given = object.take("live_environment")) {
        step.live_environment = read_environment(*given, object.place_of("live_environment"));
    }
    if (const json* given = object.take("mounts")) {
        const auto own = read_mounts(*given, object.place_of("mounts"));
        step.mounts.insert(step.mounts.end(), own.begin(), own.end());
    }
    if (const json* given = object.take("policy"))
        step.policy = strict_json::read_text(*given, object.place_of("policy"));
    object.done();
    return step;
}

bool uses(const StepPlan& step, const std::string& word) {
    return std::find(step.command.begin(), step.command.end(), word) != step.command.end();
}

Runtime read_runtime(const std::string& id, const std::string& text) {
    const std::string file = id + "/" + kFile;
    if (!is_name(id) || id != lower(id))
        fail(file, "a runtime's folder is named in small letters, digits, '_', '-', '+'");
    const json parsed = strict_json::parse(text, file);
    Object object(parsed, file);
    const auto text_of = [&](const char* key) {
        return strict_json::read_text(object.need(key), object.place_of(key));
    };
    const auto list_of = [&](const char* key) {
        const json* given = object.take(key);
        return given == nullptr ? std::vector<std::string>{}
                                : strict_json::read_texts(*given, object.place_of(key));
    };

    Runtime runtime;
    runtime.id = id;
    runtime.name = text_of("name");
    runtime.aliases = list_of("aliases");
    for (const std::string& alias : runtime.aliases) {
        if (!is_name(alias))
            fail(object.place_of("aliases"), "'" + alias + "' is not a name in small letters");
    }
    runtime.default_file = text_of("default_file");
    if (!is_file_name(runtime.default_file))
        fail(object.place_of("default_file"), "expected the name of a file");
    runtime.extensions = list_of("extensions");
    if (runtime.extensions.empty())
        fail(object.place_of("extensions"), "expected at least one, such as \".py\"");
    for (const std::string& extension : runtime.extensions) {
        if (extension.size() < 2 || !extension.starts_with('.') || !is_file_name(extension)) {
            fail(object.place_of("extensions"),
                 "'" + extension + "' is not an extension with its dot");
        }
    }
    const bool has_source = std::any_of(
        runtime.extensions.begin(), runtime.extensions.end(),
        [&](const std::string& extension) { return runtime.default_file.ends_with(extension); });
    if (!has_source) fail(object.place_of("default_file"), "has none of the runtime's extensions");
    if (const json* given = object.take("main_from")) {
        runtime.main_from = strict_json::read_text(*given, object.place_of("main_from"));
        if (runtime.main_from != "file_stem" && runtime.main_from != "java_class") {
            fail(object.place_of("main_from"),
                 "expected \"file_stem\" or \"java_class\", found \"" + runtime.main_from + "\"");
        }
    }
    runtime.packages = list_of("packages");
    if (const json* given = object.take("docker_image"))
        runtime.docker_image = strict_json::read_text(*given, object.place_of("docker_image"));

    std::vector<std::string> mounts;
    if (const json* given = object.take("mounts"))
        mounts = read_mounts(*given, object.place_of("mounts"));
    runtime.version = read_step(object.need("version"), object.place_of("version"), mounts);
    if (const json* given = object.take("compile"))
        runtime.compile = read_step(*given, object.place_of("compile"), mounts);
    runtime.run = read_step(object.need("run"), object.place_of("run"), mounts);
    object.done();

    for (const char* word : kPlaceholders) {
        if (uses(runtime.version, word))
            fail(object.place_of("version"),
                 std::string(word) + " has no meaning where no file is given");
    }
    if (runtime.main_from.empty() &&
        (uses(runtime.run, "{main}") || (runtime.compile && uses(*runtime.compile, "{main}")))) {
        fail(file, "a command uses {main}, but main_from does not say how it is found");
    }
    if (!runtime.compile && runtime.run.command.front().starts_with("/app/")) {
        fail(object.place_of("run") + ".command",
             "runs a compiled program, but there is no compile step");
    }
    return runtime;
}

} // namespace

Runtimes parse(const Texts& texts) {
    Runtimes runtimes;
    std::map<std::string, std::string> owners; // of each id and alias
    for (const auto& [id, text] : texts) {
        Runtime runtime = read_runtime(id, text);
        std::vector<std::string> names = runtime.aliases;
        names.push_back(id);
        for (const std::string& name : names) {
            const auto [owner, fresh] = owners.emplace(name, id);
            if (!fresh)
                fail(id + "/" + kFile,
                     "the name '" + name + "' belongs to " + owner->second + " already");
        }
        runtimes.emplace(id, std::move(runtime));
    }
    return runtimes;
}

Texts read_texts(const std::string& directory) {
    Texts texts;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const std::filesystem::path path = entry.path() / kFile;
        if (!entry.is_directory() || !std::filesystem::exists(path)) continue;
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file || !text)
            throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                                    path.string());
        texts[entry.path().filename().string()] = text.str();
    }
    return texts;
}

const Runtime* find(const Runtimes& runtimes, std::string_view name) {
    const std::string wanted = lower(name);
    if (const auto found = runtimes.find(wanted); found != runtimes.end()) return &found->second;
    for (const auto& [id, runtime] : runtimes) {
        if (std::find(runtime.aliases.begin(), runtime.aliases.end(), wanted) !=
            runtime.aliases.end())
            return &runtime;
    }
    return nullptr;
}

} // namespace cloister::runtimes
