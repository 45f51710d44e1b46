// One function per finding, in the order in which they matter.
#include "daemon/cli/check.h"

#include "daemon/keeper/docker.h"
#include "daemon/keeper/selftest.h"
#include "daemon/keeper/unprivileged.h"
#include "isolate/cgroup_layout.h"
#include "isolate/means.h"
#include "isolate/mount_plan.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <linux/landlock.h>
#include <pwd.h>
#include <set>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

namespace cloister::cli {
namespace {

enum class Grade { good, note, missing };

Grade worst = Grade::good;

void say(Grade grade, const std::string& subject, const std::string& fact,
         const std::string& advice = {}) {
    const char* mark = grade == Grade::good   ? "ok      "
                       : grade == Grade::note ? "note    "
                                              : "missing ";
    std::cout << mark << subject << ": " << fact << "\n";
    if (!advice.empty()) std::cout << "        -> " << advice << "\n";
    worst = std::max(worst, grade);
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

void check_kernel() {
    utsname name{};
    (void)::uname(&name);
    int major = 0;
    int minor = 0;
    (void)std::sscanf(name.release, "%d.%d", &major, &minor);
    // mount_setattr came with 5.12, cgroup.kill with 5.14.
    if (major > 5 || (major == 5 && minor >= 14)) say(Grade::good, "kernel", name.release);
    else if (major == 5 && minor >= 12)
        say(Grade::note, "kernel", name.release,
            "5.14 or newer can kill a whole control group at once");
    else
        say(Grade::missing, "kernel", name.release, "5.12 is the oldest that boxes can be made on");
}

void check_cgroups() {
    try {
        const isolate::CgroupLayout layout = isolate::find_cgroups();
        const std::string kind = layout.kind();
        if (kind == "v2") {
            say(Grade::good, "control groups", kind);
        } else {
            say(Grade::note, "control groups", kind,
                "boxes hold all the same; on v2 (boot with systemd.unified_cgroup_hierarchy=1) "
                "cloister.slice bounds all of them together, too");
        }
        bool swap_counts = true;
        for (const isolate::Hierarchy& hierarchy : layout.hierarchies) {
            if (hierarchy.v2 || !hierarchy.has(isolate::Controller::memory)) continue;
            swap_counts = std::filesystem::exists(hierarchy.path + "/memory.memsw.limit_in_bytes");
        }
        if (swap_counts) say(Grade::good, "swap accounting", "on");
        else
            say(Grade::note, "swap accounting", "off",
                "boot with swapaccount=1, or run without swap: memory limits do not count swap "
                "otherwise");
    } catch (const std::exception& error) {
        say(Grade::missing, "control groups", error.what(),
            "boot with systemd.unified_cgroup_hierarchy=1, or mount the hierarchies");
    }
}

/// What boxes are made of, and the setting that forbids it on some hosts.
void check_namespaces() {
    struct Kind {
        const char* file;
        const char* setting;
    };
    constexpr Kind kKinds[] = {{"mnt", "max_mnt_namespaces"}, {"pid", "max_pid_namespaces"},
                               {"net", "max_net_namespaces"}, {"ipc", "max_ipc_namespaces"},
                               {"uts", "max_uts_namespaces"}, {"cgroup", "max_cgroup_namespaces"}};
    std::string absent;
    std::string forbidden;
    for (const Kind& kind : kKinds) {
        if (!std::filesystem::exists(std::string("/proc/self/ns/") + kind.file))
            absent += std::string(" ") + kind.file;
        if (first_line(std::string("/proc/sys/user/") + kind.setting) == "0")
            forbidden += std::string(" user.") + kind.setting;
    }
    if (!absent.empty())
        say(Grade::missing, "namespaces", "the kernel lacks" + absent,
            "a kernel of a distribution has them; in a container, see docs/operations.md");
    else if (!forbidden.empty())
        say(Grade::missing, "namespaces", "forbidden by" + forbidden,
            "sysctl -w with more than 0 for each, and the same in /etc/sysctl.d");
    else say(Grade::good, "namespaces", "mount, pid, network, ipc, uts, cgroup");
}

void check_filters() {
    if (std::filesystem::exists("/proc/sys/kernel/seccomp/actions_avail"))
        say(Grade::good, "system call filters", "there");
    else
        say(Grade::missing, "system call filters", "the kernel has none",
            "a kernel with CONFIG_SECCOMP_FILTER is needed");
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version > 0) say(Grade::good, "Landlock", "version " + std::to_string(version));
    else
        say(Grade::note, "Landlock", "not there",
            "the front's last lock on files; with kernel 5.13 or newer, boot with landlock among "
            "lsm=. File modes and the filter hold without it");
}

void check_daemon(const config::Settings& settings) {
    const config::Config& config = settings.config;
    if (::getpwnam(config.user.c_str()) != nullptr) // NOLINT(concurrency-mt-unsafe): one thread
        say(Grade::good, "account", config.user);
    else
        say(Grade::note, "account", "there is no '" + config.user + "'",
            "systemd-sysusers cloister.conf makes it; without it the front takes a number of its "
            "own");
    std::error_code error;
    std::filesystem::path place = config.state_dir;
    while (!std::filesystem::exists(place, error) && place.has_relative_path())
        place = place.parent_path();
    const auto space = std::filesystem::space(place, error);
    constexpr std::uintmax_t kLittle = 1024 * isolate::kMiB;
    if (error || space.available >= kLittle) say(Grade::good, "state directory", config.state_dir);
    else
        say(Grade::note, "state directory",
            config.state_dir + " has " + std::to_string(space.available / isolate::kMiB) +
                " MiB left",
            "rooms are not kept on a full disk: make room, or set state_dir, or lower store_bytes");
    rlimit files{};
    (void)::getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max >= config.connections + std::uint64_t{2'048})
        say(Grade::good, "open files", std::to_string(files.rlim_max));
    else
        say(Grade::note, "open files", "at most " + std::to_string(files.rlim_max) + " here",
            "`connections` (" + std::to_string(config.connections) +
                ") is cut down to what fits; the service has LimitNOFILE=65536");
    const std::uint64_t memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                                 static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto processors =
        static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    const std::uint64_t boxes = config.boxes != 0 ? config.boxes : 4 * processors;
    const auto policy = settings.policies.find(config.run_policy);
    const std::uint64_t each =
        policy == settings.policies.end() ? 0 : policy->second.limits.memory_bytes;
    const std::string most = std::to_string(boxes) + " boxes of " +
                             std::to_string(each / isolate::kMiB) + " MiB, of " +
                             std::to_string(memory / isolate::kMiB) + " MiB";
    if (boxes * each + config.prepared_memory <= memory) say(Grade::good, "memory", most);
    else
        say(Grade::note, "memory", most,
            "should all boxes fill up at once, the host's own killer chooses; lower boxes, or set "
            "MemoryMax= of cloister.slice");
}

void check_boxes(const config::Settings& settings) {
    if (::geteuid() != 0)
        return say(Grade::note, "boxes", "not tried",
                   "run this as root to make one and test every layer");
    std::error_code error;
    const std::filesystem::path folder =
        std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    std::string probe = (folder / "cloister-probe").string();
    if (::access(probe.c_str(), X_OK) != 0) probe = "/usr/libexec/cloister/cloister-probe";
    try {
        const std::string failed = keeper::selftest(settings, probe);
        if (failed.empty()) say(Grade::good, "boxes", "every layer holds");
        else
            say(Grade::missing, "boxes", failed,
                "cloisterd will not serve; the findings above may say why, else the kernel's log "
                "does (a container or a security module that forbids it)");
    } catch (const std::exception& failure) {
        say(Grade::missing, "boxes", failure.what(),
            "in a container it takes CAP_SYS_ADMIN and control groups that can be written");
    }
}

/// Of use where boxes cannot be made, or where the configuration says so.
void check_docker(const config::Settings& settings) {
    const Grade bad = settings.config.executor == "docker" ? Grade::missing : Grade::note;
    try {
        const std::set<std::string> there =
            keeper::images_in(keeper::DockerClient(settings.config.docker_host));
        std::string missing;
        for (const auto& [id, runtime] : settings.runtimes) {
            if (runtime.hidden) continue;
            const std::vector<std::string> needed = keeper::images_of(runtime);
            const bool all = std::all_of(needed.begin(), needed.end(),
                                         [&](const auto& one) { return there.contains(one); });
            if (!all) missing += " " + id;
        }
        if (missing.empty()) return say(Grade::good, "docker", "answers, with all images");
        say(bad, "docker", "answers; no images for" + missing, "cloister docker-image" + missing);
    } catch (const std::exception& failure) {
        std::string why = failure.what();
        say(bad, "docker", why.substr(0, why.find('\n')),
            "only where boxes cannot be made, or by choice (docs/executors.md): apt-get install "
            "docker.io");
    }
}

/// The first path that one of the runtime's steps is to show and that is not there; empty: none.
std::string missing_path(const runtimes::Runtime& runtime) {
    const std::string& program = runtime.version.command.front();
    if (::access(program.c_str(), X_OK) != 0) return program;
    std::vector<const runtimes::StepPlan*> steps = {&runtime.version, &runtime.run};
    if (runtime.compile) steps.push_back(&*runtime.compile);
    for (const runtimes::StepPlan* step : steps) {
        try {
            (void)isolate::plan_mounts(step->mounts);
        } catch (const std::exception& error) {
            return error.what();
        }
    }
    return {};
}

void check_runtimes(const config::Settings& settings) {
    for (const auto& [id, runtime] : settings.runtimes) {
        if (runtime.hidden) continue;
        const std::string missing = missing_path(runtime);
        if (missing.empty()) {
            say(Grade::good, "runtime " + id, runtime.version.command.front());
            continue;
        }
        std::string packages = "apt-get install";
        for (const std::string& package : runtime.packages) packages += " " + package;
        say(Grade::note, "runtime " + id, "not installed (" + missing + ")",
            packages + ", then systemctl reload cloisterd");
    }
}

void check_noise() {
    std::ifstream swaps("/proc/swaps");
    std::string line;
    std::getline(swaps, line);
    if (std::getline(swaps, line))
        say(Grade::note, "swap", "on",
            "timings are steadier without (swapoff -a); boxes themselves never swap on v2");
    else say(Grade::good, "swap", "off");
    const std::string threads = first_line("/sys/devices/system/cpu/smt/active");
    if (threads == "1")
        say(Grade::note, "SMT", "on",
            "judging is steadier with it off: echo off > /sys/devices/system/cpu/smt/control");
    else say(Grade::good, "SMT", threads.empty() ? "not known" : "off");
    const std::string governor =
        first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (!governor.empty() && governor != "performance")
        say(Grade::note, "CPU governor", governor, "judging is steadier with 'performance'");
    else say(Grade::good, "CPU governor", governor.empty() ? "none" : governor);
    const std::string layout = first_line("/proc/sys/kernel/randomize_va_space");
    if (layout != "2")
        say(Grade::note, "address randomisation", layout, "sysctl kernel.randomize_va_space=2");
    else say(Grade::good, "address randomisation", "on");
}

/// The executor `local` would run programs so; nothing is wrong with a host that cannot.
void check_local() {
    const isolate::FoundMeans found = isolate::find_means();
    if (found.means == isolate::Means::none) {
        say(Grade::note, "executor local", "not here: " + found.missing,
            "an ordinary user's daemon needs user namespaces, or Linux 6.12 (docs/executors.md)");
        return;
    }
    std::string words;
    for (const std::string& word : keeper::unprotected(found.means))
        words += (words.empty() ? "" : ", ") + word;
    if (found.means == isolate::Means::fence) {
        say(Grade::note, "executor local", "by file rules and filters alone: " + found.missing,
            "not protected: " + words + " (docs/executors.md)");
        return;
    }
    say(Grade::good, "executor local",
        "an ordinary user's daemon would not protect: " + words + " (docs/executors.md)");
}

} // namespace

int check_host(const config::Settings& settings) {
    check_kernel();
    check_namespaces();
    check_cgroups();
    check_filters();
    check_boxes(settings);
    check_docker(settings);
    check_daemon(settings);
    check_runtimes(settings);
    check_local();
    check_noise();
    return worst == Grade::missing ? 1 : 0;
}

} // namespace cloister::cli
