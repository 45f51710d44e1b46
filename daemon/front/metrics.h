// What /metrics tells, in Prometheus' text format. Counters live here; what others know already
// (queue, boxes, rooms) is handed in when somebody asks. Labels are languages, verdicts and codes
// of ours, so their number is bounded whatever clients send.
#pragma once

#include "daemon/front/events.h"
#include "daemon/wire/frames.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cloister::front {

class Histogram {
public:
    void add(std::chrono::nanoseconds value);
    /// The lines of one series; `labels`: empty, or such as `start="cold"`.
    void write(std::string& out, std::string_view name, std::string_view labels) const;

private:
    /// Upper bounds in seconds: from a warm box's fraction of a millisecond to the longest run.
    static constexpr std::array kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                           0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0};
    std::array<std::uint64_t, kBounds.size() + 1> counts_{}; ///< the last: above all bounds
    double sum_ = 0;
};

class Metrics {
public:
    void count_run(const Finished& finished);
    /// `code`: one of the protocol's; a literal of ours.
    void count_refusal(std::string_view code);
    void count_analyst() { ++analysts_; } ///< one has begun

    /// What is so at the moment of asking.
    struct Now {
        std::size_t waiting = 0;
        std::size_t connections = 0;
        std::size_t sessions = 0;
        std::size_t rooms = 0;
        std::size_t room_bytes = 0;
        std::uint64_t divergences = 0;
        std::uint64_t reloads = 0;
        std::array<std::uint64_t, 4> callbacks{}; ///< sent, failed, refused, dropped
        bool ready = false;
        std::optional<wire::StatusReply> boxes{}; ///< absent: the keeper did not say it in time
    };
    std::string text(const Now& now) const;

private:
    /// Should a caller ever pass something else than a literal, it ends up under "other".
    static constexpr std::size_t kMaxSeries = 512;

    std::map<std::pair<std::string, isolate::Verdict>, std::uint64_t> runs_{};
    std::map<std::string, std::uint64_t, std::less<>> refusals_{};
    std::array<std::uint64_t, isolate::kVerdictNames.size()> kills_{};
    Histogram run_time_{};
    Histogram queue_time_{};
    std::array<Histogram, wire::kLevelNames.size()> setup_time_{};
    std::uint64_t dropped_bytes_ = 0;
    std::uint64_t analysts_ = 0;
};

/// True where we ended the program, or the kernel did at a limit of ours.
bool is_kill(isolate::Verdict verdict);

} // namespace cloister::front
