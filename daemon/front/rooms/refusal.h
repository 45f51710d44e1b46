// What a member got wrong: a code of PROTOCOL.md and a sentence for people. Refusing changes
// nothing.
#pragma once

#include <string>

namespace cloister::rooms {

struct Refusal {
    std::string code;
    std::string message;
};

} // namespace cloister::rooms
