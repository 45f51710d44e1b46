// Reads what an operator decides. Every refusal is a sentence that names where the value stands:
// the file and key, the .env's line, the variable or the flag.
#include "daemon/config/settings.h"

#include "policies/strict_json.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace cloister::config {
namespace {

using isolate::Limits;
using strict_json::fail;
using strict_json::json;
using strict_json::Object;

using Texts = std::map<std::string, std::string, std::less<>>;
using Variables = std::map<std::string, std::string>;

constexpr const char* kConfigFile = "/etc/cloister/cloister.jsonc";
constexpr const char* kDataDir = "/usr/share/cloister";
constexpr const char* kCompilePolicies = "compile"; ///< and what begins so: compilers need room
constexpr double kMostSeconds = 24 * 60 * 60;
constexpr std::uint64_t kLeastMemory = 1 * isolate::kMiB;
constexpr std::uint64_t kMostMemory = 1024 * 1024 * isolate::kMiB;
constexpr std::uint32_t kMostCpuPercent = 100'000;
constexpr std::array kVariables = {"MAX_EXECUTION_TIME", "MAX_MEMORY_LIMIT", "MAX_CPU_QUOTA",
                                   "DOCKER_ENABLED"};

// -- Config as JSON: one list of members serves reading, checking and handing over
// ------------------

struct Reading {
    Object& object;
    void operator()(const char* key, std::string& into) {
        if (const json* given = object.take(key))
            into = strict_json::read_text(*given, object.place_of(key));
    }
    void operator()(const char* key, bool& into) {
        if (const json* given = object.take(key)) {
            if (!given->is_boolean())
                fail(object.place_of(key),
                     "expected true or false, found " + strict_json::quoted(*given));
            into = given->get<bool>();
        }
    }
    void operator()(const char* key, std::vector<std::string>& into) {
        if (const json* given = object.take(key))
            into = strict_json::read_texts(*given, object.place_of(key));
    }
    void operator()(const char* key, std::uint32_t& into, std::uint64_t least, std::uint64_t most) {
        if (const json* given = object.take(key)) {
            into = static_cast<std::uint32_t>(
                strict_json::read_count(*given, object.place_of(key), least, most));
        }
    }
    void operator()(const char* key, std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
        if (const json* given = object.take(key))
            into = strict_json::read_size(*given, object.place_of(key), least, most);
    }
    void operator()(const char* key, std::chrono::seconds& into) {
        if (const json* given = object.take(key))
            into = std::chrono::seconds(
                strict_json::read_count(*given, object.place_of(key), 1, 24 * 60 * 60));
    }
};

struct Writing {
    json& object;
    template <typename Value>
    void operator()(const char* key, const Value& value, std::uint64_t = 0, std::uint64_t = 0) {
        object[key] = value;
    }
    void operator()(const char* key, const std::chrono::seconds& value) {
        object[key] = value.count();
    }
};

template <typename Visitor, typename AnyConfig>
void visit(Visitor&& member, AnyConfig& config) {
    constexpr std::uint64_t kMany = 1'000'000;
    constexpr std::uint64_t kGiB = 1024 * isolate::kMiB;
    member("listen", config.listen);
    member("state_dir", config.state_dir);
    member("user", config.user);
    member("token_file", config.token_file);
    member("allowed_origins", config.allowed_origins);
    member("allowed_hosts", config.allowed_hosts);
    member("executor", config.executor);
    member("docker_host", config.docker_host);
    member("run_policy", config.run_policy);
    member("boxes", config.boxes, 0, 4096); // 0 has a meaning here: by the number of cores
    member("prepared_boxes", config.prepared_boxes, 0, 512);
    member("warm_boxes", config.warm_boxes, 0, 512);
    member("prepared_memory", config.prepared_memory, 0, 64 * kGiB);
    member("artifact_cache", config.artifact_cache, 0, 64 * kGiB);
    member("queue", config.queue, 1, kMany);
    member("runs_per_client", config.runs_per_client, 1, kMany);
    member("queue_per_client", config.queue_per_client, 1, kMany);
    member("connections", config.connections, 1, kMany);
    member("connections_per_address", config.connections_per_address, 1, kMany);
    member("message_bytes", config.message_bytes, isolate::kKiB, kGiB);
    member("code_bytes", config.code_bytes, 1, kGiB);
    member("json_depth", config.json_depth, 4, 128);
    member("files_per_run", config.files_per_run, 1, 256);         // isolate::kMaxBundleFiles
    member("arguments_per_run", config.arguments_per_run, 1, 256); // isolate::kMaxBundleArguments
    member("collect_files", config.collect_files, 1, 256);         // isolate::kMaxBundleCollect
    member("collect_bytes", config.collect_bytes, 1, 64 * isolate::kMiB); // kMaxCollectBytes
    member("messages_per_second", config.messages_per_second, 1, kMany);
    member("message_burst", config.message_burst, 1, kMany);
    member("send_queue_bytes", config.send_queue_bytes, isolate::kKiB, kGiB);
    member("send_queue_messages", config.send_queue_messages, 1, kMany);
    member("input_queue_bytes", config.input_queue_bytes, isolate::kKiB, kGiB);
    member("body_bytes", config.body_bytes, isolate::kKiB, kGiB);
    member("body_timeout", config.body_timeout);
    member("submissions", config.submissions, 1, kMany);
    member("submissions_bytes", config.submissions_bytes, isolate::kMiB, 1024 * kGiB);
    member("submission_keep_minutes", config.submission_keep_minutes, 1, 60 * 24 * 366);
    member("mcp", config.mcp);
    member("mcp_sessions", config.mcp_sessions, 1, 100'000);
    member("mcp_session_minutes", config.mcp_session_minutes, 1, 60 * 24 * 366);
    member("piston_api", config.piston_api);
    member("judge0_api", config.judge0_api);
    member("judge0_callbacks", config.judge0_callbacks);
    member("go_judge_api", config.go_judge_api);
    member("go_judge_files", config.go_judge_files, 1, kMany);
    member("go_judge_file_bytes", config.go_judge_file_bytes, isolate::kKiB, 64 * kGiB);
    member("go_judge_file_minutes", config.go_judge_file_minutes, 1, 60 * 24 * 366);
    member("judge_policy", config.judge_policy);
    member("judge_tests", config.judge_tests, 1, kMany);
    member("judge_parallel", config.judge_parallel, 1, 64);
    member("room_tokens", config.room_tokens);
    member("room_role", config.room_role);
    member("rooms", config.rooms, 1, kMany);
    member("rooms_memory", config.rooms_memory, isolate::kMiB, 64 * kGiB);
    member("room_keep_hours", config.room_keep_hours, 1, 24 * 366);
    member("store_bytes", config.store_bytes, 16 * isolate::kMiB, 1024 * kGiB);
    member("store_rooms", config.store_rooms, 1, 10 * kMany);
    member("store_damaged", config.store_damaged);
    member("history_updates", config.history_updates, 1, 100 * kMany);
    member("history_bytes", config.history_bytes, isolate::kMiB, 64 * kGiB);
    member("room_members", config.room_members, 1, 10'000);
    member("room_files", config.room_files, 1, 256); // isolate::kMaxBundleFiles
    member("room_bytes", config.room_bytes, isolate::kKiB, kGiB);
    member("document_bytes", config.document_bytes, isolate::kKiB, kGiB / 4);
    member("document_log_updates", config.document_log_updates, 1, kMany);
    member("document_log_bytes", config.document_log_bytes, isolate::kKiB, kGiB);
    member("push_updates", config.push_updates, 1, 4096);
    member("push_bytes", config.push_bytes, 1, kGiB);
    member("path_part_bytes", config.path_part_bytes, 1, 255); // what file systems take
    member("name_chars", config.name_chars, 1, 1'000);
    member("chat_chars", config.chat_chars, 1, kMany);
    member("chat_kept", config.chat_kept, 0, 1'000);
    member("chat_per_second", config.chat_per_second, 1, kMany);
    member("chat_burst", config.chat_burst, 1, kMany);
    member("presence_per_second", config.presence_per_second, 1, kMany);
    member("signals_per_second", config.signals_per_second, 1, kMany);
    member("signal_bytes", config.signal_bytes, 1, kGiB);
    member("room_runs", config.room_runs, 0, 1'000);
    member("room_run_bytes", config.room_run_bytes, 0, kGiB);
    member("log_runs", config.log_runs);
    member("handshake_timeout", config.handshake_timeout);
    member("idle_ping", config.idle_ping);
    member("drain_time", config.drain_time);
}

void read_config(const json& value, const std::string& place, bool inner, Config& config) {
    Object object(value, place, inner);
    visit(Reading{object}, config);
    object.done();
}

// -- Checks
// -----------------------------------------------------------------------------------------

/// True for an address that only this machine reaches. Throws what is wrong with `listen`
/// otherwise.
bool is_loopback(const std::string& listen) {
    const auto refuse = [&](const char* what) {
        fail("listen", "'" + listen + "' " + what +
                           "; expected ADDR:PORT such as 127.0.0.1:8000 or [::1]:8000");
    };
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) refuse("has no port");
    unsigned port = 0;
    const char* end = listen.data() + listen.size();
    const auto [stop, error] = std::from_chars(listen.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end || port > 65'535) refuse("has no port from 0 to 65535");
    const std::string address = listen.substr(0, colon);
    if (in_addr four{}; ::inet_pton(AF_INET, address.c_str(), &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    in6_addr six{};
    const bool is_six =
        address.size() > 2 && address.front() == '[' && address.back() == ']' &&
        ::inet_pton(AF_INET6, address.substr(1, address.size() - 2).c_str(), &six) == 1;
    if (!is_six) refuse("has no IP address (a name would not say which interface is meant)");
    const bool is_mapped_loopback = IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&six) || is_mapped_loopback;
}

void check_limits(const policies::Policy& policy) {
    // Nothing that a policy says may exceed itself: within() is false when a field is zero.
    if (!isolate::within(policy.limits, policy.limits))
        fail("policy " + policy.name, "a limit is zero");
}

void check(const Settings& settings) {
    const Config& config = settings.config;
    if (!is_loopback(config.listen) && config.token_file.empty()) {
        fail("listen", "'" + config.listen +
                           "' can be reached from outside this machine, so token_file must name a "
                           "file with the token that clients send");
    }
    for (const auto& [key, path] :
         {std::pair{"state_dir", &config.state_dir}, {"token_file", &config.token_file}}) {
        const bool may_be_empty = path == &config.token_file;
        if (!(path->starts_with('/') || (may_be_empty && path->empty())))
            fail(key, "'" + *path + "' is not an absolute path");
    }
    if (config.user.empty()) fail("user", "expected the name of an account");
    constexpr std::array kExecutors = {"auto", "native", "docker", "local"};
    if (std::ranges::find(kExecutors, config.executor) == kExecutors.end())
        fail("executor", "expected auto, native, docker or local, found '" + config.executor + "'");
    // Containers are spoken to over a socket of this machine, whatever the engine itself could do.
    if (!config.docker_host.empty() && !config.docker_host.starts_with("unix:///"))
        fail("docker_host", "expected unix:///PATH, found '" + config.docker_host + "'");
    for (const std::string& origin : config.allowed_origins) {
        const std::size_t host = origin.find("://");
        if (host == std::string::npos || host == 0 || host + 3 == origin.size() ||
            origin.find('/', host + 3) != std::string::npos) {
            fail("allowed_origins", "'" + origin +
                                        "' is not an origin such as https://example.org: no path, "
                                        "no '/' at the end, no '*'");
        }
    }
    for (const std::string& host : config.allowed_hosts) {
        if (host.empty() || host.find_first_of("/* ") != std::string::npos)
            fail("allowed_hosts",
                 "'" + host + "' is not a host such as example.org or example.org:8000");
    }
    if (config.room_tokens != "optional" && config.room_tokens != "required")
        fail("room_tokens", "expected optional or required, found '" + config.room_tokens + "'");
    if (config.log_runs != "all" && config.log_runs != "faults" && config.log_runs != "none")
        fail("log_runs", "expected all, faults or none, found '" + config.log_runs + "'");
    constexpr std::array kCallbacks = {"off", "public", "anywhere"};
    if (std::ranges::find(kCallbacks, config.judge0_callbacks) == kCallbacks.end())
        fail("judge0_callbacks",
             "expected off, public or anywhere, found '" + config.judge0_callbacks + "'");
    if (config.store_damaged != "refuse" && config.store_damaged != "set_aside")
        fail("store_damaged", "expected refuse or set_aside, found '" + config.store_damaged + "'");
    constexpr std::array kRoles = {"owner", "editor", "runner", "viewer"};
    if (std::ranges::find(kRoles, config.room_role) == kRoles.end())
        fail("room_role",
             "expected owner, editor, runner or viewer, found '" + config.room_role + "'");
    if (config.code_bytes > config.message_bytes)
        fail("code_bytes", "larger than message_bytes, which carries it");

    const auto need_policy = [&](const std::string& name, const std::string& place) {
        if (!settings.policies.contains(name)) fail(place, "there is no policy '" + name + "'");
    };
    need_policy(config.run_policy, "run_policy");
    need_policy(config.judge_policy, "judge_policy");
    for (const auto& [name, policy] : settings.policies) check_limits(policy);
    for (const auto& [id, runtime] : settings.runtimes) {
        const std::string place = id + "/runtime.jsonc: ";
        if (!runtime.version.policy.empty())
            need_policy(runtime.version.policy, place + "version.policy");
        if (runtime.compile && !runtime.compile->policy.empty())
            need_policy(runtime.compile->policy, place + "compile.policy");
        if (!runtime.run.policy.empty()) need_policy(runtime.run.policy, place + "run.policy");
        if (runtime.check && !runtime.check->policy.empty())
            need_policy(runtime.check->policy, place + "check.policy");
        if (runtime.kit && !runtime.kit->policy.empty())
            need_policy(runtime.kit->policy, place + "kit.policy");
    }
}

// -- .env and the environment
// -----------------------------------------------------------------------

std::string trim(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The value behind KEY=: in quotes as it stands, otherwise up to a " #" comment.
std::string unquoted(const std::string& text, const std::string& place) {
    if (text.empty() || text[0] == '#') return {};
    if (text[0] == '"' || text[0] == '\'') {
        const std::size_t end = text.find(text[0], 1);
        if (end == std::string::npos) fail(place, "a quote is not closed");
        const std::string rest = trim(text.substr(end + 1));
        if (!rest.empty() && rest[0] != '#')
            fail(place, "'" + rest + "' stands behind the closing quote");
        return text.substr(1, end - 1);
    }
    const std::size_t comment = std::min(text.find(" #"), text.find("\t#"));
    return trim(text.substr(0, comment));
}

/// KEY=VALUE lines; other programs' keys may stand there too and are nobody's business here.
Variables read_env_file(const std::string& path) {
    Variables variables;
    std::ifstream file(path);
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        const std::string place = path + ": line " + std::to_string(number);
        line = trim(line);
        if (line.empty() || line[0] == '#') continue;
        if (line.starts_with("export ") || line.starts_with("export\t"))
            line = trim(line.substr(7));
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || equals == 0) fail(place, "expected KEY=VALUE");
        const std::string key = trim(line.substr(0, equals));
        variables[key] = unquoted(trim(line.substr(equals + 1)), place);
    }
    return variables;
}

/// Of our variables, the value and where it was given: the environment before the .env file.
struct Given {
    std::string value;
    std::string place;
};

std::map<std::string, Given> our_variables(const Variables& environment,
                                           const std::string& env_file) {
    std::map<std::string, Given> result;
    const Variables from_file = read_env_file(env_file);
    for (const char* name : kVariables) {
        if (const auto found = from_file.find(name);
            found != from_file.end() && !found->second.empty()) {
            result[name] = {found->second, env_file + ": " + name};
        }
        if (const auto found = environment.find(name);
            found != environment.end() && !trim(found->second).empty()) {
            result[name] = {trim(found->second), std::string("environment: ") + name};
        }
    }
    return result;
}

std::optional<double> parse_number(const std::string& text) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{} || stop != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::chrono::milliseconds execution_time(const Given& given) {
    const auto seconds = parse_number(given.value);
    if (!seconds || *seconds < 0.001 || *seconds > kMostSeconds) {
        fail(given.place,
             "expected seconds, more than 0 and at most 86400, found '" + given.value + "'");
    }
    return std::chrono::milliseconds(std::llround(*seconds * 1000));
}

std::uint64_t memory_limit(const Given& given) {
    const auto size = strict_json::parse_size(given.value);
    if (!size || *size < kLeastMemory || *size > kMostMemory) {
        fail(given.place, "expected a size such as 128m (bytes, or with k, m or g), at least 1m "
                          "and at most 1024g, found '" +
                              given.value + "'");
    }
    return *size;
}

std::uint32_t cpu_percent(const Given& given) {
    constexpr double kMicrosecondsPerPercent = 1000; // of a period of 100 ms
    const auto quota = parse_number(given.value);
    if (!quota || *quota < kMicrosecondsPerPercent ||
        *quota > kMicrosecondsPerPercent * kMostCpuPercent) {
        fail(given.place, "expected microseconds of CPU per 100 ms, at least 1000 (50000 is half a "
                          "core), found '" +
                              given.value + "'");
    }
    return static_cast<std::uint32_t>(*quota / kMicrosecondsPerPercent);
}

bool yes_or_no(const Given& given) {
    std::string value = given.value;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (value == "true" || value == "1" || value == "yes" || value == "on") return true;
    if (value == "false" || value == "0" || value == "no" || value == "off") return false;
    fail(given.place, "expected true or false, found '" + given.value + "'");
}

void apply_variables(const std::map<std::string, Given>& variables, Settings& settings) {
    const auto given = [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : &found->second;
    };
    std::vector<Limits*> programs;
    for (auto& [name, policy] : settings.policies) {
        if (!name.starts_with(kCompilePolicies)) programs.push_back(&policy.limits);
    }
    if (const Given* time = given("MAX_EXECUTION_TIME")) {
        for (Limits* limits : programs)
            limits->wall_time = limits->cpu_time = execution_time(*time);
    }
    if (const Given* memory = given("MAX_MEMORY_LIMIT")) {
        for (Limits* limits : programs) {
            const bool stack_is_memory = limits->stack_bytes == limits->memory_bytes;
            limits->memory_bytes = memory_limit(*memory);
            limits->stack_bytes = stack_is_memory
                                      ? limits->memory_bytes
                                      : std::min(limits->stack_bytes, limits->memory_bytes);
        }
    }
    if (const Given* quota = given("MAX_CPU_QUOTA")) {
        for (Limits* limits : programs) limits->cpu_percent = cpu_percent(*quota);
    }
    // True is what `auto` means anyhow: docker where this host cannot isolate natively. False
    // leaves the native executor alone, unless there was to be none but `local`.
    const Given* docker = given("DOCKER_ENABLED");
    std::string& executor = settings.config.executor;
    if (docker != nullptr && !yes_or_no(*docker) && executor != "local") executor = "native";
}

// -- Files
// ------------------------------------------------------------------------------------------

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    if (!text) return std::nullopt;
    return text.str();
}

/// In a build tree the data lies beside the build folder; installed, where packages put it.
std::string data_dir(const char* name) {
    std::error_code error;
    const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::filesystem::path beside = executable.parent_path().parent_path() / name;
    if (!error && std::filesystem::is_directory(beside, error)) return beside.string();
    return std::string(kDataDir) + "/" + name;
}

Texts texts_of(Texts (*read)(const std::string&), const std::string& directory) {
    try {
        Texts texts = read(directory);
        if (texts.empty()) fail(directory, "nothing to read there");
        return texts;
    } catch (const std::system_error& error) {
        fail(directory, error.what());
    }
}

json limits_to_json(const Limits& limits) {
    return {{"memory_bytes", limits.memory_bytes}, {"cpu_percent", limits.cpu_percent},
            {"wall_ms", limits.wall_time.count()}, {"cpu_ms", limits.cpu_time.count()},
            {"processes", limits.processes},       {"output_bytes", limits.output_bytes},
            {"file_bytes", limits.file_bytes},     {"file_count", limits.file_count},
            {"open_files", limits.open_files},     {"stack_bytes", limits.stack_bytes}};
}

Limits limits_from_json(const json& value) {
    Limits limits;
    value.at("memory_bytes").get_to(limits.memory_bytes);
    value.at("cpu_percent").get_to(limits.cpu_percent);
    limits.wall_time = std::chrono::milliseconds(value.at("wall_ms").get<std::int64_t>());
    limits.cpu_time = std::chrono::milliseconds(value.at("cpu_ms").get<std::int64_t>());
    value.at("processes").get_to(limits.processes);
    value.at("output_bytes").get_to(limits.output_bytes);
    value.at("file_bytes").get_to(limits.file_bytes);
    value.at("file_count").get_to(limits.file_count);
    value.at("open_files").get_to(limits.open_files);
    value.at("stack_bytes").get_to(limits.stack_bytes);
    return limits;
}

} // namespace

Settings load(const Sources& sources) {
    Settings settings;
    const std::string config_file = sources.config_file.empty() ? kConfigFile : sources.config_file;
    if (const auto text = read_file(config_file)) {
        read_config(strict_json::parse(*text, config_file), config_file, false, settings.config);
    } else if (!sources.config_file.empty() || std::filesystem::exists(config_file)) {
        fail(config_file, "cannot be read");
    }

    settings.policy_texts =
        texts_of(&policies::read_texts,
                 sources.policies_dir.empty() ? data_dir("policies") : sources.policies_dir);
    settings.runtime_texts =
        texts_of(&runtimes::read_texts,
                 sources.runtimes_dir.empty() ? data_dir("runtimes") : sources.runtimes_dir);
    settings.policies = policies::parse(settings.policy_texts);
    settings.runtimes = runtimes::parse(settings.runtime_texts);

    const std::string env_file =
        (std::filesystem::path(config_file).parent_path() / ".env").string();
    apply_variables(our_variables(sources.environment, env_file), settings);

    for (const auto& [flag, value] : sources.flags) {
        if (flag == "listen") {
            settings.config.listen = value;
        } else if (flag == "state_dir") {
            settings.config.state_dir = value;
        } else {
            throw std::logic_error("no flag is called " + flag);
        }
    }
    check(settings);
    return settings;
}

Settings reread(const Settings& current, const Sources& sources, bool& restart_needed) {
    Settings fresh = load(sources);
    restart_needed = !(fresh.config == current.config);
    fresh.config = current.config;
    fresh.method = current.method;
    fresh.unprotected = current.unprotected;
    check(fresh); // the run policy that holds may be gone from the folder
    return fresh;
}

std::string to_text(const Settings& settings) {
    json config = json::object();
    visit(Writing{config}, settings.config);
    json limits = json::object();
    for (const auto& [name, policy] : settings.policies)
        limits[name] = limits_to_json(policy.limits);
    const json whole = {{"config", config},
                        {"method", settings.method},
                        {"unprotected", settings.unprotected},
                        {"limits", limits}, // as the environment has changed them
                        {"policy_texts", settings.policy_texts},
                        {"runtime_texts", settings.runtime_texts}};
    // Comments of the files may hold anything; a byte that is not UTF-8 is replaced there.
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

Settings from_text(const std::string& text) {
    Settings settings;
    const std::string place = "settings";
    const json parsed = strict_json::parse(text, place);
    Object whole(parsed, place);
    read_config(whole.need("config"), place, true, settings.config);
    try {
        whole.need("method").get_to(settings.method);
        whole.need("unprotected").get_to(settings.unprotected);
        whole.need("policy_texts").get_to(settings.policy_texts);
        whole.need("runtime_texts").get_to(settings.runtime_texts);
        settings.policies = policies::parse(settings.policy_texts);
        settings.runtimes = runtimes::parse(settings.runtime_texts);
        const json& limits = whole.need("limits");
        for (auto& [name, policy] : settings.policies)
            policy.limits = limits_from_json(limits.at(name));
    } catch (const json::exception& error) {
        fail(place, error.what());
    }
    whole.done();
    check(settings);
    return settings;
}

} // namespace cloister::config
