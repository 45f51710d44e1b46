// Promises about messages: what is read from each, and what is said about those that are wrong.
#include "daemon/front/protocol.h"
#include "daemon/front/sources.h"

#include <csignal>

#include <catch2/catch.hpp>

using namespace cloister::front;

namespace {

const cloister::config::Config kConfig{};

template <typename Kind>
Kind read(std::string_view text) {
    auto parsed = parse(text, kConfig);
    if (const auto* refusal = std::get_if<Refusal>(&parsed))
        FAIL(refusal->code << ": " << refusal->message);
    return std::get<Kind>(std::get<Request>(std::move(parsed)));
}

Refusal refused(std::string_view text) {
    auto parsed = parse(text, kConfig);
    REQUIRE(std::holds_alternative<Refusal>(parsed));
    return std::get<Refusal>(parsed);
}

Refusal refused_run(const std::string& more) {
    return refused(R"({"type":"execute_code","language":"python","code":"",)" + more + "}");
}

} // namespace

TEST_CASE("every field of execute_code is read", "[front]") {
    const auto request = read<ExecuteCode>(
        R"({"type":"execute_code","id":"i","code":"c","language":"python","file_path":"a.py",
        "version":"3","stream":true,"stdin":"in","interactive":true,"tty":true,"cols":91,"rows":33,"args":["a",""],
        "files":[{"path":"b","content":"text"},{"path":"c","content":"/w==","encoding":"base64"}],"entry":"b",
        "limits":{"wall_time":1.5,"cpu_time":2,"memory":"64m","cpu_percent":20,"processes":3,"output_bytes":"4k",
        "file_bytes":5,"file_count":6,"open_files":7.0,"stack":"8M"},"private":true,"output_encoding":"base64","unknown":{"x":[1]}})");
    CHECK(request.id == "i");
    CHECK(request.code == "c");
    CHECK(request.file_path == "a.py");
    CHECK(request.version == "3");
    CHECK((request.stream && request.interactive && request.terminal && request.base64));
    CHECK(request.input == "in");
    CHECK(request.columns == 91);
    CHECK(request.rows == 33);
    CHECK(request.arguments == std::vector<std::string>{"a", ""});
    REQUIRE(request.files.size() == 2);
    CHECK(request.files[1].content == "\xFF");
    CHECK(request.entry == "b");
    CHECK(request.limits.wall_time == std::chrono::milliseconds(1500));
    CHECK(request.limits.cpu_time == std::chrono::milliseconds(2000));
    CHECK(request.limits.memory == 64U << 20);
    CHECK(request.limits.output_bytes == 4096U);
    CHECK(request.limits.open_files == 7U);
    CHECK(request.limits.stack == 8U << 20);
}

TEST_CASE("a base client needs code and language alone", "[front]") {
    const auto request = read<ExecuteCode>(
        R"-({"type": "execute_code", "code": "print('Hello, World!')", "language": "python", "file_path": "main.py"})-");
    CHECK_FALSE(request.id.has_value());
    CHECK_FALSE(request.stream);
    CHECK_FALSE(request.input.has_value());
    CHECK(read<Ping>(R"({"type":"ping"})").id == std::nullopt);
    CHECK(read<ExecuteCode>(
              R"({"type":"execute_code","code":"","language":"c","stdin":null,"limits":null})")
              .input == std::nullopt);
}

TEST_CASE("messages about a run name it by run_id or by its own id", "[front]") {
    CHECK(
        read<ExecutionInput>(
            R"({"type":"execution_input","run_id":"r1","data":"/w==","encoding":"base64","eof":true})")
            .data == "\xFF");
    CHECK(read<ExecutionInput>(R"({"type":"execution_input","run_id":"r1","eof":true})").eof);
    CHECK(read<ExecutionSignal>(R"({"type":"execution_signal","id":"mine","signal":"SIGINT"})")
              .signal == SIGINT);
    CHECK(read<ExecutionSignal>(R"({"type":"execution_signal","id":"mine","signal":"SIGSTOP"})")
              .run.id == "mine");
    CHECK(read<ExecutionResize>(R"({"type":"execution_resize","run_id":"r1","cols":7})").columns ==
          7);
    CHECK(refused(R"({"type":"execution_cancel"})").message.find("run_id") != std::string::npos);
    CHECK(refused(R"({"type":"execution_signal","run_id":"r1","signal":"SIGSEGV"})").code ==
          "bad_message");
}

