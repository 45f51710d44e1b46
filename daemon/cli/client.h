// The command line as a client of a running daemon.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cloister::cli {

struct ClientRun {
    std::string address = "127.0.0.1:8000"; ///< ADDR:PORT, IPv6 in brackets
    std::string token{};                    ///< empty: none
    std::string language{};
    std::string file_name{};
    std::string code{}; ///< any bytes
    std::vector<std::string> arguments{};
};

/// Runs the program with our own stdin, stdout and stderr as its streams; SIGINT and SIGTERM go to
/// the program, the second one ends the run. Returns the exit status: the program's own, 128 + N
/// for signal N, 124 at a time limit, 1 when it did not compile, 125 otherwise. Nothing when no
/// daemon answers. Throws std::runtime_error with a sentence when one answers but refuses us.
std::optional<int> run_through_daemon(const ClientRun& run);

/// The id of the daemon's language for a file of that name, by its ending. Nothing when no daemon
/// answers. Throws std::runtime_error when it knows none.
std::optional<std::string> find_language(const std::string& address, const std::string& token,
                                         const std::string& file_name);

/// The daemon's languages as a table of text, and how many boxes stand ready. Nothing when no
/// daemon answers.
std::optional<std::string> fetch_runtimes(const std::string& address, const std::string& token);

/// The daemon's status, a JSON text (docs/operations.md). Nothing when no daemon answers. Throws
/// std::runtime_error when it refuses.
std::optional<std::string> fetch_status(const std::string& address, const std::string& token);

/// The ids of the languages that the daemon can run. Throws std::runtime_error when none answers.
std::vector<std::string> available_languages(const std::string& address, const std::string& token);

/// Without white space at both ends.
std::string trimmed(const std::string& text);

} // namespace cloister::cli
