// The checks, in the order in which Piston makes them; its messages are what clients match.
#include "daemon/front/piston/requests.h"

#include "daemon/front/piston/versions.h"
#include "daemon/front/sources.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>

#include <nlohmann/json.hpp>

namespace cloister::front::piston {
namespace {

using nlohmann::json;

/// What Piston runs with unless it is told otherwise; never more than the policy allows.
constexpr std::chrono::milliseconds kRunTime{3'000};
constexpr std::chrono::milliseconds kCompileTime{10'000};

/// Where Piston calls a language otherwise than we do, and what it has said of it beside its name.
struct Name {
    std::string_view id;
    std::string_view name;
    std::string_view runtime; ///< of packages that bring several languages
    std::array<std::string_view, 4> aliases{};
};
constexpr std::array kNames = {
    Name{"c", "c", "gcc", {"gcc"}},
    Name{"cpp", "c++", "gcc", {"cpp", "g++"}},
    Name{"javascript", "javascript", "node", {"node-javascript", "node-js", "javascript", "js"}},
    Name{"python", "python", "", {"py", "py3", "python3"}},
    Name{"go", "go", "", {"golang"}},
};

[[noreturn]] void wrong(std::string message) { throw Fault{std::move(message), false}; }

const Name* known_name(std::string_view id) {
    const auto* const found = std::ranges::find(kNames, id, &Name::id);
    return found == kNames.end() ? nullptr : found;
}

std::string name_of(const runtimes::Runtime& runtime) {
    const Name* known = known_name(runtime.id);
    return known == nullptr ? runtime.id : std::string(known->name);
}

std::vector<std::string> aliases_of(const runtimes::Runtime& runtime) {
    std::vector<std::string> aliases = runtime.aliases;
    aliases.push_back(runtime.id);
    if (const Name* known = known_name(runtime.id))
        for (const std::string_view alias : known->aliases)
            if (!alias.empty()) aliases.emplace_back(alias);
    std::ranges::sort(aliases);
    aliases.erase(std::unique(aliases.begin(), aliases.end()), aliases.end());
    std::erase(aliases, name_of(runtime));
    return aliases;
}

bool is_called(const runtimes::Runtime& runtime, const std::string& name) {
    const auto aliases = aliases_of(runtime);
    return name_of(runtime) == name || std::ranges::find(aliases, name) != aliases.end();
}

/// The newest that is called so and in the range; nothing where there is none.
const Catalog::Entry* find_runtime(const Catalog& catalog, const std::string& name,
                                   const std::string& range) {
    const Catalog::Entry* best = nullptr;
    for (const Catalog::Entry& entry : catalog.entries) {
        if (!entry.version || !is_called(*entry.runtime, name)) continue;
        if (!is_in_range(*entry.version, range)) continue;
        if (best == nullptr || is_later(*entry.version, *best->version)) best = &entry;
    }
    return best;
}

const json* find(const json& body, const char* key) {
    if (!body.is_object()) return nullptr;
    const auto found = body.find(key);
    return found == body.end() ? nullptr : &*found;
}

/// What JavaScript takes for false, and Piston therefore for absent.
bool is_falsy(const json* value) {
    if (value == nullptr || value->is_null()) return true;
    if (value->is_boolean()) return !value->get<bool>();
    if (value->is_number()) return value->get<double>() == 0;
    return value->is_string() && value->get_ref<const std::string&>().empty();
}

std::string need_string(const json& body, const char* key) {
    const json* value = find(body, key);
    if (is_falsy(value) || !value->is_string())
        wrong(std::string(key) + " is required as a string");
    return value->get<std::string>();
}

// -- files

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// As node reads it: up to the first pair that is none.
std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) break;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

/// `name` without what leads nowhere, as a path below the program's folder.
std::string plain_path(const std::string& name) {
    std::vector<std::string_view> parts;
    for (std::string_view rest = name; !rest.empty();) {
        const auto slash = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, slash);
        rest.remove_prefix(std::min(slash + 1, rest.size()));
        if (part.empty() || part == ".") continue;
        if (part != "..") parts.push_back(part);
        else if (parts.empty()) wrong("The file '" + name + "' lies outside the program's folder.");
        else parts.pop_back();
    }
    std::string path;
    for (const std::string_view part : parts) (path += path.empty() ? "" : "/") += part;
    return path;
}

struct Files {
    std::vector<SourceFile> files{};
    std::string main{}; ///< of the first that is text; empty: none is
    bool main_named = false;
};

void check_contents(const json& files) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        const json* content = find(files[i], "content");
        if (content == nullptr || !content->is_string())
            wrong("files[" + std::to_string(i) + "].content is required as a string");
    }
}

