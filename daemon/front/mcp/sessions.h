// The sessions of the Model Context Protocol: opened by `initialize`, named by every request after
// it, ended by DELETE, by disuse, or when there are too many. No clock of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace cloister::front::mcp {

struct Session {
    std::string id{};      ///< a random UUID: whoever knows it may use it
    std::string version{}; ///< of the protocol, as negotiated
    std::string owner{};   ///< whose it is, as far as that can be told: an address
    std::chrono::milliseconds used{};
    std::uint64_t turn = 0; ///< of its last use, among those of all: two may be in one millisecond
};

class Sessions {
public:
    using Time = std::chrono::milliseconds;
    struct Bounds {
        std::size_t sessions = 1'000;
        Time keep = std::chrono::minutes(30); ///< for which an unused one is kept
    };
    /// `is_busy`: something of this session is under way, so it is not to go.
    Sessions(const Bounds& bounds, std::function<Time()> now,
             std::function<bool(const std::string& id)> is_busy)
        : bounds_(bounds), now_(std::move(now)), is_busy_(std::move(is_busy)) {}

    /// Null when all of them are busy. Where there are too many, the one of whoever has the most
    /// that was unused the longest makes room, so that nobody drives out the others'.
    const Session* open(std::string version, std::string owner);
    /// Null when there is none such. Counts as a use.
    const Session* find(std::string_view id);
    void close(std::string_view id);
    /// Ends those that nobody uses any more.
    void tick();
    std::size_t count() const { return sessions_.size(); }

private:
    bool make_room();
    void use(Session& session);

    Bounds bounds_;
    std::function<Time()> now_;
    std::function<bool(const std::string& id)> is_busy_;
    std::map<std::string, Session, std::less<>> sessions_{};
    std::uint64_t last_turn_ = 0;
};

} // namespace cloister::front::mcp
