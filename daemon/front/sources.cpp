// Path rules and the skimming of Java sources.
#include "daemon/front/sources.h"

#include "isolate/bundle.h"

#include <cctype>

namespace cloister::front {
namespace {

constexpr std::size_t kMaxPathPart = 255; // NAME_MAX of every file system that a box uses

bool is_name_start(char c) {
    const auto u = static_cast<unsigned char>(c);
    return std::isalpha(u) != 0 || c == '_' || c == '$' || u >= 0x80;
}

bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

/// Walks a Java source word by word: names and single punctuation marks, nothing else.
class JavaWords {
public:
    explicit JavaWords(std::string_view text) : text_(text) {}

    /// The next word; empty at the end.
    std::string_view next() {
        while (at_ < text_.size()) {
            if (skip_comment() || skip_literal()) continue;
            const std::size_t start = at_;
            if (is_name_start(text_[at_])) {
                while (at_ < text_.size() && is_name(text_[at_])) ++at_;
                return text_.substr(start, at_ - start);
            }
            ++at_;
            if (std::isspace(static_cast<unsigned char>(text_[start])) == 0)
                return text_.substr(start, 1);
        }
        return {};
    }

private:
    bool starts(std::string_view mark) const { return text_.substr(at_, mark.size()) == mark; }

    void go_behind(std::string_view mark) {
        const auto found = text_.find(mark, at_);
        at_ = found == std::string_view::npos ? text_.size() : found + mark.size();
    }

    bool skip_comment() {
        if (starts("//")) {
            go_behind("\n");
            return true;
        }
        if (!starts("/*")) return false;
        at_ += 2;
        go_behind("*/");
        return true;
    }

    bool skip_literal() {
        const char quote = text_[at_];
        if (quote != '"' && quote != '\'') return false;
        const bool block = starts("\"\"\"");
        at_ += block ? 3 : 1;
        while (at_ < text_.size()) {
            if (text_[at_] == '\\') {
                at_ += 2;
            } else if (block ? starts("\"\"\"") : text_[at_] == quote) {
                at_ += block ? 3 : 1;
                break;
            } else if (!block && text_[at_] == '\n') {
                break; // an unclosed literal ends with its line, for the compiler to complain about
            } else {
                ++at_;
            }
        }
        at_ = std::min(at_, text_.size());
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

bool declares_type(std::string_view word) {
    return word == "class" || word == "interface" || word == "enum" || word == "record";
}

} // namespace

std::string why_bad_path(std::string_view path) {
    if (path.empty()) return "A path is empty.";
    if (path.size() >= isolate::kMaxBundlePath) return "A path is longer than 1023 bytes.";
    if (path.front() == '/') return "A path must be relative.";
    // Compilers and interpreters would take such a name for an option, or for a file of options.
    if (path.front() == '-' || path.front() == '@') return "A path must not begin with '-' or '@'.";
    for (const char c : path) {
        const auto u = static_cast<unsigned char>(c);
        if (u < 0x20 || u == 0x7F) return "A path holds a control character.";
        if (c == '\\') return "A path's parts are parted by '/', not by a backslash.";
    }
    for (std::string_view rest = path;;) {
        const auto slash = rest.find('/');
        const std::string_view part = rest.substr(0, slash);
        if (part.empty()) return "A path holds an empty part.";
        if (part == "." || part == "..") return "A path must not hold '.' or '..'.";
        if (part.size() > kMaxPathPart) return "A part of a path is longer than 255 bytes.";
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

std::string_view folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash + 1);
}

std::string_view extension_of(std::string_view path) {
    const std::string_view name = path.substr(folder_of(path).size());
    const auto dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot);
}

std::string_view stem_of(std::string_view path) {
    const std::string_view name = path.substr(folder_of(path).size());
    return name.substr(0, name.size() - extension_of(path).size());
}

JavaNames java_names(std::string_view source) {
    JavaNames names;
    JavaWords words(source);
    std::string first_type;
    std::string current_type; // the top-level type whose body we are in
    std::size_t depth = 0;
    bool is_public = false;
    std::string_view before; // `main` counts only when a '(' follows it
    for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
        if (word == "{") {
            ++depth;
        } else if (word == "}") {
            if (depth > 0 && --depth == 0) is_public = false;
        } else if (depth == 0 && word == "package" && names.package.empty() && first_type.empty()) {
            for (word = words.next(); !word.empty() && word != ";"; word = words.next())
                names.package += word;
        } else if (depth == 0 && word == "public") {
            is_public = true;
        } else if (depth == 0 && word == ";") {
            is_public = false;
        } else if (depth == 0 && declares_type(word) && before != ".") {
            // "@interface" reads the same: the '@' is a word of its own.
            word = words.next();
            if (word.empty()) break;
            if (!is_name_start(word.front())) continue; // `record` and friends may be plain names
            current_type = word;
            if (first_type.empty()) first_type = word;
            if (is_public && names.public_type.empty()) names.public_type = word;
        } else if (depth == 1 && word == "(" && before == "main" && names.main_type.empty()) {
            names.main_type = current_type;
        }
        before = word;
    }
    if (names.main_type.empty())
        names.main_type = names.public_type.empty() ? first_type : names.public_type;
    return names;
}

} // namespace cloister::front
