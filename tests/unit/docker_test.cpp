// What the container engine is told: fixed arguments with numbers of ours, and a profile that lets
// through what a policy allows, and nothing else.
#include "daemon/keeper/container_profile.h"
#include "daemon/keeper/docker_client.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister;
using nlohmann::json;

namespace {

keeper::ContainerSpec spec() {
    keeper::ContainerSpec made;
    made.name = "cloister-x-1";
    made.owner = "/var/lib/cloister";
    made.image = "cloister/c:run";
    made.user_id = 2'000'000'002;
    made.profile = "/run/cloister/docker-x/policy-0.json";
    made.socket_folder = "/run/cloister/docker-x/1";
    made.init_program = "/usr/libexec/cloister/cloister-container";
    made.words = {"--umask", "077", "--", "/app/main", "{args}"};
    return made;
}

/// The value behind an option; "" when it is not there.
std::string value(const std::vector<std::string>& all, const std::string& option) {
    const auto found = std::find(all.begin(), all.end(), option);
    return found == all.end() ? "" : *std::next(found);
}

bool has(const std::vector<std::string>& all, const std::string& option, const std::string& text) {
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        if (all[i] == option && all[i + 1].find(text) != std::string::npos) return true;
    }
    return false;
}

} // namespace

TEST_CASE("a container is asked for with every lock that an engine has") {
    const auto all = keeper::run_arguments(spec());
    CHECK(all.front() == "run");
    CHECK(value(all, "--network") == "none");
    CHECK(value(all, "--cap-drop") == "ALL");
    CHECK(value(all, "--pull") == "never");
    CHECK(value(all, "--user") == "2000000002:2000000002");
    CHECK(value(all, "--label") == "cloister.state_dir=/var/lib/cloister");
    CHECK(std::count(all.begin(), all.end(), "--read-only") == 1);
    CHECK(has(all, "--security-opt", "no-new-privileges"));
    CHECK(has(all, "--security-opt", "seccomp=/run/cloister/docker-x/policy-0.json"));
    for (const char* never : {"--privileged", "--cap-add", "--device", "--volume", "--publish",
                              "--env", "--pid", "--userns"})
        CHECK(std::count(all.begin(), all.end(), never) == 0);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        if (all[i] == "--mount") CHECK(all[i + 1].ends_with(",readonly"));
        if (all[i] == "--tmpfs") CHECK(all[i + 1].find("noexec,nosuid,nodev") != std::string::npos);
    }
    // The image and what follows it come last: nothing there is an option of the engine's.
    const auto image = std::find(all.begin(), all.end(), "cloister/c:run");
    CHECK(std::vector<std::string>(std::next(image), all.end()) == spec().words);
}

TEST_CASE("a container gets the run's limits, and the engine no less than it can take") {
    keeper::ContainerSpec asked = spec();
    asked.limits.memory_bytes = 64 * isolate::kMiB;
    asked.limits.cpu_percent = 30;
    asked.limits.processes = 100;
    asked.limits.open_files = 50;
    auto all = keeper::run_arguments(asked);
    CHECK(value(all, "--memory") == "67108864");
    CHECK(value(all, "--memory-swap") == "67108864");
    CHECK(value(all, "--cpu-quota") == "30000");
    CHECK(value(all, "--pids-limit") == "101");
    CHECK(has(all, "--ulimit", "nofile=50:50"));
    CHECK(has(all, "--ulimit", "core=1:1"));
    asked.limits.memory_bytes = 1 * isolate::kMiB;
    asked.limits.processes = 1;
    all = keeper::run_arguments(asked);
    CHECK(value(all, "--memory") == std::to_string(6 * isolate::kMiB));
    CHECK(value(all, "--pids-limit") == "64");
}

TEST_CASE("only a compiler's container may write to a volume") {
    keeper::ContainerSpec asked = spec();
    asked.volume = "cloister-x-1";
    asked.makes_volume = true;
    auto all = keeper::run_arguments(asked);
    CHECK(has(all, "--mount", "source=cloister-x-1,target=/box,"));
    CHECK(has(all, "--mount", "volume-opt=type=tmpfs"));
    CHECK(has(all, "--mount", "volume-label=cloister.state_dir=/var/lib/cloister"));
    CHECK_FALSE(has(all, "--tmpfs", "/box:"));
    asked.makes_volume = false;
    all = keeper::run_arguments(asked);
    CHECK(has(all, "--mount", "source=cloister-x-1,target=/app,readonly"));
    CHECK(has(all, "--tmpfs", "/box:"));
}

TEST_CASE("a profile allows what its policy allows") {
    using Action = isolate::SyscallRule::Action;
    isolate::SyscallPolicy policy;
    policy.rules = {{.name = "getrandom", .action = Action::allow, .error = 0, .tests = {}},
                    {.name = "ptrace", .action = Action::refuse, .error = 1, .tests = {}},
                    {.name = "reboot", .action = Action::kill, .error = 0, .tests = {}},
                    {.name = "personality",
                     .action = Action::allow,
                     .error = 0,
                     .tests = {{.argument = 0, .mask = 0xffffffff, .value = 8}}}};
    const json profile = json::parse(keeper::container_profile(policy));
    CHECK(profile["defaultAction"] == "SCMP_ACT_ERRNO");
    const auto rules_of = [&](const std::string& name) {
        json found = json::array();
        for (const json& rule : profile["syscalls"]) {
            if (rule["names"][0] == name) found.push_back(rule);
        }
        return found;
    };
    REQUIRE(rules_of("getrandom").size() == 1);
    CHECK(rules_of("getrandom")[0]["action"] == "SCMP_ACT_ALLOW");
    CHECK(rules_of("ptrace").empty());
    CHECK(rules_of("reboot").size() == 1); // the inner filter kills, and says for what
    const json test = {
        {"index", 0}, {"value", 4294967295}, {"valueTwo", 8}, {"op", "SCMP_CMP_MASKED_EQ"}};
    CHECK(rules_of("personality")[0]["args"] == json::array({test}));
    for (const char* never : {"mount", "unshare", "setns", "bpf", "keyctl", "process_vm_readv"})
        CHECK(rules_of(never).empty());
}
