// Runs that somebody asked for over HTTP and that one caller of ours hears the end of. Who asks is
// a client of Executions like any other, for as long as something of it is under way, so that the
// fair queue knows them apart.
#pragma once

#include "daemon/front/executions.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

namespace cloister::front {

class HeardRuns {
public:
    explicit HeardRuns(Executions& executions) : executions_(executions) {}

    struct Run {
        std::string name{};             ///< that Executions knows it by
        std::function<void()> cancel{}; ///< harmless once the run has ended
    };
    /// `heard` is called once: with Finished or Refused; maybe before this returns. A refusal means
    /// that nothing was started, and it is not called. `asker` tells who is one client.
    std::variant<Run, Refusal> start(const std::string& asker, Job job,
                                     std::function<void(const Event&)> heard);
    std::size_t askers() const { return askers_.size(); }

private:
    /// Everything that it hears comes by Job::heard.
    struct Asker : Listener {
        void on_event(const Event&) override {}
        ClientId client = 0;
        std::size_t under_way = 0;
    };
    void leave(const std::string& name);

    Executions& executions_;
    std::map<std::string, std::shared_ptr<Asker>> askers_{};
};

} // namespace cloister::front
