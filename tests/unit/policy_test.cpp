// Promises of the policies: what the shipped ones allow and refuse, and which files are turned
// away.
#include "policies/policy.h"

#include <cerrno>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <catch2/catch.hpp>

using namespace cloister;
using isolate::SyscallRule;
using policies::Policy;
using Numbers = std::vector<std::uint64_t>;
using Texts = std::map<std::string, std::string, std::less<>>;

namespace {

const std::filesystem::path kTop = CLOISTER_SOURCE;

const policies::Policies& shipped() {
    static const policies::Policies all =
        policies::parse(policies::read_texts((kTop / "policies").string()));
    return all;
}

std::vector<SyscallRule> rules_of(const Policy& policy, const std::string& call) {
    std::vector<SyscallRule> rules;
    for (const SyscallRule& rule : policy.syscalls.rules) {
        if (rule.name == call) rules.push_back(rule);
    }
    return rules;
}

enum class Answer { allow, refuse, kill };

/// What a policy answers to a call with these arguments, as the compiled filter would.
Answer answer(const Policy& policy, const std::string& call,
              std::vector<std::uint64_t> arguments = {}) {
    arguments.resize(6);
    for (const SyscallRule& rule : rules_of(policy, call)) {
        bool holds = true;
        for (const auto& test : rule.tests)
            holds = holds && (arguments[test.argument] & test.mask) == test.value;
        if (!holds) continue;
        if (rule.action == SyscallRule::Action::allow) return Answer::allow;
        if (rule.action == SyscallRule::Action::kill) return Answer::kill;
        return Answer::refuse;
    }
    return Answer::refuse;
}

bool allows(const std::string& call, const std::vector<std::uint64_t>& arguments = {}) {
    return answer(shipped().at("default"), call, arguments) == Answer::allow;
}

constexpr const char* kMinimal = R"({"description": "d", "syscalls": {"allow": ["read"]}})";

Texts with(const std::string& text) {
    return {{"groups", R"({"@g": ["open", "close"]})"}, {"base", kMinimal}, {"p", text}};
}

std::string refusal(const Texts& texts) {
    try {
        policies::parse(texts);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "accepted";
}

std::string refusal(const std::string& text) { return refusal(with(text)); }

} // namespace

TEST_CASE("the shipped policies are read and numbered by name", "[policy]") {
    std::vector<std::string> names;
    for (const auto& [name, policy] : shipped()) {
        names.push_back(name);
        CHECK(policy.name == name);
        CHECK_FALSE(policy.description.empty());
        CHECK(isolate::within(policy.limits, policy.limits));
    }
    CHECK(names == std::vector<std::string>{"analyst", "command", "compile", "compile_go",
                                            "default", "judge", "strict"});
}

TEST_CASE("the default policy's limits are those of a plain Limits", "[policy]") {
    CHECK(shipped().at("default").limits == isolate::Limits{});
    CHECK(shipped().at("strict").limits == isolate::Limits{});
}

TEST_CASE("compilers have room of their own", "[policy]") {
    const isolate::Limits& limits = shipped().at("compile").limits;
    CHECK(limits.memory_bytes == 512 * isolate::kMiB);
    CHECK(limits.cpu_percent == 200);
    CHECK(limits.wall_time == std::chrono::seconds(20));
    CHECK(limits.cpu_time == std::chrono::seconds(20));
    CHECK(limits.processes == 128);
    CHECK(limits.file_bytes == 256 * isolate::kMiB);
}

TEST_CASE("a contest's stack is bounded by its memory", "[policy]") {
    const isolate::Limits& limits = shipped().at("judge").limits;
    CHECK(limits.stack_bytes == limits.memory_bytes);
    CHECK(limits.cpu_percent == 100);
}

TEST_CASE("no shipped policy allows what reaches beyond a box", "[policy]") {
    const std::vector<std::string> forbidden = {"ptrace",
                                                "process_vm_readv",
                                                "process_vm_writev",
                                                "pidfd_getfd",
                                                "kcmp",
                                                "process_madvise",
                                                "mount",
                                                "umount2",
                                                "pivot_root",
                                                "chroot",
                                                "open_tree",
                                                "move_mount",
                                                "fsopen",
                                                "fsconfig",
                                                "fsmount",
                                                "fspick",
                                                "mount_setattr",
                                                "unshare",
                                                "setns",
                                                "bpf",
                                                "perf_event_open",
                                                "userfaultfd",
                                                "io_uring_setup",
                                                "io_uring_enter",
                                                "io_uring_register",
                                                "io_setup",
                                                "io_submit",
                                                "init_module",
                                                "finit_module",
                                                "delete_module",
                                                "kexec_load",
                                                "kexec_file_load",
                                                "add_key",
                                                "request_key",
                                                "keyctl",
                                                "name_to_handle_at",
                                                "open_by_handle_at",
                                                "reboot",
                                                "swapon",
                                                "swapoff",
                                                "acct",
                                                "syslog",
                                                "quotactl",
                                                "sethostname",
                                                "setdomainname",
                                                "settimeofday",
                                                "clock_settime",
                                                "clock_adjtime",
                                                "adjtimex",
                                                "iopl",
                                                "ioperm",
                                                "lookup_dcookie",
                                                "vhangup",
                                                "shmget",
                                                "shmat",
                                                "semget",
                                                "semop",
                                                "msgget",
                                                "msgsnd",
                                                "mq_open",
                                                "inotify_init",
                                                "inotify_init1",
                                                "fanotify_init",
                                                "splice",
                                                "tee",
                                                "vmsplice",
                                                "memfd_create",
                                                "memfd_secret",
                                                "cachestat",
                                                "mincore",
                                                "sync",
                                                "syncfs",
                                                "fadvise64",
                                                "readahead",
                                                "setuid",
                                                "setresuid",
                                                "setgroups",
                                                "capset",
                                                "seccomp",
                                                "sched_setattr",
                                                "sched_setaffinity",
                                                "set_mempolicy",
                                                "mbind",
                                                "move_pages",
                                                "migrate_pages",
                                                "modify_ldt",
                                                "statmount",
                                                "listmount",
                                                "clone3",
                                                "fchmodat2",
                                                "personality_of_nobody",
                                                "mq_notify",
                                                "rt_tgsigqueue"};
    for (const auto& [name, policy] : shipped()) {
        for (const std::string& call : forbidden) {
            INFO(name << ": " << call);
            // Its workers take calls from themselves; no request can name this policy.
            if (name == "analyst" && call == "seccomp") continue;
            for (const SyscallRule& rule : rules_of(policy, call))
                CHECK(rule.action != SyscallRule::Action::allow);
        }
    }
}

TEST_CASE("file locks are for the go command alone", "[policy]") {
    for (const auto& [name, policy] : shipped()) {
        INFO(name);
        CHECK((answer(policy, "flock") == Answer::allow) == (name == "compile_go"));
    }
}

TEST_CASE("a compiler leaves no FIFO to those who run what it made", "[policy]") {
    for (const char* name : {"compile", "compile_go"}) {
        for (const char* call : {"mknod", "mknodat"}) {
            for (const SyscallRule& rule : rules_of(shipped().at(name), call))
                CHECK(rule.action == SyscallRule::Action::refuse);
        }
    }
}

TEST_CASE("what the kernel reads as 32 bits is tested by its low 32 bits", "[policy]") {
    for (const auto& [name, policy] : shipped()) {
        for (const char* call :
             {"ioctl", "socket", "socketpair", "fcntl", "prctl", "personality"}) {
            const auto rules = rules_of(policy, call);
            CHECK((name == "analyst" || !rules.empty())); // which does without most of them
            for (const SyscallRule& rule : rules) {
                INFO(name << ": " << call);
                CHECK_FALSE(rule.tests.empty());
                for (const auto& test : rule.tests) CHECK(test.mask == 0xffffffff);
            }
        }
    }
}

TEST_CASE("a high bit does not change what an ioctl is", "[policy]") {
    constexpr std::uint64_t kHigh = std::uint64_t{1} << 32;
    CHECK(allows("ioctl", {0, 0x5401}));
    CHECK(allows("ioctl", {0, 0x5401 | kHigh}));
    for (const std::uint64_t request : Numbers{0x5412, 0x541c, 0x540e, 0x5423, 0x5424}) { // STI,
                                                                                          // LINUX,
        // SCTTY, SETD, …
        CHECK_FALSE(allows("ioctl", {0, request}));
        CHECK_FALSE(allows("ioctl", {0, request | kHigh}));
    }
}

TEST_CASE("clone makes threads and processes, never a namespace", "[policy]") {
    constexpr std::uint64_t kThread = 0x3d0f00; // as pthread_create asks
    CHECK(allows("clone", {kThread}));
    CHECK(allows("clone", {0x1200011})); // as fork asks
    for (const std::uint64_t flag : Numbers{0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000,
                                            0x10000000, 0x20000000, 0x40000000}) {
        INFO(flag);
        CHECK_FALSE(allows("clone", {kThread | flag}));
    }
    const auto clone3 = rules_of(shipped().at("default"), "clone3");
    REQUIRE(clone3.size() == 1);
    CHECK(clone3[0].action == SyscallRule::Action::refuse);
    CHECK(clone3[0].error == ENOSYS);
}

TEST_CASE("sockets are of families that end in the box", "[policy]") {
    for (const std::uint64_t family : Numbers{1, 2, 10}) CHECK(allows("socket", {family, 1, 0}));
    CHECK(allows("socket", {16, 3, 0}));                                    // NETLINK_ROUTE
    CHECK_FALSE(allows("socket", {16, 3, 9}));                              // NETLINK_AUDIT
    for (const std::uint64_t family : Numbers{17, 38, 40, 15, 31, 44, 0}) { // packet, alg, vsock,
                                                                            // key,
                                                                            // bluetooth, xdp
        CHECK_FALSE(allows("socket", {family, 1, 0}));
        CHECK_FALSE(allows("socket", {family | (std::uint64_t{1} << 32), 1, 0}));
    }
    CHECK(allows("socketpair", {1}));
    CHECK_FALSE(allows("socketpair", {30})); // TIPC
}

TEST_CASE("descriptors' commands tell nothing of neighbours", "[policy]") {
    for (const std::uint64_t command : Numbers{0, 1, 2, 3, 4, 6, 7, 1030})
        CHECK(allows("fcntl", {0, command}));
    for (const std::uint64_t command : Numbers{5, 36, 1024, 1025, 1026, 8, 10})
        CHECK_FALSE(allows("fcntl", {0, command}));
}

TEST_CASE("memory advice may not compare pages with a neighbour's", "[policy]") {
    for (const std::uint64_t advice :
         Numbers{0, 1, 2, 3, 4, 8, 10, 14, 15, 16, 17, 18, 19, 20, 22, 24})
        CHECK(allows("madvise", {0, 0, advice}));
    for (const std::uint64_t advice : Numbers{12, 13, 25, 100, 101})
        CHECK_FALSE(allows("madvise", {0, 0, advice}));
}

TEST_CASE("devices cannot be made, FIFOs can", "[policy]") {
    CHECK(allows("mknodat", {0, 0, 0010644}));
    CHECK_FALSE(allows("mknodat", {0, 0, 0020644}));
    CHECK_FALSE(allows("mknod", {0, 0060644}));
}

TEST_CASE("young calls are answered as an older kernel would", "[policy]") {
    for (const auto& [name, policy] : shipped()) CHECK(policy.syscalls.first_unknown == 451);
}

TEST_CASE("the strict policy ends a run that reaches for the host", "[policy]") {
    const Policy& strict = shipped().at("strict");
    for (const char* call :
         {"ptrace", "mount", "bpf", "kexec_load", "init_module", "keyctl", "perf_event_open",
          "userfaultfd", "io_uring_setup", "unshare", "setns", "pivot_root", "chroot", "reboot"}) {
        INFO(call);
        CHECK(answer(strict, call) == Answer::kill);
        CHECK(answer(shipped().at("default"), call) == Answer::refuse);
    }
    CHECK(answer(strict, "clone", {0x10000000 | 17}) == Answer::kill);
    CHECK(answer(strict, "clone", {0x1200011}) == Answer::allow);
    CHECK(answer(strict, "read") == Answer::allow);
    CHECK(answer(strict, "inotify_init1") == Answer::refuse); // honest programs ask for it too
}

TEST_CASE("no policy has two unconditional rules for one call", "[policy]") {
    for (const auto& [name, policy] : shipped()) {
        std::set<std::string> plain;
        for (const SyscallRule& rule : policy.syscalls.rules) {
            INFO(name << ": " << rule.name);
            if (rule.tests.empty()) CHECK(plain.insert(rule.name).second);
        }
        for (const SyscallRule& rule : policy.syscalls.rules) {
            INFO(name << ": " << rule.name);
            if (!rule.tests.empty()) CHECK_FALSE(plain.contains(rule.name));
        }
    }
}

TEST_CASE("a policy can be read back", "[policy]") {
    const std::string text = policies::describe(shipped().at("strict"));
    CHECK(text.find("memory_bytes  128 MiB") != std::string::npos);
    CHECK(text.find("\n  ptrace\n") != std::string::npos);
    CHECK(text.find("\n  clone3: ENOSYS\n") != std::string::npos);
    CHECK(text.find("ioctl when argument 1 & 0xffffffff is 0x541b, 0x5421") != std::string::npos);
    CHECK(text.find(
              "socket when argument 0 & 0xffffffff is 0x10 and argument 2 & 0xffffffff is 0x0") !=
          std::string::npos);
}

TEST_CASE("a policy starts from the one that it extends", "[policy]") {
    const auto all = policies::parse(with(R"({"description": "d", "extends": "base",
        "limits": {"memory_bytes": "64m", "wall_time": 0.25, "cpu_percent": 7,},
        "syscalls": {"allow": ["@g"], "refuse": {"ENOSYS": ["read"]}, "first_unknown": 400}})"));
    const Policy& policy = all.at("p");
    CHECK(policy.limits.memory_bytes == 64 * isolate::kMiB);
    CHECK(policy.limits.wall_time == std::chrono::milliseconds(250));
    CHECK(policy.limits.cpu_percent == 7);
    CHECK(policy.limits.processes == 64);
    CHECK(policy.syscalls.first_unknown == 400);
    CHECK(answer(policy, "open") == Answer::allow);
    const auto read = rules_of(policy, "read"); // its own word replaces what it inherits
    REQUIRE(read.size() == 1);
    CHECK(read[0].error == ENOSYS);
    CHECK(rules_of(all.at("base"), "read")[0].action == SyscallRule::Action::allow);
}

TEST_CASE("only commands may execute what they write, and lock nothing", "[policy]") {
    for (const auto& [name, policy] : shipped()) {
        INFO(name);
        CHECK(policy.executable_files == (name == "command"));
        const bool says = policies::describe(policy).find("may be executed") != std::string::npos;
        CHECK(says == policy.executable_files);
    }
    const auto lock = rules_of(shipped().at("command"), "flock");
    REQUIRE(lock.size() == 1);
    CHECK(lock[0].action == SyscallRule::Action::refuse);
    CHECK(lock[0].error == SyscallRule::kPretend);
}

TEST_CASE("what a policy file gets wrong is said with its place", "[policy]") {
    CHECK(refusal(R"({"description": "d", "executable_files": 1})")
              .starts_with("p.jsonc: executable_files: expected true or false"));
    CHECK(refusal(R"({"description": "d", "syscals": {}})") ==
          "p.jsonc: syscals: unknown key; known here: description, "
          "executable_files, extends, limits, syscalls");
    CHECK(refusal(R"({"description": "d", "limits": {"memory": 1}})")
              .starts_with("p.jsonc: limits.memory: unknown key; known here: "));
    CHECK(refusal(R"({"description": "d", "limits": {"memory_bytes": 0}})")
              .starts_with("p.jsonc: limits.memory_bytes: expected 1048576 to "));
    CHECK(
        refusal(R"({"description": "d", "limits": {"memory_bytes": "lots"}})") ==
        R"(p.jsonc: limits.memory_bytes: expected a number of bytes or a size such as "64m", found "lots")");
    CHECK(refusal(R"({"description": "d", "limits": {"memory_bytes": -1}})")
              .starts_with("p.jsonc: limits.memory_bytes: expected a number of bytes"));
    CHECK(refusal(R"({"description": "d", "limits": {"wall_time": 0}})")
              .starts_with("p.jsonc: limits.wall_time: expected more than 0"));
    CHECK(refusal(R"({"description": "d", "limits": {"wall_time": "10"}})")
              .starts_with("p.jsonc: limits.wall_time: expected a number of seconds"));
    CHECK(refusal(R"({"description": "d", "limits": {"cpu_percent": 1.5}})")
              .starts_with("p.jsonc: limits.cpu_percent: expected a whole number"));
    CHECK(refusal(R"({"description": "d", "limits": {"processes": 0}})")
              .starts_with("p.jsonc: limits.processes: expected 1 to "));
    CHECK(refusal(R"({"description": "d", "limits": []})")
              .starts_with("p.jsonc: limits: expected an object"));
    CHECK(refusal(R"({"syscalls": {"allow": ["read"]}})") ==
          R"(p.jsonc: the key "description" is missing)");
    CHECK(refusal(R"({"description": "d"})") == "p.jsonc: allows no system call at all");
    CHECK(refusal(R"({"description": "d", "description": "e"})") ==
          R"(p.jsonc: the key "description" is given twice)");
    CHECK(refusal("{\n  nonsense\n}").starts_with("p.jsonc: parse error at line 2"));
    CHECK(refusal(R"({"description": "d", "extends": "gone"})") ==
          "p.jsonc: extends: there is no policy 'gone'");
    CHECK(refusal(R"({"description": "d", "extends": "p"})") == "p.jsonc: extends: a circle");
    CHECK(refusal(Texts{{"P!", kMinimal}}).starts_with("P!.jsonc: a policy's name"));
}

TEST_CASE("what a policy says about calls is checked", "[policy]") {
    const auto rule = [](const std::string& inner) {
        return refusal(R"({"description": "d", "syscalls": {)" + inner + "}}");
    };
    CHECK(rule(R"("allow": ["@none"])") ==
          "p.jsonc: syscalls.allow: there is no group '@none' in groups.jsonc");
    CHECK(rule(R"("allow": ["read", "read"])") ==
          "p.jsonc: syscalls.allow: there is a rule for 'read' already in this file");
    CHECK(rule(R"("allow": ["read"], "kill": ["read"])").find("already in this file") !=
          std::string::npos);
    CHECK(rule(R"("allow": ["read now"])").find("neither a system call nor a @group") !=
          std::string::npos);
    CHECK(rule(R"("refuse": {"ENOPE": ["read"]})")
              .starts_with("p.jsonc: syscalls.refuse.ENOPE: not the name of an error"));
    CHECK(rule(R"("allow_if": [{"call": "ioctl", "argument": 6, "mask": 1, "is": [0]}])")
              .starts_with("p.jsonc: syscalls.allow_if[0].argument: expected 0 to 5"));
    CHECK(rule(R"("allow_if": [{"call": "ioctl", "argument": 1, "is": [0]}])") ==
          R"(p.jsonc: syscalls.allow_if[0]: the key "mask" is missing)");
    CHECK(rule(R"("allow_if": [{"call": "ioctl", "argument": 1, "mask": "0xff", "is": ["0x100"]}])")
              .find("can never match") != std::string::npos);
    CHECK(rule(R"("allow_if": [{"call": "ioctl", "argument": 1, "mask": "ff", "is": [0]}])")
              .find("expected a number or a text such as") != std::string::npos);
    CHECK(
        rule(
            R"("allow": ["ioctl"], "allow_if": [{"call": "ioctl", "argument": 1, "mask": 1, "is": [0]}])")
            .find("a rule without tests for 'ioctl'") != std::string::npos);
    CHECK(rule(R"("allow_if": [{"call": "ioctl", "argument": 1, "mask": 1, "is": []}])")
              .find("expected a list of values") != std::string::npos);
    CHECK(refusal(Texts{{"groups", R"({"g": []})"}, {"p", kMinimal}}) ==
          "groups.jsonc: g: the name of a group begins with '@'");
}

TEST_CASE("comments and a last comma are welcome, other slips are not", "[policy]") {
    CHECK(refusal("// c\n{\"description\": \"a, } b // c\", /* , */ \"syscalls\": {\"allow\": "
                  "[\"read\", // r\n ],},}") == "accepted");
    CHECK(refusal(R"({"description": "d",, "syscalls": {"allow": ["read"]}})")
              .starts_with("p.jsonc: parse error"));
    CHECK(refusal(R"({"description": "d", "syscalls": {"allow": [,]}})").starts_with("p.jsonc: "));
    CHECK(refusal(R"({"description": 1e999})") == "p.jsonc: number overflow parsing '1e999'");
}
