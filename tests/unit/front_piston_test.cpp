// Promises of Piston's interface, without sockets: version ranges as node reads them, each check
// with its words, stages in Piston's terms, and the dialogue of its WebSocket.
#include "daemon/front/piston/dialogue.h"
#include "daemon/front/piston/requests.h"
#include "daemon/front/piston/stages.h"
#include "daemon/front/piston/versions.h"
#include "tests/unit/front_fixture.h"

#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using namespace cloister::front::piston;
using cloister::isolate::Verdict;
using nlohmann::json;
namespace wire = cloister::wire;

namespace {

constexpr const char* kVersions[] = {"3.11.2", "18.20.4", "1.19.8", "12.2.0", "17.0.13",
                                     "0.2.3",  "0.0.3",   "1.2.3",  "2.0.0"};

struct Row {
    std::string range;
    std::string held; ///< of the versions above
};
/// What npm's semver 7.8 answers.
const Row kRanges[] = {
    // clang-format off
    {"*", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"x", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"X", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"3", "3.11.2"},
    {"3.x", "3.11.2"},
    {"3.X.x", "3.11.2"},
    {"3.*", "3.11.2"},
    {"3.11", "3.11.2"},
    {"3.11.x", "3.11.2"},
    {"3.11.2", "3.11.2"},
    {"v3.11.2", "3.11.2"},
    {"=3.11.2", "3.11.2"},
    {"= 3.11.2", "3.11.2"},
    {"3.11.3", ""},
    {"^3", "3.11.2"},
    {"^3.0", "3.11.2"},
    {"^3.10.0", "3.11.2"},
    {"^3.11.2", "3.11.2"},
    {"^3.11.3", ""},
    {"^3.12", ""},
    {"^0.2.3", "0.2.3"},
    {"^0.2.4", ""},
    {"^0.2", "0.2.3"},
    {"^0.0.3", "0.0.3"},
    {"^0.0.2", ""},
    {"^0", "0.2.3 0.0.3"},
    {"^0.x", "0.2.3 0.0.3"},
    {"^0.0", "0.0.3"},
    {"^1.2.x", "1.19.8 1.2.3"},
    {"^1.x", "1.19.8 1.2.3"},
    {"^*", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"~3", "3.11.2"},
    {"~3.11", "3.11.2"},
    {"~3.11.1", "3.11.2"},
    {"~3.10", ""},
    {"~3.11.3", ""},
    {"~>3.11", "3.11.2"},
    {"~ 3.11", "3.11.2"},
    {"~*", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {">3", "18.20.4 12.2.0 17.0.13"},
    {">3.11", "18.20.4 12.2.0 17.0.13"},
    {">=3.11", "3.11.2 18.20.4 12.2.0 17.0.13"},
    {">=3.11.2", "3.11.2 18.20.4 12.2.0 17.0.13"},
    {">= 3.11.2", "3.11.2 18.20.4 12.2.0 17.0.13"},
    {">3.11.2", "18.20.4 12.2.0 17.0.13"},
    {"<3.11.2", "1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<=3.11.2", "3.11.2 1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<=3.11", "3.11.2 1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<=3", "3.11.2 1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<3", "1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<4", "3.11.2 1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<=1.2.x", "0.2.3 0.0.3 1.2.3"},
    {">1.2.x", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 2.0.0"},
    {">1.x", "3.11.2 18.20.4 12.2.0 17.0.13 2.0.0"},
    {"<1.2.x", "0.2.3 0.0.3"},
    {">*", ""},
    {"<*", ""},
    {">=*", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<=*", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {">=1.0.0 <2.0.0", "1.19.8 1.2.3"},
    {">=3 <4", "3.11.2"},
    {">=3.9 <3.11", ""},
    {"1.2.3 - 2.3.4", "1.19.8 1.2.3 2.0.0"},
    {"1.2 - 2", "1.19.8 1.2.3 2.0.0"},
    {"1 - 2.0", "1.19.8 1.2.3 2.0.0"},
    {"1.2.3 - *", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 1.2.3 2.0.0"},
    {"* - 2", "1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"0.0.1 - 0.2", "0.2.3 0.0.3"},
    {"1 || 3", "3.11.2 1.19.8 1.2.3"},
    {"1.x || >=12.0.0 <13", "1.19.8 12.2.0 1.2.3"},
    {"2||3.11.2", "3.11.2 2.0.0"},
    {"3.11.2 || ", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"||", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"|| 5", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {">=3.11.2-rc.1", "3.11.2 18.20.4 12.2.0 17.0.13"},
    {"3.11.2-rc.1", ""},
    {"<3.11.2-rc.1", "1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {">3.11.2-rc.1", "3.11.2 18.20.4 12.2.0 17.0.13"},
    {"<=3.11.2-rc.1", "1.19.8 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"^3.11.2-beta", "3.11.2"},
    {"~1.2.3-a", "1.2.3"},
    {"3.11.2+build", "3.11.2"},
    {"3.11.2-", ""},
    {"latest", ""},
    {"3.11.2.1", ""},
    {"03.11", ""},
    {"3.011", ""},
    {">", ""},
    {"^", ""},
    {"~", ""},
    {"a.b.c", ""},
    {"3.x.2", ""},
    {"3.11.2 junk", ""},
    {">=3.11.2junk", ""},
    {"99999999999999999999", ""},
    {"1.2.3 - ", ""},
    {"- 2", ""},
    {"==3.11.2", ""},
    {"!3", ""},
    {">=3.11.2,<4", ""},
    {"3 .11", ""},
    {"^3.11.2 ^3", "3.11.2"},
    {">=0.0.0-0", "3.11.2 18.20.4 1.19.8 12.2.0 17.0.13 0.2.3 0.0.3 1.2.3 2.0.0"},
    {"<0.0.0-0", ""},
    {"1.2.3 -2.0.0", ""},
    {"3.11.2 - 3.11.2", "3.11.2"},
    {"  3.11.2  ", "3.11.2"},
    {"\t3", "3.11.2"},
    // clang-format on
};

json order_body() {
    return {{"language", "python"}, {"version", "*"}, {"files", {{{"content", "print()"}}}}};
}

struct Desk {
    std::variant<Order, Fault> read(const json& body) { return read_order(body, catalog, false); }
    std::string fault(const json& body) {
        const auto read_body = read(body);
        const auto* fault = std::get_if<Fault>(&read_body);
        return fault == nullptr ? "" : fault->message;
    }
    Order order(const json& body) { return std::get<Order>(read(body)); }
    std::string fault_with(const char* key, const json& value, const char* language = "python") {
        json body = order_body();
        body["language"] = language;
        body[key] = value;
        return fault(body);
    }

    cloister::config::Settings settings = made_settings();
    Catalog catalog = made_catalog(settings);
};

piston::Stage ended(Verdict verdict, int exit_code = -1, int signal = 0) {
    piston::Stage stage;
    stage.verdict = verdict;
    stage.exit_code = exit_code;
    stage.signal = signal;
    return stage;
}

std::string in_short(const piston::Stage& stage) {
    const Ending ending = ending_of(stage);
    return ending.status.value_or("-") + " " + ending.signal.value_or("-") + " " +
           (ending.code ? std::to_string(*ending.code) : "-") + " " + ending.message.value_or("-");
}

/// A dialogue over paper boxes.
struct Phone {
    explicit Phone(House& home) : house(home), dialogue(home.service, line(), home.stage.now) {}
    Line line() {
        Line made;
        made.send = [this](const MessagePtr& message, bool) {
            said.push_back(json::parse(message->text));
        };
        made.leave = [this](unsigned with, std::string_view) { code = with; };
        return made;
    }
    void say(const json& message) {
        CHECK(dialogue.receive(message.dump(), false, house.stage.now) == 0);
    }
    void init(const char* language = "python") {
        json body = order_body();
        body["type"] = "init";
        body["language"] = language;
        say(body);
    }
    std::string types() const {
        std::string all;
        for (const json& one : said) {
            all += (all.empty() ? "" : " ") + one.value("type", "");
            if (one.contains("stage")) all += ":" + one.value("stage", "");
        }
        return all;
    }

    House& house;
    std::vector<json> said{};
    unsigned code = 0;
    JobDialogue dialogue;
};

} // namespace

TEST_CASE("version ranges hold what node's semver says they hold", "[front]") {
    for (const Row& row : kRanges) {
        std::string held;
        for (const char* version : kVersions)
            if (is_in_range(version, row.range))
                held += (held.empty() ? "" : " ") + std::string(version);
        INFO("range '" << row.range << "'");
        CHECK(held == row.held);
    }
    CHECK(is_in_range("1.19", "^1.19.0")); // Go's and GCC's may have two numbers
    CHECK(is_in_range("17", "17"));
    CHECK_FALSE(is_in_range("none", "*"));
    CHECK_FALSE(is_in_range("1.2.3", std::string(300, ' ') + "*"));
    CHECK(is_later("3.11.2", "3.9.18"));
    CHECK_FALSE(is_later("3.11", "3.11.0"));
}

TEST_CASE("a body is checked in Piston's order and refused in its words", "[front]") {
    Desk desk;
    json body = json::object();
    const auto add = [&](const char* key, const json& value, const char* next) {
        CHECK(desk.fault(body) == next);
        body[key] = value;
    };
    add("run_timeout", "late", "language is required as a string"); // the last check of all
    add("language", 5, "language is required as a string");
    add("language", "", "language is required as a string");
    add("language", "python", "language is required as a string");
    add("version", json::array(), "version is required as a string");
    add("version", "9.x", "version is required as a string");
    add("files", "print()", "files is required as an array");
    add("files", json::array({{{"content", "a"}}, {{"name", "b"}}}),
        "files is required as an array");
    add("files", json::array({{{"content", "QQ=="}, {"encoding", "base64"}}}),
        "files[1].content is required as a string");
    add("version", "3.x", "python-9.x runtime is unknown");
    add("files", json::array({{{"content", "a"}}}),
        "files must include at least one utf8 encoded file");
    add("run_timeout", 10'001, "If specified, run_timeout must be a number");
    add("run_timeout", -1, "run_timeout cannot exceed the configured limit of 10000");
    add("run_timeout", 0, "run_timeout must be non-negative");
    CHECK(desk.fault(body).empty());
    CHECK(desk.fault(json::array()) == "language is required as a string");
    body["language"] = "cobol";
    CHECK(desk.fault(body) == "cobol-3.x runtime is unknown");
}

TEST_CASE("each limit has its default, its ceiling and its words", "[front]") {
    Desk desk;
    const auto limits = desk.order(order_body()).run.limits;
    CHECK(limits.wall_time == std::chrono::milliseconds(3'000));
    CHECK(limits.cpu_time == std::chrono::milliseconds(3'000));
    CHECK_FALSE(limits.memory);
    json java = order_body();
    java["language"] = "java";
    const auto compiling = desk.order(java).run.compile_limits;
    CHECK(compiling.wall_time == std::chrono::milliseconds(10'000));
    CHECK(compiling.cpu_time == std::chrono::milliseconds(10'000));
    for (const char* name : {"compile_memory_limit", "run_memory_limit", "compile_timeout",
                             "run_timeout", "compile_cpu_time", "run_cpu_time"}) {
        INFO(name);
        const std::string text = name;
        const bool is_memory = text.ends_with("memory_limit");
        CHECK(desk.fault_with(name, "1", "java") == "If specified, " + text + " must be a number");
        CHECK(desk.fault_with(name, true, "java") == "If specified, " + text + " must be a number");
        CHECK(desk.fault_with(name, -2, "java") == text + " must be non-negative");
        CHECK(desk.fault_with(name, -1, "java") ==
              (is_memory ? "" : text + " must be non-negative"));
        CHECK(desk.fault_with(name, 1e12, "java")
                  .starts_with(text + " cannot exceed the configured limit of "));
        for (const json& falsy : {json(0), json(false), json(""), json(nullptr)})
            CHECK(desk.fault_with(name, falsy, "java").empty());
        // Without a compiler there is no limit that could be passed.
        if (text.starts_with("compile")) CHECK(desk.fault_with(name, 1e12).empty());
    }
    CHECK(desk.fault_with("run_memory_limit", 134'217'729) ==
          "run_memory_limit cannot exceed the configured limit of 134217728");
    json body = order_body();
    body["run_timeout"] = 1500.9;
    body["run_memory_limit"] = 64'000'000;
    const auto asked = desk.order(body).run.limits;
    CHECK(asked.wall_time == std::chrono::milliseconds(1'500));
    CHECK(asked.memory == 64'000'000);
    // Memory is checked before time, compile before run.
    body["run_timeout"] = "x";
    body["compile_memory_limit"] = "x";
    body["run_memory_limit"] = "x";
    CHECK(desk.fault(body) == "If specified, compile_memory_limit must be a number");
}

TEST_CASE("files are named, decoded and kept in their folder as Piston does it", "[front]") {
    Desk desk;
    json body = order_body();
    body["files"] =
        json::array({{{"content", "AAEC/w=="}, {"encoding", "base64"}, {"name", "data/blob"}},
                     {{"content", "print()"}},
                     {{"content", "00ff41zz"}, {"encoding", "hex"}},
                     {{"content", "x"}, {"encoding", "latin1"}, {"name", "./lib/../lib//x.py"}},
                     {{"content", "y"}, {"name", "/abs.py"}},
                     {{"content", "z"}, {"name", "abs.py"}}});
    const Order order = desk.order(body);
    const auto content = [&](const std::string& path) {
        for (const SourceFile& file : order.run.files)
            if (file.path == path) return file.content;
        return std::string("none");
    };
    CHECK(order.run.files.size() == 5);
    CHECK(order.run.entry == "file1.code");
    CHECK(content("data/blob") == std::string("\0\1\2\xff", 4));
    CHECK(content("file2.code") == std::string("\0\xff"
                                               "A",
                                               3));
    CHECK(content("lib/x.py") == "x");
    CHECK(content("abs.py") == "z");
    body["files"] = json::array({{{"content", "x"}, {"name", "a/../../b"}}});
    CHECK(desk.fault(body) == "The file 'a/../../b' lies outside the program's folder.");
    // A compiler sees from its name what a file is.
    body["language"] = "c";
    body["files"] =
        json::array({{{"content", "int main(void){}"}}, {{"content", ""}, {"name", "a.h"}}});
    CHECK(desk.order(body).run.entry == "file0.code.c");
    CHECK(desk.order(body).run.files.back().path == "a.h");
}

TEST_CASE("stdin ends with a line's end, arguments are texts", "[front]") {
    Desk desk;
    const auto input = [&](const json& value) {
        json body = order_body();
        body["stdin"] = value;
        return desk.order(body).run.input.value_or("none");
    };
    CHECK(input(nullptr) == "\n");
    CHECK(input("") == "\n");
    CHECK(input("a") == "a\n");
    CHECK(input("a\n") == "a\n");
    CHECK(desk.fault_with("stdin", 5) == "stdin must be a string");
    CHECK(desk.fault_with("args", "a") == "args must be an array of strings");
    CHECK(desk.fault_with("args", json::array({"a", 1})) == "args must be an array of strings");
    CHECK(desk.fault_with("args", nullptr).empty());
    json body = order_body();
    body["args"] = {"a", "b c"};
    CHECK(desk.order(body).run.arguments == std::vector<std::string>{"a", "b c"});
}

TEST_CASE("languages go by Piston's names", "[front]") {
    Desk desk;
    desk.settings.runtimes["cpp"] = desk.settings.runtimes["c"];
    desk.settings.runtimes["cpp"].id = "cpp";
    desk.catalog = made_catalog(desk.settings);
    desk.catalog.entries.front().version.reset(); // C is not installed
    const json runtimes = json::parse(runtimes_text(desk.catalog));
    REQUIRE(runtimes.size() == 3);
    CHECK(runtimes[0] == json{{"language", "c++"},
                              {"version", "3.11.2"},
                              {"aliases", {"cpp", "g++"}},
                              {"runtime", "gcc"}});
    CHECK_FALSE(runtimes[2].contains("runtime"));
    for (const char* name : {"c++", "cpp", "g++"}) {
        json body = order_body();
        body["language"] = name;
        CHECK(desk.order(body).language == "c++");
        CHECK(desk.order(body).run.language == "cpp");
    }
    CHECK(desk.fault_with("language", "c") == "c-* runtime is unknown");
    CHECK(json::parse(packages_text(desk.catalog))[2] ==
          json{{"language", "python"}, {"language_version", "3.11.2"}, {"installed", true}});
}

TEST_CASE("packages are Debian's, and the answer says so", "[front]") {
    Desk desk;
    const auto asked = [&](const char* language, const char* version, bool install) {
        const json body = {{"language", language}, {"version", version}};
        const auto answer = answer_package(body.dump(), install, desk.catalog);
        const auto& told = std::get<PackageAnswer>(answer);
        return std::to_string(told.status) + " " + told.message;
    };
    CHECK(asked("python", "3.x", true) == "500 Already installed");
    CHECK(asked("cobol", "1", true) == "404 Requested package cobol-1 does not exist");
    CHECK(asked("python", "3.x", false).ends_with("python is in: python3"));
    CHECK(asked("python", "4.x", true)
              .starts_with("500 Languages of this server are Debian's packages"));
}

TEST_CASE("a stage ends in Piston's terms", "[front]") {
    CHECK(in_short(ended(Verdict::ok, 0)) == "- - 0 -");
    CHECK(in_short(ended(Verdict::nonzero_exit, 3)) == "RE - 3 Exited with error status 3");
    CHECK(in_short(ended(Verdict::signalled, -1, SIGSEGV)) ==
          "SG SIGSEGV - Caught fatal signal 11");
    CHECK(in_short(ended(Verdict::process_limit, 1)) == "RE - 1 Exited with error status 1");
    CHECK(in_short(ended(Verdict::time_limit, 0)) == "TO SIGKILL - Time limit exceeded");
    CHECK(in_short(ended(Verdict::wall_limit, 0)) ==
          "TO SIGKILL - Time limit exceeded (wall clock)");
    CHECK(in_short(ended(Verdict::memory_limit)) == "SG SIGKILL - Caught fatal signal 9");
    CHECK(in_short(ended(Verdict::forbidden_syscall)) == "SG SIGSYS - Caught fatal signal 31");
    CHECK(in_short(ended(Verdict::output_limit)) == "EL SIGKILL - stderr length exceeded");
    piston::Stage stage = ended(Verdict::output_limit);
    stage.output_dropped = 1;
    CHECK(in_short(stage) == "OL SIGKILL - stdout length exceeded");
    stage = ended(Verdict::internal_error);
    stage.reason = "why";
    CHECK(in_short(stage) == "XX - - why");
}

TEST_CASE("a stage always has every key, and its output in the order of its arrival", "[front]") {
    piston::Stage stage = ended(Verdict::ok, 0);
    stage.output = "a\xc3\xa4"; // the last letter comes in two pieces
    stage.error = "!?";
    stage.order = {{false, 2}, {true, 1}, {false, 1}};
    stage.usage.cpu_time = std::chrono::milliseconds(12);
    stage.usage.wall_time = std::chrono::milliseconds(34);
    const json told = json::parse(to_text(stage));
    CHECK(told == json{{"stdout", "a\u00e4"},
                       {"stderr", "!?"},
                       {"code", 0},
                       {"signal", nullptr},
                       {"output", "a!\u00e4?"},
                       {"memory", nullptr},
                       {"message", nullptr},
                       {"status", nullptr},
                       {"cpu_time", 12},
                       {"wall_time", 34}});
}

TEST_CASE("a compiler that fails stands for the run, too", "[front]") {
    Result result;
    result.verdict = Verdict::compile_error;
    result.compile.emplace();
    result.compile->verdict = Verdict::nonzero_exit;
    result.compile->exit_code = 1;
    result.compile->error = "no\n";
    CHECK(to_text(*compile_stage(result)) == to_text(run_stage(result)));
    result.compile->success = true;
    result.verdict = Verdict::ok;
    result.exit_code = 0;
    CHECK(to_text(*compile_stage(result)) != to_text(run_stage(result)));
    result.compile.reset();
    CHECK_FALSE(compile_stage(result));
}

TEST_CASE("signals are known by Linux' names", "[front]") {
    CHECK(signal_by_name("SIGHUP") == 1);
    CHECK(signal_by_name("SIGSYS") == 31);
    CHECK(signal_by_name("SIGSTKFLT") == 16);
    CHECK(signal_by_name("SIGRTMIN") == 34);
    CHECK(signal_by_name("SIGRTMIN+15") == 49);
    CHECK(signal_by_name("SIGRTMAX-14") == 50);
    CHECK(signal_by_name("SIGRTMAX") == 64);
    for (const char* none :
         {"", "SIG", "HUP", "SIGRTMIN+16", "SIGRTMIN+0", "SIGRTMAX-15", "SIG32", "sigint"})
        CHECK(signal_by_name(none) == 0);
}

TEST_CASE("a job over the WebSocket is told from its runtime to its end", "[front]") {
    House house;
    Phone phone(house);
    phone.init();
    const auto box = house.stage.boxes.last();
    house.stage.executions.on_started(box, {}, wire::Level::cold);
    CHECK(phone.types() == "runtime stage:run");
    phone.say({{"type", "data"}, {"stream", "stdin"}, {"data", "in"}});
    CHECK(house.stage.boxes.boxes.at(box).input == "in");
    CHECK_FALSE(house.stage.boxes.boxes.at(box).input_closed);
    phone.say({{"type", "eof"}});
    CHECK(house.stage.boxes.boxes.at(box).input_closed);
    phone.say({{"type", "signal"}, {"signal", "SIGRTMIN+1"}});
    CHECK(house.stage.boxes.logged("signal " + std::to_string(box) + " 35"));
    phone.say({{"type", "of a later version"}});
    house.stage.executions.on_output(box, 0, "out");
    house.stage.end(box, 3);
    CHECK(phone.types() == "runtime stage:run data exit:run");
    CHECK(phone.said.back().at("code") == 3);
    CHECK(phone.said.back().at("status") == "RE");
    CHECK(phone.code == JobDialogue::kJobCompleted);
}

TEST_CASE("a compiled job has two stages, and one when it is not compiled", "[front]") {
    House house;
    Phone phone(house);
    phone.init("c");
    house.stage.executions.on_output(house.stage.boxes.last(), 1, "warning");
    house.stage.end(house.stage.boxes.last());
    house.stage.executions.on_started(house.stage.boxes.last(), {}, wire::Level::cold);
    house.stage.end(house.stage.boxes.last());
    CHECK(phone.types() == "runtime stage:compile data exit:compile stage:run exit:run");
    CHECK(phone.code == JobDialogue::kJobCompleted);
    Phone other(house);
    other.init("c");
    house.stage.end(house.stage.boxes.last(), 1);
    CHECK(other.types() == "runtime stage:compile exit:compile");
    CHECK(other.code == JobDialogue::kJobCompleted);
}

TEST_CASE("whoever breaks the rules of the WebSocket is closed with the rule's code", "[front]") {
    House house;
    const auto closed_by = [&](const json& message, bool begun) {
        Phone phone(house);
        if (begun) phone.init();
        phone.say(message);
        return phone.code;
    };
    const json init = {{"type", "init"}};
    CHECK(closed_by(init, false) == JobDialogue::kNotifiedError);
    CHECK(closed_by(init, true) == JobDialogue::kAlreadyInitialized);
    CHECK(closed_by({{"type", "data"}, {"stream", "stdin"}, {"data", ""}}, false) ==
          JobDialogue::kNotInitialized);
    CHECK(closed_by({{"type", "data"}, {"stream", "stdout"}, {"data", ""}}, true) ==
          JobDialogue::kOnlyStdin);
    CHECK(closed_by({{"type", "signal"}, {"signal", "SIGKILL"}}, false) ==
          JobDialogue::kNotInitialized);
    CHECK(closed_by({{"type", "signal"}, {"signal", "SIGNAL"}}, true) ==
          JobDialogue::kInvalidSignal);
    CHECK(closed_by({{"type", "eof"}}, false) == JobDialogue::kNotInitialized);
    Phone silent(house);
    silent.dialogue.lose_patience();
    CHECK(silent.code == JobDialogue::kInitTimeout);
    Phone busy(house);
    busy.init();
    busy.dialogue.lose_patience();
    CHECK(busy.code == 0);
    Phone garbled(house);
    (void)garbled.dialogue.receive("{", false, house.stage.now);
    CHECK(garbled.code == JobDialogue::kNotifiedError);
    CHECK(garbled.types() == "error");
    Phone flood(house);
    for (int i = 0; i < 1000 && flood.code == 0; ++i) flood.say({{"type", "later"}});
    CHECK(flood.code == JobDialogue::kNotifiedError);
}

TEST_CASE("a job ends with its WebSocket", "[front]") {
    House house;
    Phone phone(house);
    phone.init();
    const auto box = house.stage.boxes.last();
    phone.dialogue.end();
    CHECK(house.stage.boxes.boxes.at(box).killed);
    house.stage.end(box);
    CHECK(phone.code == 0); // nobody is told any more
}
