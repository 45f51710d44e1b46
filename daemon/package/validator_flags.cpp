// Words as a shell would split them, and what the default validator makes of them.
#include "daemon/package/validator_flags.h"

#include "daemon/package/error.h"

#include <charconv>
#include <utility>

namespace cloister::package {
namespace {

double tolerance(const std::string& text, const std::string& where) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !(value >= 0) || value > 1e9)
        wrong(where, "'" + text + "' is no tolerance");
    return value;
}

} // namespace

Comparing read_flags(const std::vector<std::string>& words, const std::string& where) {
    Comparing out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "case_sensitive") {
            out.case_sensitive = true;
        } else if (word == "space_change_sensitive") {
            out.space_sensitive = true;
        } else if (word == "float_relative_tolerance" || word == "float_absolute_tolerance" ||
                   word == "float_tolerance") {
            if (i + 1 == words.size()) wrong(where, word + " needs a number");
            const double value = tolerance(words[++i], where);
            if (word != "float_absolute_tolerance") out.relative = value;
            if (word != "float_relative_tolerance") out.absolute = value;
        } else {
            wrong(where, "the default output validator has no argument '" + word + "'");
        }
    }
    return out;
}

std::vector<std::string> split_words(const std::string& text, const std::string& where) {
    std::vector<std::string> words;
    std::string word;
    bool inside = false; // a word, perhaps of nothing but quotes
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (quote == 0 && space) {
            if (inside) words.push_back(std::exchange(word, {}));
            inside = false;
            continue;
        }
        inside = true;
        if (c == '\\' && quote != '\'' && i + 1 < text.size()) word += text[++i];
        else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
        else if (c == quote && quote != 0) quote = 0;
        else word += c;
    }
    if (quote != 0) wrong(where, "a quote is not closed");
    if (inside) words.push_back(word);
    return words;
}

} // namespace cloister::package
