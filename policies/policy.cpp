// Reads policies. A file may say less than it means: groups of calls are expanded, and a policy
// that extends another one starts from its limits and rules. What the file itself says about a call
// then replaces everything inherited about that call, so a rule can be tightened as well as
// loosened.
#include "policies/policy.h"

#include "policies/strict_json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace cloister::policies {
namespace {

using isolate::ArgumentTest;
using isolate::Limits;
using isolate::SyscallPolicy;
using isolate::SyscallRule;
using strict_json::fail;
using strict_json::json;
using strict_json::Object;

using Groups = std::map<std::string, std::vector<std::string>, std::less<>>;
using Texts = std::map<std::string, std::string, std::less<>>;

constexpr const char* kSuffix = ".jsonc";
constexpr double kMostSeconds = 24 * 60 * 60;
constexpr std::uint64_t kTiB = 1024 * 1024 * isolate::kMiB;

struct ErrorName {
    const char* name;
    int number;
};
constexpr std::array kErrors = {
    ErrorName{"EPERM", EPERM},
    ErrorName{"EACCES", EACCES},
    ErrorName{"ENOSYS", ENOSYS},
    ErrorName{"EINVAL", EINVAL},
    ErrorName{"ENOTSUP", ENOTSUP},
    ErrorName{"ENOENT", ENOENT},
    ErrorName{"EAFNOSUPPORT", EAFNOSUPPORT},
};

std::string name_of_error(int number) {
    if (number == SyscallRule::kPretend) return "success is answered, and nothing done";
    for (const ErrorName& error : kErrors) {
        if (error.number == number) return error.name;
    }
    return "errno " + std::to_string(number);
}

bool is_call_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_file_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

void read_limits(const json& value, const std::string& place, Limits& limits) {
    Object object(value, place, true);
    const auto size = [&](const char* key, std::uint64_t& into, std::uint64_t least,
                          std::uint64_t most) {
        if (const json* given = object.take(key))
            into = strict_json::read_size(*given, object.place_of(key), least, most);
    };
    const auto count = [&](const char* key, std::uint32_t& into, std::uint64_t least,
                           std::uint64_t most) {
        if (const json* given = object.take(key)) {
            into = static_cast<std::uint32_t>(
                strict_json::read_count(*given, object.place_of(key), least, most));
        }
    };
    const auto time = [&](const char* key, std::chrono::milliseconds& into) {
        if (const json* given = object.take(key))
            into = strict_json::read_seconds(*given, object.place_of(key), kMostSeconds);
    };
    size("memory_bytes", limits.memory_bytes, isolate::kMiB, kTiB);
    count("cpu_percent", limits.cpu_percent, 1, 100'000);
    time("wall_time", limits.wall_time);
    time("cpu_time", limits.cpu_time);
    count("processes", limits.processes, 1, 4'194'304);
    size("output_bytes", limits.output_bytes, 1, 1024 * isolate::kMiB);
    size("file_bytes", limits.file_bytes, 4 * isolate::kKiB, kTiB);
    count("file_count", limits.file_count, 16, 100'000'000);
    count("open_files", limits.open_files, 16, 1'048'576);
    size("stack_bytes", limits.stack_bytes, 128 * isolate::kKiB, kTiB);
    object.done();
}

Groups read_groups(const std::string& text) {
    const std::string place = std::string("groups") + kSuffix;
    const json parsed = strict_json::parse(text, place);
    if (!parsed.is_object()) fail(place, "expected an object of groups");
    Groups groups;
    for (const auto& [name, calls] : parsed.items()) {
        const std::string here = place + ": " + name;
        if (!name.starts_with('@')) fail(here, "the name of a group begins with '@'");
        groups[name] = strict_json::read_texts(calls, here);
        for (const std::string& call : groups[name]) {
            if (!is_call_name(call)) fail(here, "'" + call + "' is not the name of a system call");
        }
    }
    return groups;
}

std::vector<std::string> expand(const json& list, const std::string& place, const Groups& groups) {
    std::vector<std::string> calls;
    for (const std::string& name : strict_json::read_texts(list, place)) {
        if (name.starts_with('@')) {
            const auto group = groups.find(name);
            if (group == groups.end())
                fail(place, "there is no group '" + name + "' in groups.jsonc");
            calls.insert(calls.end(), group->second.begin(), group->second.end());
        } else if (is_call_name(name)) {
            calls.push_back(name);
        } else {
            fail(place, "'" + name + "' is neither a system call nor a @group");
        }
    }
    return calls;
}

/// A 64-bit number: decimal, or a text "0x…", since JSON has no other way to write bits.
std::uint64_t read_bits(const json& value, const std::string& place) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const bool is_hex =
            text.size() > 2 && text.size() <= 18 && text.starts_with("0x") &&
            text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
        if (is_hex) return std::stoull(text.substr(2), nullptr, 16);
    }
    fail(place,
         "expected a number or a text such as \"0x5401\", found " + strict_json::quoted(value));
}

