// From rules to BPF: a search over ranges of numbers that have one answer, and libseccomp for what
// depends on arguments, with a short prelude for calls younger than the policy.
#include "isolate/seccomp_program.h"

#include "isolate/fd.h"

#include <algorithm>
#include <array>
#include <linux/seccomp.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

/// `only`: the names whose rules are taken; null: all.
Context build(const SyscallPolicy& policy, const std::set<std::string>* only = nullptr) {
    const std::uint32_t refused = SCMP_ACT_ERRNO(EPERM);
    Context context(seccomp_init(refused));
    if (!context) throw SysError(ENOMEM, "start a filter");
    check_rule(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
               "foreign ABI");
    check_rule(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimisation");
    for (const SyscallRule& rule : policy.rules) {
        const int number = syscall_number(rule.name);
        if (number < 0) continue; // this architecture has no such call
        if (only != nullptr && !only->contains(rule.name)) continue;
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

using Instructions = std::vector<sock_filter>;

/// Answers ENOSYS to calls younger than the policy, so that libraries fall back to what they used
/// before; EPERM would make them fail. `ranges` is passed by native calls alone; foreign ABIs are
/// left to libseccomp's part, which kills.
Instructions prelude(std::uint32_t first_unknown, const Instructions& ranges) {
    const std::uint32_t native = seccomp_arch_native();
    const auto over = static_cast<std::uint32_t>(ranges.size());
    Instructions program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first_unknown, 0, 2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_JMP | BPF_JA, over),
    };
    program.insert(program.end(), ranges.begin(), ranges.end());
    return program;
}

/// What a number alone decides: an answer of the kernel's, or nothing when arguments are tested.
using Answer = std::optional<std::uint32_t>;
struct Range {
    std::uint32_t first = 0; ///< up to the next one's
    Answer answer{};
};

std::uint32_t answer_of(const SyscallRule& rule) {
    switch (rule.action) {
    case SyscallRule::Action::allow: return SECCOMP_RET_ALLOW;
    case SyscallRule::Action::refuse:
        return SECCOMP_RET_ERRNO | static_cast<std::uint16_t>(rule.error);
    case SyscallRule::Action::kill: return SECCOMP_RET_USER_NOTIF;
    }
    throw std::logic_error("a rule without an action");
}

std::set<std::string> names_with_tests(const SyscallPolicy& policy) {
    std::set<std::string> names;
    for (const SyscallRule& rule : policy.rules) {
        if (!rule.tests.empty()) names.insert(rule.name);
    }
    return names;
}

/// In the order of numbers, the first from 0. Empty when rules contradict each other: libseccomp
/// then decides.
std::vector<Range> ranges_of(const SyscallPolicy& policy, const std::set<std::string>& tested) {
    std::map<std::uint32_t, Answer> answers;
    for (const SyscallRule& rule : policy.rules) {
        const int number = syscall_number(rule.name);
        if (number < 0) continue;
        const Answer answer = tested.contains(rule.name) ? Answer() : Answer(answer_of(rule));
        const auto [known, is_new] = answers.emplace(static_cast<std::uint32_t>(number), answer);
        if (!is_new && known->second != answer) return {};
    }
    std::vector<Range> ranges;
    std::uint32_t next = 0;
    const auto add = [&](std::uint32_t first, const Answer& answer) {
        if (ranges.empty() || ranges.back().answer != answer) ranges.push_back({first, answer});
    };
    for (const auto& [number, answer] : answers) {
        if (number > next) add(next, SECCOMP_RET_ERRNO | EPERM);
        add(number, answer);
        next = number + 1;
    }
    add(next, SECCOMP_RET_ERRNO | EPERM);
    return ranges;
}

/// A binary search with the number in the accumulator: one comparison a node, then the answers,
/// each once, and a jump beyond the end for what libseccomp's part decides.
class Search {
public:
    /// Empty when a jump would be too far for its eight bits.
    static Instructions compile(const std::vector<Range>& ranges) {
        Search search(ranges);
        if (ranges.size() < 2 || ranges.size() - 1 + kMostAnswers > UINT8_MAX) return {};
        search.node(0, ranges.size());
        if (search.answers_.size() > kMostAnswers) return {};
        for (const auto& [at, branch, index] : search.to_answers_) {
            const auto way = static_cast<std::uint8_t>(search.program_.size() + index - at - 1);
            (branch ? search.program_[at].jt : search.program_[at].jf) = way;
        }
        for (std::size_t i = 0; i < search.answers_.size(); ++i) {
            const Answer& answer = search.answers_[i];
            const auto behind = static_cast<std::uint32_t>(search.answers_.size() - i - 1);
            search.program_.push_back(answer ? sock_filter BPF_STMT(BPF_RET | BPF_K, *answer)
                                             : sock_filter BPF_STMT(BPF_JMP | BPF_JA, behind));
        }
        return std::move(search.program_);
    }

private:
    static constexpr std::size_t kMostAnswers = 16;
    struct ToAnswer {
        std::size_t at;
        bool branch;
        std::size_t index;
    };

    explicit Search(const std::vector<Range>& ranges) : ranges_(ranges) {}

    /// Ranges `from` to `to`, two at least: smaller numbers follow at once, the others behind them.
    void node(std::size_t from, std::size_t to) {
        const std::size_t middle = from + (to - from) / 2;
        const std::size_t at = program_.size();
        program_.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges_[middle].first, 0, 0));
        branch(at, false, from, middle);
        branch(at, true, middle, to);
    }
    void branch(std::size_t at, bool greater, std::size_t from, std::size_t to) {
        if (to - from == 1) {
            to_answers_.push_back({at, greater, index_of(ranges_[from].answer)});
            return;
        }
        const auto way = static_cast<std::uint8_t>(program_.size() - at - 1);
        (greater ? program_[at].jt : program_[at].jf) = way;
        node(from, to);
    }
    std::size_t index_of(const Answer& answer) {
        const auto found = std::find(answers_.begin(), answers_.end(), answer);
        if (found != answers_.end()) return static_cast<std::size_t>(found - answers_.begin());
        answers_.push_back(answer);
        return answers_.size() - 1;
    }

    const std::vector<Range>& ranges_;
    Instructions program_{};
    std::vector<Answer> answers_{};
    std::vector<ToAnswer> to_answers_{};
};

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

SeccompProgram::SeccompProgram(const SyscallPolicy& policy, Form form) {
    const std::set<std::string> tested = names_with_tests(policy);
    const Instructions ranges =
        form == Form::by_ranges ? Search::compile(ranges_of(policy, tested)) : Instructions();
    instructions_ = prelude(policy.first_unknown, ranges);
    const Context context = build(policy, ranges.empty() ? nullptr : &tested);
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
