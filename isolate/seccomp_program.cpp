// From rules to BPF by libseccomp, with a short prelude of our own for calls younger than the
// policy.
#include "isolate/seccomp_program.h"

#include "isolate/fd.h"

#include <array>
#include <linux/seccomp.h>
#include <memory>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>

#include <seccomp.h>

namespace cloister::isolate {
namespace {

struct YoungCall {
    const char* name;
    int number;
};

// Debian 12's libseccomp 2.5.4 ends at Linux 5.19. Since 5.1 a new call has one number everywhere
// (include/uapi/asm-generic/unistd.h), so a table serves all architectures.
constexpr std::array kYoungCalls = {
    YoungCall{"cachestat", 451},         YoungCall{"fchmodat2", 452},
    YoungCall{"map_shadow_stack", 453},  YoungCall{"futex_wake", 454},
    YoungCall{"futex_wait", 455},        YoungCall{"futex_requeue", 456},
    YoungCall{"statmount", 457},         YoungCall{"listmount", 458},
    YoungCall{"lsm_get_self_attr", 459}, YoungCall{"lsm_set_self_attr", 460},
    YoungCall{"lsm_list_modules", 461},  YoungCall{"mseal", 462},
};

constexpr std::uint32_t kX32Bit = 0x40000000;

struct ContextDeleter {
    void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ContextDeleter>;

void check_rule(int result, const std::string& name) {
    if (result < 0) throw SysError(-result, "filter rule for " + name);
}

std::uint32_t action_of(const SyscallRule& rule) {
    switch (rule.action) {
    case SyscallRule::Action::allow: return SCMP_ACT_ALLOW;
    case SyscallRule::Action::refuse: return SCMP_ACT_ERRNO(static_cast<std::uint16_t>(rule.error));
    case SyscallRule::Action::kill: return SCMP_ACT_NOTIFY;
    }
    throw std::logic_error("a rule without an action");
}

Context build(const SyscallPolicy& policy) {
    const std::uint32_t refused = SCMP_ACT_ERRNO(EPERM);
    Context context(seccomp_init(refused));
    if (!context) throw SysError(ENOMEM, "start a filter");
    check_rule(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
               "foreign ABI");
    check_rule(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimisation");
    for (const SyscallRule& rule : policy.rules) {
        const int number = syscall_number(rule.name);
        if (number < 0) continue; // this architecture has no such call
        const std::uint32_t action = action_of(rule);
        if (action == refused) continue; // what no rule allows is refused so anyhow
        std::vector<scmp_arg_cmp> tests;
        for (const ArgumentTest& test : rule.tests) {
            tests.push_back({.arg = test.argument,
                             .op = SCMP_CMP_MASKED_EQ,
                             .datum_a = test.mask,
                             .datum_b = test.value});
        }
        const int result = seccomp_rule_add_array(
            context.get(), action, number, static_cast<unsigned>(tests.size()), tests.data());
        if (result != -EEXIST) check_rule(result, rule.name);
    }
    return context;
}

/// What `write` puts into a file, as bytes.
template <typename Write>
std::string captured(const Write& write) {
    Fd file(check(::memfd_create("filter", MFD_CLOEXEC), "memory for a filter"));
    check_rule(write(file.get()), "export");
    struct stat info {};
    check(::fstat(file.get(), &info), "size of a filter");
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    if (::pread(file.get(), bytes.data(), bytes.size(), 0) != info.st_size)
        throw SysError(EIO, "read a filter");
    return bytes;
}

// Answers ENOSYS to calls younger than the policy, so that libraries fall back to what they used
// before; EPERM would make them fail. Foreign ABIs are left to libseccomp's part, which kills.
std::vector<sock_filter> prelude(std::uint32_t first_unknown) {
    const std::uint32_t native = seccomp_arch_native();
    return {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first_unknown, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
}

} // namespace

int syscall_number(const std::string& name) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number != __NR_SCMP_ERROR) return number;
    for (const YoungCall& call : kYoungCalls) {
        if (name == call.name) return call.number;
    }
    throw std::runtime_error("no system call is named '" + name + "'");
}

std::string syscall_name(int number) {
    if (number < 0) return "a call of a foreign ABI";
    for (const YoungCall& call : kYoungCalls) {
        if (number == call.number) return call.name;
    }
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name == nullptr) return "call " + std::to_string(number);
    std::string result(name);
    std::free(name); // libseccomp hands over a malloc'ed copy
    return result;
}

SeccompProgram::SeccompProgram(const SyscallPolicy& policy)
    : instructions_(prelude(policy.first_unknown)) {
    const Context context = build(policy);
    const std::string bytes =
        captured([&](int fd) { return seccomp_export_bpf(context.get(), fd); });
    const auto* first = reinterpret_cast<const sock_filter*>(bytes.data());
    instructions_.insert(instructions_.end(), first, first + bytes.size() / sizeof(sock_filter));
    for (const SyscallRule& rule : policy.rules) {
        if (rule.action == SyscallRule::Action::kill && syscall_number(rule.name) >= 0)
            has_listener_ = true;
    }
}

std::string explain(const SyscallPolicy& policy) {
    const Context context = build(policy);
    return captured([&](int fd) { return seccomp_export_pfc(context.get(), fd); });
}

} // namespace cloister::isolate
