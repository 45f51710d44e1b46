// The bounds are looked at before a message is added, so that one message alone always fits.
#include "daemon/front/send_queue.h"

#include <deque>
#include <set>
#include <string_view>

namespace cloister::front {
namespace {

constexpr std::uint64_t kOverhead = 64; ///< what an entry costs beside its text

} // namespace

std::uint64_t SendQueue::Entry::bytes() const { return message->text.size() + kOverhead; }

void SendQueue::count(const Entry& entry, bool added) {
    const std::uint64_t bytes = entry.bytes();
    std::uint64_t& total = entry.bulk ? bulk_bytes_ : bytes_;
    total = added ? total + bytes : total - bytes;
    if (entry.bulk) bulk_count_ = added ? bulk_count_ + 1 : bulk_count_ - 1;
}

bool SendQueue::push(MessagePtr message, bool bulk) {
    if (!bulk && is_over(bytes_bound_, messages_bound_ - 1)) {
        drop_outdated();
        if (is_over(bytes_bound_, messages_bound_ - 1)) return !message->topic.empty();
    }
    queue_.push_back({std::move(message), bulk});
    count(queue_.back(), true);
    return true;
}

void SendQueue::pop() {
    count(queue_.front(), false);
    queue_.pop_front();
}

void SendQueue::drop_rest() {
    while (queue_.size() > 1) {
        count(queue_.back(), false);
        queue_.pop_back();
    }
}

/// Of each topic the newest stays; what is under way stays anyhow.
void SendQueue::drop_outdated() {
    std::set<std::string_view> seen;
    std::deque<Entry> kept;
    while (queue_.size() > 1) {
        Entry& newest = queue_.back();
        const std::string& topic = newest.message->topic;
        if (topic.empty() || seen.insert(topic).second) kept.push_front(std::move(newest));
        else count(newest, false);
        queue_.pop_back();
    }
    for (Entry& entry : kept) queue_.push_back(std::move(entry));
}

} // namespace cloister::front
