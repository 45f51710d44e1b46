// A screen a second. What the daemon says is numbers and words of its own, yet it is read as
// anything from a socket is: what is missing or of another kind shows as nothing.
#include "daemon/cli/top.h"

#include "daemon/cli/client.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <poll.h>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

using nlohmann::json;

constexpr int kPeriodMs = 1'000;
constexpr std::size_t kMostRuns = 200;

std::uint64_t count(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string number(const json& object, const char* key) {
    return std::to_string(count(object, key));
}

std::string word(const json& object, const char* key) {
    const auto found = object.find(key);
    std::string text = found != object.end() && found->is_string() ? found->get<std::string>() : "";
    std::erase_if(text, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }); // no terminal's
                                                                                // codes
    return text.substr(0, 32);
}

std::string column(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

std::string decimal(double value) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

double age_of(const json& run) {
    const auto found = run.find("age");
    return found != run.end() && found->is_number() ? found->get<double>() : 0;
}

std::string runs_table(const json& status) {
    std::vector<json> runs;
    if (const auto found = status.find("runs"); found != status.end() && found->is_array())
        std::copy_if(found->begin(), found->end(), std::back_inserter(runs),
                     [](const json& run) { return run.is_object(); });
    std::ranges::sort(runs, std::greater<>(), age_of); // the longest first
    std::string out = column("RUN", 12) + column("LANGUAGE", 14) + column("STEP", 10) +
                      column("FOR", 10) + "START\n";
    for (std::size_t i = 0; i < std::min(runs.size(), kMostRuns); ++i) {
        out += column(word(runs[i], "run_id"), 12) + column(word(runs[i], "language"), 14);
        out += column(word(runs[i], "stage"), 10) + column(decimal(age_of(runs[i])) + " s", 10);
        out += word(runs[i], "start") + "\n";
    }
    return out;
}

std::string boxes_line(const json& status) {
    const auto boxes = status.find("boxes");
    if (boxes == status.end() || !boxes->is_object())
        return "boxes    the keeper does not answer\n";
    std::string out = "boxes    " + number(*boxes, "running") + " of " + number(*boxes, "total") +
                      " running, " + number(*boxes, "prepared") + " stand ready, " +
                      number(*boxes, "warm") + " of them warm";
    if (count(*boxes, "quarantined") > 0)
        out += ", " + number(*boxes, "quarantined") + " QUARANTINED";
    return out + "; " + number(*boxes, "artifacts") + " compiled programs kept\n";
}

} // namespace

std::uint64_t begun_in(const std::string& text) {
    const json status = json::parse(text, nullptr, false);
    if (!status.is_object()) return 0;
    const auto boxes = status.find("boxes");
    return boxes != status.end() && boxes->is_object() ? count(*boxes, "begun") : 0;
}

std::string status_screen(const std::string& text, const std::string& address,
                          const std::optional<Before>& before) {
    const json status = json::parse(text, nullptr, false);
    if (!status.is_object()) return "The daemon at " + address + " does not tell its status.\n";
    const auto ready = status.find("ready");
    const bool is_ready = ready != status.end() && ready->is_boolean() && ready->get<bool>();
    std::string out = "cloister " + word(status, "version") + " at " + address + "   " +
                      (is_ready ? "ready" : "NOT READY");
    if (before && before->ago.count() > 0) {
        const std::uint64_t now = begun_in(text);
        const auto begun = static_cast<double>(now - std::min(before->begun, now)); // 0: restarted
        out += "   " + decimal(begun / before->ago.count()) + " boxes/s";
    }
    out += "\n" + boxes_line(status);
    out += "clients  " + number(status, "connections") + " connections, " +
           number(status, "sessions") + " sessions, " + number(status, "rooms") + " rooms; " +
           number(status, "queue") + " runs wait\n\n";
    return out + runs_table(status);
}

int show_top(const std::string& address, const std::string& token, bool once) {
    const bool live = !once && ::isatty(STDOUT_FILENO) == 1;
    std::optional<Before> before;
    auto then = std::chrono::steady_clock::now();
    for (;;) {
        const auto status = fetch_status(address, token);
        if (!status) {
            std::cerr << "cloister: no daemon answers at " << address << "\n";
            return 1;
        }
        const auto now = std::chrono::steady_clock::now();
        if (before) before->ago = now - then;
        // Home and clear, then the screen, in one piece: no flicker.
        std::cout << (live ? "\033[H\033[2J" : "") + status_screen(*status, address, before)
                  << std::flush;
        if (!live) return 0;
        before = Before{begun_in(*status), {}};
        then = now;
        (void)::poll(nullptr, 0, kPeriodMs);
    }
}

} // namespace cloister::cli