ArgumentTest read_test(Object& object, std::uint64_t value) {
    ArgumentTest test;
    test.argument = static_cast<unsigned>(
        strict_json::read_count(object.need("argument"), object.place_of("argument"), 0, 5));
    test.mask = read_bits(object.need("mask"), object.place_of("mask"));
    test.value = value;
    if ((test.value & ~test.mask) != 0)
        fail(object.place_of("is"), "a bit outside the mask can never match");
    return test;
}

/// {"call": …, "argument": …, "mask": …, "is": [alternatives], "and": [{"argument", "mask", "is"}]}
std::vector<SyscallRule> read_conditional(const json& value, const std::string& place,
                                          SyscallRule::Action action) {
    Object object(value, place, true);
    SyscallRule rule{.name = strict_json::read_text(object.need("call"), object.place_of("call")),
                     .action = action};
    if (!is_call_name(rule.name))
        fail(object.place_of("call"), "'" + rule.name + "' is not the name of a system call");
    std::vector<ArgumentTest> also;
    if (const json* more = object.take("and")) {
        if (!more->is_array()) fail(object.place_of("and"), "expected a list of tests");
        for (const json& item : *more) {
            Object test(item, object.place_of("and"), true);
            also.push_back(read_test(test, read_bits(test.need("is"), test.place_of("is"))));
            test.done();
        }
    }
    const json& alternatives = object.need("is");
    if (!alternatives.is_array() || alternatives.empty())
        fail(object.place_of("is"), "expected a list of values");
    std::vector<SyscallRule> rules;
    for (const json& alternative : alternatives) {
        rules.push_back(rule);
        rules.back().tests.push_back(
            read_test(object, read_bits(alternative, object.place_of("is"))));
        rules.back().tests.insert(rules.back().tests.end(), also.begin(), also.end());
    }
    object.done();
    return rules;
}