TEST_CASE("a field of the wrong type is named", "[front]") {
    for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
             {R"("stream":1)", "stream"},
             {R"("stdin":5)", "stdin"},
             {R"("args":"x")", "args"},
             {R"("args":[1])", "args"},
             {R"("files":[1])", "files"},
             {R"("files":[{"content":""}])", "path"},
             {R"("entry":false)", "entry"},
             {R"("limits":[])", "limits"},
             {R"("limits":{"wall_time":0})", "wall_time"},
             {R"("limits":{"wall_time":"1"})", "wall_time"},
             {R"("limits":{"cpu_time":-1})", "cpu_time"},
             {R"("limits":{"memory":0})", "memory"},
             {R"("limits":{"memory":"x"})", "memory"},
             {R"("limits":{"memory":"64mm"})", "memory"},
             {R"("limits":{"processes":1.5})", "processes"},
             {R"("limits":{"processes":true})", "processes"},
             {R"("limits":{"wall_time":1e300})", "wall_time"},
             {R"("tty":"yes")", "tty"},
             {R"("cols":0)", "cols"},
             {R"("cols":5000)", "cols"},
             {R"("private":1)", "private"},
             {R"("output_encoding":"x")", "output_encoding"},
             {R"("version":3)", "version"},
             {R"("file_path":{})", "file_path"}}) {
        const Refusal refusal = refused_run(text);
        CHECK(refusal.code == "bad_message");
        CHECK(refusal.message.find(word) != std::string::npos);
    }
}

TEST_CASE("what is no message at all", "[front]") {
    CHECK(refused("").code == "bad_json");
    CHECK(refused("{]").code == "bad_json");
    CHECK(refused("{} x").code == "bad_json");
    CHECK(refused(R"({"type":"ping","id":"\ud800"})").code == "bad_json");
    CHECK(refused("[]").code == "bad_message");
    CHECK(refused("{}").code == "bad_message");
    CHECK(refused(R"({"type":"fly"})").code == "unknown_type");
    CHECK(refused(R"({"type":")" + std::string(5000, 'x') + "\"}").message.size() < 200);
}

TEST_CASE("an error repeats the id, unless the id itself is wrong", "[front]") {
    CHECK(refused(R"({"type":"execute_code","id":"mine"})").id == "mine");
    CHECK_FALSE(refused(R"({"type":"ping","id":")" + std::string(65, 'x') + "\"}").id.has_value());
    CHECK(read<Ping>(R"({"type":"ping","id":")" + std::string(64, 'x') + "\"}").id->size() == 64);
    CHECK_FALSE(refused(R"({"type":"ping","id":5})").id.has_value());
}

