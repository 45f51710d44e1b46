// Everything that an operator decides, read once as root at start: the configuration file, the
// environment (also from a .env beside the file), the flags, the policies and the runtimes. The
// keeper hands the same bytes to the front in a sealed memfd, so both number policies and runtimes
// alike. Keys and their meaning: the members below, spelled the same in cloister.jsonc.
#pragma once

#include "isolate/limits.h"
#include "policies/policy.h"
#include "runtimes/runtime.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cloister::config {

struct Config {
    std::string listen = "127.0.0.1:8000"; ///< ADDR:PORT, IPv6 in brackets; port 0: any free one
    std::string state_dir = "/var/lib/cloister";
    std::string user = "cloister"; ///< the front's account; without it, a number of our own
    std::string token_file{};      ///< required when `listen` is not loopback
    std::vector<std::string> allowed_origins{}; ///< exact, beside the origins of `listen` itself
    std::vector<std::string> allowed_hosts{};   ///< exact Host values, beside those of `listen`
                                                ///< itself
    std::string executor = "auto"; ///< native, else docker, else nothing; or one of these two
    std::string docker_host{};     ///< unix://PATH of the engine's socket; empty: the command's own
    std::string run_policy = "default"; ///< policy of run steps that name none
    std::uint32_t boxes = 0;            ///< runs at one time; 0: four per core
    std::uint32_t prepared_boxes = 16;  ///< made ahead at most; 0: none, and no kits
    std::uint32_t warm_boxes = 8;       ///< of these, with an interpreter; 0: none
    std::uint64_t prepared_memory = 512 * isolate::kMiB; ///< that all of these may hold
    std::uint64_t artifact_cache = 256 * isolate::kMiB;  ///< of compiled programs; 0: none is kept
    std::uint32_t queue = 1024;                          ///< waiting runs, all clients together
    std::uint32_t runs_per_client = 4;                   ///< running at one time
    std::uint32_t queue_per_client = 16;                 ///< waiting
    std::uint32_t connections = 10'000;
    std::uint32_t connections_per_address = 256; ///< not applied to loopback
    std::uint64_t message_bytes = 1 * isolate::kMiB;
    std::uint64_t code_bytes = 256 * isolate::kKiB;
    std::uint32_t json_depth = 32;
    std::uint32_t files_per_run = 64;
    std::uint32_t arguments_per_run = 64;
    std::uint32_t collect_files = 64;                ///< that one run may be asked for
    std::uint64_t collect_bytes = 1 * isolate::kMiB; ///< of these together
    std::uint32_t messages_per_second = 60;
    std::uint32_t message_burst = 240;
    std::uint64_t send_queue_bytes = 1 * isolate::kMiB;
    std::uint32_t send_queue_messages = 2'048;
    std::uint64_t input_queue_bytes = 256 * isolate::kKiB; ///< unread execution_input per run
    std::uint64_t body_bytes = 1 * isolate::kMiB;          ///< of one HTTP request
    std::chrono::seconds body_timeout{20};                 ///< for a request's body to arrive
    std::uint32_t submissions = 10'000;                    ///< kept over HTTP, under way and ended
    std::uint64_t submissions_bytes = 256 * isolate::kMiB; ///< of their results, on disk
    std::uint32_t submission_keep_minutes = 60;            ///< for which an ended one is kept
    bool mcp = true;                                       ///< the Model Context Protocol at /mcp
    bool piston_api = true;                                ///< /api/v2, for clients of Piston
    bool judge0_api = true;                                ///< /submissions, for those of Judge0
    bool go_judge_api = true;                              ///< /go-judge, for those of go-judge
    std::uint32_t go_judge_files = 1'000;                  ///< that its clients leave here
    std::uint64_t go_judge_file_bytes = 256 * isolate::kMiB; ///< of all of these
    std::uint32_t go_judge_file_minutes = 60;                ///< for which an unused one is kept
    std::uint32_t mcp_sessions = 1'000;                      ///< at one time
    std::uint32_t mcp_session_minutes = 30;                  ///< for which an unused one is kept
    std::string judge0_callbacks = "off"; ///< or public, to the internet alone; or anywhere
    std::string judge_policy = "judge";   ///< policy of judged programs, checkers and interactors
    std::uint32_t judge_tests = 2'000;    ///< of one submission
    std::uint32_t judge_parallel = 2;     ///< tests of one submission that run at one time
    std::string room_tokens = "optional"; ///< or required: nobody joins a room without one
    std::string room_role = "runner";     ///< without a token, of who joins a room with an owner
    std::uint32_t rooms = 1'000;          ///< in memory at one time
    std::uint32_t room_keep_hours = 24;   ///< for which an empty room is kept
    std::uint64_t rooms_memory = 512 * isolate::kMiB; ///< of all of them
    std::uint64_t store_bytes = 4096 * isolate::kMiB; ///< of the store of rooms on disk
    std::uint32_t store_rooms = 10'000;               ///< in it
    std::uint32_t history_updates = 100'000;          ///< of one document, on disk
    std::uint64_t history_bytes = 8 * isolate::kMiB;
    std::string store_damaged = "refuse"; ///< to start; or set_aside: serve all but what is damaged
    std::uint32_t room_members = 100;
    std::uint32_t room_files = 64;
    std::uint64_t room_bytes = 4 * isolate::kMiB; ///< of all documents of a room
    std::uint64_t document_bytes = 1 * isolate::kMiB;
    std::uint32_t document_log_updates = 10'000; ///< for those who come back
    std::uint32_t push_updates = 64;
    std::uint64_t document_log_bytes = 4 * isolate::kMiB;
    std::uint64_t push_bytes = 256 * isolate::kKiB; ///< inserted by one push
    std::uint32_t path_part_bytes = 255;
    std::uint32_t name_chars = 64;
    std::uint32_t chat_chars = 4'000;
    std::uint32_t chat_kept = 50; ///< lines for those who join
    std::uint32_t chat_per_second = 2;
    std::uint32_t chat_burst = 6;
    std::uint32_t presence_per_second = 30;
    std::uint32_t signals_per_second = 50; ///< rtc_signal
    std::uint64_t signal_bytes = 16 * isolate::kKiB;
    std::uint32_t room_runs = 20;                     ///< last results for those who join
    std::uint64_t room_run_bytes = 4 * isolate::kKiB; ///< of each one's output, and of its errors
    std::string log_runs = "all"; ///< or faults: not those that ended by themselves; or none
    std::chrono::seconds handshake_timeout{10};
    std::chrono::seconds idle_ping{25};
    std::chrono::seconds drain_time{10}; ///< for runs under way when the service stops
    bool operator==(const Config&) const = default;
};

