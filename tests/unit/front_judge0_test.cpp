// Promises of Judge0's interface, without sockets: each field with its default, bounds and words,
// archives that are none, statuses, what is shown of a submission, runs one after the other.
#include "daemon/front/judge0/archive.h"
#include "daemon/front/judge0/endpoint.h"
#include "daemon/front/judge0/query.h"
#include "daemon/front/judge0/scripts.h"
#include "daemon/front/text.h"
#include "tests/unit/front_fixture.h"

#include <csignal>
#include <cstring>
#include <zip.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using namespace cloister::front::judge0;
using cloister::isolate::Verdict;
using nlohmann::json;

namespace {

struct Entry {
    std::string name;
    std::string content;
    unsigned mode = 0; ///< of Unix; 0: none is told
};

/// A zip archive of these, made by libzip.
std::string zip_of(const std::vector<Entry>& entries) {
    zip_error_t error{};
    zip_source_t* source = zip_source_buffer_create(nullptr, 0, 0, &error);
    zip_source_keep(source);
    zip_t* archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    for (const Entry& entry : entries) {
        zip_source_t* content =
            zip_source_buffer(archive, entry.content.data(), entry.content.size(), 0);
        const auto index =
            entry.name.ends_with('/')
                ? zip_dir_add(archive, entry.name.c_str(), ZIP_FL_ENC_UTF_8)
                : zip_file_add(archive, entry.name.c_str(), content, ZIP_FL_ENC_UTF_8);
        if (entry.name.ends_with('/')) zip_source_free(content);
        if (entry.mode != 0) {
            zip_file_set_external_attributes(archive, static_cast<zip_uint64_t>(index), 0,
                                             ZIP_OPSYS_UNIX, entry.mode << 16U);
        }
    }
    REQUIRE(zip_close(archive) == 0);
    zip_source_open(source);
    zip_stat_t about{};
    zip_source_stat(source, &about);
    std::string bytes(about.size, '\0');
    REQUIRE(zip_source_read(source, bytes.data(), about.size) ==
            static_cast<zip_int64_t>(about.size));
    zip_source_close(source);
    zip_source_free(source);
    return bytes;
}

std::string why_not(const std::string& zip, const ArchiveBounds& bounds = {}) {
    const auto unpacked = unpack(zip, bounds);
    const auto* why = std::get_if<std::string>(&unpacked);
    return why == nullptr ? "" : *why;
}

struct Desk {
    std::variant<Accepted, Errors> read(const json& body, bool base64 = false) {
        const Rules rules{catalog, callbacks};
        return read_submission(body, base64, rules);
    }
    /// What is wrong when `field` has this value, as JSON; empty: nothing.
    std::string fault(const char* field, const json& value, json body = {}) {
        if (body.is_null()) body = {{"language_id", 71}, {"source_code", "print()"}};
        body[field] = value;
        const auto answer = read(body);
        const auto* errors = std::get_if<Errors>(&answer);
        return errors == nullptr ? "" : judge0::to_text(*errors);
    }
    Program program(const json& body, bool base64 = false) {
        return std::get<Accepted>(read(body, base64)).program;
    }

    cloister::config::Settings settings = made_settings();
    Catalog catalog = made_catalog(settings);
    bool callbacks = false;
};

/// One field with one message.
std::string words(const char* field, const std::string& message) {
    return std::string("{\"") + field + "\":[\"" + message + "\"]}";
}

json python(const std::string& source = "print()") {
    return {{"language_id", 71}, {"source_code", source}};
}

Result ended(Verdict verdict, int exit_code = -1, int signal = 0) {
    Result result;
    result.verdict = verdict;
    result.exit_code = exit_code;
    result.signal = signal;
    result.output = "out\n";
    return result;
}

int status_after(const Result& result, const Program& program = {}) {
    Program judged = program;
    if (judged.cpu_limit.count() == 0) judged.cpu_limit = std::chrono::seconds(5);
    return static_cast<int>(outcome_of(result, judged).status);
}

} // namespace

