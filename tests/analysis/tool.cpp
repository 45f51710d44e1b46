// The engine on a file, for people and for the scripts beside this: prints the answer as the
// analyst would give it, without a process around it.
//     analysis_tool RUNTIMES LANGUAGE FILE... [--lang ko] [--position LINE:COLUMN]
#include "daemon/analyst/engine/analysis.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace cloister::analyst;

namespace {

int run(const std::vector<std::string>& words) {
    std::vector<std::string> names;
    Asked asked;
    bool position = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--lang") {
            asked.tongue = words.at(++i) == "ko" ? Tongue::ko : Tongue::en;
        } else if (words[i] == "--position") {
            const std::string& text = words.at(++i);
            position = true;
            asked.position.line = static_cast<std::uint32_t>(std::stoul(text));
            asked.position.column =
                static_cast<std::uint32_t>(std::stoul(text.substr(text.find(':') + 1)));
        } else {
            names.push_back(words[i]);
        }
    }
    if (names.size() < 3) {
        std::fputs("usage: analysis_tool RUNTIMES LANGUAGE FILE... [--lang ko] [--position L:C]\n",
                   stderr);
        return 2;
    }
    const Languages languages = load_languages_of_runtimes(names[0]);
    const Language& language = *languages.at(names[1]);
    for (std::size_t i = 2; i < names.size(); ++i) {
        std::ifstream file(names[i], std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        asked.content = std::move(text).str();
        asked.file_path = names[i];
        const Budget budget(std::chrono::seconds(10), std::chrono::seconds(10), 512U << 20U);
        std::puts((position ? suggest(language, asked, budget) : analyse(language, asked, budget))
                      .c_str());
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "analysis_tool: %s\n", error.what());
        return 2;
    }
}
