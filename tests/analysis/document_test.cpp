// A document that is edited says what one that is read anew says, whatever is done to it.
#include "tests/analysis/fixture.h"

#include <cstdlib>
#include <random>

#include <nlohmann/json.hpp>

using namespace cloister::analyst;
using nlohmann::json;

namespace {

const Budget& patient() {
    static const Budget kPatient(std::chrono::hours(1), std::chrono::hours(1), 1U << 30U);
    return kPatient;
}

json said_of(const Document& document) {
    Budget budget = patient();
    json analysis = json::parse(analysis_of(document, Tongue::en, Clock::now(), budget));
    analysis.erase("analysis_ms");
    return analysis;
}

/// Code of all samples, so that every rule is met.
std::string sample_code(const std::string& language) {
    std::istringstream lines(read_file(samples_path(language)));
    std::string text;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("=== ")) text += line + "\n";
    return text;
}

class Editing {
public:
    Editing(std::string text, unsigned seed) : text_(std::move(text)), random_(seed) {}

    struct Step {
        std::uint32_t start = 0;
        std::uint32_t removed = 0;
        std::string inserted{};
    };

    Step next() {
        static const char* const kPieces[] = {"a",
                                              " ",
                                              "\n",
                                              "(",
                                              ")",
                                              "{",
                                              "}",
                                              "\"",
                                              "'",
                                              "x == None",
                                              "import os\n",
                                              "# ",
                                              "// ",
                                              "/*",
                                              "*/",
                                              "\r\n",
                                              "if ",
                                              "def f():\n    pass\n",
                                              "class A {",
                                              ";",
                                              ":",
                                              "=",
                                              "한",
                                              "😀",
                                              "\t",
                                              "    ",
                                              "return\n",
                                              "1",
                                              "."};
        Step step;
        step.start = boundary(pick(text_.size() + 1));
        if (!undo_.empty() && pick(3) == 0) { // most of what is typed is mended soon
            step = undo_.back();
            undo_.pop_back();
            step.start = std::min(step.start, static_cast<std::uint32_t>(text_.size()));
            step.start = boundary(step.start);
            step.removed =
                boundary(std::min<std::size_t>(step.start + step.removed, text_.size())) -
                step.start;
        } else if (pick(3) == 0) {
            const std::uint32_t end = boundary(
                std::min<std::size_t>(step.start + pick(pick(8) == 0 ? 400 : 8), text_.size()));
            step.removed = end > step.start ? end - step.start : 0;
        } else {
            step.inserted = kPieces[pick(std::size(kPieces))];
        }
        undo_.push_back({step.start, static_cast<std::uint32_t>(step.inserted.size()),
                         text_.substr(step.start, step.removed)});
        text_.replace(step.start, step.removed, step.inserted);
        return step;
    }
    const std::string& text() const { return text_; }
    std::uint32_t pick(std::size_t below) {
        return static_cast<std::uint32_t>(random_() % std::max<std::size_t>(below, 1));
    }

private:
    std::uint32_t boundary(std::size_t at) const {
        while (at > 0 && at < text_.size() &&
               (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80U)
            --at;
        return static_cast<std::uint32_t>(at);
    }

    std::string text_;
    std::mt19937 random_;
    std::vector<Step> undo_{};
};

unsigned seed() {
    const char* const given = std::getenv("CLOISTER_SEED"); // NOLINT(concurrency-mt-unsafe)
    return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
}

} // namespace

TEST_CASE("an edited document says what a new one says", "[document]") {
    const unsigned first = seed();
    for (const auto& [id, language] : all_languages()) {
        const std::string code = sample_code(id);
        for (unsigned round = 0; round < 6; ++round) {
            const std::size_t from = code.find('\n', code.size() * round / 6) + 1;
            Editing editing(code.substr(from, 3000), first + round);
            INFO("CLOISTER_SEED=" << first << ", " << id << ", round " << round);
            Document document(*language);
            Budget budget = patient();
            REQUIRE(document.set(editing.text(), budget));
            for (int i = 0; i < 60; ++i) {
                const Editing::Step step = editing.next();
                Budget own = patient();
                const bool whole = i % 2 == 0
                                       ? document.edit(step.start, step.removed, step.inserted, own)
                                       : document.set(editing.text(), own);
                REQUIRE(whole);
                REQUIRE(document.text() == editing.text());
                Document anew(*language);
                Budget other = patient();
                REQUIRE(anew.set(editing.text(), other));
                const json after = said_of(document);
                const json expected = said_of(anew);
                INFO("step " << i << "\n" << json::diff(expected, after).dump(1));
                // Where code is broken tree-sitter's own guess depends on what was there before.
                if (expected.at("syntax_valid") == true && after.at("syntax_valid") == true)
                    REQUIRE(after == expected);
                else CHECK(after.at("syntax_valid") == expected.at("syntax_valid"));
            }
        }
    }
}

TEST_CASE("a document that could not be read in time begins anew with the next edit",
          "[document]") {
    Document document(*all_languages().at("python"));
    Budget enough = patient();
    REQUIRE(document.set("import os\n", enough));
    Budget none(std::chrono::milliseconds(0), std::chrono::milliseconds(0), 1U << 30U);
    std::string large;
    for (int i = 0; i < 20'000; ++i) large += "x = 1\n";
    CHECK_FALSE(document.set(large, none));
    Budget again = patient();
    REQUIRE(document.edit(0, static_cast<std::uint32_t>(large.size()), "import sys\n", again));
    CHECK(said_of(document).at("issues").size() == 1);
}
