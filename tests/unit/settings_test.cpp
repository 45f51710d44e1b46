// Promises of the settings: where values come from, which ones are turned away and how that is
// said.
#include "daemon/config/settings.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister;
using config::Settings;
using config::Sources;

namespace {

namespace fs = std::filesystem;
const fs::path kTop = CLOISTER_SOURCE;

/// A folder that is gone with the test.
class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "cloister-settings-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const std::string& name, const std::string& text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
        return (path_ / name).string();
    }
    std::string path() const { return path_.string(); }

private:
    fs::path path_;
};

Sources shipped(const std::string& config_file) {
    return {.config_file = config_file,
            .policies_dir = (kTop / "policies").string(),
            .runtimes_dir = (kTop / "runtimes").string()};
}

Settings load(const std::string& text, std::map<std::string, std::string> environment = {},
              const std::string& env_file = {}) {
    const Folder folder;
    Sources sources = shipped(folder.write("cloister.jsonc", text));
    if (!env_file.empty()) folder.write(".env", env_file);
    sources.environment = std::move(environment);
    return config::load(sources);
}

std::string refusal(const std::string& text, std::map<std::string, std::string> environment = {},
                    const std::string& env_file = {}) {
    try {
        load(text, std::move(environment), env_file);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "accepted";
}

/// The settings that the code knows.
std::set<std::string> known_options() {
    std::set<std::string> names;
    const auto whole = nlohmann::json::parse(config::to_text(load("{}")));
    for (const auto& [name, value] : whole.at("config").items()) names.insert(name);
    return names;
}

bool says(const std::string& refusal, const std::string& part) {
    return refusal.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("an empty configuration is the default one", "[settings]") {
    const Settings settings = load("{}");
    CHECK(settings.config.listen == "127.0.0.1:8000");
    CHECK(settings.config.executor == "auto");
    CHECK(settings.policies.at("default").limits == isolate::Limits{});
    CHECK(settings.runtimes.size() == 7);
    CHECK(settings.policy_texts.contains("groups"));
}

TEST_CASE("the example configuration shows every option with its default", "[settings]") {
    std::ifstream file(kTop / "systemd" / "cloister.jsonc");
    std::stringstream as_shipped;
    as_shipped << file.rdbuf();
    CHECK(config::to_text(load(as_shipped.str())) == config::to_text(load("{}")));

    std::string uncommented;
    std::string line;
    std::set<std::string> options;
    while (std::getline(as_shipped, line)) {
        if (const std::size_t option = line.find("// \""); option == 4) {
            const std::size_t name = option + 4;
            options.insert(line.substr(name, line.find('"', name) - name));
            line.erase(option, 3);
        }
        uncommented += line + "\n";
    }
    CHECK(options == known_options());
    CHECK(config::to_text(load(uncommented)) == config::to_text(load("{}")));
}

TEST_CASE("the manual page tells of every option, with its default, and of no other",
          "[settings]") {
    std::ifstream file(kTop / "docs" / "man" / "cloister.jsonc.5");
    std::ifstream example(kTop / "systemd" / "cloister.jsonc");
    const std::string shown((std::istreambuf_iterator<char>(example)), {});
    std::set<std::string> options;
    std::string line;
    // .BR name " (default), " name " (default)"; an option of a text, list or path is alone in .B
    const std::regex entry(R"re((\w+)(?: "\D?\(([^)]*)\))?)re");
    while (std::getline(file, line)) {
        if (line != ".TP" || !std::getline(file, line) || !line.starts_with(".B")) continue;
        for (std::sregex_iterator at(line.begin() + 3, line.end(), entry), end; at != end; ++at) {
            const std::string name = (*at)[1];
            if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0") != std::string::npos)
                continue;
            if (name.starts_with("MAX") || name.starts_with("DOCKER")) continue;
            options.insert(name);
            INFO(name);
            const std::string value = (*at)[2];
            const bool is_number =
                !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
            const bool is_plain = is_number || value == "true" || value == "false";
            const std::string quoted = is_plain ? value : '"' + value + '"';
            if (!value.empty())
                CHECK(shown.find('"' + name + "\": " + quoted + ",") != std::string::npos);
        }
    }
    CHECK(options == known_options());
}

