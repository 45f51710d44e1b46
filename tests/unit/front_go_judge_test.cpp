// The interface for clients of go-judge, but for boxes: forms, the store of files, requests.
#include "daemon/config/settings.h"
#include "daemon/front/go_judge/commands.h"
#include "daemon/front/go_judge/files.h"
#include "daemon/front/go_judge/multipart.h"
#include "daemon/front/go_judge/requests.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace cloister::front::go_judge {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=\"a b\"";

std::string part(const std::string& head, const std::string& content) {
    return "--a b\r\n" + head + "\r\n\r\n" + content + "\r\n";
}

std::string asked(const std::string& command, bool streams = false) {
    const auto body = nlohmann::json::parse("{\"cmd\": [" + command + "]}");
    const auto read = read_request(body, config::Config{}, streams);
    const auto* fault = std::get_if<Fault>(&read);
    return fault == nullptr ? "" : fault->message;
}

} // namespace

TEST_CASE("the file of a form is found, byte for byte") {
    const std::string content("\r\n--a c\0\xff--a b", 14);
    const std::string file =
        part("content-disposition: FORM-DATA ; filename=\"C:\\\\x/y \\\"z\\\".txt\"; name=file",
             content);
    const std::string other = part("Content-Disposition: form-data; name=\"other\"", "x");
    const auto found = file_in_form(kType, "preamble\r\n" + other + file + "--a b--\r\n", "file");
    REQUIRE(found);
    CHECK(found->content == content);
    CHECK(found->name == "y \"z\".txt");
    CHECK_FALSE(file_in_form(kType, other + file + "--a b--", "none"));
    const std::string empty = part("Content-Disposition: form-data; name=file", "");
    REQUIRE(file_in_form(kType, empty + "--a b--", "file"));
    CHECK(file_in_form(kType, empty + "--a b--", "file")->content.empty());
}

TEST_CASE("what is no form, or not whole, has no file") {
    const std::string file = part("Content-Disposition: form-data; name=\"file\"", "x");
    for (const char* type : {"", "multipart/form-data", "multipart/form-data; boundary=",
                             "multipart/mixed; boundary=\"a b\"", "multipart/form-data; boundary=c",
                             "multipart/form-data; boundary=\"a"})
        CHECK_FALSE(file_in_form(type, file + "--a b--", "file"));
    const std::string whole = file + "--a b--";
    for (std::size_t size = 0; size < whole.size() - 2; ++size)
        CHECK_FALSE(file_in_form(kType, whole.substr(0, size), "file"));
    const std::string long_head =
        part("X: " + std::string(9000, 'x') + "\r\nContent-Disposition: form-data; name=file", "x");
    CHECK_FALSE(file_in_form(kType, long_head + "--a b--", "file"));
    std::string many;
    for (int i = 0; i < 16; ++i) many += part("Content-Disposition: form-data; name=a", "x");
    CHECK_FALSE(file_in_form(kType, many + file + "--a b--", "file"));
}

TEST_CASE("the store keeps its bounds, and what is used") {
    FileStore::Time now{1000};
    FileStore::Bounds bounds;
    bounds.files = 2;
    bounds.bytes = 2000;
    bounds.keep = FileStore::Time(100);
    FileStore store(bounds, [&] { return now; });
    const auto first = store.add("a", "content");
    REQUIRE(first);
    REQUIRE(store.add("b", std::string(1000, 'x')));
    CHECK_FALSE(store.add("c", ""));
    CHECK(store.list().size() == 2);
    now += FileStore::Time(60);
    REQUIRE(store.find(*first));
    CHECK(store.find(*first)->content == "content");
    now += FileStore::Time(60);
    CHECK(store.list().size() == 1); // the other one was not used
    CHECK_FALSE(store.add("d", std::string(1500, 'x')));
    CHECK(store.add("e", std::string(1000, 'x')));
    CHECK(store.remove(*first));
    CHECK_FALSE(store.remove(*first));
    CHECK(store.find(*first) == nullptr);
    now += FileStore::Time(100);
    CHECK(store.list().empty());
    CHECK(store.bytes() == 0);
}

TEST_CASE("an answer holds no more than it may, and all together no more than they may") {
    const auto all = std::make_shared<std::uint64_t>(0);
    std::vector<std::unique_ptr<AnswerBytes>> answers;
    for (std::uint64_t i = 0; i < kHeldBytes / kAnswerBytes; ++i) {
        answers.push_back(std::make_unique<AnswerBytes>(all));
        CHECK_FALSE(answers.back()->take(kAnswerBytes + 1));
        CHECK(answers.back()->take(1));
        CHECK_FALSE(answers.back()->take(kAnswerBytes));
        CHECK(answers.back()->take(kAnswerBytes - 1));
    }
    AnswerBytes late(all);
    CHECK(late.take(0));
    CHECK_FALSE(late.take(1));
    answers.pop_back();
    CHECK(late.take(kAnswerBytes));
    answers.clear();
    CHECK(*all == kAnswerBytes);
}

TEST_CASE("streams and terminals are for those who stream") {
    const std::string in = R"({"args": ["a"], "files": [{"streamIn": true}]})";
    CHECK_FALSE(asked(in).empty());
    CHECK(asked(in, true).empty());
    CHECK(asked(R"({"args": ["a"], "files": [null, {"streamOut": "name"}], "tty": true})", true)
              .empty());
    CHECK_FALSE(asked(R"({"args": ["a"], "files": [{"streamOut": true}]})", true).empty());
    CHECK_FALSE(asked(R"({"args": ["a"], "files": [{"streamIn": false}]})", true).empty());
    CHECK_FALSE(asked(R"({"args": ["a"], "tty": true, "copyOut": ["x"]})", true).empty());
}

