// What an analysis costs: parse, names, metrics and rules of about 1,000 and 10,000 lines, a
// completion, and a keystroke in a document that is kept, per language, on code of the usual kind
// or on a file that is given. A keystroke ends with the whole answer as text. Medians and 99th
// percentiles of the engine alone, in milliseconds; no process, no socket.
//     analysis_bench RUNTIMES [LANGUAGE FILE]
#include "daemon/analyst/engine/analysis.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace cloister::analyst;

namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// A function that looks like people's, per language.
std::string unit_of(const std::string& language, int number) {
    const std::string n = std::to_string(number);
    if (language == "python")
        return "def compute_" + n +
               "(values, limit=10):\n    \"\"\"Sums what is small.\"\"\"\n    total = 0\n"
               "    for value in values:\n        if value < limit and value > 0:\n            "
               "total += value * " +
               n +
               "\n        elif value == limit:\n            continue\n    return {'total': total, "
               "'count': len(values)}\n\n";
    if (language == "javascript")
        return "function compute" + n +
               "(values, limit = 10) {\n  let total = 0;\n  for (const value of values) {\n"
               "    if (value < limit && value > 0) {\n      total += value * " +
               n + ";\n    }\n  }\n  return {total, count: values.length};\n}\n\n";
    if (language == "c" || language == "cpp")
        return "int compute" + n +
               "(const int *values, int count, int limit) {\n  int total = 0;\n"
               "  for (int i = 0; i < count; i++) {\n"
               "    if (values[i] < limit && values[i] > 0) {\n      total += values[i] * " +
               n + ";\n    }\n  }\n  return total;\n}\n\n";
    if (language == "java")
        return "  int compute" + n +
               "(int[] values, int limit) {\n    int total = 0;\n    for (int value : values) {\n"
               "      if (value < limit && value > 0) {\n        total += value * " +
               n + ";\n      }\n    }\n    return total;\n  }\n\n";
    return "func compute" + n +
           "(values []int, limit int) int {\n\ttotal := 0\n\tfor _, value := range values {\n"
           "\t\tif value < limit && value > 0 {\n\t\t\ttotal += value * " +
           n + "\n\t\t}\n\t}\n\treturn total\n}\n\n";
}

std::string source_of(const std::string& language, int lines) {
    std::string text = language == "java" ? "class Main {\n"
                       : language == "go" ? "package main\n\n"
                                          : "";
    for (int i = 0; i * 10 < lines; ++i) text += unit_of(language, i);
    return text + (language == "java" ? "}\n" : "");
}

struct Times {
    double median;
    double high;
};

template <typename Act>
Times measure(int rounds, Act&& act) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = Clock::now();
        act();
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

/// Of one reading; it begins to count when it is made.
Budget patient() { return {std::chrono::seconds(30), std::chrono::seconds(30), 1U << 30U}; }

/// A word of some letters is typed, and taken back, at the end of lines all over the document.
Times type_in(const Language& language, const std::string& text) {
    Document document(language);
    Budget budget = patient();
    if (!document.set(text, budget)) throw std::runtime_error("the file takes too long");
    const std::string typed = " + a1";
    std::size_t place = 0;
    std::size_t step = 0;
    return measure(400, [&] {
        Budget own = patient();
        const auto begin = Clock::now();
        const bool takes_back = step % (2 * typed.size()) >= typed.size();
        if (step % (2 * typed.size()) == 0)
            place = document.text().find('\n', document.text().size() * ((step * 7) % 97) / 100);
        const auto at = static_cast<std::uint32_t>(
            place +
            (takes_back ? 2 * typed.size() - 1 - step % (2 * typed.size()) : step % typed.size()));
        const bool whole = takes_back
                               ? document.edit(at, 1, "", own)
                               : document.edit(at, 0, typed.substr(step % typed.size(), 1), own);
        if (!whole) throw std::runtime_error("a keystroke takes too long");
        (void)analysis_of(document, Tongue::en, begin, own);
        ++step;
    });
}

void show(const Language& language, const std::string& name, const std::string& text, int rounds) {
    Asked asked{.content = text};
    const auto analysis = measure(rounds, [&] { (void)analyse(language, asked, patient()); });
    const Source source(asked.content);
    asked.position = {.line = source.lines() / 2, .column = 4};
    const auto completion = measure(rounds, [&] { (void)suggest(language, asked, patient()); });
    const Times key = type_in(language, text);
    std::printf("%-11s %-6s %6u lines   analysis %7.2f %7.2f   completion %6.2f %6.2f   "
                "keystroke %6.2f %6.2f\n",
                language.id.c_str(), name.c_str(), source.lines(), analysis.median, analysis.high,
                completion.median, completion.high, key.median, key.high);
}

int run(const std::vector<std::string>& words) {
    if (words.empty()) throw std::runtime_error("usage: analysis_bench RUNTIMES [LANGUAGE FILE]");
    const auto begin = Clock::now();
    const Languages languages = load_languages_of_runtimes(words[0]);
    std::printf("queries of %zu languages compiled in %.1f ms\n", languages.size(),
                std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    if (words.size() == 3) {
        show(*languages.at(words[1]), "file", read_file(words[2]), 50);
        return 0;
    }
    std::puts("p50 and p99, in milliseconds");
    for (const auto& [id, language] : languages) {
        show(*language, "made", source_of(id, 1'000), 100);
        show(*language, "made", source_of(id, 10'000), 10);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "analysis_bench: %s\n", error.what());
        return 2;
    }
}
