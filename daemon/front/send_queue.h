// What waits to be written to one client, and how much of it may. A text that goes to many is one
// text. Who reads too slowly first loses what is out of date (where others' cursors were), then is
// given up; nobody else waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

namespace cloister::front {

/// One JSON text on its way to one or many.
struct Message {
    std::string text;
    /// Not empty: only the newest message of a topic is of use, and one may be lost.
    std::string topic{};
};
using MessagePtr = std::shared_ptr<const Message>;

inline MessagePtr message_of(std::string text) {
    return std::make_shared<const Message>(Message{std::move(text), {}});
}

class SendQueue {
public:
    SendQueue(std::uint64_t bytes, std::size_t messages)
        : bytes_bound_(bytes), messages_bound_(messages) {}

    /// False when the client reads too slowly to stay. `bulk`: a part of a large answer to its own
    /// question (a document, a room's files), which does not count against it; but see
    /// is_stuffed().
    bool push(MessagePtr message, bool bulk);
    bool is_empty() const { return queue_.empty(); }
    std::size_t size() const { return queue_.size(); }
    /// The message under way; it stays where it is until pop().
    const std::string& front() const { return queue_.front().message->text; }
    void pop();
    /// Drops all but what is under way.
    void drop_rest();

    /// Over half of the bound, and well under it.
    bool is_heavy() const { return is_over(bytes_bound_ / 2, messages_bound_ / 2); }
    bool is_light() const { return !is_over(bytes_bound_ / 4, messages_bound_ / 4); }
    /// So much of what it asked for is unread that it should not be heard before it has read.
    bool is_stuffed() const { return bulk_bytes_ > bytes_bound_; }

private:
    struct Entry {
        MessagePtr message;
        bool bulk = false;
        std::uint64_t bytes() const;
    };
    bool is_over(std::uint64_t bytes, std::size_t messages) const {
        return bytes_ > bytes || queue_.size() - bulk_count_ > messages;
    }
    void count(const Entry& entry, bool added);
    void drop_outdated();

    std::uint64_t bytes_bound_;
    std::size_t messages_bound_;
    std::list<Entry> queue_{}; ///< an empty deque would own half a KiB
    std::uint64_t bytes_ = 0;  ///< without the bulk
    std::uint64_t bulk_bytes_ = 0;
    std::size_t bulk_count_ = 0;
};

} // namespace cloister::front
