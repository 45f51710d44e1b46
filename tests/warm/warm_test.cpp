// Promises of warm interpreters, warm compilers and kits, kept in real boxes: the programs of
// programs/ say the same, and end the same, in a box that was made for them and in one where their
// interpreter was up before they came.
#include "daemon/keeper/local_runner.h"
#include "tests/box/box.h"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister;
using box_test::describe;
using isolate::Verdict;
using keeper::LocalResult;
using keeper::LocalRun;
using wire::Level;

namespace {

namespace fs = std::filesystem;
const fs::path kTop = CLOISTER_SOURCE;
const fs::path kPrograms = kTop / "tests/warm/programs";

const config::Settings& settings() {
    static const config::Settings shipped = [] {
        config::Settings result = box_test::shipped_settings();
        for (auto& [name, policy] : result.policies) {
            policy.limits.cpu_percent = 100;
            policy.limits.output_bytes = 4 * isolate::kMiB; // the corpus has programs that say much
        }
        return result;
    }();
    return shipped;
}

/// Without kits, as a daemon is in its first seconds.
keeper::LocalRunner& bare() {
    static keeper::LocalRunner the_only(settings());
    return the_only;
}

keeper::LocalRunner& equipped() {
    static keeper::LocalRunner the_only(settings());
    // The kits of languages that are not installed fail; each test looks for its own.
    static const bool made = (the_only.make_kits(), true);
    (void)made;
    return the_only;
}

LocalRun program(const std::string& id, const std::string& name, const nlohmann::json& how) {
    LocalRun run = box_test::program_in(kPrograms / id / name, id);
    run.bundle.arguments = how.value("arguments", std::vector<std::string>{});
    run.input = how.value("stdin", std::string{});
    return run;
}

/// Without what is another in every process: addresses, process ids, Java's identity hash codes.
std::string lasting(const std::string& text) {
    static const std::regex changing(
        R"(\b0x[0-9a-f]{6,}\b|\(node:[0-9]+\)|@[0-9a-f]{5,8}\b|goroutine [0-9]+)");
    return std::regex_replace(text, changing, "?");
}

/// "status" of the corpus: an exit status or, below 0, a signal.
void check_status(const LocalResult& result, const nlohmann::json& how) {
    const int status = how.value("status", 0);
    CHECK(result.outcome.ending.exit_code == (status < 0 ? -1 : status));
    CHECK(result.outcome.ending.signal == (status < 0 ? -status : 0));
}

void check_same(const LocalResult& one, const LocalResult& other) {
    CHECK(lasting(one.output) == lasting(other.output));
    CHECK(lasting(one.error) == lasting(other.error));
    CHECK(isolate::name_of(one.verdict) == isolate::name_of(other.verdict));
    CHECK(one.outcome.ending.exit_code == other.outcome.ending.exit_code);
    CHECK(one.outcome.ending.signal == other.outcome.ending.signal);
}

/// False, with the reason, when there is nothing to try.
bool can_run(const std::string& id) {
    if (::geteuid() != 0) {
        WARN("skipped: boxes need root");
        return false;
    }
    const LocalResult version = bare().run({.runtime = id, .stage = wire::Stage::version});
    if (version.verdict == Verdict::ok) return true;
    WARN("skipped for " << id << ": not installed");
    return false;
}

/// Calls with each program's name and what the corpus says of it.
template <typename Test>
void for_each_program(const std::string& id, const Test& test) {
    if (!can_run(id)) return;
    const auto corpus = nlohmann::json::parse(box_test::text_of(kTop / "tests/warm/manifest.json"));
    int tried = 0;
    for (const auto& [name, how] : corpus.at(id).items()) {
        INFO(id << "/" << name);
        test(name, how);
        ++tried;
    }
    CHECK(tried >= 5);
}

} // namespace

TEST_CASE("a program cannot tell that its interpreter was up before it", "[box][root][warm]") {
    const auto* const id = GENERATE("python", "javascript");
    for_each_program(id, [&](const std::string& name, const nlohmann::json& how) {
        LocalRun run = program(id, name, how);
        const LocalResult cold = equipped().run(run);
        check_status(cold, how);
        run.level = Level::warm;
        const LocalResult warm = equipped().run(run);
        CHECK(warm.level == Level::warm);
        check_same(cold, warm);
    });
}

