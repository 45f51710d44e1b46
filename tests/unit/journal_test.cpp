// Promises of the journal's lines: each is one line and one JSON object, whatever is put into it.
#include "daemon/wire/journal.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using cloister::wire::JournalLine;

TEST_CASE("an event is one line of JSON", "[journal]") {
    const std::string line = JournalLine("run_ended")
                                 .text("language", "python")
                                 .number("exit_code", -1)
                                 .seconds("wall_time", std::chrono::milliseconds(1500))
                                 .flag("suspicious", true)
                                 .line();
    REQUIRE(line.ends_with('\n'));
    CHECK(line.find('\n') == line.size() - 1);
    const auto object = nlohmann::json::parse(line);
    CHECK(object.at("event") == "run_ended");
    CHECK(object.at("language") == "python");
    CHECK(object.at("exit_code") == -1);
    CHECK(object.at("wall_time") == 1.5);
    CHECK(object.at("suspicious") == true);
    CHECK(object.at("time").get<std::string>().size() == 24);
}

TEST_CASE("no byte of a text breaks the line or the object", "[journal]") {
    std::string every;
    for (int byte = 1; byte < 256; ++byte) every += static_cast<char>(byte);
    const std::string line = JournalLine("x").text("all", every + std::string(1, '\0')).line();
    CHECK(line.find('\n') == line.size() - 1);
    for (const char c : line) CHECK((c == '\n' || (c >= 0x20 && c < 0x7f)));
    CHECK_NOTHROW(nlohmann::json::parse(line));
}
