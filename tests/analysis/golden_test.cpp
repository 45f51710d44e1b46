// Real public code (golden/): what the engine counts and finds in it stays what people have looked
// at, and the complexity of each function is what an independent tool says.
#include "tests/analysis/fixture.h"

#include <cstdlib>
#include <map>

#include <nlohmann/json.hpp>

using namespace cloister::analyst;
using nlohmann::json;

namespace {

const std::string kFolder = CLOISTER_SOURCE "/tests/analysis/golden/";

json analysed(const std::string& name, const json& golden) {
    const Budget patient(std::chrono::seconds(10), std::chrono::seconds(10), 1U << 29U);
    const Language& language = *all_languages().at(golden.at("language").get<std::string>());
    return json::parse(analyse(language, {.content = read_file(kFolder + name + ".txt")}, patient));
}

std::map<std::string, int> complexities(const json& analysis) {
    std::map<std::string, int> found;
    for (const json& one : analysis.at("metrics").at("per_function")) {
        found[std::to_string(one.at("line").get<int>()) + " " + one.at("name").get<std::string>()] =
            one.at("complexity");
    }
    return found;
}

/// Tools name the line of a function's name, or of its type.
const int* near(const std::map<std::string, int>& found, const std::string& key) {
    const std::size_t space = key.find(' ');
    const int line = std::atoi(key.c_str());
    for (const int shift : {0, -1, 1}) {
        const auto match = found.find(std::to_string(line + shift) + key.substr(space));
        if (match != found.end()) return &match->second;
    }
    return nullptr;
}

} // namespace

TEST_CASE("real code is counted as it was, and nothing new is said about it", "[golden]") {
    const json all = json::parse(read_file(kFolder + "golden.json"));
    REQUIRE(all.size() == all_languages().size());
    for (const auto& [name, golden] : all.items()) {
        INFO(name);
        const json analysis = analysed(name, golden);
        CHECK(analysis.at("syntax_valid") == true);
        for (const auto& [metric, value] : golden.at("metrics").items()) {
            INFO(metric);
            CHECK(analysis.at("metrics").at(metric) == value);
        }
        const auto expected = golden.at("complexity").get<std::map<std::string, int>>();
        CHECK(complexities(analysis) == expected);
        std::vector<std::string> issues;
        for (const json& issue : analysis.at("issues"))
            issues.push_back(std::to_string(issue.at("line").get<int>()) + " " +
                             issue.at("rule").get<std::string>());
        CHECK(issues == golden.at("issues").get<std::vector<std::string>>());
    }
}

TEST_CASE("the complexity of real functions is what radon, ESLint and pmccabe say", "[golden]") {
    const json all = json::parse(read_file(kFolder + "golden.json"));
    std::size_t compared = 0;
    std::size_t told = 0;
    for (const auto& [name, golden] : all.items()) {
        if (!golden.contains("peer")) continue;
        const auto ours = complexities(analysed(name, golden));
        for (const auto& [function, value] : golden.at("peer").at("complexity").items()) {
            INFO(name << ": " << function);
            ++told;
            const int* mine = near(ours, function);
            if (mine == nullptr) continue; // cut into pieces by the preprocessor
            ++compared;
            CHECK(*mine == value.get<int>());
        }
    }
    CHECK(told >= 30);
    CHECK(compared + 1 >= told);
}
