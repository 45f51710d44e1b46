// Judging by messages: one program and many tests, split over as many requests as the daemon's
// bounds ask for. Tests are read when their piece is sent and let go afterwards.
#pragma once

#include "daemon/package/folder.h"
#include "daemon/package/grading.h"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cloister::cli {

class DaemonLink;

/// The daemon takes what is asked for in no case, or not as the package wants it.
class CannotJudge : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What is known of the daemon that judges.
struct Judge {
    DaemonLink* link = nullptr;
    std::uint64_t message_bytes = 1024 * 1024;
    std::vector<std::string> languages{};
    bool is_own = false; ///< its limits are own_limits()
};

/// More was asked for than the daemon's policy allows.
class TooHigh : public CannotJudge {
public:
    using CannotJudge::CannotJudge;
};

/// Reads the daemon's greeting. Throws std::runtime_error.
Judge greet(DaemonLink& link, std::vector<std::string> languages, bool is_own);

/// What the requests of one judging have in common.
struct Order {
    std::string base{}; ///< JSON: an object with members, without tests
    bool needs_answer = true;
    bool checked = false; ///< by a program that is given the test
    bool passes = false;  ///< more than one, perhaps
};

/// A test as one of a judging.
struct Item {
    std::size_t index = 0; ///< the caller's
    const package::TestCase* test = nullptr;
};

struct Answer {
    bool compiled = true;
    std::string compile_error{};
};

class Pieces {
public:
    using Take = std::function<void(std::size_t, package::TestResult)>;

    Pieces(const package::Folder& folder, const Judge& judge) : folder_(folder), judge_(judge) {}

    /// All items; `take` is called with each one's index and result. Throws CannotJudge,
    /// package::Wrong, std::runtime_error.
    Answer judge(const Order& order, const std::vector<Item>& items, const Take& take);

private:
    std::string test_json(const Order& order, const package::TestCase& test) const;
    std::string piece(const Order& order, const std::vector<Item>& items, std::size_t& next) const;
    Answer exchange(const Order& order, const std::string& text, const std::vector<Item>& items,
                    const Take& take);
    Answer read_answer(const Order& order, const std::string& id, const std::vector<Item>& items,
                       const Take& take);

    const package::Folder& folder_;
    const Judge& judge_;
    std::uint64_t requests_ = 0;
};

} // namespace cloister::cli
