// The native executor: what can be run, worked out for boxes (Catalogue), and the boxes (Runs).
#pragma once

#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/executor.h"
#include "daemon/keeper/runs.h"

namespace cloister::keeper {

class Native final : public Executor {
public:
    /// Throws isolate::SysError when this host cannot make a root.
    Native(isolate::Instance& instance, const config::Settings& settings, Events events);

    bool start(const wire::RunFrame& frame, RunFds fds) override {
        return runs_.start(frame, std::move(fds));
    }
    void kill(std::uint64_t run_id, isolate::Verdict reason) override {
        runs_.kill(run_id, reason);
    }
    void signal(std::uint64_t run_id, int number) override { runs_.signal(run_id, number); }
    void ask_life(std::uint64_t run_id, std::uint32_t stream) override {
        runs_.ask_life(run_id, stream);
    }
    void release(std::uint64_t run_id) override { runs_.release(run_id); }
    int fd() const override { return runs_.fd(); }
    std::optional<Clock::time_point> next_deadline() const override {
        return runs_.next_deadline();
    }
    void dispatch() override { runs_.dispatch(); }
    wire::StatusReply status() const override;
    First extend(const config::Settings& settings) override;
    void renew(First before, First first) override;
    std::uint32_t runtimes() const override { return catalogue_.runtimes(); }

private:
    Catalogue catalogue_;
    Runs runs_;
};

} // namespace cloister::keeper
