// What is left of a policy behind a fence: less than before in every call that matters, and nothing
// more.
#include "isolate/fenced_policy.h"
#include "isolate/seccomp_program.h"
#include "policies/policy.h"

#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

using namespace cloister;
using isolate::SyscallPolicy;
using isolate::SyscallRule;

namespace {

const policies::Policies& shipped() {
    static const policies::Policies all = policies::parse(
        policies::read_texts((std::filesystem::path(CLOISTER_SOURCE) / "policies").string()));
    return all;
}

std::vector<SyscallRule> allowing(const SyscallPolicy& policy, const std::string& name) {
    std::vector<SyscallRule> found;
    for (const SyscallRule& rule : policy.rules) {
        if (rule.name == name && rule.action == SyscallRule::Action::allow) found.push_back(rule);
    }
    return found;
}

bool tests(const SyscallRule& rule, unsigned argument, std::uint64_t value) {
    return std::any_of(rule.tests.begin(), rule.tests.end(), [&](const auto& test) {
        return test.argument == argument && test.value == value;
    });
}

} // namespace

TEST_CASE("a fenced policy leaves out what the fence cannot know of") {
    for (const auto& [name, policy] : shipped()) {
        CAPTURE(name);
        const SyscallPolicy fenced = isolate::fenced(policy.syscalls);
        for (const char* call : {"chmod", "fchmod", "fchmodat", "utimensat", "socket", "connect",
                                 "bind", "setsid", "setpgid", "shmget", "inotify_add_watch"})
            CHECK(allowing(fenced, call).empty());
        for (const SyscallRule& rule : allowing(fenced, "prlimit64")) CHECK(tests(rule, 0, 0));
        for (const SyscallRule& rule : allowing(fenced, "socketpair")) CHECK(tests(rule, 1, 1));
        for (const SyscallRule& rule : allowing(fenced, "setpriority")) {
            CHECK(tests(rule, 0, 0));
            CHECK(tests(rule, 1, 0));
        }
    }
}

TEST_CASE("a fenced policy allows nothing that the policy does not, and can be compiled") {
    for (const auto& [name, policy] : shipped()) {
        CAPTURE(name);
        const SyscallPolicy fenced = isolate::fenced(policy.syscalls);
        CHECK(fenced.first_unknown == policy.syscalls.first_unknown);
        for (const SyscallRule& rule : fenced.rules) {
            if (rule.action != SyscallRule::Action::allow) continue;
            const auto before = allowing(policy.syscalls, rule.name);
            CHECK(std::any_of(before.begin(), before.end(), [&](const SyscallRule& old) {
                return old.tests.size() <= rule.tests.size() &&
                       std::equal(old.tests.begin(), old.tests.end(), rule.tests.begin(),
                                  [](const auto& a, const auto& b) {
                                      return a.argument == b.argument && a.mask == b.mask &&
                                             a.value == b.value;
                                  });
            }));
        }
        CHECK(!isolate::SeccompProgram(fenced).instructions().empty());
    }
}
