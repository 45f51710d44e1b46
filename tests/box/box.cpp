// What the tests of boxes share: one runner for all of them, and the search of the host for what a
// run may have left (processes, groups, mounts, files).
#include "tests/box/box.h"

#include "isolate/instance.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace cloister::box_test {
namespace {

namespace fs = std::filesystem;

std::string actor_path() {
    const char* given = std::getenv("CLOISTER_ACTOR");
    return given != nullptr ? given : CLOISTER_ACTOR;
}

/// The first user id of this process's instance: that of the first slot.
uid_t first_id() {
    static const uid_t id = [] {
        std::istringstream text(run({"surroundings"}).output);
        std::string folder;
        uid_t number = 0;
        text >> folder >> number;
        return number - (number - isolate::kFirstId) % isolate::kIdsPerInstance;
    }();
    return id;
}

std::vector<std::string> seen_now(const std::string& own_group) {
    std::vector<std::string> seen;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        if (std::atoi(entry.path().filename().c_str()) <= 0) continue;
        struct stat owner {};
        if (::stat(entry.path().c_str(), &owner) != 0) continue;
        if (owner.st_uid < first_id() || owner.st_uid >= first_id() + isolate::kIdsPerInstance)
            continue;
        std::ifstream status(entry.path() / "status");
        std::string name;
        std::getline(status, name);
        seen.push_back("process " + entry.path().filename().string() + " " + name);
    }
    for (const std::string& group : groups_with_boxes()) {
        if (group.find("/" + own_group + "/") != std::string::npos)
            seen.push_back("group " + group);
    }
    std::ifstream mounts("/proc/1/mountinfo"); // the host's own, not this process's
    for (std::string line; std::getline(mounts, line);) {
        if (line.find("cloister") != std::string::npos) seen.push_back("mount " + line);
    }
    for (const auto& entry :
         fs::recursive_directory_iterator("/proc/1/root/run/cloister", ignored)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("instance-") && name != "work")
            seen.push_back("file " + entry.path().string());
    }
    return seen;
}

} // namespace

int slowness() {
    const char* value = std::getenv("CLOISTER_SLOW");
    return std::max(1, value == nullptr ? 1 : std::atoi(value));
}

config::Settings actor_settings() {
    const std::string data =
        fs::is_directory(CLOISTER_SOURCE "/policies") ? CLOISTER_SOURCE : "/usr/share/cloister";
    config::Settings settings;
    settings.policies = policies::parse(policies::read_texts(data + "/policies"));
    for (auto& [name, policy] : settings.policies) {
        policy.limits.wall_time *= slowness();
        policy.limits.cpu_time *= slowness();
    }
    settings.config.boxes = 24;

    const std::string mount = actor_path() + " => /actor";
    const auto step = [&](const Words& command) {
        runtimes::StepPlan plan;
        plan.command = command;
        plan.mounts = {mount};
        return plan;
    };
    const auto add = [&](const std::string& id,
                         const runtimes::StepPlan& run) -> runtimes::Runtime& {
        runtimes::Runtime runtime;
        runtime.id = runtime.name = id;
        runtime.default_file = "main";
        runtime.version = step({"/actor", "hello"});
        runtime.run = run;
        return settings.runtimes.emplace(id, runtime).first->second;
    };
    add("actor", step({"/actor", "{args}"}));
    auto& compiled = add("compiled", step({"/app/program", "{args}"}));
    compiled.run.mounts.clear();
    compiled.compile = step({"/actor", "compile"});
    compiled.compile->policy = "compile";
    auto& broken = add("broken", step({"/app/program"}));
    broken.compile = step({"/actor", "fail_to_compile"});
    broken.compile->policy = "compile";
    add("missing", step({"/nowhere"}));
    add("absent", step({"/actor"})).run.mounts.push_back("/nowhere/at/all");
    return settings;
}

