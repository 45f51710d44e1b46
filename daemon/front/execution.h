// One execution and one client, as the parts of Executions know them. An Execution is in its
// client's `waiting` list; in `parked` while it waits for another one's compiler; in `running`, and
// in `by_box_`, while one of its boxes is under way; then answered (or held back while the client
// is congested) and gone. For the files that implement executions.h only.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/utf8.h"

#include <array>
#include <list>
#include <vector>

namespace cloister::front {

/// What is kept of one stream.
struct KeptStream {
    std::string bytes{};
    std::uint64_t dropped = 0;
    bool open = true;
};

/// Executions that talk with each other, in the order in which they were submitted.
struct Executions::Circle {
    std::vector<std::weak_ptr<Execution>> members{};
    std::vector<Wire> wires{};
    bool begun = false; ///< all of them
    bool stands_or_falls = false;
};

/// Where a stream goes that is another one's input.
struct Speech {
    bool connected = false;
    std::weak_ptr<void> listener{}; ///< expired when nobody listens any more
    std::uint64_t passed_on = 0;    ///< bytes
    std::uint64_t record = 0;       ///< bytes of it that are kept
};

struct Executions::Execution {
    std::uint64_t number = 0;
    ClientId client = 0;
    Job job{};
    std::size_t step = 0;
    std::uint64_t box = 0;      ///< of the step under way; 0 while waiting
    std::uint64_t artifact = 0; ///< in use until the end
    bool compiles = false;      ///< for all who want the same
    bool followed = false;      ///< has waited for another one's compiler
    bool listens = false;       ///< what another one prints is its input
    bool waits = false;         ///< for the others of its circle, with all but its program's box
    bool over = false;          ///< answered, or nobody is left to hear it
    bool cancelled = false;
    bool killing = false; ///< a kill frame is on its way
    /// Of one that talks with others, until it is over; all that wait in the queue are kept alive
    /// by the first, which waits for all.
    std::shared_ptr<Circle> circle{};
    std::vector<ExecutionPtr> others{};
    std::array<Speech, 2> speech{}; ///< by stream
    std::uint64_t follows = 0;      ///< the number of that one, while it is parked; else 0
    Clock::time_point accepted{};
    std::chrono::nanoseconds queued{};
    std::chrono::nanoseconds setup{};
    wire::Level level = wire::Level::cold; ///< of the last box
    bool told_started = false;
    std::size_t told_position = 0; ///< in the queue; 0: none yet
    std::string early_input{};     ///< arrived before the program started
    bool input_closed = false;
    std::array<KeptStream, 2> kept{};
    std::optional<isolate::CollectionReader> files{}; ///< of the box, if it has any
    bool files_open = false;
    std::vector<Piece> order{}; ///< of what is kept, when the job asks for it
    std::array<Utf8Repair, 2> repair{};
    std::uint64_t seq = 0;
    std::optional<isolate::Outcome> outcome{};
    std::uint64_t artifact_bytes = 0; ///< that a compiler left
    std::optional<CompileResult> compile{};

    const JobStep& plan() const { return job.steps[step]; }
    bool is_program() const { return box != 0 && step + 1 == job.steps.size(); }
    /// Boxes that it takes when its turn comes.
    std::size_t places() const { return 1 + others.size(); }
    std::size_t bytes() const {
        std::size_t sum = job.bytes();
        for (const ExecutionPtr& one : others) sum += one->job.bytes();
        return sum;
    }
    RunTag tag() const { return {"r" + std::to_string(number), job.id}; }
};

struct Executions::Client {
    Listener* listener = nullptr; ///< null: gone, its last boxes are being killed
    std::list<ExecutionPtr> waiting{};
    std::list<ExecutionPtr> parked{};
    std::list<ExecutionPtr> running{};
    /// Answers that wait for the client to read. A list, since an empty deque owns half a KiB.
    std::list<Event> held{};
    bool congested = false;

    std::size_t occupied() const { return running.size() + parked.size() + held.size(); }
};

} // namespace cloister::front
