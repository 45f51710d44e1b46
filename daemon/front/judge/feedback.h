// What a checker or an interactor leaves in its feedback folder, by the names that ICPC packages
// give these files. All of it is a stranger's: texts are cut where they are shown, numbers are
// numbers or a fault of the checker.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::judge {

inline constexpr std::string_view kJudgeMessage = "judgemessage.txt";
inline constexpr std::string_view kTeamMessage = "teammessage.txt";
inline constexpr std::string_view kScore = "score.txt";
inline constexpr std::string_view kScoreMultiplier = "score_multiplier.txt";
inline constexpr std::string_view kNextPass = "nextpass.in";

/// Files by their names in the folder; of the last pass, since each pass starts with those before.
struct Feedback {
    std::vector<std::pair<std::string, std::string>> files{};

    /// Null when there is none such.
    const std::string* find(std::string_view name) const;
    /// Takes it out, if it is there.
    std::optional<std::string> take(std::string_view name);
};

/// As ICPC packages allow for the names of files: letters, digits, '_', and behind the first of
/// these '.' and '-'; at most 255 bytes.
bool is_feedback_name(std::string_view name);

/// The one number in such a file: decimal, finite, from 0 to 1e9, white space around it.
std::optional<double> score_in(std::string_view text);

} // namespace cloister::judge
