// Promises of the runtimes: what the shipped ones say, and which files are turned away.
#include "runtimes/runtime.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <catch2/catch.hpp>

using namespace cloister;
using runtimes::Runtime;
using runtimes::StepPlan;
using Texts = std::map<std::string, std::string, std::less<>>;

namespace {

const std::filesystem::path kTop =
    std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

const runtimes::Runtimes& shipped() {
    static const runtimes::Runtimes all =
        runtimes::parse(runtimes::read_texts((kTop / "runtimes").string()));
    return all;
}

std::vector<const StepPlan*> steps_of(const Runtime& runtime) {
    std::vector<const StepPlan*> steps = {&runtime.version, &runtime.run};
    if (runtime.compile) steps.push_back(&*runtime.compile);
    return steps;
}

std::string runtime_text(const std::string& more = "",
                         const std::string& run = R"({"command": ["/usr/bin/x", "{entry}"]})") {
    return R"({"name": "X", "default_file": "main.x", "extensions": [".x"], "version": {"command": ["/usr/bin/x", "-v"]}, "run": )" +
           run + (more.empty() ? "" : ", " + more) + "}";
}

std::string refusal(const Texts& texts) {
    try {
        runtimes::parse(texts);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "accepted";
}

std::string refusal(const std::string& text) { return refusal(Texts{{"x", text}}); }

} // namespace

TEST_CASE("the shipped runtimes are read and numbered by id", "[runtime]") {
    std::vector<std::string> ids;
    for (const auto& [id, runtime] : shipped()) {
        ids.push_back(id);
        INFO(id);
        CHECK(runtime.id == id);
        CHECK_FALSE(runtime.packages.empty());
        CHECK(runtime.docker_image == "cloister/" + id);
    }
    CHECK(ids == std::vector<std::string>{"c", "cpp", "go", "java", "javascript", "python"});
}

TEST_CASE("a runtime is found by id and alias, in any case", "[runtime]") {
    const std::pair<const char*, const char*> names[] = {
        {"python", "python"}, {"Python3", "python"},  {"PY", "python"},
        {"js", "javascript"}, {"Node", "javascript"}, {"nodejs", "javascript"},
        {"C++", "cpp"},       {"g++", "cpp"},         {"cxx", "cpp"},
        {"C", "c"},           {"golang", "go"},       {"JAVA", "java"}};
    for (const auto& [name, id] : names) {
        INFO(name);
        const Runtime* found = runtimes::find(shipped(), name);
        REQUIRE(found != nullptr);
        CHECK(found->id == id);
    }
    CHECK(runtimes::find(shipped(), "pyton") == nullptr);
    CHECK(runtimes::find(shipped(), "") == nullptr);
}

TEST_CASE("each extension belongs to one language", "[runtime]") {
    std::set<std::string> seen;
    for (const auto& [id, runtime] : shipped()) {
        for (const std::string& extension : runtime.extensions)
            CHECK(seen.insert(extension).second);
    }
}

TEST_CASE("no step shows a shell, a home, the host's settings or a kernel's files", "[runtime]") {
    for (const auto& [id, runtime] : shipped()) {
        for (const StepPlan* step : steps_of(runtime)) {
            for (std::string mount : step->mounts) {
                INFO(id << ": " << mount);
                if (mount.starts_with('?')) mount.erase(0, 1);
                for (const char* wide :
                     {"/", "/usr", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/lib", "/lib",
                      "/etc", "/usr/bin/*", "/etc/alternatives"}) {
                    CHECK(mount != wide);
                }
                for (const char* below : {"/proc", "/sys", "/dev", "/root", "/home", "/var", "/run",
                                          "/tmp", "/boot", "/srv", "/usr/libexec/*"}) {
                    CHECK_FALSE(mount.starts_with(below));
                }
                CHECK(mount.find("/bin/sh") == std::string::npos);
                CHECK(mount.find("bash") == std::string::npos);
            }
        }
    }
}

TEST_CASE("in a run step the only programs are the runtime's own", "[runtime]") {
    for (const auto& [id, runtime] : shipped()) {
        for (const std::string& mount : runtime.run.mounts) {
            INFO(id << ": " << mount);
            if (mount.find("/bin/") != std::string::npos)
                CHECK(mount == runtime.run.command.front());
        }
        if (runtime.compile) CHECK((id == "java" || runtime.run.command.front() == "/app/main"));
    }
}

TEST_CASE("compilers work under the policy that is made for them", "[runtime]") {
    for (const auto& [id, runtime] : shipped()) {
        INFO(id);
        CHECK(runtime.run.policy.empty());
        CHECK(runtime.compile.has_value() ==
              (id == "c" || id == "cpp" || id == "go" || id == "java"));
        if (runtime.compile) {
            CHECK(runtime.compile->policy == "compile");
            const auto& words = runtime.compile->command;
            CHECK(std::count(words.begin(), words.end(), "{sources}") == 1);
        }
        CHECK(runtime.run.command.back() == "{args}");
    }
}

TEST_CASE("mounts of a runtime are shown in each of its steps", "[runtime]") {
    const auto all = runtimes::parse(Texts{
        {"x", runtime_text(
                  R"("mounts": ["/usr/bin/x"])",
                  R"({"command": ["/usr/bin/x"], "mounts": ["?/opt/y", "/opt/a => /usr/b"]})")}});
    CHECK(all.at("x").version.mounts == std::vector<std::string>{"/usr/bin/x"});
    CHECK(all.at("x").run.mounts ==
          std::vector<std::string>{"/usr/bin/x", "?/opt/y", "/opt/a => /usr/b"});
}

TEST_CASE("two runtimes cannot claim one name", "[runtime]") {
    const Texts texts = {{"x", runtime_text(R"("aliases": ["z"])")},
                         {"y", runtime_text(R"("aliases": ["z"])")}};
    CHECK(refusal(texts) == "y/runtime.jsonc: the name 'z' belongs to x already");
    CHECK(refusal(Texts{{"x", runtime_text(R"("aliases": ["y"])")}, {"y", runtime_text()}}) ==
          "y/runtime.jsonc: the name 'y' belongs to x already");
}

TEST_CASE("what a runtime file gets wrong is said with its place", "[runtime]") {
    CHECK(refusal(runtime_text()) == "accepted");
    CHECK(refusal(runtime_text(R"("comand": 1)"))
              .starts_with("x/runtime.jsonc: comand: unknown key; known here: "));
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "mount": []})"))
              .starts_with("x/runtime.jsonc: run.mount: unknown key"));
    CHECK(refusal(runtime_text("", R"({"command": ["x"]})")) ==
          "x/runtime.jsonc: run.command: the first word is the program's absolute path");
    CHECK(refusal(runtime_text("", R"({"command": []})"))
              .starts_with("x/runtime.jsonc: run.command: "));
    CHECK(refusal(runtime_text("", R"({"command": "/x"})"))
              .starts_with("x/runtime.jsonc: run.command: expected a list of texts"));
    CHECK(refusal(runtime_text("", R"({"command": ["/x", "{file}"]})")).find("'{file}'") !=
          std::string::npos);
    CHECK(refusal(runtime_text("", R"({"command": ["/x", "a{args}"]})")).find("whole words") !=
          std::string::npos);
    CHECK(refusal(runtime_text("", R"({"command": ["/x", "-m{memory_mib}m"]})")) == "accepted");
    CHECK(refusal(runtime_text("", R"({"command": ["/x", "{main}"]})"))
              .find("main_from does not say") != std::string::npos);
    CHECK(refusal(runtime_text(R"("main_from": "guess")"))
              .starts_with("x/runtime.jsonc: main_from: expected"));
    CHECK(refusal(runtime_text("", R"({"command": ["/app/main"]})"))
              .find("there is no compile step") != std::string::npos);
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "environment": ["A"]})")) ==
          "x/runtime.jsonc: run.environment: 'A' is not NAME=value");
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "mounts": ["usr"]})"))
              .starts_with("x/runtime.jsonc: run.mounts: 'usr' is not the absolute path"));
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "mounts": ["/"]})"))
              .find("below the root") != std::string::npos);
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "mounts": ["/usr/../root"]})"))
              .find("'..'") != std::string::npos);
    CHECK(refusal(runtime_text("", R"({"command": ["/x"], "mounts": ["/a => b"]})")).find("'b'") !=
          std::string::npos);
    CHECK(
        refusal(runtime_text(R"("aliases": ["Upper"])")).starts_with("x/runtime.jsonc: aliases: "));
    CHECK(refusal(Texts{{"x", R"({"name": "X"})"}}) ==
          R"(x/runtime.jsonc: the key "default_file" is missing)");
    CHECK(refusal(Texts{{"X", runtime_text()}}).starts_with("X/runtime.jsonc: a runtime's folder"));
    CHECK(
        refusal(
            R"({"name": "X", "default_file": "main.y", "extensions": [".x"], "version": {"command": ["/x"]}, "run": {"command": ["/x"]}})")
            .find("none of the runtime's extensions") != std::string::npos);
}
