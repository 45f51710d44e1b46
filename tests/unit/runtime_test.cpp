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

const std::filesystem::path kTop = CLOISTER_SOURCE;

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

/// All that any box of the runtime shows.
std::vector<std::string> mounts_of(const Runtime& runtime) {
    std::vector<std::string> mounts =
        runtime.kit ? runtime.kit->mounts : std::vector<std::string>{};
    for (const StepPlan* step : steps_of(runtime)) {
        mounts.insert(mounts.end(), step->mounts.begin(), step->mounts.end());
        if (step->warm)
            mounts.insert(mounts.end(), step->warm->mounts.begin(), step->warm->mounts.end());
    }
    return mounts;
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
        CHECK(runtime.packages.empty() == runtime.hidden);
        CHECK(runtime.docker_image == "cloister/" + id);
    }
    CHECK(ids ==
          std::vector<std::string>{"c", "command", "cpp", "go", "java", "javascript", "python"});
}

TEST_CASE("what is hidden is no language, and sees what the others' compilers and programs see",
          "[runtime]") {
    const runtimes::Runtimes& all = shipped();
    const Runtime& command = all.at("command");
    CHECK(command.hidden);
    CHECK(command.extensions.empty());
    CHECK(command.run.policy == "command");
    CHECK(runtimes::find(all, "command") == nullptr);
    CHECK(runtimes::find(all, "Command") == nullptr);
    const std::set<std::string> shown(command.run.mounts.begin(), command.run.mounts.end());
    CHECK_FALSE(shown.contains("@runtimes"));
    for (const char* path :
         {"?/usr/bin/g++", "?/usr/bin/javac", "?/usr/bin/python3", "?/usr/bin/node"})
        CHECK(shown.contains(path));
    for (const std::string& mount : shown) {
        INFO(mount);
        CHECK(mount.starts_with('?'));
        CHECK(mount.find(" => ") == std::string::npos); // nothing of another runtime's folder
        for (const char* below : {"?/proc", "?/sys", "?/dev", "?/root", "?/home", "?/var", "?/run",
                                  "?/tmp", "?/boot", "?/srv", "?/usr/bin/*", "?/bin/*"})
            CHECK_FALSE(mount.starts_with(below));
    }
}

TEST_CASE("what is for hidden runtimes is refused in a language's file", "[runtime]") {
    const std::string rest =
        R"("name": "X", "default_file": "x.x", "extensions": [".x"], "version": {"command": ["/x"]}, )";
    for (const char* run : {R"("run": {"command": ["{args}"]})",
                            R"("run": {"command": ["/x"], "mounts": ["@runtimes"]})"})
        CHECK_THROWS_AS(runtimes::parse(Texts{{"x", "{" + rest + run + "}"}}), std::runtime_error);
    const std::string hidden = R"("name": "X", "hidden": true, "run": {"command": ["{args}"]})";
    CHECK(runtimes::parse(Texts{{"x", "{" + hidden + "}"}}).at("x").hidden);
    CHECK_THROWS_AS(runtimes::parse(Texts{{"x", "{" + hidden + R"(, "aliases": ["y"]})"}}),
                    std::runtime_error);
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
        for (std::string mount : mounts_of(runtime)) {
            INFO(id << ": " << mount);
            if (mount.starts_with('?')) mount.erase(0, 1);
            if (mount.starts_with(kTop.string() + "/runtimes/" + id + "/")) continue; // our own
            for (const char* wide : {"/", "/usr", "/usr/bin", "/bin", "/usr/sbin", "/sbin",
                                     "/usr/lib", "/lib", "/etc", "/usr/bin/*", "/etc/alternatives"})
                CHECK(mount != wide);
            for (const char* below : {"/proc", "/sys", "/dev", "/root", "/home", "/var", "/run",
                                      "/tmp", "/boot", "/srv", "/usr/libexec/*"})
                CHECK_FALSE(mount.starts_with(below));
            if (runtime.hidden) continue; // whose tools are the client's own choice
            CHECK(mount.find("/bin/sh") == std::string::npos);
            CHECK(mount.find("bash") == std::string::npos);
        }
    }
}

