// The flow of every analysis: accepted, queued fairly, given to a worker, answered once. Like
// Executions it knows no socket and no clock; AnalystLink is what carries it out.
#pragma once

#include "daemon/front/analysis_requests.h"
#include "daemon/front/protocol.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace cloister::front {

class Analyses {
public:
    using Client = std::uint64_t;
    using Reply = std::function<void(std::string)>;
    using Time = std::chrono::steady_clock::time_point;

    struct Bounds {
        std::size_t per_client = 16; ///< waiting
        std::size_t all = 256;
        std::size_t bytes = 32 * std::size_t{1024} * 1024; ///< of waiting sources
        std::size_t busy = 2;                              ///< at work at one time
        std::chrono::milliseconds patience{5'000}; ///< for an analyst that is being replaced
    };

    /// Gives a request to a waiting worker; false when none waits.
    using Give = std::function<bool(std::uint64_t job, const std::string& request)>;

    Analyses(const runtimes::Runtimes& runtimes, const Bounds& bounds)
        : runtimes_(runtimes), bounds_(bounds) {}

    /// Before the first call of the analyst's.
    void connect(Give give) { give_ = std::move(give); }

    // from clients
    Client open_client() { return ++last_client_; }
    /// What waits is dropped; replies are not called again.
    void close_client(Client client);
    std::optional<Refusal> ask(Client client, AskAnalyst ask, Reply reply, Time now);

    /// The runtime that a request is about, when there is one.
    std::optional<std::string> language_of(const AskAnalyst& ask) const {
        Refusal refusal;
        return language_of(ask, refusal);
    }

    // from the analyst
    void on_begun();                                ///< one is there, and will say what it knows
    void on_ready(std::set<std::string> languages); ///< it said so
    void on_gone();                                 ///< another one may come
    void on_failed();                               ///< none will come that is any better
    void on_worker() { pump(); }
    /// Absent: the worker ended without an answer. `late`: it was too slow.
    void on_answer(std::uint64_t job, const std::optional<std::string>& answer, bool late);

    /// Refuses what has waited too long.
    void expire(Time now);
    bool is_waiting() const { return waiting_ > 0; }
    std::size_t working() const { return working_.size(); }

private:
    struct Job {
        Client client = 0;
        AskAnalyst ask{};
        std::string language{};
        Reply reply{};
        Time since{};
    };

    std::optional<std::string> language_of(const AskAnalyst& ask, Refusal& refusal) const;
    Job take(std::map<Client, std::deque<Job>>::iterator queue);
    void pump();

    enum class State : std::uint8_t { absent, coming, ready };
    const runtimes::Runtimes& runtimes_;
    Bounds bounds_;
    Give give_;
    State state_ = State::absent;
    std::set<std::string> languages_{}; ///< of the last that was ready
    std::map<Client, std::deque<Job>> queues_{};
    std::map<std::uint64_t, Job> working_{};
    std::size_t waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    Client last_served_ = 0;
    Client last_client_ = 0;
    std::uint64_t last_job_ = 0;
};

} // namespace cloister::front
