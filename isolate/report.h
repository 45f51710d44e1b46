// For the inside of a box only: how its processes tell the keeper what happened, without
// allocating.
#pragma once

#include "isolate/inside.h"

#include <cerrno>
#include <ctime>

namespace cloister::isolate {

/// Where the report socket sits once a process of the box has put its descriptors in order. Below
/// are the streams (or the socket again, as a filler), above is nothing.
inline constexpr int kReportFd = 3;
/// Above it, of Means::fence alone: the rules, until the program's process has entered the fence.
inline constexpr int kFenceFd = 4;

std::int64_t nanoseconds_of(clockid_t clock);

/// One packet, with a descriptor beside it unless `fd` is -1, and with the present time unless it
/// has one. False when the keeper is gone.
bool send_report(int socket, Report report, int fd = -1);

/// Names the step that failed to the keeper and ends the process.
[[noreturn]] void fail(int report_fd, Step step, int error = errno);

/// One step: its name, and whether it went well.
class Steps {
public:
    explicit Steps(int report_fd) : report_fd_(report_fd) {}
    void require(Step step, bool good) const {
        if (!good) fail(report_fd_, step);
    }
    void require_call(Step step, long result) const { require(step, result >= 0); }

private:
    int report_fd_;
};

} // namespace cloister::isolate
