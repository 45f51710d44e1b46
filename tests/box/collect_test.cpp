// Promises of collecting: a run's files come back as they were at its end, whatever was made ahead;
// each that does not says why; what a program leaves behind holds nobody up.
#include "tests/box/box.h"

#include <atomic>
#include <map>
#include <thread>

#include <catch2/catch.hpp>

namespace cloister::box_test {
namespace {

using isolate::Collected;

LocalRun leave(const Words& made, const Words& collected, std::uint32_t most = 1'000'000) {
    Words words = {"leave"};
    words.insert(words.end(), made.begin(), made.end());
    LocalRun request = play(words);
    request.bundle.collect = collected;
    request.bundle.collect_bytes = most;
    return request;
}

std::vector<Collected> states(const LocalResult& result) {
    std::vector<Collected> all;
    for (const isolate::CollectedFile& file : result.files) all.push_back(file.state);
    return all;
}

std::string part(std::uint32_t file, std::uint32_t kind, std::uint32_t size,
                 const std::string& content = "") {
    isolate::CollectionPart head;
    head.file = file;
    head.kind = kind;
    head.size = size;
    return std::string(reinterpret_cast<const char*>(&head), sizeof head) + content;
}
std::string end_of(std::uint32_t file, Collected state = Collected::whole) {
    return part(file, isolate::CollectionPart::kEnd + static_cast<std::uint32_t>(state), 0);
}

std::vector<isolate::CollectedFile> read(const std::string& stream, std::size_t files,
                                         std::uint64_t most, std::size_t piece) {
    isolate::CollectionReader reader(std::vector<std::string>(files, "x"), most);
    for (std::size_t at = 0; at < stream.size(); at += piece)
        reader.take(std::string_view(stream).substr(at, piece));
    return reader.finish();
}

} // namespace

TEST_CASE("files come back as they were at the end, from every kind of box", "[box][root]") {
    for (const wire::Level level : {wire::Level::cold, wire::Level::prepared}) {
        LocalRun request = leave({"out.txt", "5", "deep/er/still", "300000", "empty", "0"},
                                 {"deep/er/still", "out.txt", "empty"});
        request.level = level;
        const LocalResult result = runner().run(request);
        INFO(describe(result));
        CHECK(result.verdict == Verdict::ok);
        REQUIRE(states(result) == std::vector<Collected>(3, Collected::whole));
        CHECK(result.files[0].content == std::string(300'000, '\0'));
        CHECK(result.files[1].content == std::string(5, '\0'));
        CHECK(result.files[2].content.empty());
    }
    CHECK(left_on_host().empty());
}

TEST_CASE("a file that does not come back says why, and the others come", "[box][root]") {
    std::string deep = "a";
    while (deep.size() + 2 <= isolate::kMaxBundlePath) deep += "/a";
    const LocalResult result = runner().run(
        leave({"large", "70000", "fits", "100"},
              {"nowhere", "folder", "large", "closed", deep, "fits/below", ".", "locked", "fits"},
              60'000));
    INFO(describe(result));
    REQUIRE(states(result) ==
            std::vector<Collected>{Collected::missing, Collected::not_regular, Collected::too_large,
                                   Collected::unreadable, Collected::missing, Collected::missing,
                                   Collected::not_regular, Collected::whole, Collected::whole});
    CHECK(result.files.back().content.size() == 100);
}

TEST_CASE("a folder comes back with all that lies in it", "[box][root]") {
    const LocalResult result =
        runner().run(leave({"all/a", "600", "all/b", "5000", "all/deeper/c", "1"},
                           {"all/", "nowhere/", "locked/"}, 2000));
    INFO(describe(result));
    std::map<std::string, Collected> found;
    for (const isolate::CollectedFile& file : result.files) {
        found[std::to_string(file.asked) + file.name] = file.state;
        CHECK(file.content.size() == (file.name == "a" ? 600U : 0U));
    }
    CHECK(found == std::map<std::string, Collected>{{"0a", Collected::whole},
                                                    {"0b", Collected::too_large},
                                                    {"0deeper", Collected::not_regular},
                                                    {"0", Collected::whole},
                                                    {"1", Collected::missing},
                                                    {"2", Collected::missing}});
    Words many;
    for (std::size_t i = 0; i <= isolate::kMaxFolderFiles; ++i) {
        many.push_back("many/" + std::to_string(i));
        many.emplace_back("1");
    }
    const LocalResult beyond = runner().run(leave(many, {"many/"}));
    REQUIRE(beyond.files.size() == isolate::kMaxFolderFiles + 1);
    CHECK(beyond.files.back().state == Collected::too_large);
    CHECK(beyond.files.back().name.empty());
}

TEST_CASE("the bound is of all files together", "[box][root]") {
    const LocalResult result =
        runner().run(leave({"a", "600", "b", "600", "c", "400"}, {"a", "b", "c"}, 1000));
    CHECK(states(result) ==
          std::vector<Collected>{Collected::whole, Collected::too_large, Collected::whole});
}

TEST_CASE("a compiler's box gives files back, too", "[box][root]") {
    LocalRun request = play({}, "compiled");
    request.stage = wire::Stage::compile;
    request.bundle.collect = {"program", "folder"};
    request.bundle.collect_bytes = isolate::kMaxCollectBytes;
    const LocalResult result = runner().run(request);
    INFO(describe(result));
    REQUIRE(states(result) == std::vector<Collected>{Collected::whole, Collected::not_regular});
    CHECK(result.files[0].content.substr(0, 4) == "\x7f"
                                                  "ELF");
    runner().release(result.run_id);
}

TEST_CASE("a run that a limit ended gives its files back, and nobody is left of it",
          "[box][root]") {
    struct Case {
        const char* how;
        Verdict verdict;
    };
    for (const Case& one : {Case{"spin", Verdict::time_limit}, Case{"wait", Verdict::wall_limit},
                            Case{"grow", Verdict::memory_limit}}) {
        LocalRun request = play({"stay", one.how, "part", "3000", "more/of/it", "70000"});
        request.bundle.collect = {"more/of/it", "part", "never"};
        request.bundle.collect_bytes = 1'000'000;
        Limits limits = usual_limits();
        const std::chrono::milliseconds patient = 10'000ms * box_test::slowness();
        limits.cpu_time =
            one.verdict == Verdict::time_limit ? std::chrono::milliseconds(100) : patient;
        limits.wall_time =
            one.verdict == Verdict::wall_limit ? std::chrono::milliseconds(300) : patient;
        limits.memory_bytes = 32 * isolate::kMiB;
        request.limits = limits;
        const LocalResult result = runner().run(request);
        INFO(one.how << ": " << describe(result));
        CHECK(result.verdict == one.verdict);
        // Where the kernel kills a whole group for memory, init goes with it and says nothing.
        const bool all_gone = one.verdict == Verdict::memory_limit &&
                              result.files[0].state == Collected::not_collected;
        if (all_gone) continue;
        REQUIRE(states(result) ==
                std::vector<Collected>{Collected::whole, Collected::whole, Collected::missing});
        CHECK(result.files[0].content == std::string(70'000, '\0'));
        CHECK(result.outcome.usage.cpu_time < 3s * box_test::slowness()); // what is left over was
                                                                          // ended, too
    }
    CHECK(left_on_host().empty());
}

TEST_CASE("what a run that was cancelled leaves is not collected", "[box][root]") {
    LocalRun request = play({"sleep", "60000"});
    request.bundle.collect = {"out.txt"};
    request.cancel_after = 20ms;
    const LocalResult result = runner().run(request);
    CHECK(result.verdict == Verdict::cancelled);
    CHECK(states(result) == std::vector<Collected>{Collected::not_collected});
}

TEST_CASE("a large file comes back whole, though many are left who want the processor",
          "[box][root]") {
    const LocalResult result =
        runner().run(leave({"large", "30000000"}, {"large"}, isolate::kMaxCollectBytes));
    INFO(describe(result));
    REQUIRE(states(result) == std::vector<Collected>{Collected::whole});
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.files[0].content.size() == 30'000'000);
}

TEST_CASE("a program that is over before its keeper has turned round gives its files back",
          "[box][root]") {
    std::atomic<bool> over = false;
    std::vector<std::thread> busy(6);
    for (std::thread& one : busy) {
        one = std::thread([&over] {
            while (!over) {}
        });
    }
    const std::size_t runs = box_test::slowness() > 1 ? 3 : 60; // each of them waits for its turn
    std::vector<Collected> found;
    while (found.size() < runs) {
        LocalRun request = leave({"out.txt", "5"}, {"out.txt"});
        request.level = wire::Level::prepared;
        const LocalResult result = runner().run(request);
        found.push_back(states(result).at(0));
    }
    over = true;
    for (std::thread& one : busy) one.join();
    CHECK(found == std::vector<Collected>(runs, Collected::whole));
    CHECK(left_on_host().empty());
}

TEST_CASE("a stream of files is read in pieces of any size", "[box]") {
    const std::string stream = part(0, isolate::CollectionPart::kContent, 3, "abc") +
                               part(0, isolate::CollectionPart::kContent, 2, "de") + end_of(0) +
                               end_of(1, Collected::missing);
    for (const std::size_t piece : {1U, 2U, 3U, 15U, 16U, 17U, 1000U}) {
        const auto files = read(stream, 3, 5, piece);
        CHECK(files[0].content == "abcde");
        CHECK(files[1].state == Collected::missing);
        CHECK(files[2].state == Collected::not_collected);
    }
}

TEST_CASE("a stream of a folder names its files, and only of a folder", "[box]") {
    const auto name = [](const std::string& text) {
        return part(0, isolate::CollectionPart::kName, static_cast<std::uint32_t>(text.size()),
                    text);
    };
    const std::string content = part(0, isolate::CollectionPart::kContent, 3, "abc");
    const auto take = [](const std::string& path, const std::string& stream, std::size_t piece) {
        isolate::CollectionReader reader({path, "y"}, 8);
        for (std::size_t at = 0; at < stream.size(); at += piece)
            reader.take(std::string_view(stream).substr(at, piece));
        return reader.finish();
    };
    const std::string good = name("one") + content + end_of(0) + name("two") +
                             end_of(0, Collected::unreadable) + end_of(0) + end_of(1);
    for (const std::size_t piece : {1U, 5U, 16U, 1000U}) {
        const auto files = take("x/", good, piece);
        REQUIRE(files.size() == 4);
        CHECK(files[0].name == "one");
        CHECK(files[0].content == "abc");
        CHECK(files[1].name == "two");
        CHECK(files[1].state == Collected::unreadable);
        CHECK(files[2].name.empty());
        CHECK(files[2].state == Collected::whole);
        CHECK(files[3].asked == 1);
    }
    std::string many;
    for (std::size_t i = 0; i <= isolate::kMaxFolderFiles; ++i) many += name("n") + end_of(0);
    CHECK(take("x/", many + end_of(0), 1000).size() == isolate::kMaxFolderFiles + 2);
    const std::vector<std::string> lies = {
        name("one") + name("two"),                         // in the middle of a file
        content,                                           // of nobody
        part(0, isolate::CollectionPart::kName, 0),        // without a name
        part(0, isolate::CollectionPart::kName, 256, "x"), // longer than names are
    };
    for (const std::string& lie : lies) {
        const auto files = take("x/", lie + end_of(0) + end_of(0) + end_of(1), 1000);
        REQUIRE(files.size() == 2);
        CHECK(files[0].state == Collected::not_collected);
        CHECK(files[1].state == Collected::not_collected);
    }
    CHECK(take("x", name("one") + end_of(0), 1000)[0].state == Collected::not_collected);
}

TEST_CASE("a stream that lies is worth what came before the lie", "[box]") {
    const std::string good = part(0, isolate::CollectionPart::kContent, 3, "abc") + end_of(0);
    const std::vector<std::string> lies = {
        end_of(0),                                                     // twice
        end_of(2),                                                     // out of turn
        part(1, isolate::CollectionPart::kContent, 0),                 // of nothing
        part(1, isolate::CollectionPart::kContent, 6, "defghi"),       // beyond the bound
        part(1, isolate::CollectionPart::kContent, 0xffffffff, "def"), // far beyond
        part(1, isolate::CollectionPart::kEnd, 3, "def"),              // an end with bytes
        part(1, 99, 0),                                                // of no kind
        std::string(sizeof(isolate::CollectionPart), '\xff'),          // no part
    };
    for (const std::string& lie : lies) {
        const auto files = read(good + lie + end_of(1), 2, 8, 1000);
        CHECK(files[0].content == "abc");
        CHECK(files[1].state == Collected::not_collected);
        CHECK(files[1].content.empty());
    }
}

} // namespace cloister::box_test