TEST_CASE("a warm Java and a warm compiler say what cold ones say", "[box][root][warm]") {
    for_each_program("java", [&](const std::string& name, const nlohmann::json& how) {
        LocalRun run = program("java", name, how);
        run.stage = wire::Stage::compile;
        const LocalResult compiled = equipped().run(run);
        run.level = Level::warm;
        const LocalResult compiled_warm = equipped().run(run);
        CHECK(compiled_warm.level == Level::warm);
        check_same(compiled, compiled_warm);
        if (how.contains("compile_only")) {
            CHECK(compiled.outcome.ending.exit_code == how.value("status", 1));
        } else {
            REQUIRE(compiled.verdict == Verdict::ok);
            run.stage = wire::Stage::run;
            run.artifact = compiled.run_id;
            run.level = Level::cold;
            const LocalResult cold = equipped().run(run);
            check_status(cold, how);
            run.artifact = compiled_warm.run_id;
            run.level = Level::warm;
            const LocalResult warm = equipped().run(run);
            CHECK(warm.level == Level::warm);
            check_same(cold, warm);
        }
        equipped().release(compiled.run_id);
        equipped().release(compiled_warm.run_id);
    });
}

TEST_CASE("a kit changes no message and no program", "[box][root][warm]") {
    const auto* const id = GENERATE("cpp", "go", "java");
    for_each_program(id, [&](const std::string& name, const nlohmann::json& how) {
        const LocalRun run = program(id, name, how);
        const LocalResult with_kit = equipped().compile_and_run(run);
        check_same(bare().compile_and_run(run), with_kit);
        if (!how.contains("compile_only")) check_status(with_kit, how);
    });
}

LocalRun single(const std::string& id, const std::string& code) {
    const std::string& file = settings().runtimes.at(id).default_file;
    LocalRun run{.runtime = id};
    run.bundle.files = {{file, code, true}};
    run.bundle.entry = file;
    run.bundle.main_name = fs::path(file).stem().string();
    return run;
}

/// Prints whether there are files in /kit, whether one can be changed or added, and whether even
/// their owner could not.
const std::string kTouchesKit =
    "#include <filesystem>\n#include <fstream>\n#include <iostream>\n"
    "#include <sys/statvfs.h>\n"
    "int main() {\n"
    "    long files = 0;\n"
    "    bool wrote = bool(std::ofstream(\"/kit/new\"));\n"
    "    for (const auto& entry : std::filesystem::recursive_directory_iterator(\"/kit\")) {\n"
    "        if (!entry.is_regular_file()) continue;\n"
    "        ++files;\n"
    "        wrote = wrote || bool(std::ofstream(entry.path(), std::ios::app));\n"
    "    }\n"
    "    struct statvfs info {};\n"
    "    const bool locked = statvfs(\"/kit\", &info) == 0 && (info.f_flag & ST_RDONLY) != 0;\n"
    "    std::cout << (files > 0) << wrote << locked << '\\n';\n}\n";

TEST_CASE("a kit is there, and nobody changes it", "[box][root][warm]") {
    if (!can_run("cpp")) return;
    CHECK(equipped().compile_and_run(single("cpp", kTouchesKit)).output == "101\n");
    CHECK(bare().compile_and_run(single("cpp", kTouchesKit)).output == "001\n");
}

TEST_CASE("Go's kit builds what it can by itself", "[box][root][warm]") {
    if (!can_run("go")) return;
    config::Settings one = settings();
    one.runtimes = {{"go", settings().runtimes.at("go")}};
    auto& command = one.runtimes.at("go").compile->command_with_kit;
    const auto fallback = std::find(command.begin(), command.end(), "/usr/bin/go");
    REQUIRE(fallback != command.end());
    *fallback = "/nowhere/go";
    keeper::LocalRunner runner(one);
    REQUIRE(runner.make_kits());
    const LocalRun hello = program("go", "hello", nlohmann::json::object());
    CHECK(runner.compile_and_run(hello).verdict == Verdict::ok);
    const LocalRun beyond_it = program("go", "embed", nlohmann::json::object());
    CHECK(runner.compile_and_run(beyond_it).verdict == Verdict::compile_error);
}

TEST_CASE("a kit that fails is no kit: everything is done without", "[box][root][warm]") {
    if (!can_run("cpp")) return;
    config::Settings one = settings();
    one.runtimes = {{"cpp", settings().runtimes.at("cpp")}};
    one.runtimes.at("cpp").kit->commands.push_back({"/usr/bin/g++", "/box/missing.cpp"});
    keeper::LocalRunner runner(one);
    CHECK_FALSE(runner.make_kits());
    CHECK(runner.compile_and_run(single("cpp", kTouchesKit)).output == "001\n");
}

TEST_CASE("the warming up is not the program's time", "[box][root][warm]") {
    const auto* const id = GENERATE("python", "javascript");
    if (!can_run(id)) return;
    LocalRun run = program(id, "hello", nlohmann::json::object());
    const LocalResult cold = equipped().run(run);
    run.level = Level::warm;
    const LocalResult warm = equipped().run(run);
    INFO(describe(cold) << "\n" << describe(warm));
    REQUIRE(warm.verdict == Verdict::ok);
    CHECK(warm.outcome.usage.cpu_time < cold.outcome.usage.cpu_time);
}