Files read_files(const json& list) {
    Files read;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json& one = list[i];
        const json* name = find(one, "name");
        if (!is_falsy(name) && !name->is_string())
            wrong("files[" + std::to_string(i) + "].name must be a string");
        const json* encoding = find(one, "encoding");
        const std::string coding =
            encoding != nullptr && encoding->is_string() ? encoding->get<std::string>() : "utf8";
        const auto& content = find(one, "content")->get_ref<const std::string&>();
        SourceFile file;
        file.path = is_falsy(name) ? "file" + std::to_string(i) + ".code"
                                   : plain_path(name->get_ref<const std::string&>());
        if (coding == "base64") file.content = from_loose_base64(content);
        else if (coding == "hex") file.content = from_hex(content);
        else file.content = content;
        const bool is_text = coding != "base64" && coding != "hex";
        if (is_text && read.main.empty()) {
            read.main = file.path;
            read.main_named = !is_falsy(name);
        }
        // A name that comes again is written over, as by a file system.
        std::erase_if(read.files, [&](const auto& other) { return other.path == file.path; });
        read.files.push_back(std::move(file));
    }
    return read;
}

/// A compiler wants to see from its name what a file is; Piston's packages rename theirs, too.
void name_for_compiler(Files& files, const runtimes::Runtime& runtime) {
    if (!runtime.compile || runtime.extensions.empty()) return;
    const auto is_source = [&](std::string_view path) {
        return std::ranges::find(runtime.extensions, extension_of(path)) !=
               runtime.extensions.end();
    };
    if (is_source(files.main)) return;
    for (SourceFile& file : files.files) {
        if (file.path != files.main) continue;
        file.path += runtime.extensions.front();
        files.main = file.path;
        return;
    }
}

// -- limits

/// A number as JavaScript prints it when it is whole.
template <typename Limit>
std::string as_number(Limit limit) {
    return std::to_string(limit);
}

/// The value of a constraint. Absent: nothing was asked for, or no limit.
std::optional<double> constraint(const json& body, const std::string& name, double ceiling,
                                 bool none_allowed) {
    const json* value = find(body, name.c_str());
    if (is_falsy(value)) return std::nullopt;
    if (!value->is_number()) wrong("If specified, " + name + " must be a number");
    if (ceiling <= 0) return std::nullopt; // there is no such stage
    const auto number = value->get<double>();
    if (number > ceiling) {
        wrong(name + " cannot exceed the configured limit of " +
              as_number(static_cast<std::uint64_t>(ceiling)));
    }
    if (none_allowed && number == -1) return std::nullopt;
    if (number < 0) wrong(name + " must be non-negative");
    return number;
}

std::optional<std::chrono::milliseconds> time_of(std::optional<double> asked,
                                                 std::chrono::milliseconds usual,
                                                 std::chrono::milliseconds ceiling) {
    if (!asked) return std::min(usual, ceiling);
    return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(std::floor(*asked))));
}

std::optional<isolate::Limits> ceilings_of(const Catalog& catalog,
                                           const std::optional<runtimes::StepPlan>& step) {
    if (!step) return std::nullopt;
    const config::Settings& settings = *catalog.settings;
    const std::string& name = step->policy.empty() ? settings.config.run_policy : step->policy;
    const auto found = settings.policies.find(name);
    if (found == settings.policies.end()) return std::nullopt;
    return found->second.limits;
}

struct Asked {
    std::optional<double> memory{};
    std::optional<double> timeout{};
    std::optional<double> cpu_time{};
};

