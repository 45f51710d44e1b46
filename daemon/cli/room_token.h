// `cloister room-token`: makes a token that lets its bearer into one room in one role. Needs the
// daemon's secret, so it works for root on the daemon's own machine.
#pragma once

#include <string>
#include <vector>

namespace cloister::cli {

/// `words`: what follows the command's name. Prints the token; throws what is wrong.
int make_room_token(const std::vector<std::string>& words);

} // namespace cloister::cli
