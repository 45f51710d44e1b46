// What is kept of one submission. A plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cloister::store {

struct SavedSubmission {
    std::string id{};
    std::string kind{};                  ///< "execute", "judge" or "judge0"
    std::optional<std::string> key{};    ///< the client's own, by which it is found again
    std::string digest{};                ///< of the request
    std::string request{};               ///< itself, where its kind shows it again
    std::string state{};                 ///< "queued", "running", "done" or "failed"
    std::string text{};                  ///< JSON: of `done` the result, of `failed` the error
    std::uint64_t last_event = 0;        ///< number of its last event
    std::chrono::milliseconds created{}; ///< since 1970, as those below
    std::chrono::milliseconds ended{};   ///< 0 while it is under way
    std::chrono::milliseconds expires{}; ///< 0 while it is under way

    bool operator==(const SavedSubmission&) const = default;
};

} // namespace cloister::store
