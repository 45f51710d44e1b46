// What the parser's core does most, for the compiler: each file that is named is parsed whole,
// broken off in several places, and again after edits there. The build runs this with a core that
// counts, see CMakeLists.txt.
//     grammar_training LANGUAGE=FILE...
#include "runtimes/grammars/grammars.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tree_sitter/api.h>

namespace {

using Tree = std::unique_ptr<TSTree, decltype(&ts_tree_delete)>;
using Parser = std::unique_ptr<TSParser, decltype(&ts_parser_delete)>;

constexpr std::size_t kBreaks = 8;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.empty()) throw std::runtime_error(path + " cannot be read");
    return text;
}

Tree parse(TSParser& parser, std::string_view text, const TSTree* before = nullptr) {
    return {ts_parser_parse_string(&parser, before, text.data(),
                                   static_cast<std::uint32_t>(text.size())),
            &ts_tree_delete};
}

/// Where byte `at` of `text` is.
TSPoint point_of(std::string_view text, std::size_t at) {
    TSPoint point{};
    for (const char one : text.substr(0, at)) {
        ++point.column;
        if (one == '\n') point = {.row = point.row + 1, .column = 0};
    }
    return point;
}

/// A letter and then a bracket are typed before byte `at`.
void type_into(TSParser& parser, std::string text, Tree tree, std::size_t at) {
    for (const char typed : {'x', '('}) {
        const TSPoint point = point_of(text, at);
        text.insert(at, 1, typed);
        const auto byte = static_cast<std::uint32_t>(at);
        const TSInputEdit edit{.start_byte = byte,
                               .old_end_byte = byte,
                               .new_end_byte = byte + 1,
                               .start_point = point,
                               .old_end_point = point,
                               .new_end_point = {.row = point.row, .column = point.column + 1}};
        ts_tree_edit(tree.get(), &edit);
        tree = parse(parser, text, tree.get());
        ++at;
    }
}

void train(const std::string& language, const std::string& path) {
    const TSLanguage* const grammar = cloister::grammars::find(language);
    if (grammar == nullptr) throw std::runtime_error("there is no grammar " + language);
    const Parser parser(ts_parser_new(), &ts_parser_delete);
    if (!ts_parser_set_language(parser.get(), grammar))
        throw std::runtime_error("the core cannot read the grammar " + language);
    const std::string text = read_file(path);
    for (std::size_t i = 1; i <= kBreaks; ++i) {
        const std::size_t at = text.size() * i / (kBreaks + 1);
        type_into(*parser, text, parse(*parser, text), at);
        parse(*parser, std::string_view(text).substr(0, at));
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        for (int i = 1; i < argc; ++i) {
            const std::string word = argv[i];
            const std::size_t middle = word.find('=');
            if (middle == std::string::npos) throw std::runtime_error("LANGUAGE=FILE, not " + word);
            train(word.substr(0, middle), word.substr(middle + 1));
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "grammar_training: %s\n", error.what());
        return 1;
    }
}
