// Which versions of the languages this host has: asked for once, at the start and at a reload.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/jobs.h"

#include <cstddef>
#include <functional>

namespace cloister::front {

/// Asks each runtime for its version, through boxes like any other run: as many at a time as a
/// client may. Both that it is given outlive it.
class VersionProbe : public Listener {
public:
    /// `done` is called once all have been asked and have answered, maybe by start().
    VersionProbe(Catalog& catalog, Executions& executions, std::function<void()> done)
        : catalog_(catalog), executions_(executions), done_(std::move(done)) {}
    ~VersionProbe() override { executions_.close_client(client_); }
    VersionProbe(const VersionProbe&) = delete;
    VersionProbe& operator=(const VersionProbe&) = delete;

    void start();
    /// False when a runtime was not asked, since the service is too busy or stopping.
    bool whole() const { return whole_; }
    void on_event(const Event& event) override;

private:
    void ask();
    void answered();
    Catalog::Entry& entry(const RunTag& run);

    Catalog& catalog_;
    Executions& executions_;
    std::function<void()> done_;
    ClientId client_ = 0;
    std::size_t next_ = 0;
    std::size_t pending_ = 0;
    bool whole_ = true;
};

} // namespace cloister::front
