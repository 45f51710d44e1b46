// What can be run in containers, worked out from the settings: images, the words of each step,
// filters and profiles; and what an earlier keeper left.
#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/container_profile.h"
#include "daemon/keeper/docker_run.h"
#include "daemon/keeper/helpers.h"
#include "isolate/seccomp_program.h"

#include <fcntl.h>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cloister::keeper {

using isolate::check;
using isolate::Fd;

namespace {

constexpr const char* kRunFolder = "/run/cloister";
constexpr const char* kFolderPrefix = "containers-";

Fd sealed(std::span<const std::byte> bytes, const char* name) {
    Fd file(check(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memory for a filter"));
    if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        throw isolate::SysError(errno, "write a filter");
    check(
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
        "seal a filter");
    return file;
}

void write_file(const std::string& path, const std::string& text) {
    const Fd file(check(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), path));
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw isolate::SysError(errno, "write " + path);
}

/// /run/cloister, closed to everybody else who makes or removes a folder there.
Fd lock_run_folder() {
    if (::mkdir(kRunFolder, 0755) != 0 && errno != EEXIST)
        throw isolate::SysError(errno, std::string("make ") + kRunFolder);
    Fd all(check(::open(kRunFolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), kRunFolder));
    struct stat info {};
    check(::fstat(all.get(), &info), kRunFolder);
    if (info.st_uid != 0)
        throw std::runtime_error(std::string(kRunFolder) + " is not root's own folder");
    int locked;
    do locked = ::flock(all.get(), LOCK_EX);
    while (locked < 0 && errno == EINTR);
    check(locked, std::string("lock ") + kRunFolder);
    return all;
}

/// The lock of a folder whose keeper is gone, or of a new one.
Fd try_lock(const std::string& folder) {
    Fd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
    return lock;
}

/// Folders that killed keepers left. Containers cannot write in them.
void sweep_folders() {
    std::error_code error;
    std::vector<std::string> left;
    for (const auto& entry : std::filesystem::directory_iterator(kRunFolder, error)) {
        if (entry.path().filename().string().starts_with(kFolderPrefix))
            left.push_back(entry.path().string());
    }
    for (const std::string& folder : left) {
        if (const Fd lock = try_lock(folder)) std::filesystem::remove_all(folder, error);
    }
}

std::string tag_of(const runtimes::Runtime& runtime, wire::Stage stage) {
    const bool compiles = runtime.compile.has_value() && stage != wire::Stage::run;
    return runtime.docker_image + (compiles ? ":compile" : ":run");
}

} // namespace

std::vector<std::string> images_of(const runtimes::Runtime& runtime) {
    std::vector<std::string> all;
    if (runtime.docker_image.empty()) return all;
    if (runtime.compile) all.push_back(tag_of(runtime, wire::Stage::compile));
    all.push_back(tag_of(runtime, wire::Stage::run));
    return all;
}

std::set<std::string> images_in(const DockerClient& client) {
    const DockerClient::Answer answer =
        client.ask({"image", "ls", "--format", "{{.Repository}}:{{.Tag}}"});
    if (answer.status != 0)
        throw std::runtime_error(
            "docker does not answer: " +
            (answer.text.empty() ? "it is not installed, or takes too long" : answer.text));
    const std::vector<std::string> lines = answer.lines();
    return {lines.begin(), lines.end()};
}

Docker::Docker(isolate::Instance* instance, const config::Settings& settings, Events events)
    : events_(std::move(events)), client_(settings.config.docker_host),
      owner_(settings.config.state_dir), boxes_(boxes_of(settings.config)),
      first_id_(instance != nullptr ? instance->user_id(0) : isolate::kFirstFreeId + 2),
      layout_(isolate::find_cgroups()), folder_(make_folder()),
      init_program_(helper_path("cloister-container")),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
    sweep();
    (void)extend(settings);
}

/// With a name that nobody has, and had while the lock of all was held.
Docker::Folder Docker::make_folder() {
    const Fd all = lock_run_folder();
    sweep_folders();
    Folder made{.path = std::string(kRunFolder) + "/" + kFolderPrefix + "XXXXXX"};
    if (::mkdtemp(made.path.data()) == nullptr) throw isolate::SysError(errno, "make " + made.path);
    made.lock = try_lock(made.path);
    if (!made.lock) throw isolate::SysError(errno, "lock " + made.path);
    // What is below belongs to containers, each to its own user.
    check(::chmod(made.path.c_str(), 0755), "open " + made.path);
    return made;
}

