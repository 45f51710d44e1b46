// A group that is not all judged has earned nothing yet, or its part of what was accepted.
#include "daemon/front/judge/scoring.h"

#include <algorithm>

namespace cloister::judge {

Score::Score(std::vector<Group> groups,
             const std::vector<std::optional<std::size_t>>& groups_of_tests)
    : groups_of_tests_(groups_of_tests) {
    for (Group& group : groups) {
        State state;
        state.group = std::move(group);
        groups_.push_back(std::move(state));
    }
    for (const auto& group : groups_of_tests_)
        if (group) ++groups_.at(*group).tests;
}

void Score::add(std::size_t test, const Marked& marked) {
    ++judged_;
    ++counts_[static_cast<std::size_t>(marked.word)];
    if (marked.word != Word::AC && word_ != Word::JE &&
        (word_ == Word::AC || marked.word == Word::JE)) {
        word_ = marked.word;
        decisive_ = test;
    }
    most_.cpu_time = std::max(most_.cpu_time, marked.cpu_time);
    most_.wall_time = std::max(most_.wall_time, marked.wall_time);
    most_.memory_bytes = std::max(most_.memory_bytes, marked.memory_bytes);
    if (const auto group = groups_of_tests_.at(test)) {
        State& state = groups_[*group];
        ++state.judged;
        if (marked.word == Word::AC) ++state.passed;
        const double part = state.group.earning == Earning::sum
                                ? state.group.points / static_cast<double>(state.tests)
                                : state.group.points;
        const double worth = marked.score.value_or(part * marked.multiplier.value_or(1));
        const double score = marked.word == Word::AC ? worth : 0;
        state.sum += score;
        state.lowest = std::min(state.lowest.value_or(score), score);
    }
}

bool Score::still_matters(std::size_t test) const {
    const auto group = groups_of_tests_.at(test);
    if (!group) return word_ == Word::AC;
    const State& state = groups_[*group];
    const bool by_test =
        state.group.earning == Earning::each || state.group.earning == Earning::sum;
    return by_test || state.passed == state.judged;
}

double Score::earned(const State& state) {
    if (state.tests == 0) return 0;
    const double all = state.group.points;
    const bool whole = state.judged == state.tests;
    switch (state.group.earning) {
    case Earning::all: return state.passed == state.tests ? all : 0;
    case Earning::each:
        return all * static_cast<double>(state.passed) / static_cast<double>(state.tests);
    case Earning::sum: return std::min(state.sum, all);
    case Earning::min: return whole ? std::min(*state.lowest, all) : 0;
    }
    return 0;
}

std::vector<Score::GroupScore> Score::groups() const {
    std::vector<GroupScore> out;
    for (const State& state : groups_) {
        GroupScore one;
        one.name = state.group.name;
        one.points = earned(state);
        one.max_points = state.group.points;
        one.tests = state.tests;
        one.passed = state.passed;
        one.judged = state.judged;
        out.push_back(std::move(one));
    }
    return out;
}

Word Score::word() const { return word_; }

double Score::points() const {
    double sum = 0;
    for (const State& state : groups_) sum += earned(state);
    return sum;
}

double Score::max_points() const {
    double sum = 0;
    for (const State& state : groups_) sum += state.group.points;
    return sum;
}

} // namespace cloister::judge
