// What became of a command, in go-judge's words. Pure, but for the files that it leaves here.
#pragma once

#include "daemon/front/events.h"
#include "daemon/front/go_judge/files.h"
#include "daemon/front/go_judge/requests.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front::go_judge {

struct FileError {
    std::string name{};
    std::string_view type{};
    std::string message{};
};

struct CommandResult {
    std::string_view status = "Internal Error";
    int exit_status = 0;
    std::string error{};
    std::chrono::nanoseconds time{};
    std::chrono::nanoseconds run_time{};
    std::uint64_t memory = 0;
    std::uint64_t processes_peak = 0;
    std::map<std::string, std::string> files{}; ///< raw bytes
    std::map<std::string, std::string> file_ids{};
    std::vector<FileError> file_errors{};
};

/// A command that was not started, for what is wrong with its files.
CommandResult file_error(std::string name, std::string_view type, std::string message);

/// Takes away what a command brings back, for being too much.
void drop_files(CommandResult& result, const std::string& why);

/// `limits`: what the command ran within.
CommandResult result_of(const Command& command, const isolate::Limits& limits, const Event& event,
                        FileStore& store);

/// One result as JSON, or all of them as a list.
std::string to_text(const CommandResult& result);
std::string to_text(const std::vector<CommandResult>& results);

} // namespace cloister::front::go_judge
