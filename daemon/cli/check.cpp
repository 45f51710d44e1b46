// One function per finding, in the order in which they matter.
#include "daemon/cli/check.h"

#include "daemon/keeper/selftest.h"
#include "isolate/cgroup.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/utsname.h>
#include <unistd.h>

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
        say(Grade::good, "control groups",
            layout.kind() + (layout.delegated ? ", delegated by systemd" : ""));
        for (const isolate::Hierarchy& hierarchy : layout.hierarchies) {
            if (hierarchy.v2 || !hierarchy.has(isolate::Controller::memory)) continue;
            if (!std::filesystem::exists(hierarchy.path + "/memory.memsw.limit_in_bytes") &&
                !first_line("/proc/swaps").empty()) {
                say(Grade::note, "swap accounting", "off",
                    "boot with swapaccount=1, or run without swap: memory limits do not count swap "
                    "otherwise");
            }
        }
    } catch (const std::exception& error) {
        say(Grade::missing, "control groups", error.what(),
            "boot with systemd.unified_cgroup_hierarchy=1, or mount the hierarchies");
    }
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
        else say(Grade::missing, "boxes", failed);
    } catch (const std::exception& failure) {
        say(Grade::missing, "boxes", failure.what());
    }
}

void check_runtimes(const config::Settings& settings) {
    for (const auto& [id, runtime] : settings.runtimes) {
        const std::string& program = runtime.version.command.front();
        if (::access(program.c_str(), X_OK) == 0) {
            say(Grade::good, "runtime " + id, program);
            continue;
        }
        std::string packages = "apt-get install";
        for (const std::string& package : runtime.packages) packages += " " + package;
        say(Grade::note, "runtime " + id, "not installed", packages);
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
}

} // namespace

int check_host(const config::Settings& settings) {
    check_kernel();
    check_cgroups();
    check_boxes(settings);
    check_runtimes(settings);
    check_noise();
    return worst == Grade::missing ? 1 : 0;
}

} // namespace cloister::cli