struct Settings {
    Config config{};
    /// What runs programs: the executor that `config.executor` came to on this host, found out at
    /// start. Results tell it.
    std::string method = "native";
    /// What runs are not protected from there, in words (docs/executors.md). Results tell it.
    std::vector<std::string> unprotected{};
    policies::Policies policies{};
    runtimes::Runtimes runtimes{};
    /// The texts that the two were parsed from, for the hand-over to the front.
    std::map<std::string, std::string, std::less<>> policy_texts{};
    std::map<std::string, std::string, std::less<>> runtime_texts{};
};

/// Where to read from. Empty members mean the built-in place.
struct Sources {
    std::string config_file{};  ///< /etc/cloister/cloister.jsonc; missing is fine unless named by a
                                ///< flag
    std::string policies_dir{}; ///< beside the executable in a build tree, else
                                ///< /usr/share/cloister/policies
    std::string runtimes_dir{};
    std::map<std::string, std::string> flags{}; ///< "listen" and "state_dir", which come last
    std::map<std::string, std::string> environment{};
};

/// Reads, merges (file, then .env, then environment, then flags) and checks everything, including
/// that every policy a runtime names exists. MAX_EXECUTION_TIME (s), MAX_MEMORY_LIMIT ("128m"),
/// MAX_CPU_QUOTA (µs per 100 ms) and DOCKER_ENABLED set the ceilings of every policy that extends
/// or is the run policy, never of `compile`. Throws std::runtime_error with a sentence for the
/// operator.
Settings load(const Sources& sources);

/// Policies and runtimes as they are on disk now, over the configuration that holds already, which
/// changes by a restart alone; `restart_needed` tells whether it would. Throws as load().
Settings reread(const Settings& current, const Sources& sources, bool& restart_needed);

/// The settings as one JSON text, and back: the hand-over from keeper to front.
std::string to_text(const Settings& settings);
Settings from_text(const std::string& text);

} // namespace cloister::config