void read_limits(const json& body, const Catalog& catalog, const runtimes::Runtime& runtime,
                 ExecuteCode& run) {
    const auto compiling = ceilings_of(catalog, runtime.compile);
    const auto running = ceilings_of(catalog, runtime.run);
    struct Step {
        const char* name;
        const std::optional<isolate::Limits>& ceilings;
        std::chrono::milliseconds usual;
        LimitsAsked& into;
        Asked asked{};
    };
    std::array steps = {Step{"compile", compiling, kCompileTime, run.compile_limits},
                        Step{"run", running, kRunTime, run.limits}};
    struct Constraint {
        const char* name;
        double (*ceiling)(const isolate::Limits& limits);
        std::optional<double> Asked::*place;
        bool none_allowed;
    };
    const std::array constraints = {
        Constraint{
            "memory_limit",
            [](const isolate::Limits& limits) { return static_cast<double>(limits.memory_bytes); },
            &Asked::memory, true},
        Constraint{"timeout",
                   [](const isolate::Limits& limits) {
                       return static_cast<double>(limits.wall_time.count());
                   },
                   &Asked::timeout, false},
        Constraint{"cpu_time",
                   [](const isolate::Limits& limits) {
                       return static_cast<double>(limits.cpu_time.count());
                   },
                   &Asked::cpu_time, false},
    };
    for (const Constraint& one : constraints) {
        for (Step& step : steps) {
            const double ceiling = step.ceilings ? one.ceiling(*step.ceilings) : 0;
            step.asked.*one.place = constraint(body, std::string(step.name) + "_" + one.name,
                                               ceiling, one.none_allowed);
        }
    }
    for (Step& step : steps) {
        if (!step.ceilings) continue;
        step.into.wall_time = time_of(step.asked.timeout, step.usual, step.ceilings->wall_time);
        step.into.cpu_time = time_of(step.asked.cpu_time, step.usual, step.ceilings->cpu_time);
        if (step.asked.memory)
            step.into.memory =
                std::max<std::uint64_t>(1, static_cast<std::uint64_t>(*step.asked.memory));
    }
}

// -- the rest

