// The sum of many verdicts: the one word for all of them, and points.
#pragma once

#include "daemon/front/judge/ruling.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cloister::judge {

/// How a group's tests make its points.
enum class Earning : std::uint8_t {
    all,  ///< all of them, if every test is accepted
    each, ///< each accepted test its part
    sum,  ///< the sum of the scores that a checker gave to accepted tests
    min,  ///< the lowest of these, 0 for one that is not accepted
};

struct Group {
    std::string name{};
    double points = 0; ///< the most that it can earn
    Earning earning = Earning::all;
};

/// What became of one test.
struct Marked {
    Word word = Word::JE;
    std::chrono::nanoseconds cpu_time{};
    std::chrono::nanoseconds wall_time{};
    std::uint64_t memory_bytes = 0;
    std::optional<double> score{};      ///< that the checker gave
    std::optional<double> multiplier{}; ///< or of what the test can earn
};

class Score {
public:
    /// `groups_of_tests`: for each test the index of its group; absent: it belongs to none.
    Score(std::vector<Group> groups,
          const std::vector<std::optional<std::size_t>>& groups_of_tests);

    /// The verdict on a test, in the order of the tests.
    void add(std::size_t test, const Marked& marked);
    /// False when nothing that this test's verdict could be would change its group's points.
    bool still_matters(std::size_t test) const;

    struct GroupScore {
        std::string name{};
        double points = 0; ///< earned
        double max_points = 0;
        std::size_t tests = 0;
        std::size_t passed = 0;
        std::size_t judged = 0;
    };
    std::vector<GroupScore> groups() const;
    /// The first verdict that is not AC, but for a JE, which comes before all.
    Word word() const;
    /// The test that decided word(), absent when all are accepted.
    std::optional<std::size_t> decisive() const { return decisive_; }
    double points() const;
    double max_points() const;
    std::size_t tests() const { return groups_of_tests_.size(); }
    std::size_t judged() const { return judged_; }
    std::size_t count(Word word) const { return counts_[static_cast<std::size_t>(word)]; }
    const Marked& most() const { return most_; } ///< the highest of each

private:
    struct State {
        Group group{};
        std::size_t tests = 0;
        std::size_t judged = 0;
        std::size_t passed = 0;
        double sum = 0;                 ///< of scores
        std::optional<double> lowest{}; ///< of scores
    };
    static double earned(const State& state);

    std::vector<State> groups_{};
    std::vector<std::optional<std::size_t>> groups_of_tests_;
    std::array<std::size_t, kWords.size()> counts_{};
    std::optional<std::size_t> decisive_{};
    Word word_ = Word::AC;
    Marked most_{};
    std::size_t judged_ = 0;
};

} // namespace cloister::judge
