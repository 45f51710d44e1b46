// The table is data, one row a language.
#include "daemon/package/languages.h"

#include "daemon/package/error.h"

#include <algorithm>
#include <array>
#include <set>

namespace cloister::package {
namespace {

struct Row {
    std::string_view language;
    std::string_view endings; ///< each with a blank behind it
    std::string_view entry;   ///< names with a blank behind each, in the order of preference
};

/// Endings that the format puts in parentheses are not here: they tell nothing.
constexpr std::array kTable = {
    Row{"ada", ".adb .ads ", ""},
    Row{"algol68", ".a68 ", ""},
    Row{"apl", ".apl ", ""},
    Row{"bash", ".sh ", ""},
    Row{"c", ".c ", ""},
    Row{"cobol", ".cob ", ""},
    Row{"cpp", ".cc .cpp .cxx .c++ .C ", ""},
    Row{"crystal", ".cr ", ""},
    Row{"csharp", ".cs ", ""},
    Row{"d", ".d ", ""},
    Row{"dart", ".dart ", ""},
    Row{"elixir", ".ex ", ""},
    Row{"erlang", ".erl ", ""},
    Row{"forth", ".fth .4th .forth .frt ", ""},
    Row{"fortran", ".f90 ", ""},
    Row{"gerbil", ".ss ", ""},
    Row{"go", ".go ", ""},
    Row{"haskell", ".hs ", ""},
    Row{"java", ".java ", "Main.java "},
    Row{"javascript", ".js ", "main.js "},
    Row{"julia", ".jl ", ""},
    Row{"kotlin", ".kt ", "Main.kt main.kt "},
    Row{"lisp", ".lisp .cl ", "main.lisp main.cl "},
    Row{"lua", ".lua ", ""},
    Row{"modula2", ".mod .def ", ""},
    Row{"nim", ".nim ", ""},
    Row{"objectivec", ".m ", ""},
    Row{"ocaml", ".ml ", ""},
    Row{"odin", ".odin ", ""},
    Row{"pascal", ".pas ", ""},
    Row{"perl", ".pm ", ""},
    Row{"php", ".php ", "main.php "},
    Row{"prolog", ".pl ", ""},
    Row{"python2", ".py2 ", "__main__.py2 "},
    Row{"python3", ".py .py3 ", "__main__.py main.py "},
    Row{"racket", ".rkt ", ""},
    Row{"ruby", ".rb ", ""},
    Row{"rust", ".rs ", ""},
    Row{"scala", ".scala ", ""},
    Row{"simula", ".sim ", ""},
    Row{"smalltalk", ".st ", ""},
    Row{"snobol", ".sno ", ""},
    Row{"swift", ".swift ", ""},
    Row{"typescript", ".ts ", ""},
    Row{"visualbasic", ".vb ", ""},
    Row{"zig", ".zig ", ""},
};

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

} // namespace

std::string_view language_of(std::string_view file_name) {
    const std::string_view name = last_part(file_name);
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return {};
    const std::string ending = std::string(name.substr(dot)) + " ";
    for (const Row& row : kTable) {
        const std::size_t found = row.endings.find(ending);
        if (found != std::string_view::npos) return row.language;
    }
    return {};
}

std::string single_language(const std::vector<std::string>& files, const std::string& where) {
    std::set<std::string_view> found;
    for (const std::string& file : files) {
        const std::string_view language = language_of(file);
        if (!language.empty()) found.insert(language);
    }
    if (found.empty()) wrong(where, "no file's ending tells its language");
    if (found.size() > 1)
        wrong(where, "is in more than one language: " + std::string(*found.begin()) + " and " +
                         std::string(*found.rbegin()));
    return std::string(*found.begin());
}

std::string default_entry(const std::string& language, const std::vector<std::string>& files) {
    const auto row = std::ranges::find(kTable, language, &Row::language);
    std::string_view names = row == kTable.end() ? std::string_view{} : row->entry;
    while (!names.empty()) {
        const std::size_t end = names.find(' ');
        const std::string_view name = names.substr(0, end);
        const auto there = std::ranges::find_if(
            files, [&](const std::string& file) { return std::string_view(file) == name; });
        if (there != files.end()) return *there;
        names.remove_prefix(end + 1);
    }
    return {};
}

std::string runtime_name(std::string_view language) {
    return language == "python3" ? "python" : std::string(language);
}

} // namespace cloister::package