TEST_CASE("the configuration's values arrive", "[settings]") {
    const Settings settings =
        load(R"({"listen": "[::1]:9000", "boxes": 3, "message_bytes": "2m", "code_bytes": 1000,
        "handshake_timeout": 5, "allowed_origins": ["https://example.org"], "run_policy": "strict"})");
    CHECK(settings.config.listen == "[::1]:9000");
    CHECK(settings.config.boxes == 3);
    CHECK(settings.config.message_bytes == 2 * isolate::kMiB);
    CHECK(settings.config.code_bytes == 1000);
    CHECK(settings.config.handshake_timeout == std::chrono::seconds(5));
    CHECK(settings.config.allowed_origins == std::vector<std::string>{"https://example.org"});
    CHECK(settings.config.run_policy == "strict");
}

TEST_CASE("what the configuration gets wrong is said with its place", "[settings]") {
    CHECK(says(refusal(R"({"listn": "x"})"),
               "cloister.jsonc: listn: unknown key; known here: allowed_hosts, "));
    CHECK(says(refusal(R"({"boxes": -1})"),
               "cloister.jsonc: boxes: expected a whole number, 0 to 4096"));
    CHECK(says(refusal(R"({"queue": 0})"), "cloister.jsonc: queue: expected 1 to "));
    CHECK(says(refusal(R"({"idle_ping": 0})"), "cloister.jsonc: idle_ping: expected 1 to "));
    CHECK(says(refusal(R"({"message_bytes": "1x"})"),
               "cloister.jsonc: message_bytes: expected a number of bytes"));
    CHECK(says(refusal(R"({"code_bytes": "2m"})"), "code_bytes: larger than message_bytes"));
    CHECK(says(refusal(R"({"executor": "magic"})"),
               "executor: expected auto, native, docker or local, found 'magic'"));
    CHECK(says(refusal(R"({"run_policy": "none"})"), "run_policy: there is no policy 'none'"));
    CHECK(says(refusal(R"({"run_policy": "groups"})"), "run_policy: there is no policy 'groups'"));
    CHECK(says(refusal(R"({"state_dir": "here"})"), "state_dir: 'here' is not an absolute path"));
    CHECK(says(refusal(R"({"user": ""})"), "user: "));
    CHECK(says(refusal(R"({"allowed_origins": ["https://example.org/"]})"), "allowed_origins: "));
    CHECK(says(refusal(R"({"allowed_origins": ["*"]})"), "allowed_origins: "));
    CHECK(says(refusal(R"({"allowed_hosts": ["*.example.org"]})"), "allowed_hosts: "));
    CHECK(says(refusal("{"), "cloister.jsonc: parse error at line 1"));
}

TEST_CASE("an address that others can reach needs a token", "[settings]") {
    for (const char* address :
         {"127.0.0.1:8000", "127.9.9.9:0", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
        INFO(address);
        CHECK(refusal(std::string(R"({"listen": ")") + address + "\"}") == "accepted");
    }
    for (const char* address : {"0.0.0.0:8000", "192.168.1.5:80", "[::]:8000", "[2001:db8::1]:443",
                                "[::ffff:10.0.0.1]:1"}) {
        INFO(address);
        const std::string listen = std::string(R"({"listen": ")") + address + "\"";
        CHECK(says(refusal(listen + "}"), "token_file"));
        CHECK(refusal(listen + R"(, "token_file": "/etc/cloister/token"})") == "accepted");
    }
    for (const char* address :
         {"8000", "localhost:8000", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
          "127.0.0.1:8000x", "::1:8000", "[::1]", "", ":8000"}) {
        INFO(address);
        CHECK(says(refusal(std::string(R"({"listen": ")") + address + "\"}"), "listen: "));
    }
}

TEST_CASE("the environment sets the ceilings of programs, not of compilers", "[settings]") {
    const Settings settings = load(
        "{}",
        {{"MAX_EXECUTION_TIME", "2.5"}, {"MAX_MEMORY_LIMIT", "64M"}, {"MAX_CPU_QUOTA", "75000"}});
    for (const auto& [name, policy] : settings.policies) {
        if (name.starts_with("compile")) continue;
        INFO(name);
        CHECK(policy.limits.wall_time == std::chrono::milliseconds(2500));
        CHECK(policy.limits.cpu_time == std::chrono::milliseconds(2500));
        CHECK(policy.limits.memory_bytes == 64 * isolate::kMiB);
        CHECK(policy.limits.cpu_percent == 75);
    }
    CHECK(settings.policies.at("judge").limits.stack_bytes == 64 * isolate::kMiB);
    CHECK(settings.policies.at("default").limits.stack_bytes == 8 * isolate::kMiB);
    for (const char* name : {"compile", "compile_go"})
        CHECK(settings.policies.at(name).limits == load("{}").policies.at(name).limits);
}

TEST_CASE("the environment can raise as well as lower", "[settings]") {
    const Settings settings = load(
        "{}",
        {{"MAX_MEMORY_LIMIT", "1g"}, {"MAX_CPU_QUOTA", "400000"}, {"MAX_EXECUTION_TIME", "60"}});
    CHECK(settings.policies.at("default").limits.memory_bytes == 1024 * isolate::kMiB);
    CHECK(settings.policies.at("default").limits.cpu_percent == 400);
    CHECK(settings.policies.at("default").limits.wall_time == std::chrono::minutes(1));
}

TEST_CASE("a .env beside the configuration counts, and the environment before it", "[settings]") {
    const std::string env =
        "# ours\n\nexport MAX_EXECUTION_TIME = '3' # seconds\nMAX_MEMORY_LIMIT=\"32m\"\r\n"
        "MAX_CPU_QUOTA=20000   # a fifth\nOTHER=#x\nPOSTGRES_PASSWORD=a=b c\n";
    const isolate::Limits limits = load("{}", {}, env).policies.at("default").limits;
    CHECK(limits.wall_time == std::chrono::seconds(3));
    CHECK(limits.memory_bytes == 32 * isolate::kMiB);
    CHECK(limits.cpu_percent == 20);
    CHECK(load("{}", {{"MAX_EXECUTION_TIME", "4"}}, env).policies.at("default").limits.wall_time ==
          std::chrono::seconds(4));
    CHECK(load("{}", {{"MAX_EXECUTION_TIME", ""}}, env).policies.at("default").limits.wall_time ==
          std::chrono::seconds(3));
    CHECK(says(refusal("{}", {}, "MAX_EXECUTION_TIME=3\nnonsense\n"),
               ".env: line 2: expected KEY=VALUE"));
    CHECK(
        says(refusal("{}", {}, "MAX_EXECUTION_TIME=\"3\n"), ".env: line 1: a quote is not closed"));
    CHECK(says(refusal("{}", {}, "MAX_EXECUTION_TIME=soon\n"),
               ".env: MAX_EXECUTION_TIME: expected seconds"));
}

TEST_CASE("zero, negative and nonsensical ceilings are refused by name", "[settings]") {
    for (const char* value : {"0", "-1", "ten", "1e3", "nan", "inf", "10s", "86401"}) {
        INFO(value);
        CHECK(says(refusal("{}", {{"MAX_EXECUTION_TIME", value}}),
                   "environment: MAX_EXECUTION_TIME: expected seconds"));
    }
    for (const char* value :
         {"0", "-1", "0m", "lots", "128q", "1.5g", "99999999999999999999", "100000000000g", "1k"}) {
        INFO(value);
        CHECK(says(refusal("{}", {{"MAX_MEMORY_LIMIT", value}}),
                   "environment: MAX_MEMORY_LIMIT: expected a size"));
    }
    for (const char* value : {"0", "-50000", "half", "999", "50%"}) {
        INFO(value);
        CHECK(says(refusal("{}", {{"MAX_CPU_QUOTA", value}}),
                   "environment: MAX_CPU_QUOTA: expected microseconds"));
    }
    CHECK(says(refusal("{}", {{"DOCKER_ENABLED", "maybe"}}),
               "environment: DOCKER_ENABLED: expected true or false"));
}

TEST_CASE("sizes are understood in bytes and with units of any case", "[settings]") {
    const auto memory = [](const char* value) {
        return load("{}", {{"MAX_MEMORY_LIMIT", value}}).policies.at("default").limits.memory_bytes;
    };
    CHECK(memory("134217728") == 128 * isolate::kMiB);
    CHECK(memory("2048k") == 2 * isolate::kMiB);
    CHECK(memory("128m") == 128 * isolate::kMiB);
    CHECK(memory("128MB") == 128 * isolate::kMiB);
    CHECK(memory("1G") == 1024 * isolate::kMiB);
}

TEST_CASE("DOCKER_ENABLED takes part in the choice of the executor", "[settings]") {
    CHECK(load("{}", {{"DOCKER_ENABLED", "true"}}).config.executor == "auto");
    CHECK(load("{}", {{"DOCKER_ENABLED", "False"}}).config.executor == "native");
    CHECK(load("{}", {{"DOCKER_ENABLED", "1"}}).config.executor == "auto");
    CHECK(load(R"({"executor": "native"})", {{"DOCKER_ENABLED", "1"}}).config.executor == "native");
    CHECK(load(R"({"executor": "docker", "docker_host": "unix:///run/docker.sock"})")
              .config.executor == "docker");
    CHECK(says(refusal(R"({"docker_host": "tcp://10.0.0.1:2375"})"),
               "docker_host: expected unix:///PATH, found 'tcp://10.0.0.1:2375'"));
    CHECK(load(R"({"executor": "docker"})", {{"DOCKER_ENABLED", "no"}}).config.executor ==
          "native");
    CHECK(load(R"({"executor": "local"})", {{"DOCKER_ENABLED", "no"}}).config.executor == "local");
    CHECK(load(R"({"executor": "local"})", {{"DOCKER_ENABLED", "1"}}).config.executor == "local");
}

TEST_CASE("flags come last", "[settings]") {
    const Folder folder;
    Sources sources = shipped(folder.write("cloister.jsonc", R"({"listen": "127.0.0.1:1"})"));
    sources.flags = {{"listen", "127.0.0.1:2"}, {"state_dir", folder.path()}};
    const Settings settings = config::load(sources);
    CHECK(settings.config.listen == "127.0.0.1:2");
    CHECK(settings.config.state_dir == folder.path());
    sources.flags["listen"] = "0.0.0.0:2";
    CHECK_THROWS_AS(config::load(sources), std::runtime_error);
}

TEST_CASE("a configuration file that was asked for by name must be there", "[settings]") {
    const Folder folder;
    CHECK_THROWS_WITH(config::load(shipped(folder.path() + "/none.jsonc")),
                      Catch::Contains("none.jsonc: cannot be read"));
    Sources sources = shipped(folder.write("cloister.jsonc", "{}"));
    sources.policies_dir = folder.path() + "/none";
    CHECK_THROWS_WITH(config::load(sources), Catch::Contains("/none"));
    sources.policies_dir = folder.path();
    sources.runtimes_dir = folder.path();
    CHECK_THROWS_AS(config::load(sources), std::runtime_error);
}

TEST_CASE("a policy that a runtime names must exist", "[settings]") {
    const Folder folder;
    Sources sources = shipped(folder.write("cloister.jsonc", "{}"));
    sources.runtimes_dir = folder.path() + "/runtimes";
    folder.write("runtimes/x/runtime.jsonc",
                 R"({"name": "X", "default_file": "main.x", "extensions": [".x"],
        "version": {"command": ["/x"]}, "run": {"command": ["/x"], "policy": "gone"}})");
    CHECK_THROWS_WITH(config::load(sources),
                      "x/runtime.jsonc: run.policy: there is no policy 'gone'");
}

TEST_CASE("settings survive the hand-over from keeper to front", "[settings]") {
    const Settings settings = load(
        R"({"listen": "0.0.0.0:80", "token_file": "/t", "allowed_hosts": ["a.example"], "drain_time": 3})",
        {{"MAX_MEMORY_LIMIT", "99m"}, {"MAX_EXECUTION_TIME", "1.234"}, {"DOCKER_ENABLED", "0"}});
    const Settings copy = config::from_text(config::to_text(settings));
    CHECK(config::to_text(copy) == config::to_text(settings));
    CHECK(copy.config.allowed_hosts == settings.config.allowed_hosts);
    CHECK(copy.config.drain_time == std::chrono::seconds(3));
    CHECK(copy.config.executor == "native");
    CHECK(copy.runtimes.size() == settings.runtimes.size());
    REQUIRE(copy.policies.size() == settings.policies.size());
    for (const auto& [name, policy] : settings.policies) {
        CHECK(copy.policies.at(name).limits == policy.limits);
        CHECK(copy.policies.at(name).syscalls.rules.size() == policy.syscalls.rules.size());
    }
    CHECK(copy.policies.at("default").limits.wall_time == std::chrono::milliseconds(1234));
    CHECK_THROWS_AS(config::from_text("{}"), std::runtime_error);
    CHECK_THROWS_AS(config::from_text("nonsense"), std::runtime_error);
}
