// From a request to a job: the runtime is found, limits are held against the policy's, files are
// laid out and packed. A Job is complete and checked; from here on nothing about it can be the
// client's error.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/events.h"
#include "daemon/front/protocol.h"
#include "daemon/wire/frames.h"
#include "isolate/bundle.h"
#include "isolate/collection.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cloister::front {

/// One box of a job.
struct JobStep {
    wire::Stage stage = wire::Stage::run;
    std::uint32_t policy = 0;
    isolate::Limits limits{};
    bool usual = false; ///< as the runtime's warm interpreter expects it (wire::kFlagUsual)
};

struct Job {
    std::optional<std::string> id{};
    std::uint32_t runtime = 0; ///< number on the wire
    std::string language{};
    std::string version{};
    std::string method = "native"; ///< config::Settings::method
    std::vector<std::string> unprotected{};
    std::vector<JobStep> steps{};
    std::string bundle{};         ///< packed
    std::string compile_bundle{}; ///< packed without what compilers are not told, the arguments;
                                  ///< empty: the same as `bundle`
    std::string input{};
    std::vector<std::string> collect{}; ///< paths that `bundle` names for its program's files
    std::uint32_t collect_bytes = 0;    ///< of them together, as there
    bool input_open = false;            ///< stdin stays open for execution_input
    bool stream = false;
    bool usage = false; ///< what the program uses is told while it runs
    bool terminal = false;
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
    bool base64 = false;
    bool ordered = false; ///< the result tells in which order both streams came
    bool merged =
        false; ///< the program's stderr is its stdout: one pipe, in the order of its writes
    bool tells_compiler = false; ///< with `stream`: what the compiler left is told before the run
    /// Told how it ended in place of the client, which has asked for something else
    /// (deep_checks.h). Called at most once: Finished or Refused.
    std::function<void(const Event&)> heard{};
    bool pinned = false; ///< others of the same sources will come: what is compiled stays for them

    /// True when somebody watches the output as it happens.
    bool is_live() const { return stream || terminal || input_open; }
    bool has_compiler() const { return steps.front().stage == wire::Stage::compile; }
    const std::string& bundle_of(const JobStep& step) const {
        const bool own = step.stage == wire::Stage::compile && !compile_bundle.empty();
        return own ? compile_bundle : bundle;
    }
    /// Memory that the client's bytes take.
    std::size_t bytes() const { return bundle.size() + compile_bundle.size() + input.size(); }
};

/// The runtimes as they are on this host. Filled in once the versions are known.
struct Catalog {
    struct Entry {
        const runtimes::Runtime* runtime = nullptr;
        std::uint32_t number = 0;
        std::optional<std::string> version{}; ///< absent: not installed
    };
    const config::Settings* settings = nullptr;
    std::vector<Entry> entries{}; ///< in the order of the wire numbers

    std::uint32_t first_policy = 0;
    /// What runs the command lines of clients that bring their own (go_judge/); without a version.
    std::optional<Entry> command{};
    static constexpr const char* kCommandRuntime = "command";

    /// Numbers on the wire count on from these two.
    explicit Catalog(const config::Settings& from, std::uint32_t first_runtime = 0,
                     std::uint32_t first_policy = 0);
    /// "python 3.11.2, java 17.0.9; not installed: go"
    std::string summary() const;
    /// The list that /api/v1/runtimes answers.
    std::string to_json() const;
};

/// The first "N.N[.N...]" of what a version command printed.
std::optional<std::string> version_in(std::string_view printed);

/// The job that asks a runtime for its version.
Job version_job(const Catalog& catalog, const Catalog::Entry& entry);

/// A job that runs a client's own command line, but for its parcel; absent when there is nothing
/// that could.
std::optional<Job> command_job(const Catalog& catalog);

/// `policy`: of the program when its runtime names none; empty: the configured run_policy.
std::variant<Job, Refusal> make_job(ExecuteCode request, const Catalog& catalog,
                                    const std::string& policy = {});

/// `limits` with what was asked for instead, which may only be lower.
std::variant<isolate::Limits, Refusal> lower_limits(const isolate::Limits& limits,
                                                    const LimitsAsked& asked);

/// `one` with what `other` has lower.
isolate::Limits lowest(isolate::Limits one, const isolate::Limits& other);

/// After new settings: the numbers of `job`, made by make_job with this `policy`, are those of
/// today, its limits within today's. False when its language is no longer there, or is another one.
bool renumber(Job& job, const Catalog& catalog, const std::string& policy = {});

/// The job that has `source` looked at by the language's checkers; absent when this server has
/// none for it.
std::optional<Job> check_job(const std::string& language, const SourceFile& source,
                             const Catalog& catalog);

} // namespace cloister::front
