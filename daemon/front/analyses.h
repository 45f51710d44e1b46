// The flow of every analysis: accepted, queued fairly, given to a worker, answered once. What is
// about a document of a room goes to the worker that holds it, as an edit (held_documents.h). Like
// Executions it knows no socket and no clock; AnalystLink is what carries it out.
#pragma once

#include "daemon/front/analysis_requests.h"
#include "daemon/front/held_documents.h"
#include "daemon/front/protocol.h"
#include "daemon/wire/analyst.h"

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
        HeldDocuments::Bounds held{};
    };
    using Worker = HeldDocuments::Worker;

    struct Order {
        std::uint64_t job = 0;
        Worker worker = 0; ///< 0: any that waits
        wire::AnalystRequest::Kind kind = wire::AnalystRequest::Kind::once;
        std::uint64_t text_bytes = 0;
        std::uint64_t text_mark = 0;
        std::string request{};
    };
    struct Answer {
        std::optional<std::string> text{}; ///< absent: the worker ended without one
        bool late = false;                 ///< it was too slow
        std::uint64_t text_mark = 0;       ///< of the text that it says it is about
        Worker worker = 0;
        std::size_t held_bytes = 0; ///< 0: the worker ends
    };
    /// What carries it out.
    struct Carrier {
        std::function<bool(const Order&)> give; ///< false when there is no such worker
        std::function<void(Worker)> drop;       ///< that one is not needed any more
    };

    Analyses(const runtimes::Runtimes& runtimes, const Bounds& bounds)
        : runtimes_(runtimes), bounds_(bounds), held_(bounds.held) {}

    /// Before the first call of the analyst's.
    void connect(Carrier carrier) { carrier_ = std::move(carrier); }

    // from clients
    Client open_client() { return ++last_client_; }
    /// What waits is dropped; replies are not called again.
    void close_client(Client client);
    std::optional<Refusal> ask(Client client, AskAnalyst ask, Reply reply, Time now);

    /// False, and why, when a request about such a file would be refused.
    bool knows(const AskAnalyst& ask, Refusal& refusal) const;
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
    void on_answer(std::uint64_t job, const Answer& answer, Time now);
    /// One that held a document, and had nothing to do.
    void on_lost(Worker worker);

    /// Refuses what has waited too long, and lets go of documents that nobody uses.
    void expire(Time now);
    /// Whether expire() has anything to look at.
    bool is_waiting() const { return waiting_ > 0 || !held_.is_empty(); }
    const HeldDocuments& held() const { return held_; }
    std::size_t working() const { return working_.size(); }

private:
    struct Job {
        Client client = 0;
        AskAnalyst ask{};
        std::string language{};
        Reply reply{};
        Time since{};
        bool alone = false; ///< as if there were no document: the worker that held it has failed
        wire::AnalystRequest::Kind kind = wire::AnalystRequest::Kind::once;
        std::uint64_t text_mark = 0;
    };
    using Queue = std::map<Client, std::deque<Job>>::iterator;

    std::optional<std::string> language_of(const AskAnalyst& ask, Refusal& refusal) const;
    Job take(Queue queue);
    void refuse(const Job& job, const Refusal& refusal);
    void pump();
    bool serve(Queue queue, Time now);
    bool settle_document(Job& job, const Answer& answer, Time now);
    void drop_unneeded();

    enum class State : std::uint8_t { absent, coming, ready };
    const runtimes::Runtimes& runtimes_;
    Bounds bounds_;
    Carrier carrier_;
    HeldDocuments held_;
    Time now_{}; ///< of the last call that told it
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