keeper::LocalRunner& runner() {
    static keeper::LocalRunner one(actor_settings());
    return one;
}

LocalRun play(const Words& arguments, const std::string& runtime) {
    LocalRun request;
    request.runtime = runtime;
    request.bundle.arguments = arguments;
    return request;
}

Limits usual_limits() {
    static const Limits limits = actor_settings().policies.at("default").limits;
    return limits;
}

LocalResult run(const Words& arguments) { return runner().run(play(arguments)); }

std::vector<std::string> left_on_host() {
    const std::string own_group =
        "instance-" + std::to_string((first_id() - isolate::kFirstId) / isolate::kIdsPerInstance);
    const auto patience = std::chrono::steady_clock::now() + 1s * slowness();
    for (;;) {
        std::vector<std::string> seen = seen_now(own_group);
        if (seen.empty() || std::chrono::steady_clock::now() > patience) return seen;
        std::this_thread::sleep_for(20ms);
    }
}

std::vector<int> actors() {
    std::vector<int> found;
    struct stat actor {};
    if (::stat(actor_path().c_str(), &actor) != 0) return found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const int pid = std::atoi(entry.path().filename().c_str());
        struct stat running {};
        if (pid <= 0 || ::stat((entry.path() / "exe").c_str(), &running) != 0) continue;
        if (running.st_ino == actor.st_ino && running.st_dev == actor.st_dev) found.push_back(pid);
    }
    return found;
}

config::Settings shipped_settings() {
    const fs::path top = CLOISTER_SOURCE;
    config::Settings shipped;
    shipped.policy_texts = policies::read_texts((top / "policies").string());
    shipped.runtime_texts = runtimes::read_texts((top / "runtimes").string());
    shipped.policies = policies::parse(shipped.policy_texts);
    for (auto& [name, policy] : shipped.policies) {
        policy.limits.wall_time *= slowness();
        policy.limits.cpu_time *= slowness();
    }
    shipped.runtimes = runtimes::parse(shipped.runtime_texts);
    return shipped;
}

LocalRun program_in(const fs::path& folder, const std::string& id) {
    static const config::Settings shipped = shipped_settings();
    const runtimes::Runtime& runtime = shipped.runtimes.at(id);
    LocalRun run{.runtime = id};
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const std::string path = fs::relative(entry.path(), folder).string();
        const bool is_source =
            std::any_of(runtime.extensions.begin(), runtime.extensions.end(),
                        [&](const std::string& extension) { return path.ends_with(extension); });
        run.bundle.files.push_back({path, text_of(entry.path()), is_source});
    }
    run.bundle.entry = runtime.default_file;
    run.bundle.main_name = fs::path(runtime.default_file).stem().string();
    return run;
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> groups_with_boxes() {
    std::vector<std::string> found;
    std::error_code error;
    auto at = fs::recursive_directory_iterator(
        "/sys/fs/cgroup", fs::directory_options::skip_permission_denied, error);
    for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
        if (error) break; // a group that went away while we looked
        if (!at->is_directory(error) || at->is_symlink(error)) continue;
        if (at->path().filename().string().starts_with("box-"))
            found.push_back(at->path().string());
    }
    return found;
}

std::string describe(const LocalResult& result) {
    const isolate::Ending& ending = result.outcome.ending;
    const isolate::Usage& usage = result.outcome.usage;
    std::ostringstream text;
    text << isolate::name_of(result.verdict) << ", exit " << ending.exit_code << ", signal "
         << ending.signal << ", step " << isolate::name_of(ending.failed_step) << " ("
         << std::generic_category().message(ending.error) << "), wall " << usage.wall_time / 1ms
         << " ms, cpu " << usage.cpu_time / 1ms << " ms, peak "
         << usage.memory_peak_bytes / isolate::kKiB << " KiB\n"
         << result.output.substr(0, 500) << result.error.substr(0, 500);
    return text.str();
}

} // namespace cloister::box_test