/// The rules of one file, and nothing inherited.
class OwnRules {
public:
    OwnRules(const json& value, const std::string& place, const Groups& groups)
        : object_(value, place, true), groups_(groups) {
        for (const auto& [key, action] : {std::pair{"allow", SyscallRule::Action::allow},
                                          {"kill", SyscallRule::Action::kill}}) {
            if (const json* list = object_.take(key))
                add_plain(*list, object_.place_of(key), {.name = {}, .action = action});
            const std::string conditional = std::string(key) + "_if";
            if (const json* list = object_.take(conditional))
                add_conditional(*list, object_.place_of(conditional), action);
        }
        if (const json* pretended = object_.take("pretend"))
            add_plain(*pretended, object_.place_of("pretend"),
                      {.name = {},
                       .action = SyscallRule::Action::refuse,
                       .error = SyscallRule::kPretend});
        if (const json* refused = object_.take("refuse"))
            add_refused(*refused, object_.place_of("refuse"));
        if (const json* first = object_.take("first_unknown")) {
            first_unknown_ = static_cast<std::uint32_t>(
                strict_json::read_count(*first, object_.place_of("first_unknown"), 300, 100'000));
        }
        object_.done();
    }

    void apply_to(SyscallPolicy& policy) const {
        std::erase_if(policy.rules, [&](const SyscallRule& rule) {
            return plain_.contains(rule.name) || tested_.contains(rule.name);
        });
        policy.rules.insert(policy.rules.end(), rules_.begin(), rules_.end());
        if (first_unknown_ != 0) policy.first_unknown = first_unknown_;
    }

private:
    void add_plain(const json& list, const std::string& place, SyscallRule rule) {
        for (const std::string& call : expand(list, place, groups_)) {
            if (!plain_.insert(call).second)
                fail(place, "there is a rule for '" + call + "' already in this file");
            rule.name = call;
            rules_.push_back(rule);
        }
    }

    void add_conditional(const json& list, const std::string& place, SyscallRule::Action action) {
        if (!list.is_array()) fail(place, "expected a list of rules");
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string here = place + "[" + std::to_string(i) + "]";
            for (SyscallRule& rule : read_conditional(list[i], here, action)) {
                tested_.emplace(rule.name, here);
                rules_.push_back(std::move(rule));
            }
        }
        // A rule without tests would make the tests of its call pointless, whichever comes first.
        for (const auto& [call, here] : tested_) {
            if (plain_.contains(call))
                fail(here, "there is a rule without tests for '" + call + "' in this file");
        }
    }

    void add_refused(const json& value, const std::string& place) {
        if (!value.is_object()) fail(place, "expected an object of lists, by the error's name");
        for (const auto& [name, list] : value.items()) {
            const auto error = std::find_if(
                kErrors.begin(), kErrors.end(),
                [&, key = &name](const ErrorName& known) { return *key == known.name; });
            if (error == kErrors.end())
                fail(place + "." + name,
                     "not the name of an error that we know, such as EPERM or ENOSYS");
            add_plain(list, place + "." + name,
                      {.name = {}, .action = SyscallRule::Action::refuse, .error = error->number});
        }
        for (const auto& [call, here] : tested_) {
            if (plain_.contains(call))
                fail(here, "there is a rule without tests for '" + call + "' in this file");
        }
    }

    Object object_;
    const Groups& groups_;
    std::set<std::string> plain_{};
    std::map<std::string, std::string> tested_{}; ///< call, and where its tests stand
    std::vector<SyscallRule> rules_{};
    std::uint32_t first_unknown_ = 0;
};

class Reader {
public:
    explicit Reader(const Texts& texts) : texts_(texts) {
        if (const auto groups = texts.find("groups"); groups != texts.end())
            groups_ = read_groups(groups->second);
    }

    const Policy& read(const std::string& name) {
        if (const auto known = policies_.find(name); known != policies_.end()) return known->second;
        const std::string place = name + kSuffix;
        if (!is_file_name(name)) fail(place, "a policy's name is made of a-z, 0-9, '_' and '-'");
        if (std::find(under_way_.begin(), under_way_.end(), name) != under_way_.end())
            fail(place + ": extends", "a circle");
        under_way_.push_back(name);

        const json parsed = strict_json::parse(texts_.find(name)->second, place);
        Object object(parsed, place);
        Policy policy;
        if (const json* base = object.take("extends")) {
            const std::string base_name = strict_json::read_text(*base, object.place_of("extends"));
            if (base_name == "groups" || !texts_.contains(base_name))
                fail(object.place_of("extends"), "there is no policy '" + base_name + "'");
            policy = read(base_name);
        }
        policy.name = name;
        policy.description =
            strict_json::read_text(object.need("description"), object.place_of("description"));
        if (const json* limits = object.take("limits"))
            read_limits(*limits, object.place_of("limits"), policy.limits);
        if (const json* rules = object.take("syscalls"))
            OwnRules(*rules, object.place_of("syscalls"), groups_).apply_to(policy.syscalls);
        if (const json* executable = object.take("executable_files")) {
            if (!executable->is_boolean())
                fail(object.place_of("executable_files"), "expected true or false");
            policy.executable_files = executable->get<bool>();
        }
        object.done();
        if (policy.syscalls.rules.empty()) fail(place, "allows no system call at all");

        under_way_.pop_back();
        return policies_[name] = std::move(policy);
    }

