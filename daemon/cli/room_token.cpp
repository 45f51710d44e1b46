// Room ids and roles are checked here as the daemon will check them, so that no token is made that
// it would not take.
#include "daemon/cli/room_token.h"

#include "daemon/config/settings.h"
#include "daemon/tokens/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iostream>
#include <stdexcept>

namespace cloister::cli {
namespace {

constexpr const char* kUsage =
    "usage: cloister room-token ROOM owner|editor|runner|viewer [--hours N] [--state-dir DIR] "
    "[--config FILE]";
constexpr std::int64_t kMostHours = 24 * 366;
constexpr std::size_t kMaxRoomId = 128;

struct Asked {
    std::string room_id{};
    std::string role{};
    std::int64_t hours = 24;
    std::string state_dir{};
    std::string config_file{};
};

std::int64_t read_hours(const std::string& word) {
    std::int64_t hours = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), hours);
    if (error != std::errc() || end != word.data() + word.size() || hours < 1 || hours > kMostHours)
        throw std::runtime_error("--hours takes a whole number from 1 to " +
                                 std::to_string(kMostHours));
    return hours;
}

Asked read(const std::vector<std::string>& words) {
    Asked asked;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const auto value = [&]() -> const std::string& {
            if (i + 1 == words.size()) throw std::runtime_error(word + " needs a value");
            return words[++i];
        };
        if (word == "--hours") asked.hours = read_hours(value());
        else if (word == "--state-dir") asked.state_dir = value();
        else if (word == "--config") asked.config_file = value();
        else if (word.starts_with("--"))
            throw std::runtime_error("unknown option '" + word + "'\n" + kUsage);
        else names.push_back(word);
    }
    if (names.size() != 2) throw std::runtime_error(kUsage);
    asked.room_id = names[0];
    asked.role = names[1];
    return asked;
}

void check(const Asked& asked) {
    constexpr std::array kRoles = {"owner", "editor", "runner", "viewer"};
    if (std::ranges::find(kRoles, asked.role) == kRoles.end())
        throw std::runtime_error("a role is owner, editor, runner or viewer");
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
    };
    if (asked.room_id.empty() || asked.room_id.size() > kMaxRoomId ||
        std::ranges::any_of(asked.room_id, is_control))
        throw std::runtime_error("a room's name has 1 to 128 bytes and no control characters");
}

} // namespace

int make_room_token(const std::vector<std::string>& words) {
    Asked asked = read(words);
    check(asked);
    if (asked.state_dir.empty()) {
        config::Sources sources;
        sources.config_file = asked.config_file;
        asked.state_dir = config::load(sources).config.state_dir;
    }
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const tokens::RoomPass pass{asked.room_id, asked.role, now.count() + asked.hours * 3'600};
    std::cout << tokens::sign(tokens::load_secret(asked.state_dir), pass) << "\n";
    return 0;
}

} // namespace cloister::cli
