// Promises about the step from request to job: languages, versions, limits, files.
#include "daemon/front/artifacts.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
namespace isolate = cloister::isolate;

namespace {

const cloister::config::Settings kSettings = made_settings();

ExecuteCode request_for(const std::string& language, const std::string& code = "code") {
    ExecuteCode request;
    request.id = "i";
    request.language = language;
    request.code = code;
    return request;
}

Job made(ExecuteCode request) {
    auto job = make_job(std::move(request), made_catalog(kSettings));
    if (const auto* refusal = std::get_if<Refusal>(&job))
        FAIL(refusal->code << ": " << refusal->message);
    return std::get<Job>(std::move(job));
}

Refusal refused(ExecuteCode request) {
    auto job = make_job(std::move(request), made_catalog(kSettings));
    REQUIRE(std::holds_alternative<Refusal>(job));
    CHECK(std::get<Refusal>(job).id == "i");
    return std::get<Refusal>(job);
}

struct Opened {
    explicit Opened(const Job& job) { REQUIRE(view.open(std::as_bytes(std::span(job.bundle)))); }
    isolate::BundleView view;
};

} // namespace

TEST_CASE("files to be collected are named to the program's box, not to the compiler's",
          "[front]") {
    ExecuteCode request = request_for("c");
    request.collect = {"out/a.txt"};
    const Job job = made(request);
    const Opened run(job);
    REQUIRE(run.view.collect_count() == 1);
    CHECK(std::string(run.view.collect(0)) == "out/a.txt");
    CHECK(run.view.collect_bytes() == kSettings.config.collect_bytes);
    isolate::BundleView compile;
    REQUIRE(compile.open(std::as_bytes(std::span(job.compile_bundle))));
    CHECK(compile.collect_count() == 0);
    request.collect = {"../out"};
    CHECK(refused(request).code == "bad_path");
    request.collect = {"/etc/passwd"};
    CHECK(refused(request).code == "bad_path");
}

TEST_CASE("a compiler's options are the compiler's alone, and of one that takes some", "[front]") {
    ExecuteCode request = request_for("c");
    request.arguments = {"argument"};
    request.compiler_options = {"-O3", "-DX=a b"};
    const Job job = made(request);
    const Opened run(job);
    CHECK(run.view.option_count() == 0);
    CHECK(run.view.argument_count() == 1);
    isolate::BundleView compile;
    REQUIRE(compile.open(std::as_bytes(std::span(job.compile_bundle))));
    REQUIRE(compile.option_count() == 2);
    CHECK(std::string(compile.option(1)) == "-DX=a b");
    CHECK(compile.argument_count() == 0);
    ExecuteCode other = request;
    other.compiler_options = {"-O3", "-DX=a", "b"};
    CHECK(artifact_key(job) != artifact_key(made(other)));
    CHECK(artifact_key(job) == artifact_key(made(request)));
    request.compiler_options.assign(isolate::kMaxBundleOptions + 1, "x");
    CHECK(refused(request).code == "too_large");
    request = request_for("python");
    request.compiler_options = {"-O3"};
    CHECK(refused(request).code == "bad_message");
}

TEST_CASE("an interpreted language is one step, a compiled one two with limits of their own",
          "[front]") {
    const Job python = made(request_for("PY"));
    CHECK(python.language == "python");
    REQUIRE(python.steps.size() == 1);
    CHECK(python.steps[0].stage == cloister::wire::Stage::run);
    CHECK(python.steps[0].policy == 1);
    CHECK(python.runtime == 2);

    ExecuteCode request = request_for("c");
    request.limits.memory = 1 << 20;
    const Job c = made(request);
    REQUIRE(c.steps.size() == 2);
    CHECK(c.steps[0].stage == cloister::wire::Stage::compile);
    CHECK(c.steps[0].policy == 0);
    CHECK(c.steps[0].limits.memory_bytes == 512 * isolate::kMiB);
    CHECK(c.steps[1].limits.memory_bytes == 1 * isolate::kMiB);
}