    Policies take() { return std::move(policies_); }

private:
    const Texts& texts_;
    Groups groups_{};
    Policies policies_{};
    std::vector<std::string> under_way_{};
};

std::string hex(std::uint64_t value) {
    std::ostringstream out;
    out << "0x" << std::hex << value;
    return out.str();
}

std::string describe(const std::vector<ArgumentTest>& tests, std::string_view values) {
    std::string line;
    for (std::size_t i = 0; i < tests.size(); ++i) {
        line += (i == 0 ? " when argument " : " and argument ") +
                std::to_string(tests[i].argument) + " & " + hex(tests[i].mask) + " is ";
        line += i == 0 ? std::string(values) : hex(tests[i].value);
    }
    return line;
}

/// One line for each call, or for each argument that is tested; alternatives stand side by side.
std::vector<std::string> describe(const std::vector<SyscallRule>& rules,
                                  SyscallRule::Action action) {
    std::map<std::string, std::string> lines; // what precedes the alternatives, and they
    std::vector<std::string> plain;
    for (const SyscallRule& rule : rules) {
        if (rule.action != action) continue;
        const std::string end =
            action == SyscallRule::Action::refuse ? ": " + name_of_error(rule.error) : "";
        if (rule.tests.size() == 1) {
            std::string& values = lines[rule.name + describe(rule.tests, "")];
            values += (values.empty() ? "" : ", ") + hex(rule.tests[0].value);
        } else {
            plain.push_back(
                rule.name +
                describe(rule.tests, rule.tests.empty() ? "" : hex(rule.tests[0].value)) + end);
        }
    }
    for (const auto& [start, values] : lines) plain.push_back(start + values);
    std::sort(plain.begin(), plain.end());
    return plain;
}

} // namespace

Policies parse(const Texts& texts) {
    Reader reader(texts);
    for (const auto& entry : texts) {
        if (entry.first != "groups") reader.read(entry.first);
    }
    return reader.take();
}

Texts read_texts(const std::string& directory) {
    Texts texts;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() != kSuffix) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file || !text)
            throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                                    entry.path().string());
        texts[entry.path().stem().string()] = text.str();
    }
    return texts;
}

std::string describe(const Policy& policy) {
    const Limits& limits = policy.limits;
    const auto seconds = [](std::chrono::milliseconds time) {
        std::ostringstream out;
        out << std::chrono::duration<double>(time).count() << " s";
        return out.str();
    };
    const auto bytes = [](std::uint64_t size) {
        if (size % isolate::kMiB == 0) return std::to_string(size / isolate::kMiB) + " MiB";
        if (size % isolate::kKiB == 0) return std::to_string(size / isolate::kKiB) + " KiB";
        return std::to_string(size) + " bytes";
    };
    std::ostringstream out;
    out << policy.name << ": " << policy.description << "\n\nlimits\n"
        << "  memory_bytes  " << bytes(limits.memory_bytes) << "\n"
        << "  cpu_percent   " << limits.cpu_percent << " % of one core\n"
        << "  wall_time     " << seconds(limits.wall_time) << "\n"
        << "  cpu_time      " << seconds(limits.cpu_time) << "\n"
        << "  processes     " << limits.processes << "\n"
        << "  output_bytes  " << bytes(limits.output_bytes) << "\n"
        << "  file_bytes    " << bytes(limits.file_bytes) << "\n"
        << "  file_count    " << limits.file_count << "\n"
        << "  open_files    " << limits.open_files << "\n"
        << "  stack_bytes   " << bytes(limits.stack_bytes) << "\n";
    if (policy.executable_files) out << "\nfiles of /box and /tmp may be executed\n";
    const auto section = [&](const char* title, SyscallRule::Action action) {
        const std::vector<std::string> lines = describe(policy.syscalls.rules, action);
        if (!lines.empty()) out << "\n" << title << "\n";
        for (const std::string& line : lines) out << "  " << line << "\n";
    };
    section("system calls that are allowed", SyscallRule::Action::allow);
    section("refused with an error of their own", SyscallRule::Action::refuse);
    section("ending the run with the verdict forbidden_syscall", SyscallRule::Action::kill);
    out << "\nEvery other call is refused: with ENOSYS from number "
        << policy.syscalls.first_unknown
        << " on, with EPERM below. A call of a foreign ABI ends the process.\n";
    return out.str();
}

} // namespace cloister::policies
