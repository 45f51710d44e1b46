// What happens in a call, as the notifications that a client asked for by a progress token. Between
// two that tell of output at least a tenth of a second passes, so that they are no flood.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/submissions.h"

#include <optional>
#include <string>

namespace cloister::front::mcp {

class Progress {
public:
    /// `token` is JSON; empty: nobody asked. `tests`: of a judging, how many; 0: it is a run.
    Progress(std::string token, std::size_t tests) : token_(std::move(token)), tests_(tests) {}

    /// The notification that tells of this event; empty when nothing is to be told.
    std::string tell(const Submissions::Event& event, Clock::time_point now);

private:
    std::string notification(const std::string& value, std::string_view message) const;

    std::string token_;
    std::size_t tests_;
    std::optional<Clock::time_point> last_{}; ///< when output or usage was told
};

/// The beginning and the end of `text`, about `most` bytes of it, cut between characters; how many
/// bytes are left out is said between them and added to `left_out`.
std::string shorten(const std::string& text, std::size_t most, std::uint64_t& left_out);

} // namespace cloister::front::mcp
