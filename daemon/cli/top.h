// `cloister top`: what a daemon does now, once or live.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cloister::cli {

/// An earlier status: how many boxes had begun, and how long ago.
struct Before {
    std::uint64_t begun = 0;
    std::chrono::duration<double> ago{};
};

/// The daemon's status as a screen of text; without an earlier one it shows no rate.
std::string status_screen(const std::string& status, const std::string& address,
                          const std::optional<Before>& before);

/// How many boxes had begun; 0 when the status does not say.
std::uint64_t begun_in(const std::string& status);

/// Draws until it is ended; into anything but a terminal, or with `once`, a single time. Returns
/// the exit status: 1 when no daemon answers.
int show_top(const std::string& address, const std::string& token, bool once);

} // namespace cloister::cli