TEST_CASE("in a run step the only programs are the runtime's own", "[runtime]") {
    for (const auto& [id, runtime] : shipped()) {
        if (runtime.hidden) continue;
        const auto& mounts =
            runtime.run.warm ? runtime.run.warm->mounts : runtime.run.mounts; // the step's and more
        for (const std::string& mount : mounts) {
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
        if (runtime.hidden) continue;
        CHECK(runtime.run.policy.empty());
        CHECK(runtime.compile.has_value() ==
              (id == "c" || id == "cpp" || id == "go" || id == "java"));
        if (runtime.compile) {
            CHECK(runtime.compile->policy == (id == "go" ? "compile_go" : "compile"));
            const auto& words = runtime.compile->command;
            CHECK(std::count(words.begin(), words.end(), "{sources}") == 1);
            CHECK(runtime.takes_options());
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

TEST_CASE("a file of the runtime's folder is mounted from where the runtime was read",
          "[runtime]") {
    const std::string text =
        runtime_text(R"("mounts": ["./lib => /usr/lib/y"])",
                     R"({"command": ["/usr/bin/x"], "mounts": ["?./a b => /usr/b"],
                         "warm": {"command": ["/usr/bin/x", "-m{memory_mib}"], "environment": ["A=b"],
                                  "mounts": ["./warm.x => /usr/lib/w"], "arguments": false}})");
    const auto all = runtimes::parse(Texts{{"/opt/rt/x", text}});
    const StepPlan& run = all.at("x").run;
    CHECK(all.at("x").id == "x");
    CHECK(all.at("x").version.mounts == std::vector<std::string>{"/opt/rt/x/lib => /usr/lib/y"});
    CHECK(run.mounts ==
          std::vector<std::string>{"/opt/rt/x/lib => /usr/lib/y", "?/opt/rt/x/a b => /usr/b"});
    REQUIRE(run.warm);
    CHECK(run.warm->command == std::vector<std::string>{"/usr/bin/x", "-m{memory_mib}"});
    CHECK(run.warm->environment == std::vector<std::string>{"A=b"});
    CHECK(run.warm->mounts == std::vector<std::string>{"/opt/rt/x/lib => /usr/lib/y",
                                                       "?/opt/rt/x/a b => /usr/b",
                                                       "/opt/rt/x/warm.x => /usr/lib/w"});
    CHECK_FALSE(run.warm->arguments);
    CHECK(refusal(Texts{{"/a/x", runtime_text()}, {"/b/x", runtime_text()}}) ==
          "x/runtime.jsonc: the name 'x' belongs to x already");
    CHECK(refusal(text) ==
          "x/runtime.jsonc: mounts: './lib => /usr/lib/y': the runtime's folder is not known");
    CHECK(refusal(Texts{{"a => b/x", text}}).find("has ' => ' in its name") != std::string::npos);
    CHECK(refusal(Texts{{"/opt/x", runtime_text(R"("mounts": ["./lib"])")}})
              .find("needs a place in the box, './lib => PLACE'") != std::string::npos);
    CHECK(refusal(Texts{{"/opt/x", runtime_text(R"("mounts": ["./../y => /usr/y"])")}})
              .find("'..'") != std::string::npos);
}

TEST_CASE("a kit is a list of commands, and commands may differ once it is there", "[runtime]") {
    const auto all = runtimes::parse(Texts{
        {"x",
         runtime_text(
             R"("mounts": ["/usr/lib/x"], "kit": {"commands": [["/usr/bin/x"], ["/usr/bin/y", "z"]],
                      "environment": ["A=b"], "mounts": ["/usr/bin/y"], "policy": "compile"})",
             R"({"command": ["/usr/bin/x"], "with_kit": ["/kit/x", "{entry}"]})")}});
    const Runtime& runtime = all.at("x");
    REQUIRE(runtime.kit);
    CHECK(runtime.kit->commands ==
          std::vector<std::vector<std::string>>{{"/usr/bin/x"}, {"/usr/bin/y", "z"}});
    CHECK(runtime.kit->environment == std::vector<std::string>{"A=b"});
    CHECK(runtime.kit->mounts == std::vector<std::string>{"/usr/lib/x", "/usr/bin/y"});
    CHECK(runtime.kit->policy == "compile");
    CHECK(runtime.run.command == std::vector<std::string>{"/usr/bin/x"});
    CHECK(runtime.run.command_with_kit == std::vector<std::string>{"/kit/x", "{entry}"});
    CHECK_FALSE(runtime.run.warm);
}

TEST_CASE("what a runtime file gets wrong about warm and kit is said with its place", "[runtime]") {
    const auto run = [](const std::string& more) {
        return refusal(runtime_text("", R"({"command": ["/x"], )" + more + "}"));
    };
    CHECK(run(R"("warm": {"command": ["/x"]})") == "accepted");
    CHECK(run(R"("warm": {})") == R"(x/runtime.jsonc: run.warm: the key "command" is missing)");
    CHECK(run(R"("warm": true)").starts_with("x/runtime.jsonc: run.warm: expected an object"));
    CHECK(run(R"("warm": {"command": ["/x"], "policy": "y"})")
              .starts_with("x/runtime.jsonc: run.warm.policy: unknown key"));
    CHECK(run(R"("warm": {"command": ["/x", "{entry}"]})") ==
          "x/runtime.jsonc: run.warm.command: {entry} has no meaning where no file is given");
    CHECK(run(R"("warm": {"command": ["/x"], "arguments": 1})") ==
          "x/runtime.jsonc: run.warm.arguments: expected true or false");
    CHECK(run(R"("with_kit": ["/kit/x"])") == "x/runtime.jsonc: run.with_kit: there is no kit");
    const auto options = [](const char* word, const char* more) {
        return refusal(runtime_text(std::string(R"("kit": {"commands": [["/x"]]}, )") + more,
                                    std::string(R"({"command": ["/x", ")") + word + "\"]}"));
    };
    CHECK(options("{options}", R"("aliases": [])") ==
          "x/runtime.jsonc: run.command: {options} are a compiler's");
    CHECK(options("x", R"("compile": {"command": ["/x", "{options}"], "with_kit": ["/x"]})") ==
          "x/runtime.jsonc: compile.with_kit: takes {options} if and only if 'command' does");
    CHECK(options("x", R"("compile": {"command": ["/x", "{options}"]})") == "accepted");

    const auto kit = [](const std::string& text) {
        return refusal(runtime_text(R"("kit": )" + text));
    };
    CHECK(kit(R"({"commands": [["/x"]]})") == "accepted");
    CHECK(kit("{}") == R"(x/runtime.jsonc: kit: the key "commands" is missing)");
    CHECK(kit(R"({"commands": []})") ==
          "x/runtime.jsonc: kit.commands: expected a list of commands");
    CHECK(kit(R"({"commands": ["/x"]})")
              .starts_with("x/runtime.jsonc: kit.commands[0]: expected a list of texts"));
    CHECK(kit(R"({"commands": [["/x"], ["/x", "{args}"]]})") ==
          "x/runtime.jsonc: kit.commands[1]: {args} has no meaning where no file is given");
    CHECK(kit(R"({"commands": [["/x"]], "mount": []})")
              .starts_with("x/runtime.jsonc: kit.mount: unknown key"));
    CHECK(
        refusal(
            R"({"name": "X", "default_file": "main.x", "extensions": [".x"], "version": {"command": ["/x"], "warm": {"command": ["/x"]}}, "run": {"command": ["/x"]}})")
            .find("are for programs") != std::string::npos);
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
