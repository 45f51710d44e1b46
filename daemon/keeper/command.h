// A runtime's command, with its holes, in the form that the inside of a box fills in.
#pragma once

#include "isolate/inside.h"

#include <span>
#include <string>
#include <vector>

namespace cloister::keeper {

/// A command as boxes take it. The words point into it, so it stays where it is.
class Command {
public:
    Command() = default;
    explicit Command(const std::vector<std::string>& words);
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    Command(Command&&) = default; // a vector's heap memory stays where it is
    Command& operator=(Command&&) = default;

    std::span<const isolate::Word> words() const { return words_; }

private:
    std::vector<std::vector<char>> texts_;
    std::vector<isolate::Word> words_;
};

} // namespace cloister::keeper
