// The commands of one request, as runs: each its own box, those that pipes connect at one time.
// What one client's many requests share is the asker by which the queue knows it.
#pragma once

#include "daemon/front/go_judge/results.h"
#include "daemon/front/heard_runs.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cloister::front::go_judge {

/// Of all files that one command leaves; each then fits into a parcel again.
inline constexpr std::uint64_t kCopyOutBytes = 15 * isolate::kMiB;
/// Of what all commands of a request bring back in its answer; what is left in the store is not.
inline constexpr std::uint64_t kAnswerBytes = 8 * isolate::kMiB;
/// Of all requests' while they are under way.
inline constexpr std::uint64_t kHeldBytes = 256 * isolate::kMiB;

/// What one answer holds while it is made. What is more than it may, or than all may together, is
/// refused; what it holds is given back with it.
class AnswerBytes {
public:
    /// `all` is what every answer holds.
    explicit AnswerBytes(std::shared_ptr<std::uint64_t> all) : all_(std::move(all)) {}
    AnswerBytes(const AnswerBytes&) = delete;
    AnswerBytes& operator=(const AnswerBytes&) = delete;
    ~AnswerBytes() { *all_ -= own_; }

    bool take(std::uint64_t bytes) {
        if (bytes > kAnswerBytes - own_ || bytes > kHeldBytes - *all_) return false;
        own_ += bytes;
        *all_ += bytes;
        return true;
    }

private:
    std::shared_ptr<std::uint64_t> all_;
    std::uint64_t own_ = 0;
};

/// How it all ended.
struct Ended {
    std::vector<CommandResult> results{}; ///< one for each command
    std::string error{};                  ///< not empty: why there are none
};

class Commands {
public:
    Commands(const Catalog& catalog, Executions& executions, FileStore& store)
        : catalog_(catalog), store_(store), runs_(executions) {}

    using Done = std::function<void(Ended ended)>;
    /// What a command prints to a descriptor that is a stream.
    using Heard = std::function<void(std::size_t index, std::size_t fd, std::string_view data)>;
    using Cancel = std::function<void()>;
    /// What can be done to a request under way; harmless once it has ended. The answers are what
    /// was wrong.
    struct Handle {
        Cancel cancel{};
        /// For the command's streamIn. Nothing is the end of the input.
        std::function<std::optional<std::string>(std::size_t index, std::string_view data)> input{};
        std::function<std::optional<std::string>(std::size_t index, std::uint16_t columns,
                                                 std::uint16_t rows)>
            resize{};
    };
    /// `done` is called once, maybe before this returns.
    Handle start(const std::string& asker, Request request, Done done, Heard heard = {});
    void set_congested(const std::string& asker, bool congested) {
        runs_.set_congested(asker, congested);
    }

    /// The job of a command, or what is wrong with its files.
    std::variant<Job, CommandResult, Fault> make_job(const Command& command) const;
    FileStore& store() { return store_; }

private:
    struct Running;
    std::optional<Job> prepare(Running& running, std::size_t index) const;
    void start_connected(const std::shared_ptr<Running>& running, const Connected& connected);
    void start_alone(const std::shared_ptr<Running>& running, std::size_t index, Job job);
    HeardRuns::Part part_of(const std::shared_ptr<Running>& running, std::size_t index, Job job);
    void hear_end(Running& running, std::size_t index, const Event& event);

    const Catalog& catalog_;
    FileStore& store_;
    HeardRuns runs_;
    std::shared_ptr<std::uint64_t> held_ = std::make_shared<std::uint64_t>(0);
};

} // namespace cloister::front::go_judge
