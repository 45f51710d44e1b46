// The table: numbers of Judge0's own list and of its public server's. Several versions of one
// language are one runtime here, whose own version the name tells.
#include "daemon/front/judge0/languages.h"

#include "daemon/front/text.h"

#include <algorithm>
#include <array>

namespace cloister::front::judge0 {
namespace {

struct Known {
    std::string_view runtime;
    std::string_view name;
    std::string_view source_file;
    std::array<int, 5> ids;
};

constexpr std::array kKnown = {
    Known{"bash", "Bash", "script.sh", {46}},
    Known{"c", "C (GCC", "main.c", {48, 49, 50, 103}},
    Known{"cpp", "C++ (GCC", "main.cpp", {52, 53, 54, 105}},
    Known{"go", "Go", "main.go", {60, 95, 106, 107}},
    Known{"java", "Java (JDK", "Main.java", {62, 91}},
    Known{"javascript", "JavaScript (Node.js", "script.js", {63, 93, 97, 102}},
    Known{"kotlin", "Kotlin", "Main.kt", {78, 111}},
    Known{"perl", "Perl", "script.pl", {85}},
    Known{"php", "PHP", "script.php", {68, 98}},
    Known{"python", "Python", "script.py", {71, 92, 100, 109, 113}},
    Known{"r", "R", "script.r", {80, 99}},
    Known{"ruby", "Ruby", "script.rb", {72}},
    Known{"rust", "Rust", "main.rs", {73, 108}},
    Known{"scala", "Scala", "Main.scala", {81, 112}},
    Known{"sqlite", "SQL (SQLite", "script.sql", {82}},
    Known{"typescript", "TypeScript", "script.ts", {74, 94, 101}},
};

std::string name_of(const Known& known, const std::string& version) {
    const bool open = known.name.find('(') != std::string_view::npos;
    return std::string(known.name) + (open ? " " : " (") + version + ")";
}

std::string words(const std::vector<std::string>& command) {
    std::string line;
    for (const std::string& word : command)
        line += (line.empty() ? "" : " ") + (word == "{options}" ? "%s" : word);
    return line;
}

} // namespace

std::vector<Language> languages(const Catalog& catalog) {
    std::vector<Language> all;
    for (const Catalog::Entry& entry : catalog.entries) {
        const auto* const known = std::ranges::find(kKnown, entry.runtime->id, &Known::runtime);
        if (known == kKnown.end() || !entry.version) continue;
        for (const int id : known->ids) {
            if (id == 0) continue;
            Language language;
            language.id = id;
            language.name = name_of(*known, *entry.version);
            language.runtime = entry.runtime->id;
            language.source_file = known->source_file;
            language.is_compiled = entry.runtime->compile.has_value();
            language.takes_options = entry.runtime->takes_options();
            all.push_back(std::move(language));
        }
    }
    if (!all.empty()) {
        Language several;
        several.id = kMultiFile;
        several.name = "Multi-file program";
        all.push_back(std::move(several));
    }
    std::ranges::sort(all, {}, &Language::id);
    return all;
}

std::optional<Language> find_language(const Catalog& catalog, int id) {
    for (Language& one : languages(catalog))
        if (one.id == id) return std::move(one);
    return std::nullopt;
}

std::string short_text(const Language& language) {
    return JsonObject().number("id", language.id).text("name", language.name).close();
}

std::string long_text(const Language& language, const Catalog& catalog) {
    JsonObject out;
    out.number("id", language.id).text("name", language.name).flag("is_archived", false);
    const auto runtime = catalog.settings->runtimes.find(language.runtime);
    if (runtime == catalog.settings->runtimes.end())
        return out.none("source_file").none("compile_cmd").none("run_cmd").close();
    out.text("source_file", language.source_file);
    if (runtime->second.compile) out.text("compile_cmd", words(runtime->second.compile->command));
    else out.none("compile_cmd");
    return out.text("run_cmd", words(runtime->second.run.command)).close();
}

} // namespace cloister::front::judge0
