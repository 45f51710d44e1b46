// Which worker of the analyst holds which document of a room, and with what text, so that a request
// after a keystroke brings an edit and not a whole source. One worker holds one document, and hears
// of no other one. Bounded in number and memory, per room and in all; what nobody uses is let go,
// and nobody's can be taken away while it is in use. Knows no socket and no clock.
#pragma once

#include "daemon/wire/analyst.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::front {

struct RoomDocument {
    std::string room_id{};
    std::string path{}; ///< in its one spelling
    auto operator<=>(const RoomDocument&) const = default;
};

/// `removed` bytes at `start` become `inserted`; whole characters.
struct TextEdit {
    std::uint32_t start = 0;
    std::uint32_t removed = 0;
    std::string inserted{};
};
/// From the first byte that is another to the last. Both are UTF-8.
TextEdit difference(std::string_view before, std::string_view after);

class HeldDocuments {
public:
    using Worker = std::uint64_t; ///< from 1
    using Time = std::chrono::steady_clock::time_point;

    struct Bounds {
        std::size_t all = wire::kAnalystHeld;
        std::size_t of_a_room = 8;
        std::size_t bytes = wire::kAnalystHeldTogether; ///< as workers tell
        std::chrono::milliseconds in_use{10'000};       ///< after so long others may have its place
        std::chrono::milliseconds idle{120'000};        ///< after so long it is let go
    };

    explicit HeldDocuments(const Bounds& bounds) : bounds_(bounds) {}

    /// How a request about a document is to go.
    struct Way {
        enum class Kind : std::uint8_t {
            wait,   ///< another request about it is under way
            once,   ///< whole, to any worker, which ends then
            hold,   ///< whole, to any worker, which holds it then; claimed
            follow, ///< the edit, to the worker that holds it; claimed
        };
        Kind kind = Kind::once;
        Worker worker = 0;
        TextEdit edit{};
    };
    /// A claimed document waits until keep(), let_go() or forget() is told of it.
    Way claim(const RoomDocument& document, const std::string& language, std::string_view text,
              Time now);
    /// A worker has answered, and holds this text now, in so many bytes.
    void keep(const RoomDocument& document, Worker worker, std::string text, std::size_t bytes,
              Time now);
    /// It is held no more, or never was.
    void let_go(const RoomDocument& document);
    /// That worker is gone.
    void forget(Worker worker);
    void forget_all();
    /// Lets go of what nobody used for long.
    void expire(Time now);
    /// Workers that are not needed any more, since the last call.
    std::vector<Worker> take_dropped() { return std::exchange(dropped_, {}); }

    bool is_empty() const { return held_.empty(); }
    std::size_t size() const { return held_.size(); }
    std::size_t bytes() const { return bytes_; }

private:
    struct Held {
        Worker worker = 0; ///< 0: none yet
        std::string language{};
        std::string text{};
        std::size_t bytes = 0;
        Time used{};
        bool claimed = false;
    };
    using Map = std::map<RoomDocument, Held>;

    bool make_place(const RoomDocument& document, Time now);
    Map::iterator longest_unused(const std::string* room_id, Time before);
    void drop(Map::iterator which);

    Bounds bounds_;
    Map held_{};
    std::size_t bytes_ = 0;
    std::vector<Worker> dropped_{};
};

} // namespace cloister::front
