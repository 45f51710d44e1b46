// Writes JSON by hand: every text in it is the name of a system call, from the operator's policies.
#include "daemon/keeper/container_profile.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cloister::keeper {
namespace {

/// Of the container's first process, before the inner filter is there: its socket, its child, the
/// locks it puts on.
constexpr std::array kOfInit = {
    "clone3",    "close",        "close_range",    "connect",      "dup2",       "dup3",
    "execve",    "exit",         "exit_group",     "fcntl",        "fstat",      "getpid",
    "getrlimit", "kill",         "mmap",           "munmap",       "newfstatat", "openat",
    "pipe2",     "poll",         "ppoll",          "prctl",        "prlimit64",  "read",
    "recvmsg",   "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "seccomp",    "sendmsg",
    "setrlimit", "setsid",       "signalfd4",      "socket",       "umask",      "wait4",
    "write"};

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') result += '\\';
        result += letter;
    }
    return result + '"';
}

std::string test_of(const isolate::ArgumentTest& test) {
    return "{\"index\":" + std::to_string(test.argument) +
           ",\"value\":" + std::to_string(test.mask) +
           ",\"valueTwo\":" + std::to_string(test.value) + ",\"op\":\"SCMP_CMP_MASKED_EQ\"}";
}

std::string rule_of(std::string_view name, const std::vector<isolate::ArgumentTest>& tests) {
    std::string text = "{\"names\":[" + quoted(name) + "],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[";
    for (const isolate::ArgumentTest& test : tests) {
        if (&test != tests.data()) text += ',';
        text += test_of(test);
    }
    return text + "]}";
}

} // namespace

std::string container_profile(const isolate::SyscallPolicy& policy) {
    using Action = isolate::SyscallRule::Action;
    constexpr isolate::ArgumentTest kTakeTerminal{
        .argument = 1, .mask = 0xffffffff, .value = 0x540e}; // TIOCSCTTY
    std::string rules;
    for (const char* name : kOfInit) rules += rule_of(name, {}) + ",\n";
    rules += rule_of("ioctl", {kTakeTerminal});
    for (const isolate::SyscallRule& rule : policy.rules) {
        if (rule.action == Action::refuse) continue;
        // What the policy kills for must reach the inner filter, which says the call's name.
        const bool kills = rule.action == Action::kill;
        rules +=
            ",\n" + rule_of(rule.name, kills ? std::vector<isolate::ArgumentTest>{} : rule.tests);
    }
    return "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n" + rules + "]}\n";
}

} // namespace cloister::keeper
