// A promise about compiled filters: the form that boxes load answers every call as libseccomp's own
// does. Both are run here, instruction by instruction, as the kernel would.
#include "isolate/seccomp_program.h"
#include "policies/policy.h"

#include <cerrno>
#include <cstring>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <map>
#include <set>
#include <stdexcept>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

using isolate::SeccompProgram;
using Form = SeccompProgram::Form;

/// The instructions that filters are made of (Linux, kernel/seccomp.c: seccomp_check_filter).
std::uint32_t answer(std::span<const sock_filter> program, const seccomp_data& call) {
    std::uint32_t value = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& step = program[at];
        bool holds = false;
        switch (step.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (step.k % 4 != 0 || step.k >= sizeof call)
                throw std::runtime_error("a filter that reads elsewhere");
            std::memcpy(&value, reinterpret_cast<const char*>(&call) + step.k, sizeof value);
            continue;
        case BPF_ALU | BPF_AND | BPF_K: value &= step.k; continue;
        case BPF_RET | BPF_K: return step.k;
        case BPF_JMP | BPF_JA: at += step.k; continue;
        case BPF_JMP | BPF_JEQ | BPF_K: holds = value == step.k; break;
        case BPF_JMP | BPF_JGE | BPF_K: holds = value >= step.k; break;
        case BPF_JMP | BPF_JGT | BPF_K: holds = value > step.k; break;
        case BPF_JMP | BPF_JSET | BPF_K: holds = (value & step.k) != 0; break;
        default: throw std::runtime_error("an instruction that no filter has");
        }
        at += holds ? step.jt : step.jf;
    }
    throw std::runtime_error("a filter without an end");
}

/// Arguments at and around everything that a policy tests.
std::set<std::uint64_t> interesting(const isolate::SyscallPolicy& policy) {
    std::set<std::uint64_t> values = {0, 1, ~std::uint64_t{0}};
    for (const isolate::SyscallRule& rule : policy.rules) {
        for (const isolate::ArgumentTest& test : rule.tests) {
            for (const std::uint64_t value :
                 {test.value, test.value + 1, test.value ^ (test.mask & ~(test.mask - 1)),
                  test.value | ~test.mask, test.value | std::uint64_t{1} << 32, test.mask})
                values.insert(value);
        }
    }
    return values;
}

} // namespace

TEST_CASE("a filter by ranges answers every call as libseccomp's own does", "[box][any-host]") {
    const auto policies =
        policies::parse(policies::read_texts(std::string(CLOISTER_SOURCE) + "/policies"));
    REQUIRE(policies.size() >= 6);
    for (const auto& [name, policy] : policies) {
        INFO(name);
        const SeccompProgram ours(policy.syscalls);
        const SeccompProgram theirs(policy.syscalls, Form::by_library);
        CHECK(ours.has_listener() == theirs.has_listener());
        if (name == "default")
            CHECK(ours.instructions().size() * 3 < theirs.instructions().size() * 2);
        const std::set<std::uint64_t> values = interesting(policy.syscalls);
        std::map<std::uint32_t, int> seen;
        std::size_t different = 0;
        const auto compare = [&](std::uint32_t arch, std::uint32_t number) {
            seccomp_data call{};
            call.arch = arch;
            call.nr = static_cast<int>(number);
            for (unsigned argument = 0; argument < 6; ++argument) {
                for (const std::uint64_t value : values) {
                    for (const std::uint64_t other : {std::uint64_t{0}, ~std::uint64_t{0}}) {
                        for (auto& entry : call.args) entry = other;
                        call.args[argument] = value;
                        const std::uint32_t theirs_says = answer(theirs.instructions(), call);
                        ++seen[theirs_says];
                        if (answer(ours.instructions(), call) != theirs_says) ++different;
                    }
                }
            }
        };
        const std::uint32_t native = AUDIT_ARCH_X86_64;
        for (std::uint32_t number = 0; number < 600; ++number) compare(native, number);
        for (const std::uint32_t number : {1000U, 0x3fffffffU, 0x40000000U, 0x40000001U,
                                           0x4000003bU, 0x7fffffffU, 0x80000000U, 0xffffffffU})
            compare(native, number);
        for (const std::uint32_t number : {0U, 11U, 102U, 173U, 500U}) {
            compare(AUDIT_ARCH_I386, number);
            compare(AUDIT_ARCH_AARCH64, number);
        }
        CHECK(different == 0);
        // What was compared is more than one answer.
        CHECK(seen[SECCOMP_RET_ALLOW] > 0);
        CHECK(seen[SECCOMP_RET_ERRNO | EPERM] > 0);
        CHECK(seen[SECCOMP_RET_ERRNO | ENOSYS] > 0);
        CHECK(seen[SECCOMP_RET_KILL_PROCESS] > 0);
    }
}

TEST_CASE("what contradicting rules mean is left to libseccomp", "[box]") {
    isolate::SyscallPolicy policy;
    policy.rules = {{.name = "read", .tests = {}}, {.name = "write", .tests = {}}};
    const auto size = [&](Form form) { return SeccompProgram(policy, form).instructions().size(); };
    CHECK(size(Form::by_ranges) != size(Form::by_library));
    policy.rules.push_back({.name = "read",
                            .action = isolate::SyscallRule::Action::refuse,
                            .error = ENOSYS,
                            .tests = {}});
    CHECK(size(Form::by_ranges) == size(Form::by_library));
}

} // namespace cloister::box_test
