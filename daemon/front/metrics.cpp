// Names follow Prometheus' habits: seconds, bytes, `_total` for what only grows.
#include "daemon/front/metrics.h"

#include <algorithm>
#include <cstdio>

namespace cloister::front {

using isolate::Verdict;

namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void sample(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
    out += name;
    if (!labels.empty()) out.append("{").append(labels).append("}");
    out.append(" ").append(std::to_string(value)).append("\n");
}

void single(std::string& out, std::string_view name, std::string_view type, std::string_view help,
            std::uint64_t value) {
    head(out, name, type, help);
    sample(out, name, {}, value);
}

std::string decimal(double value) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.10g", value);
    return text.data();
}

/// Languages and codes are words of ours: nothing in them needs escaping.
std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + "\"";
}

} // namespace

bool is_kill(Verdict verdict) {
    switch (verdict) {
    case Verdict::time_limit:
    case Verdict::wall_limit:
    case Verdict::memory_limit:
    case Verdict::output_limit:
    case Verdict::forbidden_syscall:
    case Verdict::cancelled: return true;
    default: return false;
    }
}

void Histogram::add(std::chrono::nanoseconds value) {
    const double seconds = std::chrono::duration<double>(value).count();
    const auto place = std::ranges::lower_bound(kBounds, seconds);
    ++counts_[static_cast<std::size_t>(place - kBounds.begin())];
    sum_ += seconds;
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
    const std::string before = labels.empty() ? std::string() : std::string(labels) + ",";
    const std::string bucket = std::string(name) + "_bucket";
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        below += counts_[i];
        const std::string bound = i < kBounds.size() ? decimal(kBounds[i]) : "+Inf";
        sample(out, bucket, before + label("le", bound), below);
    }
    out.append(name).append("_sum");
    if (!labels.empty()) out.append("{").append(labels).append("}");
    out.append(" ").append(decimal(sum_)).append("\n");
    sample(out, std::string(name) + "_count", labels, below);
}

void Metrics::count_run(const Finished& finished) {
    const Result& result = finished.result;
    const bool full = runs_.size() >= kMaxSeries;
    ++runs_[{full ? "other" : finished.language, result.verdict}];
    if (is_kill(result.verdict)) ++kills_[static_cast<std::size_t>(result.verdict)];
    dropped_bytes_ += result.output_dropped + result.error_dropped;
    queue_time_.add(result.queued_time);
    // One that was cancelled while it waited, or was not compiled, had no program.
    if (result.usage.wall_time.count() == 0) return;
    run_time_.add(result.usage.wall_time);
    setup_time_.at(static_cast<std::size_t>(result.level)).add(result.setup_time);
}

void Metrics::count_refusal(std::string_view code) {
    const auto found = refusals_.find(code);
    if (found != refusals_.end()) ++found->second;
    else ++refusals_[refusals_.size() < kMaxSeries ? std::string(code) : "other"];
}

std::string Metrics::text(const Now& now) const {
    std::string out;
    head(out, "cloister_build_info", "gauge", "The version that serves.");
    sample(out, "cloister_build_info", label("version", CLOISTER_VERSION), 1);
    single(out, "cloister_ready", "gauge", "1 while runs are accepted.", now.ready ? 1 : 0);

    head(out, "cloister_runs_total", "counter", "Runs that were answered with a result.");
    for (const auto& [key, count] : runs_) {
        sample(out, "cloister_runs_total",
               label("language", key.first) + "," + label("verdict", isolate::name_of(key.second)),
               count);
    }
    head(out, "cloister_kills_total", "counter", "Programs that were ended, by the reason.");
    for (std::size_t i = 0; i < kills_.size(); ++i) {
        const auto verdict = static_cast<Verdict>(i);
        if (is_kill(verdict))
            sample(out, "cloister_kills_total", label("reason", isolate::name_of(verdict)),
                   kills_[i]);
    }
    head(out, "cloister_refusals_total", "counter",
         "Messages answered with an error, by its code.");
    for (const auto& [code, count] : refusals_)
        sample(out, "cloister_refusals_total", label("code", code), count);
    single(out, "cloister_output_dropped_bytes_total", "counter",
           "Output beyond the limit that was not kept.", dropped_bytes_);

    head(out, "cloister_run_seconds", "histogram", "From the program's start to its end.");
    run_time_.write(out, "cloister_run_seconds", {});
    head(out, "cloister_setup_seconds", "histogram",
         "From the taken order to the program's start, by what stood ready.");
    for (std::size_t i = 0; i < setup_time_.size(); ++i)
        setup_time_[i].write(out, "cloister_setup_seconds", label("start", wire::kLevelNames[i]));
    head(out, "cloister_queue_seconds", "histogram", "From acceptance to the run's turn.");
    queue_time_.write(out, "cloister_queue_seconds", {});

    single(out, "cloister_queue_length", "gauge", "Accepted runs that wait.", now.waiting);
    if (now.boxes) {
        const wire::StatusReply& boxes = *now.boxes;
        head(out, "cloister_boxes", "gauge",
             "Runs that may be at one time (total) and are (running); boxes that stand ready, "
             "without "
             "an interpreter (prepared) and with one (warm); slots that are not proven empty "
             "(quarantined).");
        const auto count = [&](std::string_view state, std::uint64_t value) {
            sample(out, "cloister_boxes", label("state", state), value);
        };
        count("total", boxes.boxes);
        count("running", boxes.running);
        count("prepared", boxes.prepared - std::min(boxes.warm, boxes.prepared));
        count("warm", boxes.warm);
        count("quarantined", boxes.quarantined);
        single(out, "cloister_artifacts", "gauge", "Compiled programs that are kept.",
               boxes.artifacts);
        single(out, "cloister_boxes_begun_total", "counter",
               "Boxes that were given an order: programs, compilers, versions.", boxes.runs);
    }
    single(out, "cloister_connections", "gauge", "TCP connections.", now.connections);
    single(out, "cloister_sessions", "gauge", "Of these, WebSockets.", now.sessions);
    single(out, "cloister_rooms", "gauge", "Rooms in memory.", now.rooms);
    single(out, "cloister_room_bytes", "gauge", "What they hold.", now.room_bytes);
    single(out, "collab_divergence_total", "counter",
           "Clients that found their text to differ; has to stay 0.", now.divergences);
    single(out, "cloister_analyst_restarts_total", "counter",
           "Times that the analyst ended and was made anew.", analysts_ > 0 ? analysts_ - 1 : 0);
    constexpr std::array kFates = {"sent", "failed", "refused", "dropped"};
    head(out, "cloister_callbacks_total", "counter",
         "Callbacks that were sent, failed three times, led where they may not, were too many.");
    for (std::size_t i = 0; i < kFates.size(); ++i)
        sample(out, "cloister_callbacks_total", label("fate", kFates.at(i)), now.callbacks.at(i));
    single(out, "cloister_reloads_total", "counter", "Reloads that took effect.", now.reloads);
    return out;
}

} // namespace cloister::front
