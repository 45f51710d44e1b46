// Reads runtimes. What a step may say is checked here, once, so that nobody later has to wonder
// whether a command begins with an absolute path or a placeholder is spelled right.
#include "runtimes/runtime.h"

#include "policies/strict_json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

namespace cloister::runtimes {
namespace {

using strict_json::fail;
using strict_json::json;
using strict_json::Object;

using Texts = std::map<std::string, std::string, std::less<>>;

constexpr const char* kFile = "runtime.jsonc";
constexpr std::array kPlaceholders = {"{entry}", "{main}", "{sources}", "{args}", "{options}"};
constexpr std::string_view kMemory = "{memory_mib}";
constexpr std::string_view kArrow = " => ";
constexpr const char* kRuntimesMount = "@runtimes";

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
                        "': {entry}, {main}, {sources}, {args} and {options} are whole words, "
                        "{memory_mib} may stand inside one; there are no others");
    }
}

std::vector<std::string> read_command(const json& value, const std::string& place) {
    std::vector<std::string> command = strict_json::read_texts(value, place);
    const bool clients = command == std::vector<std::string>{"{args}"};
    if (command.empty() || (!clients && !command.front().starts_with('/')))
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

/// "./NAME" as the absolute path that `mount` means by it; anything else as it is.
std::string in_folder(const std::string& mount, const std::string& folder,
                      const std::string& place) {
    const std::size_t start = mount.starts_with('?') ? 1 : 0;
    if (!std::string_view(mount).substr(start).starts_with("./")) return mount;
    if (mount.find(kArrow) == std::string::npos) {
        fail(place, "'" + mount + "': a file of the runtime's folder needs a place in the box, '" +
                        mount + " => PLACE'");
    }
    if (folder.empty()) fail(place, "'" + mount + "': the runtime's folder is not known");
    if (folder.find(kArrow) != std::string::npos)
        fail(place,
             "the runtime's folder '" + folder + "' has '" + std::string(kArrow) + "' in its name");
    return mount.substr(0, start) + folder + mount.substr(start + 1);
}

/// "PATH", "?PATH" (may be absent) or "PATH => PLACE" (shown there in the box).
std::vector<std::string> read_mounts(const json& value, const std::string& place,
                                     const std::string& folder) {
    std::vector<std::string> mounts = strict_json::read_texts(value, place);
    for (std::string& mount : mounts) {
        if (mount == kRuntimesMount) continue;
        mount = in_folder(mount, folder, place);
        const std::size_t start = mount.starts_with('?') ? 1 : 0;
        const std::size_t arrow = mount.find(kArrow);
        check_mounted_path(mount.substr(start, arrow == std::string::npos ? arrow : arrow - start),
                           place);
        if (arrow != std::string::npos)
            check_mounted_path(mount.substr(arrow + kArrow.size()), place);
    }
    return mounts;
}

bool uses(const std::vector<std::string>& command, std::string_view word) {
    return std::find(command.begin(), command.end(), word) != command.end();
}

/// For commands that are there before any client's program is.
void refuse_holes(const std::vector<std::string>& command, const std::string& place) {
    for (const char* word : kPlaceholders) {
        if (uses(command, word))
            fail(place, std::string(word) + " has no meaning where no file is given");
    }
}

/// What the parts of one runtime's file share.
struct File {
    std::string folder{};              ///< absolute; empty: not known
    std::vector<std::string> mounts{}; ///< that belong to each of its steps
};

/// `shared` and what the object lists itself.
std::vector<std::string> take_mounts(Object& object, std::vector<std::string> shared,
                                     const std::string& folder) {
    if (const json* given = object.take("mounts")) {
        const auto own = read_mounts(*given, object.place_of("mounts"), folder);
        shared.insert(shared.end(), own.begin(), own.end());
    }
    return shared;
}

std::vector<std::string> take_environment(Object& object, const char* key) {
    const json* given = object.take(key);
    return given == nullptr ? std::vector<std::string>{}
                            : read_environment(*given, object.place_of(key));
}

std::string take_text(Object& object, const char* key) {
    const json* given = object.take(key);
    return given == nullptr ? "" : strict_json::read_text(*given, object.place_of(key));
}

WarmPlan read_warm(const json& value, const std::string& place,
                   const std::vector<std::string>& step_mounts, const std::string& folder) {
    Object object(value, place, true);
    WarmPlan warm;
    const std::string command_place = object.place_of("command");
    warm.command = read_command(object.need("command"), command_place);
    refuse_holes(warm.command, command_place);
    warm.environment = take_environment(object, "environment");
    warm.mounts = take_mounts(object, step_mounts, folder);
    if (const json* given = object.take("arguments")) {
        if (!given->is_boolean()) fail(object.place_of("arguments"), "expected true or false");
        warm.arguments = given->get<bool>();
    }
    object.done();
    return warm;
}

KitPlan read_kit(const json& value, const std::string& place, const File& file) {
    Object object(value, place, true);
    KitPlan kit;
    const json& commands = object.need("commands");
    const std::string commands_place = object.place_of("commands");
    if (!commands.is_array() || commands.empty())
        fail(commands_place, "expected a list of commands");
    for (const json& command : commands) {
        const std::string here = commands_place + "[" + std::to_string(kit.commands.size()) + "]";
        kit.commands.push_back(read_command(command, here));
        refuse_holes(kit.commands.back(), here);
    }
    kit.environment = take_environment(object, "environment");
    kit.mounts = take_mounts(object, file.mounts, file.folder);
    kit.policy = take_text(object, "policy");
    object.done();
    return kit;
}

StepPlan read_step(const json& value, const std::string& place, const File& file) {
    Object object(value, place, true);
    StepPlan step;
    step.command = read_command(object.need("command"), object.place_of("command"));
    if (const json* given = object.take("with_kit"))
        step.command_with_kit = read_command(*given, object.place_of("with_kit"));
    step.environment = take_environment(object, "environment");
    step.live_environment = take_environment(object, "live_environment");
    step.mounts = take_mounts(object, file.mounts, file.folder);
    step.policy = take_text(object, "policy");
    if (const json* given = object.take("warm"))
        step.warm = read_warm(*given, object.place_of("warm"), step.mounts, file.folder);
    object.done();
    return step;
}

bool uses(const StepPlan& step, std::string_view word) {
    return uses(step.command, word) || uses(step.command_with_kit, word);
}

bool is_clients(const StepPlan& step) { return step.command.front() == "{args}"; }

/// What belongs to hidden runtimes alone.
void check_hidden(const Runtime& runtime, const Object& object) {
    std::vector<std::pair<std::string, const StepPlan*>> steps = {{"version", &runtime.version},
                                                                  {"run", &runtime.run}};
    if (runtime.compile) steps.emplace_back("compile", &*runtime.compile);
    if (runtime.check) steps.emplace_back("check", &*runtime.check);
    for (const auto& [key, step] : steps) {
        if (is_clients(*step))
            fail(object.place_of(key) + ".command",
                 "only a hidden runtime's program is the client's");
        if (uses(step->mounts, kRuntimesMount))
            fail(object.place_of(key) + ".mounts", "only a hidden runtime shows \"@runtimes\"");
    }
}

/// What one step says against the others.
void check_steps(const Runtime& runtime, const Object& object, const std::string& file) {
    const std::string version = object.place_of("version");
    refuse_holes(runtime.version.command, version);
    if (runtime.version.warm || !runtime.version.command_with_kit.empty())
        fail(version, "\"warm\" and \"with_kit\" are for programs");
    std::vector<std::pair<std::string, const StepPlan*>> steps = {{"run", &runtime.run}};
    if (runtime.compile) steps.emplace_back("compile", &*runtime.compile);
    if (runtime.check) {
        steps.emplace_back("check", &*runtime.check);
        if (runtime.check->warm) fail(object.place_of("check"), "\"warm\" is for programs");
    }
    for (const auto& [key, step] : steps) {
        if (runtime.main_from.empty() && uses(*step, "{main}"))
            fail(file, "a command uses {main}, but main_from does not say how it is found");
        if (key != "compile" && uses(*step, "{options}"))
            fail(object.place_of(key) + ".command", "{options} are a compiler's");
        if (!step->command_with_kit.empty() &&
            uses(step->command, "{options}") != uses(step->command_with_kit, "{options}"))
            fail(object.place_of(key) + ".with_kit",
                 "takes {options} if and only if 'command' does");
        if (!runtime.kit && !step->command_with_kit.empty())
            fail(object.place_of(key) + ".with_kit", "there is no kit");
    }
    if (!runtime.compile && runtime.run.command.front().starts_with("/app/")) {
        fail(object.place_of("run") + ".command",
             "runs a compiled program, but there is no compile step");
    }
}

/// The rest of a hidden runtime's file.
Runtime read_hidden(Runtime runtime, Object& object, const std::string& folder) {
    if (const json* given = object.take("docker_image"))
        runtime.docker_image = strict_json::read_text(*given, object.place_of("docker_image"));
    runtime.run = read_step(object.need("run"), object.place_of("run"), File{.folder = folder});
    if (runtime.run.warm || !runtime.run.command_with_kit.empty())
        fail(object.place_of("run"), "\"warm\" and \"with_kit\" are for languages");
    runtime.version = runtime.run; // nobody asks for it
    object.done();
    return runtime;
}

/// In place of "@runtimes" what other runtimes' programs and compilers are shown, as far as it is
/// there.
void show_all(Runtime& hidden, const Runtimes& runtimes) {
    std::set<std::string> shown;
    for (const auto& [id, runtime] : runtimes) {
        if (runtime.hidden) continue;
        shown.insert(runtime.run.mounts.begin(), runtime.run.mounts.end());
        if (runtime.compile)
            shown.insert(runtime.compile->mounts.begin(), runtime.compile->mounts.end());
    }
    for (StepPlan* step : {&hidden.run, &hidden.version}) {
        if (std::erase(step->mounts, kRuntimesMount) == 0) continue;
        for (const std::string& mount : shown)
            step->mounts.push_back(mount.starts_with('?') ? mount : "?" + mount);
    }
}

} // namespace

