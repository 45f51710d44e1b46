// A client's source, through the whole engine of one language: parse, names, metrics, rules, a
// suggestion at a place that the input chooses, and edits that it chooses, each of which is
// followed. Whatever comes, the answers are JSON and end.
//
// The input: line and column of the suggestion, how many edits, for each edit three bytes (where,
// in 256ths of the text; how much is removed; how much of the source's end is inserted), then the
// source.
#include "daemon/analyst/engine/analysis.h"

#include "tests/fuzz/fuzz.h"

#include <algorithm>

#include <nlohmann/json.hpp>

using namespace cloister;

namespace {

void check_analysis(const std::string& text) {
    const auto analysis = nlohmann::json::parse(text);
    fuzz::require(analysis.at("success").is_boolean() && analysis.at("issues").is_array());
    const int score = analysis.at("quality_score");
    fuzz::require(score >= 0 && score <= 100);
}

constexpr std::size_t kHead = 3;
constexpr std::size_t kPerEdit = 3;
constexpr std::size_t kMostEdits = 8;

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const analyst::Languages kLanguages =
        analyst::load_languages_of_runtimes(CLOISTER_SOURCE "/runtimes");
    const analyst::Language& language = *kLanguages.at(CLOISTER_LANGUAGE);
    if (size < kHead) return 0;
    const std::size_t edits = data[2] % (kMostEdits + 1);
    if (size < kHead + edits * kPerEdit) return 0;
    const std::uint8_t* const steps = data + kHead;
    const std::size_t begin = kHead + edits * kPerEdit;
    analyst::Asked asked;
    asked.content = fuzz::as_text(data + begin, size - begin);
    asked.position = {.line = data[0], .column = data[1]};
    check_analysis(analyst::analyse(language, asked));
    fuzz::require(nlohmann::json::parse(analyst::suggest(language, asked)).is_array());

    analyst::Document document(language);
    analyst::Budget first;
    (void)document.set(asked.content, first);
    for (std::size_t i = 0; i < edits; ++i) {
        const std::uint8_t* const step = steps + i * kPerEdit;
        const auto at = static_cast<std::uint32_t>(document.text().size() * step[0] / 256);
        const std::size_t taken = std::min<std::size_t>(step[2] % 16, asked.content.size());
        const std::string inserted = asked.content.substr(asked.content.size() - taken);
        analyst::Budget budget;
        if (!document.edit(at, step[1] % 32, inserted, budget)) continue;
        check_analysis(
            analyst::analysis_of(document, analyst::Tongue::ko, analyst::Clock::now(), budget));
        const std::string list =
            analyst::suggestions_of(document, asked.position, analyst::Tongue::en, budget);
        fuzz::require(nlohmann::json::parse(list).is_array());
    }
    return 0;
}