TEST_CASE("links come behind files") {
    const auto body = nlohmann::json::parse(
        R"({"cmd": [{"args": ["a"], "copyIn": {"a": {"symlink": "b"}, "b": {"content": "x"}}}]})");
    const auto read = read_request(body, config::Config{}, false);
    const auto& files = std::get<Request>(read).commands.front().copy_in;
    REQUIRE(files.size() == 2);
    CHECK(files.front().path == "b");
    CHECK(files.back().link);
}

namespace {

/// A request of so many commands without files, with these pipes: FROM.FD>TO, and ":NAME" for a
/// recording proxy.
std::variant<Request, Fault> piped(std::size_t commands, const std::vector<std::string>& pipes) {
    nlohmann::json body;
    for (std::size_t i = 0; i < commands; ++i) body["cmd"].push_back({{"args", {"x"}}});
    for (const std::string& pipe : pipes) {
        const auto number = [&](char before) {
            return std::stoul(pipe.substr(before == '^' ? 0 : pipe.find(before) + 1));
        };
        nlohmann::json one = {{"in", {{"index", number('^')}, {"fd", number('.')}}},
                              {"out", {{"index", number('>')}, {"fd", 0U}}}};
        if (const auto name = pipe.find(':'); name != std::string::npos) {
            one["proxy"] = true;
            one["name"] = pipe.substr(name + 1);
            one["max"] = 10U;
        }
        body["pipeMapping"].push_back(one);
    }
    return read_request(body, config::Config{}, false);
}

std::string fault_of(std::size_t commands, const std::vector<std::string>& pipes) {
    const auto read = piped(commands, pipes);
    const auto* fault = std::get_if<Fault>(&read);
    return fault == nullptr ? "" : fault->message;
}

} // namespace

TEST_CASE("pipes tell which commands run at one time") {
    const auto read = piped(7, {"0.1>3", "5.2>4", "3.1>6", "3.2>0", "5.1>1"});
    const auto& request = std::get<Request>(read);
    REQUIRE(request.connected.size() == 2);
    CHECK(request.connected[0].commands == std::vector<std::size_t>{0, 3, 6});
    CHECK(request.connected[0].pipes.size() == 3);
    CHECK(request.connected[1].commands == std::vector<std::size_t>{1, 4, 5});
    CHECK(request.connected[1].pipes.size() == 2);
    CHECK(std::get<Request>(piped(2, {})).connected.empty());
}

TEST_CASE("as many commands are connected as the bound says, and no more") {
    std::vector<std::string> pipes;
    for (std::size_t i = 0; i + 1 < kMostConnected; ++i)
        pipes.push_back(std::to_string(i) + ".1>" + std::to_string(i + 1));
    CHECK(fault_of(kMostCommands, pipes).empty());
    pipes.push_back("9.1>0"); // by its beginning
    CHECK(fault_of(kMostCommands, pipes) ==
          "Pipes may connect at most 8 commands with each other.");
    // Twice as many, in two that are not connected, are no more.
    pipes.back() = "8.1>9";
    for (std::size_t i = 9; i + 1 < kMostCommands; ++i)
        pipes.push_back(std::to_string(i) + ".1>" + std::to_string(i + 1));
    CHECK(fault_of(kMostCommands, pipes).empty());
    pipes.push_back("3.2>8");
    CHECK_FALSE(fault_of(kMostCommands, pipes).empty());
}

TEST_CASE("a descriptor is at one end of one pipe") {
    for (const auto& pipes : std::vector<std::vector<std::string>>{
             {"0.1>1", "0.1>1"}, {"0.1>1", "0.1>2"}, {"0.1>1", "2.1>1"}, {"0.1>1", "0.2>1"}})
        CHECK_THAT(fault_of(3, pipes), Catch::Contains("twice"));
    CHECK(fault_of(3, {"0.1>1", "0.2>2", "1.1>0"}).empty());
    CHECK_THAT(fault_of(2, {"0.1>0"}), Catch::Contains("itself"));
    CHECK_THAT(fault_of(2, {"2.1>0"}), Catch::Contains("no command"));
    CHECK_THAT(fault_of(2, {"0.0>1"}), Catch::Contains("descriptor 1 or 2"));
    CHECK_THAT(fault_of(2, {"0.3>1"}), Catch::Contains("only descriptors"));
    CHECK_THAT(fault_of(2, {"18446744073709551615.1>0"}), Catch::Contains("no command"));
}

TEST_CASE("what passes is collected under a name of its own") {
    const auto read = piped(2, {"0.1>1:out", "1.2>0:err"});
    const auto& request = std::get<Request>(read);
    REQUIRE(request.commands[0].records.size() == 1);
    CHECK(request.commands[0].records[0].name == "out");
    CHECK(request.commands[0].records[0].fd == 1);
    CHECK(request.commands[0].records[0].bytes == 10);
    CHECK(request.commands[1].records[0].fd == 2);
    CHECK_THAT(fault_of(3, {"0.1>1:x", "0.2>2:x"}), Catch::Contains("one name"));
    CHECK(fault_of(3, {"0.1>1:x", "1.1>2:x"}).empty()); // of two commands
    CHECK(std::get<Request>(piped(2, {"0.1>1:"})).commands[0].records.empty());
    CHECK_THAT(fault_of(2, {"0.1>1:" + std::string(5000, 'x')}), Catch::Contains("no name"));
    CHECK_THAT(fault_of(2, {"0.1>1:" + std::string("a\0b", 3)}), Catch::Contains("no name"));
}

} // namespace cloister::front::go_judge
