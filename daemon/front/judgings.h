// Judging over the flow of runs: one program, compiled once, many tests, each a run of its own in
// the fair queue, its output compared here or by a checker that is a boxed run, too. A state
// machine like Executions, driven by its events.
//
// Promises: a program is compiled once; verdicts come in the order of the tests, each once; every
// judging ends in one `result` or `error`, unless its client left; what a program prints or how it
// ends is evidence, never a verdict; nothing grows beyond Bounds.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/judge_requests.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front {

/// One of: "started", "compiled", "verdict", "result" with JSON; "error" with a refusal.
struct JudgeEvent {
    RunTag run{};
    std::string_view name{};
    std::string data{};
    Refusal refusal{};
};

class JudgeListener {
public:
    virtual ~JudgeListener() = default;
    virtual void on_judge_event(const JudgeEvent& event) = 0;
};

class Judgings {
public:
    using ClientNumber = std::uint64_t;
    struct Bounds {
        std::size_t judgings = 256;
        std::size_t bytes = 64 * isolate::kMiB; ///< of all requests together
        std::size_t per_client = 4;
        std::size_t parallel = 2; ///< tests of one judging under way
    };

    Judgings(Executions& executions, const Catalog& catalog, const config::Settings& settings,
             const Bounds& bounds)
        : executions_(executions), catalog_(catalog), settings_(settings), bounds_(bounds) {}
    ~Judgings();
    Judgings(const Judgings&) = delete;
    Judgings& operator=(const Judgings&) = delete;

    ClientNumber open_client(JudgeListener& listener);
    /// Its judgings end, its runs are killed; the listener is not called again.
    void close_client(ClientNumber client);
    /// The judging's name, "j1", or why not.
    std::variant<std::string, Refusal> submit(ClientNumber client, JudgeRequest request);
    std::optional<Refusal> cancel(ClientNumber client, const RunName& run);
    /// A client that does not read gets no further tests judged until it does.
    void set_congested(ClientNumber client, bool congested);
    /// Tries again what a full queue refused; every second or so.
    void tick();
    /// New settings hold: what is under way goes on by their numbers.
    void renew();
    /// Refuses new judgings and gives up those under way.
    void drain();

    std::size_t under_way() const { return under_way_; }

private:
    struct Judging;
    struct Client;
    using JudgingPtr = std::shared_ptr<Judging>;

    std::vector<JudgingPtr> all() const;
    std::optional<Refusal> prepare(Judging& judging);
    void feed(const JudgingPtr& judging);
    bool start_test(Judging& judging, std::size_t test);
    bool start_checker(Judging& judging, std::size_t test);
    bool start_pair(Judging& judging, std::size_t test);
    std::variant<Job, Refusal> checker_job(const Judging& judging, std::size_t test) const;
    void hear(Client& client, const Event& event);
    void take_program(const JudgingPtr& judging, std::size_t test, const Finished& finished);
    void take_checker(const JudgingPtr& judging, std::size_t test, const Finished& finished);
    void decide(const JudgingPtr& judging, std::size_t test);
    void decide_interaction(const JudgingPtr& judging, std::size_t test);
    void stop_program(const Judging& judging, std::size_t test);
    static bool is_useless(const Judging& judging, std::size_t test);
    void hold_checker(Judging& judging, const Result& result);
    void take_feedback(Judging& judging, std::size_t test, const Result& result);
    void settle(const JudgingPtr& judging, std::size_t test);
    void advance(const JudgingPtr& judging);
    void give_up(const JudgingPtr& judging, Refusal refusal);
    void drop_useless(Judging& judging);
    void end_when_done(const JudgingPtr& judging);
    void tell(const Judging& judging, std::string_view name, std::string data);
    void remove(const JudgingPtr& judging);

    Executions& executions_;
    const Catalog& catalog_;
    const config::Settings& settings_;
    Bounds bounds_;
    std::map<ClientNumber, std::shared_ptr<Client>> clients_{};
    std::size_t under_way_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t last_client_ = 0;
    std::uint64_t last_judging_ = 0;
    bool draining_ = false;
};

} // namespace cloister::front
