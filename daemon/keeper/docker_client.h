// The command `docker`, driven with argument lists that are fixed but for numbers and names of our
// own: no shell, and no text of a client's. Its processes are watched by their pidfds.
#pragma once

#include "isolate/fd.h"
#include "isolate/limits.h"

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace cloister::keeper {

/// The label of everything that we make in the engine; its value says whose it is.
inline constexpr const char* kContainerLabel = "cloister.state_dir";

/// Where a container finds what we show it.
inline constexpr const char* kContainerSocketFolder = "/run/cloister";
inline constexpr const char* kContainerInit = "/usr/libexec/cloister/cloister-container";

/// One container. All of it is ours or the operator's.
struct ContainerSpec {
    std::string name{};
    std::string owner{}; ///< value of kContainerLabel
    std::string image{};
    uid_t user_id = 0;
    isolate::Limits limits{};
    std::string profile{};                  ///< path of the seccomp profile
    bool executable_files = false;          ///< in /box and /tmp
    std::string socket_folder{};            ///< shown at kContainerSocketFolder, read-only
    std::string init_program{};             ///< shown at kContainerInit, read-only
    std::string volume{};                   ///< of a compiler's work; empty: none
    bool makes_volume = false;              ///< at /box, writable; else at /app, read-only
    std::vector<std::string> words{};       ///< of kContainerInit
    std::vector<std::string> more_mounts{}; ///< "PATH => PLACE", read-only: of the self-test
};

/// What follows `docker`.
std::vector<std::string> run_arguments(const ContainerSpec& spec);

class DockerClient {
public:
    /// `host`: as of docker(1) --host, a unix:// address; empty: the command's own default.
    explicit DockerClient(std::string host) : host_(std::move(host)) {}

    struct Child {
        pid_t pid = -1;
        isolate::Fd process{}; ///< readable: it has ended
        isolate::Fd output{};  ///< memfd with what it said, to both streams
        std::string said() const;
    };
    /// Throws isolate::SysError.
    Child start(const std::vector<std::string>& arguments) const;
    /// Takes the ended child's status: its exit status, or -1 after a signal.
    static int reap(Child& child);

    struct Answer {
        int status = -1; ///< -1: ended by a signal, or not in time
        std::string text{};
        std::vector<std::string> lines() const;
    };
    /// Waits for the end, at most `patience`. Throws isolate::SysError.
    Answer ask(const std::vector<std::string>& arguments,
               std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

private:
    std::string host_;
};

} // namespace cloister::keeper
