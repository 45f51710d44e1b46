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
#include <vector>

namespace cloister::front {

class HeardRuns {
public:
    explicit HeardRuns(Executions& executions) : executions_(executions) {}

    struct Run {
        std::string name{};             ///< that Executions knows it by
        std::function<void()> cancel{}; ///< harmless once the run has ended
        /// What Executions would say; nothing happens to a run that has ended.
        std::function<std::optional<Refusal>(std::string_view data, bool eof)> input{};
        std::function<std::optional<Refusal>(std::uint16_t columns, std::uint16_t rows)> resize{};
    };
    /// `heard` is called once: with Finished or Refused; maybe before this returns. A refusal means
    /// that nothing was started, and it is not called. `asker` tells who is one client.
    std::variant<Run, Refusal> start(const std::string& asker, Job job,
                                     std::function<void(const Event&)> heard);
    struct Part {
        Job job{};
        std::function<void(const Event&)> heard{};
        std::function<void(const Event&)> watch{}; ///< may be empty: hears Output
    };
    /// As above, for one that is watched.
    std::variant<Run, Refusal> start(const std::string& asker, Part part);
    /// Programs that talk with each other (Executions::Group), each heard of, in their order.
    struct Parts {
        std::vector<Part> parts{};
        std::vector<Executions::Wire> wires{};
        bool stands_or_falls = false;
    };
    std::variant<std::vector<Run>, Refusal> start_group(const std::string& asker, Parts group);
    /// While an asker does not read, the programs that it watches wait.
    void set_congested(const std::string& asker, bool congested);
    std::size_t askers() const { return askers_.size(); }

private:
    /// Ends come by Job::heard; output is for those who watch.
    struct Asker : Listener {
        void on_event(const Event& event) override;
        std::map<std::string, std::function<void(const Event&)>> watchers{}; ///< by Job::id
        ClientId client = 0;
        std::size_t under_way = 0;
    };
    ClientId enter(const std::string& name, std::size_t runs);
    Run hear(const std::string& asker, ClientId client, Part& part);
    void leave(const std::string& name, const std::string& run);

    Executions& executions_;
    std::map<std::string, std::shared_ptr<Asker>> askers_{};
};

} // namespace cloister::front
