// The value has to grow: it is the event's number for a run, the tests done for a judging, whose
// verdicts come in order.
#include "daemon/front/mcp/progress.h"

#include "daemon/front/text.h"

#include <nlohmann/json.hpp>

namespace cloister::front::mcp {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kMaxShown = 200; ///< bytes of what a program printed

/// The last `most` bytes that begin with a character.
std::string_view tail_of(std::string_view text, std::size_t most) {
    std::size_t at = text.size() > most ? text.size() - most : 0;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return text.substr(at);
}

std::string_view front_of(std::string_view text, std::size_t most) {
    std::size_t end = std::min(most, text.size());
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end);
}

std::string usage_message(const json& data) {
    char text[96];
    (void)std::snprintf(text, sizeof text, "running: %.2f s of processor time, %.1f MiB",
                        data.value("cpu_time", 0.0),
                        data.value("memory", 0.0) / static_cast<double>(isolate::kMiB));
    return text;
}

/// What an event of a run says; empty for those that say nothing.
std::string run_message(std::string_view name, const json& data) {
    if (name == "started") return "started";
    if (name == "stage") return data.value("stage", "") == "compile" ? "compiling" : "running";
    if (name == "usage") return usage_message(data);
    if (name != "output") return {};
    const std::string printed = data.value("data", "");
    return data.value("stream", "") + ": " + std::string(tail_of(printed, kMaxShown));
}

} // namespace

std::string Progress::notification(const std::string& value, std::string_view message) const {
    JsonObject params;
    params.raw("progressToken", token_).raw("progress", value);
    if (tests_ > 0) params.count("total", tests_);
    params.text("message", message);
    JsonObject out;
    out.text("jsonrpc", "2.0").text("method", "notifications/progress");
    return out.raw("params", params.close()).close();
}

std::string Progress::tell(const Submissions::Event& event, Clock::time_point now) {
    if (token_.empty()) return {};
    if (event.output && last_ && now - *last_ < kPause) return {};
    const json data = json::parse(event.data, nullptr, false);
    if (!data.is_object()) return {};
    std::string value = std::to_string(event.number);
    std::string message;
    if (tests_ == 0) {
        message = run_message(event.name, data);
    } else if (event.name == "started") {
        value = "0";
        message = "started";
    } else if (event.name == "compiled") {
        value = "0.5";
        message = "compiled";
    } else if (event.name == "verdict") {
        value = std::to_string(data.value("test", std::uint64_t{0}) + 1);
        message = data.value("name", "") + ": " + data.value("verdict", "");
    }
    if (message.empty()) return {};
    if (event.output) last_ = now;
    return notification(value, message);
}

std::string shorten(const std::string& text, std::size_t most, std::uint64_t& left_out) {
    if (text.size() <= most) return text;
    const std::string_view begin = front_of(text, most / 2);
    const std::string_view end = tail_of(text, most - most / 2);
    const std::size_t missing = text.size() - begin.size() - end.size();
    left_out += missing;
    return std::string(begin) + "\n[... " + std::to_string(missing) + " bytes left out ...]\n" +
           std::string(end);
}

} // namespace cloister::front::mcp
