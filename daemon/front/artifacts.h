// Compiled programs that are kept: what exactly the same sources gave, for the next run of them.
// The bytes lie in the keeper under the number of the run that made them, until they are released;
// here is only who may use which. Two programs are the same when every byte that their compiler is
// given is, so nobody can make another one's sources run something else.
#pragma once

#include "daemon/front/events.h"
#include "daemon/front/jobs.h"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::front {

/// Everything that determines what the compiler of `job` leaves, as one text: runtime, policy,
/// limits, files in order, options, the words that stand for {entry} and {main}. Not the arguments,
/// the input or the limits of the run. The job's first step is to compile.
std::string artifact_key(const Job& job);

class Artifacts {
public:
    struct Bounds {
        std::uint64_t bytes = 0; ///< of all that are kept, their keys and texts included; 0: none
        std::size_t unused = 0;  ///< how many are kept that no run uses just now
    };
    using Release = std::function<void(std::uint64_t artifact)>;

    /// One that is kept, and what its compiler said.
    struct Kept {
        std::uint64_t artifact = 0;
        CompileResult compile{};
    };

    /// `release` is called once for each artifact that came in by compiled() or give_back(), when
    /// no run uses it and it is not kept (any more); for one that was lost, by each of its users.
    Artifacts(const Bounds& bounds, Release release)
        : bounds_(bounds), release_(std::move(release)) {}
    Artifacts(const Artifacts&) = delete;
    Artifacts& operator=(const Artifacts&) = delete;

    bool enabled() const { return bounds_.bytes > 0; }

    /// What is kept under `key`, in use until it is given back. Nothing: compile.
    std::optional<Kept> take(const std::string& key);
    /// The end of one use: of an artifact that was taken, or left by a compiler.
    void give_back(std::uint64_t artifact);

    /// It is lost: nobody takes it any more. Who uses it gives it back as before.
    void forget(std::uint64_t artifact);

    /// Who compiles `key` for all, a number of the caller's choice; nobody: the asker may.
    std::optional<std::uint64_t> compiler_of(const std::string& key) const;
    void begin_compile(std::string key, std::uint64_t compiler);
    /// That compiler left `artifact`, which it uses itself, holding `bytes` in the keeper; it is
    /// kept if there is room, and with `pinned` at least while it is used. A number that compiles
    /// nothing is ignored.
    void compiled(std::uint64_t compiler, std::uint64_t artifact, std::uint64_t bytes,
                  const CompileResult& compile, bool pinned = false);
    /// That compiler left nothing for others. As above.
    void end_compile(std::uint64_t compiler);

    std::size_t count() const { return entries_.size(); }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::string key{};
        Kept kept{};
        std::uint64_t bytes = 0;
        std::size_t users = 0;
    };
    using Entries = std::list<Entry>;

    void trim();
    void drop(Entries::iterator entry);

    Bounds bounds_;
    Release release_;
    Entries entries_{}; ///< longest unused first
    std::map<std::string_view, Entries::iterator> by_key_{};
    std::map<std::uint64_t, Entries::iterator> by_artifact_{};
    std::map<std::string, std::uint64_t> compilers_{}; ///< of one box each, so few
    std::size_t unused_ = 0;
    std::uint64_t bytes_ = 0;
};

} // namespace cloister::front
