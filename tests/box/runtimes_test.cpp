// Promises of the shipped runtimes and policies, kept in real boxes: the programs in programs/ do
// what honest programs do and must not notice where they are.
#include "daemon/keeper/local_runner.h"
#include "tests/box/box.h"

#include <csignal>
#include <filesystem>
#include <optional>
#include <sstream>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace cloister;
using isolate::Verdict;
using keeper::LocalResult;
using keeper::LocalRun;

namespace {

namespace fs = std::filesystem;
const fs::path kTop = CLOISTER_SOURCE;
const fs::path kHere = kTop / "tests/box";

const config::Settings& settings() {
    static const config::Settings shipped = box_test::shipped_settings();
    return shipped;
}

keeper::LocalRunner& runner() {
    static keeper::LocalRunner the_only(settings());
    return the_only;
}

/// What the version step printed; absent, with the reason, when the runtime is not installed.
std::optional<std::string> version_of(const std::string& id) {
    static std::map<std::string, std::optional<std::string>> known;
    if (const auto found = known.find(id); found != known.end()) return found->second;
    const LocalResult result = runner().run({.runtime = id, .stage = wire::Stage::version});
    if (result.verdict == Verdict::ok) return known[id] = result.output + result.error;
    std::string packages;
    for (const std::string& package : settings().runtimes.at(id).packages)
        packages += " " + package;
    WARN("skipped for " << id << ": not installed; it comes with" << packages);
    return known[id] = std::nullopt;
}

/// False, with the reason, when there is nothing to try.
bool can_run(const std::string& id) {
    if (::geteuid() != 0) {
        WARN("skipped: boxes need root");
        return false;
    }
    return version_of(id).has_value();
}

LocalRun rich_program(const std::string& id) {
    LocalRun run = box_test::program_in(kHere / "programs" / id, id);
    run.input = "first\nsecond\n";
    run.bundle.arguments = {"one", "two words"};
    return run;
}

LocalRun small_program(const std::string& id, const std::string& code) {
    LocalRun run{.runtime = id};
    const std::string main_file = settings().runtimes.at(id).default_file;
    run.bundle.files = {{main_file, code, true}};
    run.bundle.entry = main_file;
    run.bundle.main_name = fs::path(main_file).stem().string();
    return run;
}

struct Sample {
    const char* id;
    const char* code;
};

const Sample kHello[] = {
    {"c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n"},
    {"cpp", "#include <iostream>\nint main() { std::cout << \"hello\\n\"; }\n"},
    {"go", "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"},
    {"java",
     "class Main { public static void main(String[] a) { System.out.println(\"hello\"); } }\n"},
    {"javascript", "console.log('hello');\n"},
    {"python", "print('hello')\n"},
};

void expect_all_ok(const LocalResult& result, bool is_quiet = true) {
    INFO("stdout: " << result.output);
    INFO("stderr: " << result.error);
    CHECK(isolate::name_of(result.verdict) == isolate::name_of(Verdict::ok));
    if (is_quiet) CHECK(result.error.empty());
    std::istringstream lines(result.output);
    std::string line;
    int count = 0;
    while (std::getline(lines, line)) {
        CHECK_THAT(line, Catch::EndsWith(" ok"));
        ++count;
    }
    CHECK(count >= 10);
}

} // namespace

TEST_CASE("an honest program of each language notices nothing", "[box][root][languages]") {
    for (const Sample& sample : kHello) {
        if (!can_run(sample.id)) continue;
        DYNAMIC_SECTION(sample.id) {
            expect_all_ok(runner().compile_and_run(rich_program(sample.id)));
        }
    }
}

TEST_CASE("an honest program is not ended by the strict policy", "[box][root][languages]") {
    for (const Sample& sample : kHello) {
        if (!can_run(sample.id)) continue;
        DYNAMIC_SECTION(sample.id) {
            LocalRun run = rich_program(sample.id);
            run.policy = "strict";
            expect_all_ok(runner().compile_and_run(run));
        }
    }
}

TEST_CASE("the strict policy ends a run that reaches for the host and knows the call",
          "[box][root][languages]") {
    if (!can_run("c")) return;
    LocalRun run =
        small_program("c", "#define _GNU_SOURCE\n#include <sched.h>\n#include <stdio.h>\n"
                           "int main(void) { unshare(CLONE_NEWUSER); puts(\"still here\"); }\n");
    run.policy = "strict";
    const LocalResult result = runner().compile_and_run(run);
    CHECK(result.verdict == Verdict::forbidden_syscall);
    CHECK(result.outcome.ending.forbidden_syscall > 0);
    CHECK(result.output.empty());
}

