// Judge0's submissions under way: each is run as often as it asks for, one run after the other,
// until one is not accepted. What the queue does not take at once from one client waits here, first
// come, first served.
#pragma once

#include "daemon/front/heard_runs.h"
#include "daemon/front/judge0/record.h"
#include "daemon/front/submissions.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cloister::front::judge0 {

class Work {
public:
    /// That wait here: of one client, and the memory of all.
    static constexpr std::size_t kMostWaiting = 100;
    static constexpr std::uint64_t kMostBytes = 64 * isolate::kMiB;

    Work(Executions& executions, const Catalog& catalog, Submissions& submissions)
        : catalog_(catalog), executions_(executions), submissions_(submissions), runs_(executions) {
    }

    /// Told of each that has ended and is kept, with the program's callback_url.
    void when_ended(std::function<void(const std::string& id, const std::string& url)> action) {
        when_ended_ = std::move(action);
    }
    /// Runs the program of the open submission `id`. A refusal means that nothing was begun.
    std::optional<Refusal> start(const std::string& asker, const std::string& id, Program program);
    /// True when one of its runs has its turn now.
    bool is_processing(const std::string& id) const;
    std::size_t waiting() const;

private:
    struct Item {
        std::string asker{};
        std::string id{};
        Program program{};
        Summary summary{};
        std::string run{}; ///< the one under way, by the name that Executions gives it
        std::uint64_t bytes = 0;
    };
    using ItemPtr = std::shared_ptr<Item>;

    std::optional<Refusal> begin_run(const ItemPtr& item);
    bool has_other_runs(const Item& item) const;
    void hear(const ItemPtr& item, const Event& event);
    void end(const ItemPtr& item, const Refusal* why);
    void begin_waiting(const std::string& asker);

    const Catalog& catalog_;
    Executions& executions_;
    Submissions& submissions_;
    HeardRuns runs_;
    std::function<void(const std::string&, const std::string&)> when_ended_{};
    std::map<std::string, ItemPtr> items_{};               ///< by id
    std::map<std::string, std::deque<ItemPtr>> backlog_{}; ///< by asker
    std::uint64_t waiting_bytes_ = 0;
};

} // namespace cloister::front::judge0
