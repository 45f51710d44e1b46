// The Docker executor: the same requests, events and verdicts as natively, each run in a container
// of its own. The engine makes namespaces, root and groups; from there on it is our own first
// process (isolate/contained.h) that the keeper speaks to, over a socket that only this container
// is shown: it gets the streams, the sealed bundle and the filter as descriptors, so that no
// client's byte passes through the engine or through root. What a run used, and why it ended, is
// read from the container's control groups, not asked of the engine.
//
// What a compiler leaves lies in a tmpfs volume of its container, which stays, with our first
// process alone in it, until the artifact is released; run containers show the volume read-only.
#pragma once

#include "daemon/keeper/docker_client.h"
#include "daemon/keeper/executor.h"
#include "isolate/cgroup.h"
#include "isolate/inside.h"
#include "isolate/instance.h"

#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace cloister::keeper {

/// For a container to come up, on a busy host too.
inline constexpr std::chrono::seconds kContainerTime{60};

class Docker final : public Executor {
public:
    /// Asks the engine which images there are, and removes what an earlier keeper of the same state
    /// directory left. `instance` may be null. Throws isolate::SysError or std::runtime_error.
    Docker(isolate::Instance* instance, const config::Settings& settings, Events events);
    ~Docker() override;

    bool start(const wire::RunFrame& frame, RunFds fds) override;
    void kill(std::uint64_t run_id, isolate::Verdict reason) override;
    void signal(std::uint64_t run_id, int number) override;
    void ask_life(std::uint64_t run_id, std::uint32_t stream) override;
    void release(std::uint64_t run_id) override;
    int fd() const override { return epoll_.get(); }
    std::optional<Clock::time_point> next_deadline() const override;
    void dispatch() override;
    wire::StatusReply status() const override;
    First extend(const config::Settings& settings) override;
    void renew(First before, First first) override;
    std::uint32_t runtimes() const override { return static_cast<std::uint32_t>(runtimes_.size()); }

    /// Shown in every container at the place behind " => ". For the self-test.
    void show(std::string mount) { more_mounts_.push_back(std::move(mount)); }

private:
    struct Run;
    struct Stage {
        std::string image{};
        std::vector<std::string> words{}; ///< of the container's first process
        int missing_error = 0;            ///< not 0: it cannot be run
    };
    struct RuntimePlan {
        std::array<std::optional<Stage>, wire::kStages> stages{}; ///< by wire::Stage
    };
    struct PolicyPlan {
        isolate::Limits ceilings{};
        isolate::Fd filter{}; ///< sealed: the instructions
        bool has_listener = false;
        std::string profile{}; ///< path
        bool executable_files = false;
    };
    /// Ours below /run/cloister, with the profiles and the sockets. The lock on it ends with its
    /// keeper, however that ends; a folder without one is anybody's to remove.
    struct Folder {
        std::string path{};
        isolate::Fd lock{};
    };
    enum class Source : std::uint64_t {
        command,
        listener,
        report,
        init,
        memory,
        forbidden,
        program
    };
    /// Something of the engine's to be removed, and when to try next.
    struct Removal {
        std::vector<std::string> arguments{};
        unsigned attempts = 0;
        Clock::time_point next{};
        DockerClient::Child child{};
    };

    const Stage* stage(std::uint32_t runtime, wire::Stage stage) const;
    uid_t user_of(unsigned slot) const;
    void sweep() const;
    static Folder make_folder();
    std::set<std::string> images() const;

    // the life of a container
    void begin(Run& run, const wire::RunFrame& frame, RunFds fds, const Stage& stage);
    void watch(int fd, const Run& run, Source source, std::uint32_t events = 0);
    void unwatch(int fd) const;
    void handle(Run& run, Source source);
    void command_ended(Run& run);
    void connected(Run& run);
    void give_order(Run& run);
    void read_reports(Run& run);
    void take_report(Run& run, const isolate::Report& report, isolate::Fd fd);
    void program_ended(Run& run);
    void memory_event(Run& run);
    void forbidden_call(Run& run);
    void init_ended(Run& run);
    void end(Run& run, isolate::Verdict reason);
    void fail(Run& run, isolate::Step step, int error);
    void stop(Run& run);
    static bool end_program(Run& run);
    void count(Run& run) const;
    void answer(Run& run, std::uint64_t artifact_bytes);
    void check_clocks(Run& run, Clock::time_point now);
    void drop_artifact_use(Run& run);
    void let_go(Run& holder);
    void remove(std::vector<std::string> arguments);
    void tend_removals(Clock::time_point now);

    Events events_;
    DockerClient client_;
    std::string owner_; ///< value of kContainerLabel
    unsigned boxes_;
    uid_t first_id_;
    isolate::CgroupLayout layout_;
    Folder folder_;
    std::string init_program_;
    std::vector<std::string> more_mounts_{};
    isolate::Fd epoll_;
    std::deque<RuntimePlan> runtimes_{};
    std::deque<PolicyPlan> policies_{};
    std::map<std::uint64_t, std::unique_ptr<Run>> runs_;  ///< by a serial number of ours
    std::unordered_map<std::uint64_t, Run*> by_id_{};     ///< not answered yet
    std::unordered_map<std::uint64_t, Run*> artifacts_{}; ///< their holders, by run id
    std::set<std::uint64_t> lost_{}; ///< artifacts whose holders ended; until they are released
    std::set<unsigned> slots_{};     ///< in use
    std::list<Removal> removals_{};
    std::uint64_t serial_ = 0;
    std::uint64_t total_ = 0;
};

/// The images that `runtime` needs, as "NAME:TAG".
std::vector<std::string> images_of(const runtimes::Runtime& runtime);
/// Those that the engine has, of all names. Throws std::runtime_error when it does not answer.
std::set<std::string> images_in(const DockerClient& client);

} // namespace cloister::keeper
