// What was submitted over HTTP: each submission with its state, what has happened to it so far, and
// its end, kept in the archive so that it is there after a restart. Knows nothing of how the work
// is done: whoever does it says what happens by add() and finish().
//
// Promises: what was accepted is kept before anybody is told so; each submission ends once; one key
// names one submission; nothing grows beyond Bounds.
#pragma once

#include "daemon/front/protocol.h"
#include "daemon/front/submission_archive.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front {

class Submissions {
public:
    using Time = std::chrono::milliseconds; ///< since 1970
    struct Bounds {
        std::size_t under_way = 10'000;
        Time keep = std::chrono::hours(1); ///< after the end
        /// Of one submission's events, in memory; beyond it the oldest output is forgotten.
        std::size_t log_bytes = 8 * isolate::kMiB;
        /// A larger result is not kept on disk.
        std::size_t kept_bytes = 6 * isolate::kMiB;
        /// Ended ones whose events are still in memory for those who come back to them.
        std::size_t lingering = 256;
        std::size_t lingering_bytes = 64 * isolate::kMiB;
        Time linger = std::chrono::minutes(1);
        /// For those who wait for the end on their connection: nobody comes back for it.
        static Bounds of_waiting(std::size_t under_way) {
            Bounds bounds;
            bounds.under_way = under_way;
            bounds.lingering = 0;
            bounds.linger = {};
            return bounds;
        }
    };

    /// `archive` may be null: then what has ended is there as long as it lingers.
    Submissions(SubmissionArchive* archive, const Bounds& bounds, std::function<Time()> now);

    struct Order {
        std::string kind{};
        std::optional<std::string> key{};
        std::string digest{};
        std::string request{}; ///< to be shown again, with the result
    };
    struct Opened {
        std::string id{};
        bool is_new = false;
    };
    /// A submission of this order, or the one that its key names already.
    std::variant<Opened, Refusal> open(const Order& order);
    /// How it is cancelled while it is under way.
    void on_cancel(const std::string& id, std::function<void()> cancel);
    /// It was not accepted after all, and nobody has been told of it.
    void withdraw(const std::string& id);

    /// `data` is JSON of one line. Output may be forgotten when there is too much of it.
    void add(const std::string& id, std::string_view name, std::string data, bool output = false);
    /// The last event is `result` with this JSON.
    void finish(const std::string& id, std::string result);
    /// The last event is `error`.
    void fail(const std::string& id, const Refusal& why);

    std::optional<store::SavedSubmission> find(const std::string& id);
    /// False when there is none such. One that has ended stays as it is.
    bool cancel(const std::string& id);
    /// Takes one that has ended away. False when it has not, or there is none such.
    bool forget(const std::string& id);
    /// Of one kind: how many there are, and ids, the newest first. What has expired may be among
    /// them for a minute.
    std::size_t count_kind(std::string_view kind);
    std::vector<std::string> list_kind(std::string_view kind, std::uint64_t skip,
                                       std::uint64_t count);

    struct Event {
        std::uint64_t number = 0;
        std::string name{};
        std::string data{};
        bool output = false;
    };
    struct Events {
        std::vector<Event> events{};
        std::uint64_t forgotten = 0; ///< of those asked for
        bool over = false;           ///< nothing will follow these
    };
    /// What came after event `after`, about `bytes` of it. Absent when there is none such.
    std::optional<Events> events_after(const std::string& id, std::uint64_t after,
                                       std::size_t bytes);
    /// `changed` is called whenever something happens to it, as long as the watch is held.
    using Watch = std::shared_ptr<std::function<void()>>;
    Watch watch(const std::string& id, std::function<void()> changed);

    /// Housekeeping, every second or so.
    void tick();
    std::size_t under_way() const { return under_way_; }
    std::size_t in_memory() const { return here_.size(); }

private:
    struct Live {
        store::SavedSubmission saved{};
        std::deque<Event> log{};
        std::size_t log_bytes = 0;
        std::uint64_t forgotten = 0; ///< number of the last event that was
        std::function<void()> cancel{};
        std::list<std::weak_ptr<std::function<void()>>> watchers{};
        bool is_kept = true; ///< as it is now
    };

    void end(const std::string& id, std::string_view name, std::string text, const char* state);
    void append(Live& live, std::string_view name, std::string data, bool output);
    static void notify(Live& live);
    bool keep(Live& live);
    void trim();

    SubmissionArchive* archive_;
    Bounds bounds_;
    std::function<Time()> now_;
    std::map<std::string, Live, std::less<>> here_{};
    std::map<std::string, std::string, std::less<>> keys_{}; ///< of those here
    std::list<std::string> ended_{};                         ///< of those here, oldest first
    std::size_t ended_bytes_ = 0;
    std::size_t under_way_ = 0;
    Time tidied_{};
};

/// The submission as clients are shown it.
std::string to_text(const store::SavedSubmission& submission);

/// `{"code", "message", …}` of an error, without what WebSocket messages carry beside it.
std::string error_object(const Refusal& refusal);

} // namespace cloister::front
