// The algebra is CodeMirror's own: every case of the golden file, which its library answered.
#include "tests/rooms/changes.h"

#include <fstream>

#include <catch2/catch.hpp>

using namespace cloister::rooms;
using nlohmann::json;

namespace {

ChangeSet read(const json& value) { return std::get<ChangeSet>(parse_changes(value)); }

} // namespace

TEST_CASE("change sets map, compose, apply and print as @codemirror/state does", "[rooms]") {
    std::ifstream file(CLOISTER_SOURCE "/tests/rooms/golden/cases.jsonl");
    std::size_t cases = 0;
    for (std::string line; std::getline(file, line); ++cases) {
        const json fields = json::parse(line);
        const ChangeSet a = read(fields[1]);
        const ChangeSet b = read(fields[2]);
        const ChangeSet c = read(fields[3]);
        const json& first = fields[5].is_number() ? fields[4] : fields[5];
        std::u16string text = from_utf8(fields[0].get<std::string>());
        INFO("case " << cases + 1 << ": " << line);
        bool good = json_of(a) == fields[1].dump() && json_of(a.map(b)) == fields[4].dump() &&
                    json_of(a.map(b, true)) == first.dump() &&
                    json_of(a.compose(c)) == fields[6].dump();
        for (std::size_t i = 0; i < fields[8].size(); i += 3) {
            const Side side = fields[8][i + 1].get<int>() < 0 ? Side::before : Side::after;
            good = good && a.map_position(fields[8][i].get<std::size_t>(), side) ==
                               fields[8][i + 2].get<std::size_t>();
        }
        const std::u16string before = text;
        a.apply_to(text);
        good = good && to_utf8(text) == fields[7].get<std::string>();
        a.inverse(before).apply_to(text);
        if (!good || text != before)
            FAIL("differs: " << json_of(a.map(b)) << " and " << json_of(a.map(b, true)) << " and "
                             << json_of(a.compose(c)));
    }
    CHECK(cases == 5200);
}