TEST_CASE("each installed runtime tells its version", "[box][root][languages]") {
    for (const Sample& sample : kHello) {
        if (!can_run(sample.id)) continue;
        const std::string version = version_of(sample.id).value();
        INFO(sample.id << ": " << version);
        const std::size_t dot = version.find('.');
        REQUIRE((dot != std::string::npos && dot > 0 && dot + 1 < version.size()));
        CHECK((std::isdigit(version[dot - 1]) != 0 && std::isdigit(version[dot + 1]) != 0));
    }
}

TEST_CASE("hello of each language fits into a quarter of the default memory",
          "[box][root][languages]") {
    for (const Sample& sample : kHello) {
        if (!can_run(sample.id)) continue;
        DYNAMIC_SECTION(sample.id) {
            LocalRun run = small_program(sample.id, sample.code);
            run.limits = settings().policies.at("default").limits;
            run.limits->memory_bytes = 48 * isolate::kMiB;
            const LocalResult result = runner().compile_and_run(run);
            INFO(result.error);
            CHECK(result.output == "hello\n");
            CHECK(result.verdict == Verdict::ok);
        }
    }
}

TEST_CASE("a slip in the code is told with its line", "[box][root][languages]") {
    const Sample slips[] = {
        {"c", "int main(void) {\n    return nothing;\n}\n"},
        {"cpp", "int main() {\n    return nothing;\n}\n"},
        {"go", "package main\n\nfunc main() { nothing() }\n"},
        {"java", "class Main {\n    int x = nothing;\n}\n"},
        {"javascript", "let a = 1;\nlet a = 2;\n"},
        {"python", "a = 1\nb = = 2\n"},
    };
    for (const Sample& slip : slips) {
        if (!can_run(slip.id)) continue;
        DYNAMIC_SECTION(slip.id) {
            const LocalResult result = runner().compile_and_run(small_program(slip.id, slip.code));
            const auto& runtime = settings().runtimes.at(slip.id);
            CHECK(result.verdict ==
                  (runtime.compile ? Verdict::compile_error : Verdict::nonzero_exit));
            const std::string text = result.output + result.error;
            INFO(text);
            const char* line = slip.id == std::string("go")       ? ":3"
                               : slip.id == std::string("python") ? "line 2"
                                                                  : ":2";
            CHECK(text.find(runtime.default_file) != std::string::npos);
            CHECK(text.find(line) != std::string::npos);
        }
    }
}

TEST_CASE("a program that eats its memory is told so", "[box][root][languages]") {
    const Sample eaters[] = {
        {"c", "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) { char* p = "
              "malloc(1 << 20); "
              "if (p) memset(p, 1, 1 << 20); } }\n"},
        {"cpp", "#include <vector>\nint main() { std::vector<std::vector<char>> all; "
                "for (;;) all.emplace_back(1 << 20, 'x'); }\n"},
        {"go", "package main\n\nvar all [][]byte\n\nfunc main() {\n\tfor {\n\t\tpiece := "
               "make([]byte, 1<<20)\n"
               "\t\tfor i := range piece {\n\t\t\tpiece[i] = 1\n\t\t}\n\t\tall = append(all, "
               "piece)\n\t}\n}\n"},
        {"javascript", "const all = [];\nfor (;;) all.push({ x: Math.random(), y: [1, 2, 3] });\n"},
        {"python", "all = []\nwhile True: all.append(bytearray(1 << 20))\n"},
    };
    for (const Sample& eater : eaters) {
        if (!can_run(eater.id)) continue;
        DYNAMIC_SECTION(eater.id) {
            const LocalResult result =
                runner().compile_and_run(small_program(eater.id, eater.code));
            INFO(result.error);
            CHECK(isolate::name_of(result.verdict) == isolate::name_of(Verdict::memory_limit));
        }
    }
}