/// Only what has our label with our own state directory, which is locked for our lifetime.
void Docker::sweep() const {
    const std::string filter = std::string("label=") + kContainerLabel + "=" + owner_;
    const auto remove_all = [&](const std::vector<std::string>& list,
                                std::vector<std::string> removal) {
        const DockerClient::Answer found = client_.ask(list);
        if (found.status != 0) throw std::runtime_error("docker does not answer: " + found.text);
        const std::vector<std::string> names = found.lines();
        if (names.empty()) return;
        removal.insert(removal.end(), names.begin(), names.end());
        (void)client_.ask(removal);
    };
    remove_all({"ps", "--all", "--quiet", "--no-trunc", "--filter", filter}, {"rm", "--force"});
    remove_all({"volume", "ls", "--quiet", "--filter", filter}, {"volume", "rm", "--force"});
}

std::set<std::string> Docker::images() const { return images_in(client_); }

First Docker::extend(const config::Settings& settings) {
    if (policies_.size() > Catalogue::kMaxReadings * settings.policies.size())
        throw std::runtime_error("the settings were read too often; restart the service");
    const First first{static_cast<std::uint32_t>(runtimes_.size()),
                      static_cast<std::uint32_t>(policies_.size())};
    const std::set<std::string> there = images();
    std::vector<RuntimePlan> runtimes;
    for (const auto& known : settings.runtimes) {
        const runtimes::Runtime& runtime = known.second;
        RuntimePlan plan;
        const auto add = [&](wire::Stage stage, const runtimes::StepPlan& step) {
            Stage made;
            made.image = tag_of(runtime, stage);
            if (runtime.docker_image.empty() || !there.contains(made.image))
                made.missing_error = ENOENT;
            const auto environment = [&](const char* flag, const std::vector<std::string>& all) {
                for (const std::string& entry : all)
                    made.words.insert(made.words.end(), {flag, entry});
            };
            environment("--env", standard_environment());
            environment("--env", step.environment);
            environment("--live-env", step.live_environment);
            const bool leaves = stage == wire::Stage::compile;
            made.words.insert(made.words.end(), {"--umask", leaves ? "022" : "077", "--"});
            made.words.insert(made.words.end(), step.command.begin(), step.command.end());
            plan.stages.at(static_cast<std::size_t>(stage)) = std::move(made);
        };
        add(wire::Stage::version, runtime.version);
        if (runtime.compile) add(wire::Stage::compile, *runtime.compile);
        add(wire::Stage::run, runtime.run);
        if (runtime.check) add(wire::Stage::check, *runtime.check);
        runtimes.push_back(std::move(plan));
    }
    std::vector<PolicyPlan> policies;
    for (const auto& [name, policy] : settings.policies) {
        const isolate::SeccompProgram filter(policy.syscalls);
        PolicyPlan plan;
        plan.ceilings = policy.limits;
        plan.filter = sealed(std::as_bytes(filter.instructions()), "filter");
        plan.has_listener = filter.has_listener();
        plan.executable_files = policy.executable_files;
        plan.profile = folder_.path + "/policy-" +
                       std::to_string(policies_.size() + policies.size()) + ".json";
        write_file(plan.profile, container_profile(policy.syscalls));
        policies.push_back(std::move(plan));
    }
    for (RuntimePlan& plan : runtimes) runtimes_.push_back(std::move(plan));
    for (PolicyPlan& plan : policies) policies_.push_back(std::move(plan));
    return first;
}

void Docker::renew(First before, First) {
    for (std::uint32_t runtime = 0; runtime < before.runtime; ++runtime) {
        for (std::optional<Stage>& stage : runtimes_[runtime].stages) {
            if (stage) stage->missing_error = EAGAIN;
        }
    }
}

const Docker::Stage* Docker::stage(std::uint32_t runtime, wire::Stage stage) const {
    const auto index = static_cast<std::size_t>(stage);
    if (runtime >= runtimes_.size() || index >= wire::kStages) return nullptr;
    const auto& plan = runtimes_[runtime].stages.at(index);
    return plan ? &*plan : nullptr;
}

} // namespace cloister::keeper