TEST_CASE("languages are known by Judge0's numbers, as far as they are installed", "[front]") {
    Desk desk;
    CHECK(find_language(desk.catalog, 71)->name == "Python (3.11.2)");
    CHECK(find_language(desk.catalog, 100)->runtime == "python");
    CHECK(find_language(desk.catalog, 50)->name == "C (GCC 3.11.2)");
    CHECK(find_language(desk.catalog, 62)->source_file == "Main.java");
    CHECK(find_language(desk.catalog, kMultiFile));
    CHECK_FALSE(find_language(desk.catalog, 63)); // JavaScript is not in these settings
    CHECK_FALSE(find_language(desk.catalog, 0));
    desk.catalog.entries.back().version.reset();
    CHECK_FALSE(find_language(desk.catalog, 71));
    const auto all = languages(desk.catalog);
    CHECK(std::ranges::is_sorted(all, {}, &Language::id));
    const json told = json::parse(long_text(*find_language(desk.catalog, 50), desk.catalog));
    CHECK(told.size() == 6);
}

TEST_CASE("a submission says all that is wrong with it, field by field", "[front]") {
    Desk desk;
    const auto errors = std::get<Errors>(desk.read(json::object()));
    CHECK(judge0::to_text(errors) ==
          R"({"language_id":["can't be blank"],"source_code":["can't be blank"]})");
    CHECK(desk.fault("language_id", 7) == words("language_id", "language with id 7 doesn't exist"));
    CHECK(desk.fault("language_id", "71").empty());
    CHECK(desk.fault("language_id", "x") == words("language_id", "is not a number"));
    CHECK(desk.fault("source_code", " \n") == words("source_code", "can't be blank"));
    CHECK(desk.fault("source_code", std::string(300'000, 'x')).find("is too long") !=
          std::string::npos);
    CHECK(desk.fault("compiler_options", "-O3") ==
          words("compiler_options",
                "setting compiler options is only allowed for compiled languages"));
    const json c = {{"language_id", 50}, {"source_code", "x"}};
    CHECK(desk.fault("compiler_options", "-O3", c).empty());
    CHECK(desk.fault("compiler_options", std::string(513, 'x'), c) ==
          words("compiler_options", "is too long (maximum is 512 characters)"));
    std::string many;
    for (int i = 0; i < 256; ++i) many += "x ";
    CHECK(desk.fault("compiler_options", many, c).empty());
    desk.settings.runtimes.at("c").compile->command = {"/usr/bin/compiler", "{sources}"};
    CHECK(desk.fault("compiler_options", "-O3", c) ==
          words("compiler_options", "setting compiler options is not allowed"));
    CHECK(desk.fault("command_line_arguments", std::string(513, 'x')) ==
          words("command_line_arguments", "is too long (maximum is 512 characters)"));
    CHECK(desk.fault("callback_url", "http://example.org/") ==
          words("callback_url", "setting callbacks is not allowed"));
    for (const char* field : {"enable_network", "enable_per_process_and_thread_time_limit",
                              "enable_per_process_and_thread_memory_limit"}) {
        const std::string wrong = words(field, "this option cannot be enabled");
        for (const json& yes : {json(true), json("true"), json(1)})
            CHECK(desk.fault(field, yes) == wrong);
        for (const json& no : {json(false), json("false"), json(0), json(""), json(nullptr)})
            CHECK(desk.fault(field, no).empty());
    }
    desk.callbacks = true;
    CHECK(desk.fault("callback_url", "http://example.org:8080/x?y").empty());
    for (const char* bad : {"https://example.org/", "ftp://x/", "http://", "http:///x",
                            "http://user@example.org/", "http://a b/", "http://x\r\nHost: y/"})
        CHECK_FALSE(desk.fault("callback_url", bad).empty());
}

TEST_CASE("each limit has a default, a least and a most", "[front]") {
    Desk desk; // of the policy: 10 s, 128 MiB, 8 MiB of stack, 64 processes, 1 MiB of output
    const Program usual = desk.program(python());
    CHECK(usual.cpu_limit == std::chrono::seconds(5));
    CHECK(usual.run.limits.cpu_time == std::chrono::milliseconds(6'000));
    CHECK(usual.run.limits.wall_time == std::chrono::milliseconds(10'000));
    CHECK(usual.run.limits.memory == 128'000 * 1024);
    CHECK(usual.run.limits.processes == 60);
    CHECK(usual.run.limits.output_bytes == 1024 * 1024);
    CHECK(usual.number_of_runs == 1);
    struct Bound {
        const char* field;
        json most;
        json too_much;
        const char* above;
        json too_little;
        const char* below;
    };
    const Bound bounds[] = {
        {"cpu_time_limit", 10, 10.5, "less than or equal to 10", 0, "greater than 0"},
        {"cpu_extra_time", 5, 5.1, "less than or equal to 5", -1, "greater than or equal to 0"},
        {"wall_time_limit", 10, 11, "less than or equal to 10", 0.5, "greater than or equal to 1"},
        {"memory_limit", 131'072, 131'073, "less than or equal to 131072", 2'047,
         "greater than or equal to 2048"},
        {"stack_limit", 8'192, 8'193, "less than or equal to 8192", -1,
         "greater than or equal to 0"},
        {"max_processes_and_or_threads", 64, 65, "less than or equal to 64", 0, "greater than 0"},
        {"max_file_size", 1'024, 1'025, "less than or equal to 1024", -1,
         "greater than or equal to 0"},
        {"number_of_runs", 20, 21, "less than or equal to 20", 0, "greater than 0"},
    };
    for (const Bound& bound : bounds) {
        INFO(bound.field);
        CHECK(desk.fault(bound.field, bound.most).empty());
        CHECK(desk.fault(bound.field, bound.too_much) ==
              words(bound.field, std::string("must be ") + bound.above));
        CHECK(desk.fault(bound.field, bound.too_little) ==
              words(bound.field, std::string("must be ") + bound.below));
        CHECK(desk.fault(bound.field, "many") == words(bound.field, "is not a number"));
        CHECK(desk.fault(bound.field, nullptr).empty());
    }
    json body = python();
    body["cpu_time_limit"] = "2.5";
    body["cpu_extra_time"] = 0.5;
    CHECK(desk.program(body).cpu_limit == std::chrono::milliseconds(2'500));
    CHECK(desk.program(body).run.limits.cpu_time == std::chrono::milliseconds(3'000));
    const json told = json::parse(config_text(desk.settings, false));
    CHECK(told.at("max_cpu_time_limit") == 10);
    CHECK(told.at("cpu_time_limit") == 5);
    CHECK(told.at("enable_callbacks") == false);
}

TEST_CASE("command lines are split as a shell splits them, without what a shell could do",
          "[front]") {
    using Words = std::vector<std::string>;
    CHECK(words_of("") == Words{});
    CHECK(words_of("  a  b\tc\n") == Words{"a", "b", "c"});
    CHECK(words_of(R"("a b" 'c d' e\ f "" "g'h")") == Words{"a b", "c d", "e f", "", "g'h"});
    CHECK(words_of("a; rm -rf / & b | c > d < e `f` $(g)") ==
          Words{"a", "rm", "-rf", "/", "b", "c", "d", "e", "f", "(g)"});
    CHECK(words_of("'open") == Words{"open"});
}

TEST_CASE("texts that are base64 are read as Ruby reads it", "[front]") {
    Desk desk;
    json body = python("cHJpbnQo\nKQ==\n");
    body["stdin"] = "aGk=";
    body["expected_output"] = "b3V0";
    const Program program = desk.program(body, true);
    CHECK(program.run.files.front().path == "script.py");
    CHECK(program.run.files.front().content == "print()");
    CHECK(program.run.input == "hi");
    CHECK(program.expected == "out");
    CHECK(ruby_base64("") == "");
    CHECK(ruby_base64("hello") == "aGVsbG8=\n");
    CHECK(ruby_base64(std::string(46, 'a')) ==
          "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\nYQ==\n");
}

TEST_CASE("an archive gives its files and nothing that is none", "[front]") {
    const auto unpacked =
        unpack(zip_of({{"a.txt", "A"}, {"lib/", ""}, {"lib/b", std::string(100'000, 'b')}}), {});
    const auto& files = std::get<std::vector<SourceFile>>(unpacked);
    REQUIRE(files.size() == 2);
    CHECK(files[1].path == "lib/b");
    CHECK(files[1].content.size() == 100'000);
    CHECK(why_not("") == "is not a zip archive");
    CHECK(why_not(std::string(1000, 'x')) == "is not a zip archive");
    CHECK(why_not(zip_of({{"link", "/etc/passwd", 0120777}})) == "holds a link or a special file");
    CHECK(why_not(zip_of({{"fifo", "", 0010644}})) == "holds a link or a special file");
    CHECK(why_not(zip_of({{"plain", "x", 0100644}})).empty());
    for (const char* name : {"../x", "/etc/x", "a/../../x", "a//b", "-rf", "a\\b"})
        CHECK(why_not(zip_of({{name, "x"}})) == "holds a file whose name is not allowed");
}

TEST_CASE("an archive cannot come to more than its bounds, whatever it says of itself", "[front]") {
    const ArchiveBounds bounds{2, 10'000};
    CHECK(why_not(zip_of({{"a", "1"}, {"b", "2"}}), bounds).empty());
    CHECK(why_not(zip_of({{"a", "1"}, {"b", "2"}, {"c", "3"}}), bounds) ==
          "holds more than 2 files");
    CHECK_FALSE(why_not(zip_of({{"a", std::string(10'001, '\0')}}), bounds).empty());
    CHECK_FALSE(
        why_not(zip_of({{"a", std::string(6'000, '\0')}, {"b", std::string(6'000, '\0')}}), bounds)
            .empty());
    // A bomb: a kilobyte that says to be one and unpacks to a megabyte.
    std::string bomb = zip_of({{"a", std::string(1'000'000, '\0')}});
    CHECK(bomb.size() < 2'000);
    CHECK_FALSE(why_not(bomb, bounds).empty());
    const std::uint32_t true_size = 1'000'000;
    const std::uint32_t told_size = 100;
    for (std::size_t i = 0; i + 4 <= bomb.size(); ++i) {
        if (std::memcmp(bomb.data() + i, &true_size, 4) == 0)
            std::memcpy(bomb.data() + i, &told_size, 4);
    }
    CHECK_FALSE(why_not(bomb, bounds).empty());
    std::string damaged = zip_of({{"a", "some content that is long enough to be damaged"}});
    damaged[40] = static_cast<char>(damaged[40] ^ 1);
    CHECK_FALSE(why_not(damaged).empty());
}

TEST_CASE("scripts of one plain command are understood, and no others", "[front]") {
    Desk desk;
    desk.settings.runtimes.at("python").aliases = {"python3"};
    desk.settings.runtimes.at("c").aliases = {"gcc"};
    const auto plan =
        [&](const std::string& run, const std::string& compile = "",
            std::vector<SourceFile> files = {{"app/main.py", ""}, {"a.c", ""}, {"b.c", ""}}) {
            files.push_back({"run", run});
            if (!compile.empty()) files.push_back({"compile", compile});
            const auto read = read_scripts(files, desk.catalog);
            const auto* project = std::get_if<Project>(&read);
            if (project == nullptr) return std::string("no");
            std::string all = project->runtime + " " + project->entry;
            for (const std::string& one : project->arguments) all += " " + one;
            CHECK(files.size() == 3); // the scripts are not the program's
            return all;
        };
    CHECK(plan("#!/bin/bash\nset -e\n/usr/local/python-3.8.1/bin/python3 -u ./app/main.py a 'b "
               "c'\n") == "python app/main.py a b c");
    CHECK(plan("python3.11 app/main.py") == "python app/main.py");
    CHECK(plan("./a.out x", "/usr/local/gcc-9.2.0/bin/gcc a.c b.c -o a.out") == "c a.c x");
    CHECK(plan("./a.out", "gcc *.c") == "c a.c");
    CHECK(plan("java -cp . Main x", "javac Main.java", {{"Main.java", ""}, {"x", ""}, {"y", ""}}) ==
          "java Main.java x");
    CHECK(plan("python3 app/main.py\npython3 app/main.py") == "no");
    CHECK(plan("cobol app/main.py") == "no");
    CHECK(plan("python3 none.py") == "no");
    CHECK(plan("") == "no");
    std::vector<SourceFile> none{{"main.py", ""}};
    CHECK(std::holds_alternative<std::string>(read_scripts(none, desk.catalog)));
}

TEST_CASE("verdicts are Judge0's statuses", "[front]") {
    CHECK(status_after(ended(Verdict::ok, 0)) == 3);
    Program program;
    program.expected = "out";
    CHECK(status_after(ended(Verdict::ok, 0), program) == 3);
    program.expected = "other";
    CHECK(status_after(ended(Verdict::ok, 0), program) == 4);
    CHECK(status_after(ended(Verdict::nonzero_exit, 1), program) == 11);
    CHECK(status_after(ended(Verdict::process_limit, 1)) == 11);
    CHECK(status_after(ended(Verdict::time_limit)) == 5);
    CHECK(status_after(ended(Verdict::wall_limit)) == 5);
    CHECK(status_after(ended(Verdict::signalled, -1, SIGSEGV)) == 7);
    CHECK(status_after(ended(Verdict::output_limit)) == 8);
    CHECK(status_after(ended(Verdict::signalled, -1, SIGXFSZ)) == 8);
    CHECK(status_after(ended(Verdict::signalled, -1, SIGFPE)) == 9);
    CHECK(status_after(ended(Verdict::signalled, -1, SIGABRT)) == 10);
    CHECK(status_after(ended(Verdict::signalled, -1, SIGKILL)) == 12);
    CHECK(status_after(ended(Verdict::memory_limit)) == 12);
    CHECK(status_after(ended(Verdict::forbidden_syscall)) == 12);
    CHECK(status_after(ended(Verdict::internal_error)) == 13);
    // Ended by itself in the extra time.
    Result late = ended(Verdict::ok, 0);
    late.usage.cpu_time = std::chrono::milliseconds(5'001);
    CHECK(status_after(late) == 5);

    Result failed = ended(Verdict::compile_error, 1);
    failed.compile.emplace();
    failed.compile->verdict = Verdict::nonzero_exit;
    failed.compile->error = "no";
    const Outcome wrong = outcome_of(failed, {});
    CHECK(wrong.status == Status::compilation_error);
    CHECK(wrong.compile_output == "no");
    CHECK_FALSE(
        (wrong.cpu_time || wrong.memory || wrong.output || wrong.exit_code || wrong.message));
    failed.compile->verdict = Verdict::wall_limit;
    CHECK(outcome_of(failed, {}).compile_output == "Compilation time limit exceeded.");
}

TEST_CASE("outputs are compared without the blanks at their ends", "[front]") {
    CHECK(is_expected("a\nb\n", "a\nb"));
    CHECK(is_expected("a  \r\nb\t\n\n\n", "a\nb"));
    CHECK(is_expected("", "\n \n"));
    CHECK_FALSE(is_expected(" a", "a"));
    CHECK_FALSE(is_expected("a\n\nb", "a\nb"));
    CHECK_FALSE(is_expected("a", "b"));
}

TEST_CASE("a compiler's words, and one stream for both, go where they are used", "[front]") {
    Desk desk;
    json body = {{"language_id", 50}, {"source_code", "x"}};
    body["compiler_options"] = "-O3 '-DX=a b' $(id); -lm";
    body["redirect_stderr_to_stdout"] = true;
    const Program program = desk.program(body);
    CHECK(program.run.compiler_options ==
          std::vector<std::string>{"-O3", "-DX=a b", "(id)", "-lm"});
    CHECK(program.run.merged);
}

TEST_CASE("a submission is shown by the fields that are asked for", "[front]") {
    Desk desk;
    const auto accepted = std::get<Accepted>(desk.read(python()));
    cloister::store::SavedSubmission saved;
    saved.id = "token";
    saved.request = accepted.kept;
    saved.state = "queued";
    saved.created = std::chrono::milliseconds(1'700'000'000'123);
    const auto shown = [&](const char* list, bool base64 = false, bool processing = false) {
        const Fields fields = read_fields(list);
        const View view{fields, base64, processing, desk.catalog};
        const auto text = judge0::to_text(saved, view);
        return text ? json::parse(*text) : json("not a text");
    };
    CHECK(shown("status_id")["status_id"] == 1);
    CHECK(shown("status_id", false, true)["status_id"] == 2);
    CHECK(shown("").size() == 8);
    const json all = shown("*");
    CHECK(all.size() == 40);
    CHECK(all["source_code"] == "print()");
    CHECK(all["cpu_time_limit"] == "5.0");
    CHECK(all["memory_limit"] == 128'000);
    CHECK(all["created_at"] == "2023-11-14T22:13:20.123Z");
    CHECK(all["finished_at"].is_null());
    CHECK(all["language"] == json{{"id", 71}, {"name", "Python (3.11.2)"}});
    CHECK(read_fields("token,no,time,nor").invalid == std::vector<std::string>{"no", "nor"});

    Summary summary;
    summary.last.status = Status::accepted;
    summary.last.output = "\xff";
    summary.last.exit_code = 0;
    for (const int milliseconds : {10, 20}) {
        Outcome run;
        run.cpu_time = std::chrono::milliseconds(milliseconds);
        run.wall_time = std::chrono::milliseconds(2 * milliseconds);
        run.memory = 1000U * static_cast<unsigned>(milliseconds);
        summary.runs.push_back(run);
    }
    saved.state = "done";
    saved.text = judge0::to_text(summary);
    CHECK(shown("stdout") == "not a text");
    CHECK(shown("stdout", true)["stdout"] == "/w==\n");
    const json told = shown("time,wall_time,memory,exit_code,exit_signal,stderr,status");
    CHECK(told == json{{"time", "0.015"},
                       {"wall_time", "0.030"},
                       {"memory", 15'000},
                       {"exit_code", 0},
                       {"exit_signal", nullptr},
                       {"stderr", nullptr},
                       {"status", {{"id", 3}, {"description", "Accepted"}}}});
    saved.state = "failed";
    saved.text = R"({"code":"interrupted","message":"why"})";
    CHECK(shown("status_id,message") == json{{"status_id", 13}, {"message", "why"}});
}

TEST_CASE("a program runs as often as it is asked to, until it is wrong", "[front]") {
    House house;
    Submissions submissions(nullptr, {}, [] { return std::chrono::milliseconds(1'000); });
    Work work(house.stage.executions, house.catalog, submissions);
    std::vector<std::string> ended_ones;
    work.when_ended([&](const std::string& id, const std::string&) { ended_ones.push_back(id); });
    const auto begin = [&](int runs) {
        Desk desk;
        json body = python();
        body["number_of_runs"] = runs;
        body["expected_output"] = "out";
        Submissions::Order order;
        order.kind = "judge0";
        std::string id = std::get<Submissions::Opened>(submissions.open(order)).id;
        CHECK_FALSE(work.start("me", id, desk.program(body)));
        return id;
    };
    const auto end_one = [&](const char* output) {
        const auto box = house.stage.boxes.last();
        house.stage.executions.on_output(box, 0, output);
        house.stage.end(box);
    };
    const std::string right = begin(3);
    CHECK(work.is_processing(right));
    for (int i = 0; i < 3; ++i) end_one("out\n");
    CHECK(house.stage.boxes.order.size() == 3);
    CHECK(json::parse(submissions.find(right)->text)["status_id"] == 3);
    const std::string wrong = begin(3);
    end_one("out");
    end_one("no");
    CHECK(house.stage.boxes.order.size() == 5);
    CHECK(json::parse(submissions.find(wrong)->text)["status_id"] == 4);
    CHECK(ended_ones == std::vector<std::string>{right, wrong});
}

TEST_CASE("what the queue does not take waits, up to its bound", "[front]") {
    House house;
    Submissions submissions(nullptr, {}, [] { return std::chrono::milliseconds(1'000); });
    Work work(house.stage.executions, house.catalog, submissions);
    Desk desk;
    std::vector<std::string> ids;
    std::optional<Refusal> refusal;
    while (!refusal) {
        Submissions::Order order;
        order.kind = "judge0";
        ids.push_back(std::get<Submissions::Opened>(submissions.open(order)).id);
        refusal = work.start("me", ids.back(), desk.program(python()));
        REQUIRE(ids.size() < 1'000);
    }
    CHECK(refusal->code == "busy");
    ids.pop_back();
    CHECK(work.waiting() == Work::kMostWaiting);
    CHECK(ids.size() == Work::kMostWaiting + 16 + 1); // one box, sixteen in the queue
    for (std::size_t i = 0; i < ids.size(); ++i) house.stage.end(house.stage.boxes.last());
    for (const std::string& id : ids) CHECK(submissions.find(id)->state == "done");
    CHECK(work.waiting() == 0);
}

TEST_CASE("queries are read as forms write them", "[front]") {
    CHECK(query_value("/x?a=1&b=%41+c&a=2", "a") == "1");
    CHECK(query_value("/x?a=1&b=%41+c", "b") == "A c");
    CHECK(query_value("/x?%61=1", "a") == "1");
    CHECK(query_value("/x?a=%zz%4", "a") == "%zz%4");
    CHECK(query_value("/x?a", "a").empty());
    CHECK(query_value("/x", "a").empty());
}