TEST_CASE("a Java program that fills its heap gets Java's own error", "[box][root][languages]") {
    if (!can_run("java")) return;
    const LocalResult result = runner().compile_and_run(
        small_program("java", "import java.util.*;\nclass Main { public static void main(String[] "
                              "a) { List<byte[]> all = new "
                              "ArrayList<>(); for (;;) all.add(new byte[1 << 20]); } }\n"));
    CHECK(result.verdict == Verdict::nonzero_exit);
    CHECK(result.outcome.ending.exit_code == 1);
    CHECK(result.output.empty());
    CHECK(result.error.find("java.lang.OutOfMemoryError: Java heap space") != std::string::npos);
}

TEST_CASE("garbage is collected in time", "[box][root][languages]") {
    const Sample wasters[] = {
        {"java", "class Main { static Object[] kept = new Object[1000]; public static void "
                 "main(String[] a) { "
                 "for (int i = 0; i < 300000; i++) kept[i % 1000] = new byte[4096]; "
                 "System.out.println(\"done\"); } }\n"},
        {"javascript", "let kept = [];\nfor (let i = 0; i < 300000; i++) kept[i % 1000] = "
                       "'x'.repeat(100) + i + [i, i];\n"
                       "for (let i = 0; i < 2000; i++) kept[i % 10] = Buffer.alloc(1 << 18, "
                       "1);\nconsole.log('done');\n"},
    };
    for (const Sample& waster : wasters) {
        if (!can_run(waster.id)) continue;
        DYNAMIC_SECTION(waster.id) {
            const LocalResult result =
                runner().compile_and_run(small_program(waster.id, waster.code));
            INFO(isolate::name_of(result.verdict) << " " << result.error);
            CHECK(result.output == "done\n");
        }
    }
}

TEST_CASE("a program that is watched shows each line as it writes it", "[box][root][languages]") {
    const Sample writers[] = {
        {"c", "#include <signal.h>\n#include <stdio.h>\nint main(void) { puts(\"hello\"); "
              "raise(SIGKILL); }\n"},
        {"cpp", "#include <csignal>\n#include <iostream>\nint main() { std::cout << \"hello\\n\"; "
                "raise(SIGKILL); }\n"},
        {"go", "package main\n\nimport (\n\t\"fmt\"\n\t\"syscall\"\n)\n\nfunc main() "
               "{\n\tfmt.Println(\"hello\")\n"
               "\tsyscall.Kill(syscall.Getpid(), 9)\n}\n"},
        {"java",
         "class Main { public static void main(String[] a) { System.out.println(\"hello\"); "
         "Runtime.getRuntime().halt(137); } }\n"},
        {"javascript", "console.log('hello');\nprocess.kill(process.pid, 'SIGKILL');\n"},
        {"python", "import os\nprint('hello')\nos.kill(os.getpid(), 9)\n"},
    };
    for (const Sample& writer : writers) {
        if (!can_run(writer.id)) continue;
        DYNAMIC_SECTION(writer.id) {
            LocalRun run = small_program(writer.id, writer.code);
            run.live = true;
            const LocalResult result = runner().compile_and_run(run);
            CHECK(result.output == "hello\n");
            CHECK(result.error.empty());
        }
    }
}

TEST_CASE("a contest's program may recurse as deep as its memory", "[box][root][languages]") {
    if (!can_run("cpp")) return;
    LocalRun run = small_program(
        "cpp", "#include <cstdio>\nint deep(int n) { volatile char pad[100]; pad[0] = 1; "
               "return n == 0 ? 0 : deep(n - 1) + pad[0]; }\n"
               "int main() { std::printf(\"%d\\n\", deep(1000000)); }\n");
    CHECK(runner().compile_and_run(run).outcome.ending.signal == SIGSEGV);
    run.policy = "judge";
    const LocalResult result = runner().compile_and_run(run);
    CHECK(result.output == "1000000\n");
    CHECK(result.verdict == Verdict::ok);
}

TEST_CASE("a compiler shows nothing of the host", "[box][root][languages]") {
    if (!can_run("c")) return;
    for (const char* file :
         {"/etc/shadow", "/etc/hostname", "/root/.profile", "/proc/1/environ", "/proc/version"}) {
        INFO(file);
        const LocalResult result = runner().compile_and_run(
            small_program("c", std::string("#include \"") + file + "\"\nint main(void) {}\n"));
        CHECK(result.verdict == Verdict::compile_error);
        CHECK(result.error.find("No such file or directory") != std::string::npos);
    }
}
