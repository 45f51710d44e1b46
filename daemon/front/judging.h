// One judging and its tests, as the parts of Judgings know them. A test waits, its program runs,
// perhaps a checker runs, then it is decided; decided tests are told in their order. For the files
// that implement judgings.h only.
#pragma once

#include "daemon/front/judge/feedback.h"
#include "daemon/front/judge/ruling.h"
#include "daemon/front/judgings.h"

#include <optional>
#include <string>
#include <vector>

namespace cloister::front {

struct Judged {
    enum class State : std::uint8_t {
        waiting,
        running,  ///< its program, with its interactor if there is one
        checking, ///< its checker
        refused,  ///< its checker, by a full queue
        again,    ///< waits for its next pass
        decided
    };
    State state = State::waiting;
    std::size_t pass = 1;
    judge::Facts facts{};       ///< of the last pass
    isolate::Usage most{};      ///< of any pass: times and memory
    std::string input{};        ///< of a pass that is not the first
    judge::Feedback feedback{}; ///< of its passes so far
    bool program_ended = false; ///< of a pass with an interactor
    bool checker_ended = false;
    std::chrono::nanoseconds program_end{}; ///< when; 0: it never began
    std::chrono::nanoseconds checker_end{};
    std::string reason{}; ///< why it was ended, one sentence
    std::string output{}; ///< until it is decided
    std::string error{};  ///< the beginning of stderr
    judge::Ruling ruling{};
    std::optional<judge::Difference> difference{};
    std::string message{};        ///< what the checker said
    std::string checker_reason{}; ///< why its word does not count, one sentence
    std::string bad_feedback{};   ///< a file of its that is none, and why
    std::string team_message{};
    std::optional<double> score{};
    std::optional<double> multiplier{};
    std::optional<judge::Facts> checker{};
};

struct Judgings::Judging {
    std::uint64_t number = 0;
    ClientNumber client = 0;
    JudgeRequest request{};
    std::size_t bytes = 0;
    Job program{}; ///< with the limits of no test in particular
    std::vector<isolate::Limits> limits{};
    std::vector<Judged> tests{};
    std::optional<judge::Score> score{};
    std::size_t next = 0;      ///< the first test that is not started
    std::size_t told = 0;      ///< the first test that is not told
    std::size_t in_flight = 0; ///< runs
    std::size_t skipped = 0;
    bool compiled = false; ///< the first run is over: there is a program
    bool feeding = false;
    std::optional<CompileResult> compile{};
    bool compile_failed = false;
    bool abandoned = false; ///< no test is started any more
    bool cancelled = false;
    bool hopeless = false; ///< it was told that the checker does not compile
    std::optional<Refusal> failure{};
    std::optional<std::uint64_t> program_held{};
    std::optional<std::uint64_t> checker_held{};
    bool over = false;

    RunTag tag() const { return {"j" + std::to_string(number), request.id}; }
    const std::string& input_of(std::size_t test) const {
        return tests[test].pass == 1 ? request.tests[test].input : tests[test].input;
    }
    /// The name of a run among those of its client.
    std::string run_of(std::size_t test, char kind) const {
        return std::to_string(number) + "." + std::to_string(test) + "." + kind;
    }
};

struct Judgings::Client : Listener {
    explicit Client(Judgings& all) : owner(all) {}
    void on_event(const Event& event) override { owner.hear(*this, event); }
    Judgings& owner;
    JudgeListener* listener = nullptr; ///< null: gone
    ClientId runs = 0;
    bool congested = false;
    std::map<std::uint64_t, JudgingPtr> judgings{};
};

/// JSON of one test's verdict, of the compiler's words, and of the whole.
std::string verdict_text(const JudgeRequest& request, std::size_t test, const Judged& judged);
std::string compile_text(const CompileResult& compile);
struct Summary {
    const judge::Score* score = nullptr;
    std::string_view language{};
    bool compile_failed = false;
    bool cancelled = false;
    std::size_t skipped = 0;
    const CompileResult* compile = nullptr;
};
std::string summary_text(const Summary& summary);
std::string judge_text(const JudgeEvent& event);

} // namespace cloister::front
