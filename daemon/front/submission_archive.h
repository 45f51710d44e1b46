// Where submissions outlive the process. Every call is done when it returns, and throws when it
// could not be done; then nothing of it was.
#pragma once

#include "daemon/front/store/submission.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front {

class SubmissionArchive {
public:
    virtual ~SubmissionArchive() = default;
    /// New, or in the place of the one with this id.
    virtual void keep(const store::SavedSubmission& submission) = 0;
    virtual std::optional<store::SavedSubmission> find_submission(std::string_view id) = 0;
    virtual std::optional<store::SavedSubmission> find_key(std::string_view key) = 0;
    /// Those that were under way when the last process ended become `failed` with this text.
    virtual void end_interrupted(std::string_view text, std::chrono::milliseconds now,
                                 std::chrono::milliseconds expires) = 0;
    /// Removes what has expired, and the oldest ended ones beyond the bounds; some at a time.
    virtual void tidy_submissions(std::chrono::milliseconds now) = 0;
    /// How many are kept, under way or not.
    virtual std::size_t submission_count() = 0;
    virtual std::size_t count_kind(std::string_view kind) = 0;
    /// Ids, the newest first, from the one that `skip` others precede.
    virtual std::vector<std::string> list_kind(std::string_view kind, std::uint64_t skip,
                                               std::uint64_t count) = 0;
    virtual void forget(const std::string& id) = 0;
};

} // namespace cloister::front