TEST_CASE("depth is counted before anything is built", "[front]") {
    CHECK(nesting("") == 0);
    CHECK(nesting(R"({"a":[1,[2]]})") == 3);
    CHECK(nesting(R"(["[[[\"[[", "]]"])") == 1);
    CHECK(nesting("]]]]{") == 1);
    CHECK(nesting(R"("\\"[)") == 1);
    CHECK(refused(std::string(33, '[')).message.find("32") != std::string::npos);
    CHECK(refused(std::string(1'000'000, '[')).code == "bad_json");
}

TEST_CASE("sizes of a request are bounded", "[front]") {
    const auto run = [](const std::string& code) {
        return R"({"type":"execute_code","language":"c","code":")" + code + "\"}";
    };
    CHECK(read<ExecuteCode>(run(std::string(kConfig.code_bytes, 'x'))).code->size() ==
          kConfig.code_bytes);
    CHECK(refused(run(std::string(kConfig.code_bytes + 1, 'x'))).code == "too_large");
    std::string many;
    for (std::uint32_t i = 0; i <= kConfig.arguments_per_run; ++i)
        many += many.empty() ? "\"a\"" : ",\"a\"";
    CHECK(refused_run("\"args\":[" + many + "]").code == "too_large");
    std::string files;
    for (std::uint32_t i = 0; i <= kConfig.files_per_run; ++i)
        files += files.empty() ? "{}" : ",{}";
    CHECK(refused_run("\"files\":[" + files + "]").code == "too_large");
    CHECK(refused_run(R"("args":["a\u0000b"])").code == "bad_message");
}

TEST_CASE("paths stay inside and are spelled plainly", "[front]") {
    for (const char* good :
         {"a", "main.py", "a/b/c.py", ".hidden", "a..b", "\xED\x95\x9C.py", "a b"})
        CHECK(why_bad_path(good).empty());
    for (const char* bad : {"", "/a", "..", "../a", "a/..", "a/../b", ".", "./a", "a//b", "a/",
                            "a\\b", "a\nb", "a\x7F", "-o", "@options"}) {
        CHECK_FALSE(why_bad_path(bad).empty());
    }
    CHECK(why_bad_path(std::string(255, 'a')).empty());
    CHECK_FALSE(why_bad_path(std::string(256, 'a')).empty());
    std::string deep;
    while (deep.size() < 1024) deep += "ab/";
    CHECK_FALSE(why_bad_path(deep + "c").empty());
    CHECK(stem_of("x/y.tar.gz") == "y.tar");
    CHECK(extension_of("x.y/z").empty());
    CHECK(extension_of("a/.py").empty());
    CHECK(folder_of("a/b/c") == "a/b/");
}

TEST_CASE("Java's names are found past comments and literals", "[front]") {
    const auto names = [](const char* source) {
        const JavaNames found = java_names(source);
        return found.package + "|" + found.public_type + "|" + found.main_type;
    };
    CHECK(names("public class A { public static void main(String[] a) {} }") == "|A|A");
    CHECK(names("package a . b;\nimport x.*;\nfinal public class C { void f() { class D {} } "
                "static void main(String... x) {} }") == "a.b|C|C");
    CHECK(names("// public class No {}\n/* public class No {} */ class Yes { String s = \"public "
                "class No {\"; char c = '{'; public static void main(String[] a) {} }") == "||Yes");
    CHECK(names("class A {} class B { public static void main(String[] a) {} } class C {}") ==
          "||B");
    CHECK(names("public class A {} class B { public static void main(String[] a) {} }") == "|A|B");
    CHECK(names("class Help { int main; } public record R(int x) { public static void "
                "main(String[] a) {} }") == "|R|R");
    CHECK(names("public enum E { A; public static void main(String[] a) {} }") == "|E|E");
    CHECK(names("public @interface I {} ") == "|I|I");
    CHECK(names("@Note(\"class X {\") public class Y<T extends Comparable<T>> { static void "
                "main(String[] a) {} }") == "|Y|Y");
    CHECK(names("class T { String s = \"\"\"\n public class \"No\" { \\\"\"\" \"\"\"; public "
                "static void main(String[] a) {} }") == "||T");
    CHECK(names("public class \xED\x95\x9C\xEA\xB8\x80 {}") ==
          "|\xED\x95\x9C\xEA\xB8\x80|\xED\x95\x9C\xEA\xB8\x80");
    CHECK(names("") == "||");
    CHECK(names("class") == "||");
    CHECK(names("/* unclosed class X {") == "||");
    CHECK(names("public class A { void f() { Object o = B.class; } } class B {}") == "|A|A");
}
