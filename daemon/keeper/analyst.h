// The analyst's box: the one that lives as long as the daemon. Everything that a run's box has
// holds for it, too; only that nobody waits for its end, and that it is made again when it ends.
// What it is shown are its own program and the operator's files about languages. The keeper hands
// its control socket to the front and never reads it.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/keeper/run.h"
#include "isolate/box.h"
#include "isolate/instance.h"
#include "isolate/network.h"
#include "isolate/root_template.h"

#include <functional>
#include <optional>
#include <string>

namespace cloister::keeper {

class Analyst {
public:
    /// Makes nothing yet; `dispatch` does. Without a program nothing ever is. Where its box
    /// cannot be made the daemon serves without analysis: that is said once on standard error.
    Analyst(isolate::Instance& instance, const config::Settings& settings,
            const std::string& program, std::function<void(isolate::Fd control)> begun);
    ~Analyst();
    Analyst(const Analyst&) = delete;
    Analyst& operator=(const Analyst&) = delete;

    // for the loop: -1 where there is nothing to watch
    int report_fd() const { return box_ && !box_->reports_ended() ? box_->report_fd() : -1; }
    int init_fd() const { return box_ && !init_gone_ ? box_->init_fd() : -1; }
    int oom_event() const { return box_ && !init_gone_ ? box_->oom_event() : -1; }
    std::optional<Clock::time_point> next_deadline() const { return next_; }
    /// Does what is due.
    void dispatch();

private:
    void begin();
    void read_reports();
    void take_memory_event();
    void clean();
    void give_up(const std::string& why);

    isolate::Instance& instance_;
    std::function<void(isolate::Fd)> begun_;
    isolate::Limits limits_{};
    std::optional<isolate::SeccompProgram> filter_{};
    std::optional<isolate::RootTemplate> root_{};
    isolate::Network network_{};
    std::vector<isolate::Word> command_{};
    std::vector<std::string> environment_{};
    std::string program_{};
    std::optional<isolate::Box> box_{};
    bool init_gone_ = false;
    bool emptied_ = false;
    Clock::time_point began_{};
    std::optional<Clock::time_point> next_{}; ///< when to begin, to look, or to go on with cleaning
    std::chrono::milliseconds pause_{};       ///< before the next one begins
    unsigned count_ = 0;
};

} // namespace cloister::keeper
