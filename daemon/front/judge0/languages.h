// Judge0's languages, which its clients know by number: which of our runtimes stands for each, and
// what is told of it. A number whose runtime is not installed does not exist. Pure.
#pragma once

#include "daemon/front/jobs.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front::judge0 {

/// The program and how it is run are in its additional files.
inline constexpr int kMultiFile = 89;

struct Language {
    int id = 0;
    std::string name{};        ///< "Python (3.11.2)"
    std::string runtime{};     ///< id of ours; empty for kMultiFile
    std::string source_file{}; ///< what the user's code is called
    bool is_compiled = false;
    bool takes_options = false; ///< its compiler does
};

/// Those that can be used here, by number.
std::vector<Language> languages(const Catalog& catalog);
std::optional<Language> find_language(const Catalog& catalog, int id);

/// `{"id", "name"}`, and beside it what the single language's answer tells.
std::string short_text(const Language& language);
std::string long_text(const Language& language, const Catalog& catalog);

} // namespace cloister::front::judge0