TEST_CASE("a limit may be lowered to the last unit and not raised by one", "[front]") {
    ExecuteCode request = request_for("python");
    request.limits.wall_time = std::chrono::milliseconds(10'000);
    request.limits.processes = 64;
    request.limits.stack = 8 * isolate::kMiB;
    CHECK(made(request).steps[0].limits == isolate::Limits{});
    request.limits.processes = 65;
    const Refusal refusal = refused(request);
    CHECK(refusal.code == "limit_too_high");
    CHECK(refusal.message == "The limit 'processes' may be at most 64.");
    // A number beyond the field's own type is too high, never wrapped around.
    request.limits.processes = (std::uint64_t{1} << 32) + 1;
    CHECK(refused(request).code == "limit_too_high");
    request = request_for("python");
    request.limits.memory = 128 * isolate::kMiB + 1;
    CHECK(refused(request).message == "The limit 'memory' may be at most 128 MiB.");
    request = request_for("python");
    request.limits.wall_time = std::chrono::milliseconds(10'001);
    CHECK(refused(request).message == "The limit 'wall_time' may be at most 10 s.");
}

TEST_CASE("languages and versions that are not here say what is", "[front]") {
    CHECK(refused(request_for("pyton")).message ==
          "No runtime is called 'pyton'. Known: c, java, python.");
    ExecuteCode request = request_for("python");
    request.version = "3.11";
    CHECK(made(request).version == "3.11.2");
    for (const char* other : {"3.1", "3.12", "2", "3.11.2.1"}) {
        request.version = other;
        CHECK(refused(request).code == "runtime_unavailable");
    }
    Catalog catalog = made_catalog(kSettings);
    catalog.entries[0].version.reset();
    const auto job = make_job(request_for("c"), catalog);
    CHECK(std::get<Refusal>(job).message ==
          "C is not installed on this server. Debian packages: gcc libc6-dev.");
    CHECK(catalog.summary() == "java 3.11.2, python 3.11.2; not installed: c");
    CHECK(
        catalog.to_json().find(
            R"("id":"c","name":"C","version":null,"available":false,"packages":["gcc","libc6-dev"])") !=
        std::string::npos);
}

TEST_CASE("the code lies under the path the client gave, if it suits the language", "[front]") {
    ExecuteCode request = request_for("python");
    request.file_path = "src/tool.py";
    CHECK(std::string(Opened(made(request)).view.entry()) == "src/tool.py");
    CHECK(std::string(Opened(made(request)).view.main_name()) == "tool");
    request.file_path = "notes.txt";
    CHECK(std::string(Opened(made(request)).view.entry()) == "main.py");
    request.file_path = "../x.py";
    CHECK(refused(request).code == "bad_path");
}

TEST_CASE("java code lies in a file of its public class's name", "[front]") {
    ExecuteCode request = request_for(
        "java", "package a.b; public class Right { public static void main(String[] x) {} }");
    request.file_path = "src/main.java";
    const Job job = made(request);
    const Opened opened(job);
    CHECK(std::string(opened.view.entry()) == "src/Right.java");
    CHECK(std::string(opened.view.main_name()) == "a.b.Right");
    CHECK(opened.view.file(0).source);
    const Job empty = made(request_for("java", "nothing"));
    CHECK(std::string(Opened(empty).view.entry()) == "Main.java");
    CHECK(std::string(Opened(empty).view.main_name()) == "Main");
}

TEST_CASE("several files: sources are marked, the entry is chosen or found", "[front]") {
    ExecuteCode request = request_for("python");
    request.code.reset();
    request.files = {{"data.txt", "d"}, {"lib.py", "l"}, {"main.py", "m"}};
    request.arguments = {"one", ""};
    const Job job = made(request);
    const Opened opened(job);
    CHECK(std::string(opened.view.entry()) == "main.py");
    CHECK(opened.view.file_count() == 3);
    CHECK_FALSE(opened.view.file(0).source);
    CHECK(opened.view.file(1).source);
    CHECK(std::string(opened.view.argument(0)) == "one");
    request.entry = "lib.py";
    CHECK(std::string(Opened(made(request)).view.entry()) == "lib.py");
    request.entry = "none.py";
    CHECK(refused(request).code == "bad_message");
    request.entry.clear();
    request.files = {{"lib.py", "l"}};
    CHECK(std::string(Opened(made(request)).view.entry()) == "lib.py");
    request.files = {{"data.txt", "d"}};
    CHECK(refused(request).code == "bad_message");
}

TEST_CASE("two files of one name, or a file where a folder must be, are refused", "[front]") {
    ExecuteCode request = request_for("python");
    request.files = {{"main.py", "again"}};
    CHECK(refused(request).code == "bad_path");
    request.files = {{"a", ""}, {"a/b", ""}};
    CHECK(refused(request).code == "bad_path");
    request.files = {{"a.b", ""}, {"a/b", ""}};
    CHECK(Opened(made(request)).view.file_count() == 3);
}

TEST_CASE("a version is the first dotted number that a command prints", "[front]") {
    CHECK(version_in("Python 3.11.2\n") == "3.11.2");
    CHECK(version_in("go version go1.19.8 linux/amd64") == "1.19.8");
    CHECK(version_in("openjdk 17.0.15 2025-04-15") == "17.0.15");
    CHECK(version_in("gcc (Debian 12.2.0-14) 12.2.0") == "12.2.0");
    CHECK(version_in("v20.20.2") == "20.20.2");
    CHECK(version_in("x 1.2.3.4.5") == "1.2.3");
    CHECK(version_in("build 7, then 1.5.") == "1.5");
    CHECK(version_in("no 7 numbers.") == std::nullopt);
    CHECK(version_in("") == std::nullopt);
    CHECK(version_in("1.") == std::nullopt);
}

TEST_CASE("what a warm interpreter expects is said to be so, and nothing else", "[front]") {
    auto settings = made_settings();
    auto& python = settings.runtimes.at("python");
    python.run.warm.emplace();
    auto& java = settings.runtimes.at("java");
    java.run.warm.emplace();
    java.run.warm->arguments = false;
    java.compile->warm.emplace();
    const Catalog catalog = made_catalog(settings);
    const auto steps = [&](ExecuteCode request) {
        return std::get<Job>(make_job(std::move(request), catalog)).steps;
    };
    CHECK(steps(request_for("python")).at(0).usual);
    ExecuteCode request = request_for("python");
    request.arguments = {"word"};
    CHECK(steps(request).at(0).usual);
    request.file_path = "other.py";
    CHECK(!steps(request).at(0).usual);
    request.file_path = "notes.txt"; // no source: the default name
    CHECK(steps(request).at(0).usual);
    request.files = {{"src/main.py", ""}};
    request.entry = "src/main.py";
    CHECK(!steps(request).at(0).usual);

    const std::string main = "public class Main { public static void main(String[] a) {} }";
    CHECK(steps(request_for("java", main)).at(0).usual);
    CHECK(steps(request_for("java", main)).at(1).usual);
    request = request_for("java", main);
    request.arguments = {"word"};
    CHECK(steps(request).at(0).usual);
    CHECK(!steps(request).at(1).usual);
    const std::string packed = "package p; " + main;
    CHECK(steps(request_for("java", packed)).at(0).usual); // compilers take everything
    CHECK(!steps(request_for("java", packed)).at(1).usual);
    const std::string renamed = "class Other { public static void main(String[] a) {} }";
    CHECK(!steps(request_for("java", renamed)).at(1).usual);

    CHECK(!steps(request_for("c")).at(0).usual); // no interpreter waits for it
    CHECK(!steps(request_for("c")).at(1).usual);
}