std::vector<std::string> read_arguments(const json& body, const config::Config& bounds) {
    std::vector<std::string> arguments;
    const json* list = find(body, "args");
    if (is_falsy(list)) return arguments;
    const bool texts = list->is_array() &&
                       std::ranges::all_of(*list, [](const json& one) { return one.is_string(); });
    if (!texts) wrong("args must be an array of strings");
    if (list->size() > bounds.arguments_per_run)
        wrong("args may hold at most " + std::to_string(bounds.arguments_per_run) + " strings");
    for (const json& one : *list) {
        auto argument = one.get<std::string>();
        if (argument.find('\0') != std::string::npos) wrong("args must not hold NUL characters");
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

/// A last line without its end is completed, and an empty input is an empty line.
std::string read_input(const json& body) {
    const json* given = find(body, "stdin");
    std::string input;
    if (!is_falsy(given)) {
        if (!given->is_string()) wrong("stdin must be a string");
        input = given->get<std::string>();
    }
    if (input.empty() || input.back() != '\n') input += '\n';
    return input;
}

Order checked_order(const json& body, const Catalog& catalog, bool interactive) {
    const config::Config& bounds = catalog.settings->config;
    const std::string language = need_string(body, "language");
    const std::string version = need_string(body, "version");
    const json* files = find(body, "files");
    if (files == nullptr || !files->is_array()) wrong("files is required as an array");
    check_contents(*files);
    const Catalog::Entry* entry = find_runtime(catalog, language, version);
    if (entry == nullptr) {
        wrong(language.substr(0, 64) + "-" + version.substr(0, 64) + " runtime is unknown");
    }
    if (files->size() > bounds.files_per_run)
        wrong("files may hold at most " + std::to_string(bounds.files_per_run) + " files");
    Files read = read_files(*files);
    if (read.main.empty()) wrong("files must include at least one utf8 encoded file");
    Order order;
    read_limits(body, catalog, *entry->runtime, order.run);
    name_for_compiler(read, *entry->runtime);
    order.language = name_of(*entry->runtime);
    order.version = *entry->version;
    order.run.language = entry->runtime->id;
    order.run.entry = read.main;
    order.run.files = std::move(read.files);
    order.run.arguments = read_arguments(body, bounds);
    order.run.ordered = true;
    if (interactive) {
        order.run.interactive = true;
        order.run.stream = true;
    } else {
        order.run.input = read_input(body);
    }
    return order;
}

} // namespace

std::variant<json, Fault> read_body(std::string_view body, const config::Config& bounds) {
    if (body.empty()) return json::object();
    const auto unreadable = [](const std::string& why) {
        return Fault{"SyntaxError: " + why, true};
    };
    if (!is_utf8(body)) return unreadable("The body is not valid UTF-8.");
    if (nesting(body) > bounds.json_depth) return unreadable("The body is nested too deeply.");
    json read = json::parse(body, nullptr, false);
    if (read.is_discarded() || !read.is_structured())
        return unreadable("The body is not a JSON object.");
    return read;
}

std::variant<Order, Fault> read_order(const json& body, const Catalog& catalog, bool interactive) {
    try {
        return checked_order(body, catalog, interactive);
    } catch (const Fault& fault) {
        return fault;
    }
}

std::variant<Order, Fault> read_order(std::string_view text, const Catalog& catalog,
                                      bool interactive) {
    auto body = read_body(text, catalog.settings->config);
    if (auto* fault = std::get_if<Fault>(&body)) return std::move(*fault);
    return read_order(std::get<json>(body), catalog, interactive);
}

std::string runtimes_text(const Catalog& catalog) {
    std::string list;
    for (const Catalog::Entry& entry : catalog.entries) {
        if (!entry.version) continue;
        std::string aliases;
        for (const std::string& alias : aliases_of(*entry.runtime)) {
            if (!aliases.empty()) aliases += ',';
            append_quoted(aliases, alias);
        }
        JsonObject one;
        one.text("language", name_of(*entry.runtime)).text("version", *entry.version);
        one.raw("aliases", "[" + aliases + "]");
        const Name* known = known_name(entry.runtime->id);
        if (known != nullptr && !known->runtime.empty()) one.text("runtime", known->runtime);
        list += (list.empty() ? "" : ",") + one.close();
    }
    return "[" + list + "]";
}

std::string packages_text(const Catalog& catalog) {
    std::string list;
    for (const Catalog::Entry& entry : catalog.entries) {
        if (!entry.version) continue;
        JsonObject one;
        one.text("language", name_of(*entry.runtime)).text("language_version", *entry.version);
        list += (list.empty() ? "" : ",") + one.flag("installed", true).close();
    }
    return "[" + list + "]";
}

std::variant<PackageAnswer, Fault> answer_package(std::string_view text, bool install,
                                                  const Catalog& catalog) {
    const auto body = read_body(text, catalog.settings->config);
    if (const auto* fault = std::get_if<Fault>(&body)) return *fault;
    try {
        const std::string language = need_string(std::get<json>(body), "language");
        const std::string version = need_string(std::get<json>(body), "version");
        const auto known = std::ranges::find_if(catalog.entries, [&](const auto& entry) {
            return is_called(*entry.runtime, language);
        });
        if (known == catalog.entries.end()) {
            return PackageAnswer{404, "Requested package " + language.substr(0, 64) + "-" +
                                          version.substr(0, 64) + " does not exist"};
        }
        const bool installed = find_runtime(catalog, language, version) != nullptr;
        if (install && installed) return PackageAnswer{500, "Already installed"};
        std::string packages;
        for (const std::string& one : known->runtime->packages) packages += " " + one;
        return PackageAnswer{
            500, "Languages of this server are Debian's packages, which its operator installs and "
                 "removes; " +
                     name_of(*known->runtime) + " is in:" + packages};
    } catch (const Fault& fault) {
        return fault;
    }
}

int signal_by_name(std::string_view name) {
    constexpr int kLast = 31; // before the real-time ones
    for (int number = 1; number <= kLast; ++number)
        if (name == signal_name(number)) return number;
    const auto offset = [&](std::string_view from) -> int {
        if (!name.starts_with(from) || name.size() > from.size() + 2) return -1;
        int value = 0;
        for (const char c : name.substr(from.size())) {
            if (c < '0' || c > '9') return -1;
            value = value * 10 + (c - '0');
        }
        return value > 0 ? value : -1;
    };
    if (name == "SIGRTMIN") return SIGRTMIN;
    if (name == "SIGRTMAX") return SIGRTMAX;
    const int middle = (SIGRTMAX - SIGRTMIN) / 2;
    if (const int up = offset("SIGRTMIN+"); up > 0 && up <= middle) return SIGRTMIN + up;
    if (const int down = offset("SIGRTMAX-"); down > 0 && down < middle) return SIGRTMAX - down;
    return 0;
}

} // namespace cloister::front::piston
