// A client's source, through the whole engine of one language: parse, scopes, metrics, rules, and a
// suggestion at a place that the input chooses. Whatever comes, the answers are JSON and end.
#include "daemon/analyst/engine/analysis.h"

#include "tests/fuzz/fuzz.h"

#include <nlohmann/json.hpp>

using namespace cloister;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const analyst::Languages kLanguages =
        analyst::load_languages_of_runtimes(CLOISTER_SOURCE "/runtimes");
    const analyst::Language& language = *kLanguages.at(CLOISTER_LANGUAGE);
    if (size < 2) return 0;
    analyst::Asked asked;
    asked.content = fuzz::as_text(data + 2, size - 2);
    asked.position = {.line = data[0], .column = data[1]};
    const auto analysis = nlohmann::json::parse(analyst::analyse(language, asked));
    fuzz::require(analysis.at("success").is_boolean() && analysis.at("issues").is_array());
    const int score = analysis.at("quality_score");
    fuzz::require(score >= 0 && score <= 100);
    fuzz::require(nlohmann::json::parse(analyst::suggest(language, asked)).is_array());
    return 0;
}
