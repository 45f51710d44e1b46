// Promises of `cloister top`: what the daemon says is shown, the longest run first; what it says
// wrongly breaks nothing and reaches no terminal.
#include "daemon/cli/top.h"

#include <catch2/catch.hpp>

using namespace cloister::cli;

namespace {

const std::string kStatus =
    R"({"version":"0.1.0","ready":true,"queue":3,"connections":5,"sessions":4,"rooms":2,)"
    R"("boxes":{"total":8,"running":2,"prepared":6,"warm":1,"quarantined":0,"artifacts":7,"begun":100},)"
    R"("runs":[{"run_id":"r1","language":"go","stage":"compile","age":0.25,"start":"cold"},)"
    R"({"run_id":"r2","language":"python","stage":"run","age":3.5,"start":"warm"}]})";

bool shows(const std::string& screen, const std::string& part) {
    return screen.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the screen has boxes, clients and every run, the longest first", "[top]") {
    const std::string screen =
        status_screen(kStatus, "127.0.0.1:8000", Before{80, std::chrono::seconds(2)});
    CHECK(shows(screen, "cloister 0.1.0 at 127.0.0.1:8000   ready   10.0 boxes/s\n"));
    CHECK(shows(screen, "2 of 8 running, 6 stand ready, 1 of them warm; 7 compiled"));
    CHECK(shows(screen, "5 connections, 4 sessions, 2 rooms; 3 runs wait\n"));
    CHECK(shows(screen, "r2          python        run       3.5 s     warm\n"));
    CHECK(screen.find("r2") < screen.find("r1"));
    CHECK_FALSE(shows(screen, "QUARANTINED"));
    CHECK_FALSE(shows(status_screen(kStatus, "a", {}), "boxes/s"));
}

TEST_CASE("what is wrong with the service is shouted", "[top]") {
    const std::string screen =
        status_screen(R"({"ready":false,"boxes":{"total":0,"quarantined":8},"runs":[]})", "a", {});
    CHECK(shows(screen, "NOT READY"));
    CHECK(shows(screen, "8 QUARANTINED"));
    CHECK(shows(status_screen(R"({"ready":true})", "a", {}), "the keeper does not answer"));
}

TEST_CASE("a daemon that says anything else breaks nothing", "[top]") {
    for (const char* text :
         {"", "[]", "null", "{", R"({"runs":[1,null,{}],"boxes":[]})",
          R"({"runs":{},"boxes":{"begun":"x"},"ready":1,"version":[],"queue":-1})"}) {
        CHECK_NOTHROW(status_screen(text, "a", Before{5, std::chrono::seconds(1)}));
        CHECK(begun_in(text) == 0);
    }
    const std::string screen =
        status_screen("{\"version\":\"\\u001b[31mred\",\"runs\":[]}", "a", {});
    CHECK_FALSE(shows(screen, "\033"));
}