bool Runtime::takes_options() const { return compile && uses(compile->command, "{options}"); }

namespace {

Runtime read_runtime(const std::string& id, const std::string& folder, const std::string& text) {
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
    if (const json* given = object.take("hidden")) {
        if (!given->is_boolean()) fail(object.place_of("hidden"), "expected true or false");
        runtime.hidden = given->get<bool>();
    }
    if (runtime.hidden) return read_hidden(std::move(runtime), object, folder);
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

    File shared{.folder = folder};
    shared.mounts = take_mounts(object, {}, folder);
    runtime.version = read_step(object.need("version"), object.place_of("version"), shared);
    if (const json* given = object.take("compile"))
        runtime.compile = read_step(*given, object.place_of("compile"), shared);
    runtime.run = read_step(object.need("run"), object.place_of("run"), shared);
    if (const json* given = object.take("check"))
        runtime.check = read_step(*given, object.place_of("check"), shared);
    if (const json* given = object.take("kit"))
        runtime.kit = read_kit(*given, object.place_of("kit"), shared);
    object.done();
    check_hidden(runtime, object);
    check_steps(runtime, object, file);
    return runtime;
}

} // namespace

Runtimes parse(const Texts& texts) {
    Runtimes runtimes;
    std::map<std::string, std::string> owners; // of each id and alias
    for (const auto& [key, text] : texts) {
        const std::size_t slash = key.rfind('/');
        const bool is_path = slash != std::string::npos;
        const std::string id = is_path ? key.substr(slash + 1) : key;
        Runtime runtime = read_runtime(id, is_path ? key : "", text);
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
    for (auto& [id, runtime] : runtimes) {
        if (runtime.hidden) show_all(runtime, runtimes);
    }
    return runtimes;
}

Texts read_texts(const std::string& directory) {
    Texts texts;
    // Absolute and without links: the steps may name files beside runtime.jsonc.
    const auto top = std::filesystem::canonical(directory);
    for (const auto& entry : std::filesystem::directory_iterator(top)) {
        const std::filesystem::path path = entry.path() / kFile;
        if (!entry.is_directory() || !std::filesystem::exists(path)) continue;
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file || !text)
            throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                                    path.string());
        texts[entry.path().string()] = text.str();
    }
    return texts;
}

const Runtime* find(const Runtimes& runtimes, std::string_view name) {
    const std::string wanted = lower(name);
    const auto found = runtimes.find(wanted);
    if (found != runtimes.end()) return found->second.hidden ? nullptr : &found->second;
    for (const auto& [id, runtime] : runtimes) {
        if (std::find(runtime.aliases.begin(), runtime.aliases.end(), wanted) !=
            runtime.aliases.end())
            return &runtime;
    }
    return nullptr;
}

} // namespace cloister::runtimes
