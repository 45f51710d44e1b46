// A program that somebody wants run, as it was asked for. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cloister::front {

/// `limits` of a request; absent members mean the policy's value.
struct LimitsAsked {
    std::optional<std::chrono::milliseconds> wall_time{};
    std::optional<std::chrono::milliseconds> cpu_time{};
    std::optional<std::uint64_t> memory{};
    std::optional<std::uint64_t> cpu_percent{};
    std::optional<std::uint64_t> processes{};
    std::optional<std::uint64_t> output_bytes{};
    std::optional<std::uint64_t> file_bytes{};
    std::optional<std::uint64_t> file_count{};
    std::optional<std::uint64_t> open_files{};
    std::optional<std::uint64_t> stack{};
};

struct SourceFile {
    std::string path;
    std::string content;
};

struct ExecuteCode {
    std::optional<std::string> id{};
    std::optional<std::string> code{}; ///< absent when `files` holds the program, or the room
    std::string language{};
    std::string file_path{};
    std::string version{};
    bool stream = false;
    bool usage = false;
    std::optional<std::string> input{}; ///< `stdin`
    bool interactive = false;
    bool terminal = false; ///< `tty`
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
    std::vector<std::string> arguments{};
    std::vector<std::string> compiler_options{}; ///< words behind the compiler's own options
    std::vector<SourceFile> files{};
    std::vector<SourceFile> data{}; ///< laid beside the program; its compiler does not see them
    std::string entry{};
    std::vector<std::string> collect{}; ///< paths of files to be read back when it has ended
    std::string collected_folder{};     ///< whose files are, too, all of them; empty: none
    LimitsAsked limits{};
    LimitsAsked compile_limits{};
    bool ordered = false;    ///< see Job
    bool merged = false;     ///< likewise
    bool one_source = false; ///< a compiler is told of `entry` alone, the other files lie beside it
    bool base64 = false;     ///< `output_encoding`
    bool is_private = false; ///< not for the others in the room
};

} // namespace cloister::front
