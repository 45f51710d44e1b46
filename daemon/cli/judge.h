// `cloister judge DIR`: judges a problem package and says whether its submissions get the verdicts
// that it expects of them.
#pragma once

#include <string>
#include <vector>

namespace cloister::cli {

/// `words`: what follows the command's name. Returns the exit status: 0 everything as expected, 1
/// not, 2 the package is wrong or cannot be judged here, 128 + N when signal N ended it.
int judge_command(const std::vector<std::string>& words);

} // namespace cloister::cli
