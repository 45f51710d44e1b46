// One running owner of boxes: a daemon's keeper, or a `cloister run` without a daemon. Instance K
// holds the lock /run/cloister/instance-K, and with it the control groups cloister/instance-K, a
// range of user ids and a private mount namespace for the work of compilers. The kernel drops the
// lock when the owner dies, however it dies; the next owner that starts cleans up what the dead one
// left.
#pragma once

#include "isolate/cgroup_tree.h"
#include "isolate/fd.h"
#include "isolate/inside.h"

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

namespace cloister::isolate {

inline constexpr unsigned kMaxInstances = 64;
inline constexpr unsigned kMaxSlots = 1024; ///< boxes of one instance at one time
/// Above systemd's ranges for users and containers (at most 1,879,048,191; systemd's
/// docs/UIDS-GIDS.md) and below 2^31, so that nobody else's process or file ever has such an id.
inline constexpr uid_t kFirstId = 2'000'000'000;
inline constexpr unsigned kIdsPerInstance = 4096;
/// Beyond the ids of all instances: for who has none, where no box can be made.
inline constexpr uid_t kFirstFreeId = kFirstId + kMaxInstances * kIdsPerInstance;

/// A compiler's work: a tmpfs that stays in the keeper's mount namespace and is shown to boxes.
/// Root never opens a file in it.
class Work {
public:
    Work() = default;
    /// `path` is mounted already; unmounted by the destructor. With Means::fence it is a folder
    /// with the folders "box" and "tmp" in it, on disk, which is removed by a process of its own.
    explicit Work(std::string path, Means means = Means::root)
        : path_(std::move(path)), means_(means) {}
    ~Work();
    Work(Work&& other) noexcept : path_(std::exchange(other.path_, {})), means_(other.means_) {}
    Work& operator=(Work&& other) noexcept;

    explicit operator bool() const { return !path_.empty(); }
    enum class View {
        writable,   ///< what is made there cannot be executed there
        read_only,  ///< finished programs
        unfinished, ///< writable and executable: for files of our own alone
    };
    /// A detached copy of the mount, for one box. Throws SysError.
    Fd show(View view) const;
    /// New bounds, none below what is used. Throws SysError.
    void resize(std::uint64_t bytes, std::uint32_t files);
    /// What it holds in memory, or on disk.
    std::uint64_t bytes() const;

    // of Means::fence
    const std::string& path() const { return path_; }
    Fd tmp() const;
    /// "app" in it leads to what `artifact` holds.
    void lead_to(const Work& artifact) const;
    /// What is not shown to anybody any more.
    void drop_tmp() const;

private:
    std::string path_;
    Means means_ = Means::root;
};

class Instance {
public:
    /// Root's. Takes the first free number, sweeps what dead instances left, and enters a mount
    /// namespace of its own. Needs root and one thread. Throws SysError or std::runtime_error.
    Instance();
    /// An ordinary user's. Who has entered a user namespace has nothing that outlives this process,
    /// so there is no number and nothing to sweep. `folder` is the user's own: a folder "work" in
    /// it is where compilers' work is mounted, seen by nobody else; behind a fence all files of all
    /// boxes lie there, and what a killed process left is swept. Throws as the other.
    Instance(Means means, const std::string& folder);

    Means means() const { return means_; }
    unsigned number() const { return number_; }
    int swept() const { return swept_; }
    /// Null where there are none.
    CgroupTree* cgroups() { return cgroups_.get(); }
    /// The program's user id in that slot; its init has the next one. slot < kMaxSlots.
    uid_t user_id(unsigned slot) const { return kFirstId + number_ * kIdsPerInstance + 2 * slot; }
    /// Whose a slot's pipes and files are: the same, or the only user that there is.
    Owner owner(unsigned slot) const { return owner_of(user_id(slot)); }
    Owner analyst_owner() const { return owner_of(analyst_id()); }
    /// For the front when the host has no account for it: the last of the range.
    uid_t front_id() const { return kFirstId + number_ * kIdsPerInstance + kIdsPerInstance - 1; }
    /// The analyst's, which is in no slot; its init has the next one.
    uid_t analyst_id() const { return front_id() - 2; }

    /// A fresh work tmpfs owned by `owner`. `name` is ours. Throws SysError.
    Work make_work(const std::string& name, Owner owner, std::uint64_t bytes, std::uint32_t files);

private:
    Owner owner_of(uid_t id) const {
        return means_ == Means::root ? Owner{id, id} : Owner{::geteuid(), ::getegid()};
    }

    Means means_ = Means::root;
    std::string work_folder_;
    Fd lock_;
    unsigned number_ = 0;
    int swept_ = 0;
    std::unique_ptr<CgroupTree> cgroups_;
};

} // namespace cloister::isolate
