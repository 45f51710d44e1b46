// What front and keeper say to each other: fixed-size frames over one SOCK_SEQPACKET pair, with
// descriptors beside them (SCM_RIGHTS). No frame holds a path, an argument, an environment string
// or a byte that a client wrote. Both ends check every frame as if the other were hostile; a frame
// that is not permitted ends both processes.
#pragma once

#include "isolate/fd.h"
#include "isolate/life.h"
#include "isolate/limits.h"
#include "isolate/verdict.h"

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace cloister::wire {

enum class Kind : std::uint32_t {
    // front to keeper
    run = 1,             ///< with 1 descriptor, the bundle; answered by `streams`
    kill = 2,            ///< end a run, or (signal != 0) send its program a signal
    release = 3,         ///< forget the artifact of a finished compile run
    status = 4,          ///< ask for StatusReply
    run_on_terminal = 5, ///< as `run`, with 2 descriptors: the program's side of a terminal, bundle
    ready = 6,           ///< clients are served from now on; said once
    reloaded = 7,        ///< the answer to `reload`
    life = 8, ///< asks whether a run's program goes on; answered by `life_reply`, or by `ended`
    // keeper to front
    started = 101,
    ended = 102,
    status_reply = 103,
    drain = 104,   ///< the service is stopping: finish within the drain time, then exit 0
    streams = 105, ///< with 3 descriptors, our ends of a run's pipes: stdin, stdout, stderr; for
                   ///< one
                   ///< that asked by kFlagCollect with a fourth
    analyst = 106, ///< with 1 descriptor, the control socket of an analyst that begins (analyst.h)
    usage = 107,   ///< what a run uses at the moment, for one that asked by kFlagUsage
    reload = 108,  ///< with 1 descriptor, the settings' text; what is asked for from now on is
                   ///< numbered anew. One at a time
    life_reply = 109,
};

/// Which of a runtime's steps a run is.
enum class Stage : std::uint32_t { version = 0, compile = 1, run = 2, check = 3 };
inline constexpr std::size_t kStages = 4;

/// How much of a box was ready when its run was asked for.
enum class Level : std::uint32_t {
    cold,     ///< nothing
    prepared, ///< the box
    warm,     ///< the box, and in it the runtime's interpreter
};
inline constexpr std::array kLevelNames = {"cold", "prepared", "warm"};

inline constexpr std::uint32_t kFlagLive = 1; ///< output is watched as it happens
/// The program is what the runtime's warm interpreter expects: the default file, the default main
/// class, and no arguments where it takes none (runtimes::WarmPlan). A false one harms nobody but
/// the run itself.
inline constexpr std::uint32_t kFlagUsual = 2;
inline constexpr std::uint32_t kFlagUsage = 4; ///< `usage` frames while the program runs
/// The files that the bundle names are read back when the program has ended: the run's streams have
/// a fourth one, which brings them (isolate/collection.h). Not on a terminal.
inline constexpr std::uint32_t kFlagCollect = 8;
/// The program's stderr is its stdout, so that what it writes to the two comes in the order in
/// which it was written; the stream of stderr ends at once. Never in a warm box. Without effect on
/// a terminal, which is so anyway.
inline constexpr std::uint32_t kFlagMerge = 16;
/// It talks with other runs: when its program ended is taken from the kernel the moment it happens,
/// so that of two that talk it is certain who ended first.
inline constexpr std::uint32_t kFlagTalks = 32;

struct RunFrame {
    std::uint64_t run_id = 0;  ///< the front's choice, never used twice, never 0
    std::uint32_t runtime = 0; ///< number in config::Settings::runtimes
    std::uint32_t policy = 0;  ///< number in config::Settings::policies
    Stage stage = Stage::run;
    std::uint32_t flags = 0;
    std::uint64_t artifact = 0; ///< run_id of the compile run whose work is shown at /app; 0: none
    isolate::Limits limits{};   ///< none above the policy's
};

struct KillFrame {
    std::uint64_t run_id = 0; ///< a run that has ended meanwhile is no error
    std::uint32_t signal = 0; ///< 0: end the run for `reason`
    isolate::Verdict reason = isolate::Verdict::cancelled; ///< cancelled or output_limit
};

struct ReleaseFrame {
    std::uint64_t run_id = 0;
};

/// Question and answer. A run that has ended meanwhile is not answered: its `ended` was.
struct LifeFrame {
    std::uint64_t run_id = 0;
    std::uint32_t stream = 0; ///< whose end is the reason: 0 stdout, 1 stderr; comes back as it was
    isolate::Life life = isolate::Life::unknown; ///< of the answer
};

/// The run's pipes, before anything else is told about it. The keeper makes them, because those of
/// a box that was made ahead are older than the run; it never reads or writes them.
struct StreamsFrame {
    std::uint64_t run_id = 0;
};

struct StartedFrame {
    std::uint64_t run_id = 0;
    std::int64_t setup_ns = 0;
    Level level = Level::cold;
    std::uint32_t reserved = 0;
};

/// Now and then while the program runs. One that finds the socket full is not sent at all: the next
/// one says more.
struct UsageFrame {
    std::uint64_t run_id = 0;
    std::int64_t wall_ns = 0;
    std::int64_t cpu_ns = 0;
    std::uint64_t memory_bytes = 0;
};

/// Exactly one for each run frame, after the box is proven empty.
struct EndedFrame {
    std::uint64_t run_id = 0;
    isolate::Outcome outcome{};
    std::uint64_t artifact_bytes = 0; ///< held by what a successful compile run left; else 0
};

/// What runtimes and policies of the new settings are called: those before keep their numbers, for
/// runs that began with them.
struct ReloadFrame {
    std::uint32_t first_runtime = 0;
    std::uint32_t first_policy = 0;
};

struct ReloadedFrame {
    std::uint32_t taken = 0; ///< 0: everything stays as it was
    std::uint32_t reserved = 0;
};

struct StatusReply {
    std::uint32_t boxes = 0; ///< how many runs may be under way at one time
    std::uint32_t running = 0;
    std::uint32_t artifacts = 0;
    std::uint32_t prepared = 0; ///< boxes that stand ready, warm ones included
    std::uint32_t warm = 0;
    std::uint32_t quarantined = 0; ///< slots that could not be proven empty
    std::uint64_t runs = 0;        ///< since start
};

struct Frame {
    Kind kind = Kind::status;
    std::uint32_t reserved = 0;
    union Body {
        RunFrame run;
        KillFrame kill;
        ReleaseFrame release;
        LifeFrame life;
        StreamsFrame streams;
        StartedFrame started;
        UsageFrame usage;
        EndedFrame ended;
        StatusReply status;
        ReloadFrame reload;
        ReloadedFrame reloaded;
        Body() : run{} {}
    } body{};
};
static_assert(std::is_trivially_copyable_v<Frame>);

inline constexpr std::size_t kMaxFrameFds = 4;
/// Artifacts that the keeper holds beside one for each box, which may be its compiler's, or dropped
/// while the box runs it. Beyond, a compile run ends before it starts.
inline constexpr std::size_t kKeptArtifacts = 256;

struct Received {
    enum class State { frame, nothing, closed } state = State::nothing;
    Frame frame{};
    std::array<isolate::Fd, kMaxFrameFds> fds{};
    std::size_t fd_count = 0;
};

/// Sends one frame. Returns false when the socket's buffer is full (EAGAIN). Throws
/// std::system_error on anything else (EPIPE: the peer is gone).
bool send(int socket, const Frame& frame, const int* fds = nullptr, std::size_t fd_count = 0);

/// Takes one frame, never blocking. Throws std::runtime_error on a packet that is not one whole
/// frame or carries more descriptors than kMaxFrameFds.
Received receive(int socket);

} // namespace cloister::wire
