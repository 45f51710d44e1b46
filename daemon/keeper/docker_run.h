// What Docker keeps for one container, from `docker run` to its end. For docker*.cpp only.
#pragma once

#include "daemon/keeper/docker.h"
#include "daemon/keeper/watched.h"

namespace cloister::keeper {

struct Docker::Run : Watched {
    std::uint64_t serial = 0;
    unsigned slot = 0;
    wire::Stage stage = wire::Stage::run;
    std::uint32_t flags = 0;
    const PolicyPlan* policy = nullptr;
    std::string name{};
    std::string folder{};
    std::string volume{};
    std::uint64_t artifact = 0; ///< that it shows
    RunFds fds{};               ///< until the order

    DockerClient::Child command{};
    isolate::Fd listener{};
    isolate::Fd report{};
    isolate::Fd init{};
    isolate::Fd program{};
    isolate::Fd forbidden{};
    isolate::Cgroup group{};

    isolate::Fd collect_pipe{}; ///< the end for the files to read back, until the order
    bool connected = false;     ///< its first process was there
    bool stopped = false;       ///< has been told to end, one way or another
    bool init_gone = false;
    bool answered = false;
    // of a holder
    unsigned users = 0;
    bool released = false;
};

} // namespace cloister::keeper
