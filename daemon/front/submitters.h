// Who submits over HTTP, as clients of whoever does the work: one client for each submitter, from
// its first submission to the end of its last one under way, so that the fair queue knows them
// apart. The book of both submitted_runs.h and submitted_judgings.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace cloister::front {

class Submitters {
public:
    /// A client of the service, and who hears its events.
    struct Client {
        std::uint64_t number = 0;
        std::shared_ptr<void> listener{};
    };
    using Open = std::function<Client(const std::string& name)>;
    using Close = std::function<void(std::uint64_t number)>;

    Submitters(Open open, Close close) : open_(std::move(open)), close_(std::move(close)) {}

    /// Something of `name` begins; the number of its client.
    std::uint64_t enter(const std::string& name) {
        Entry& entry = entries_[name];
        if (entry.under_way++ == 0) entry.client = open_(name);
        return entry.client.number;
    }
    /// It is over. Its client may be closed within an event: the listener lives until this returns.
    void leave(const std::string& name) {
        const auto found = entries_.find(name);
        if (--found->second.under_way > 0) return;
        const Client client = std::move(found->second.client);
        entries_.erase(found);
        close_(client.number);
    }
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Client client{};
        std::size_t under_way = 0;
    };
    Open open_;
    Close close_;
    std::map<std::string, Entry> entries_{};
};

} // namespace cloister::front
