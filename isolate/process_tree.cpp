// Walking /proc from init downwards. A process that ends meanwhile is no error: it is not there.
#include "isolate/process_tree.h"

#include "isolate/fd.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace cloister::isolate {
namespace {

/// No box has more; a tree that claims to is not followed farther.
constexpr std::size_t kMaxProcesses = 4096;

std::string read_text(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    if (!file) return text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t size = ::read(file.get(), piece.data(), piece.size());
        if (size <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(size));
    }
}

std::uint64_t number_in(std::string_view text) {
    const auto begin = text.find_first_of("0123456789");
    std::uint64_t value = 0;
    if (begin != std::string_view::npos)
        (void)std::from_chars(text.data() + begin, text.data() + text.size(), value);
    return value;
}

/// The number after `key` at the beginning of a line.
std::uint64_t field(const std::string& text, const std::string& key) {
    const auto at = text.find("\n" + key);
    return at == std::string::npos ? 0
                                   : number_in(std::string_view(text).substr(at + 1 + key.size()));
}

std::string folder_of(pid_t process) { return "/proc/" + std::to_string(process); }

struct CloseFolder {
    void operator()(DIR* folder) const { (void)::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// Each thread has the children that it made.
void add_children(pid_t process, std::vector<pid_t>& found) {
    const std::string tasks = folder_of(process) + "/task";
    const Folder folder(::opendir(tasks.c_str()));
    if (!folder) return;
    for (;;) {
        const dirent* entry = ::readdir(folder.get()); // NOLINT(concurrency-mt-unsafe): ours alone
        if (entry == nullptr) return;
        if (entry->d_name[0] == '.') continue;
        const std::string text = read_text(tasks + "/" + entry->d_name + "/children");
        std::string_view rest(text);
        while (rest.find_first_of("0123456789") != std::string_view::npos) {
            rest.remove_prefix(rest.find_first_of("0123456789"));
            found.push_back(static_cast<pid_t>(number_in(rest)));
            rest.remove_prefix(std::min(rest.find(' '), rest.size()));
        }
    }
}

/// User and system time, of the process and of the children that it has reaped.
std::chrono::nanoseconds cpu_time_of(pid_t process) {
    const std::string text = read_text(folder_of(process) + "/stat");
    const auto name_end = text.rfind(')'); // a name may hold anything
    if (name_end == std::string::npos) return {};
    std::string_view rest = std::string_view(text).substr(name_end + 2);
    std::uint64_t ticks = 0;
    for (int place = 3; place <= 17; ++place) { // as proc(5) counts: utime is the 14th
        if (place >= 14) ticks += number_in(rest.substr(0, rest.find(' ')));
        rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
    }
    static const auto kTicks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return std::chrono::nanoseconds(ticks * (1'000'000'000 / kTicks));
}

/// What is its own and shared memory that it maps, in bytes: pages of files may be anybody's.
std::uint64_t resident_of(const std::string& status) {
    return (field(status, "RssAnon:") + field(status, "RssShmem:")) * kKiB;
}

/// The same with shared pages divided among those that share them. One that will not be looked into
/// has it all; one that has ended meanwhile has nothing.
std::uint64_t share_of(pid_t process) {
    const std::string text = read_text(folder_of(process) + "/smaps_rollup");
    if (text.find("\nPss_Anon:") == std::string::npos)
        return resident_of(read_text(folder_of(process) + "/status"));
    return (field(text, "Pss_Anon:") + field(text, "Pss_Shmem:")) * kKiB;
}

} // namespace

std::uint64_t tasks_of_user() {
    const Folder folder(::opendir("/proc"));
    std::uint64_t sum = 0;
    while (folder) {
        const dirent* entry = ::readdir(folder.get()); // NOLINT(concurrency-mt-unsafe): ours alone
        if (entry == nullptr) break;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        const std::string status = read_text(std::string("/proc/") + entry->d_name + "/status");
        if (field(status, "Uid:") == ::getuid()) sum += field(status, "Threads:");
    }
    return sum;
}

std::vector<pid_t> ProcessTree::all() const {
    std::vector<pid_t> found = {init_};
    for (std::size_t next = 0; next < found.size() && found.size() < kMaxProcesses; ++next)
        add_children(found[next], found);
    return found;
}

bool ProcessTree::look() {
    std::uint64_t memory = 0;
    std::uint32_t tasks = 0;
    std::vector<pid_t> alive;
    std::vector<std::uint64_t> sizes;
    for (const pid_t process : all()) {
        if (process == init_) continue;
        const std::string status = read_text(folder_of(process) + "/status");
        tasks += static_cast<std::uint32_t>(field(status, "Threads:"));
        alive.push_back(process);
        sizes.push_back(resident_of(status));
        memory += sizes.back();
    }
    // A child shares its parent's pages until either writes, so the sum alone may be too much. The
    // shares are not of one moment: a fork between two of them counts pages twice, and is over by
    // the next look.
    constexpr int kLooks = 3;
    for (int i = 0; i < kLooks && memory > limits_.memory_bytes && alive.size() > 1; ++i) {
        memory = 0;
        for (std::size_t one = 0; one < alive.size(); ++one)
            memory += std::min(share_of(alive[one]), sizes[one]);
    }
    // On a busy host even that may not be enough: of several processes the next look must agree.
    const bool over = memory > limits_.memory_bytes;
    const bool sure = over && (alive.size() <= 1 || was_over_);
    was_over_ = over;
    if (!sure) memory = std::min(memory, limits_.memory_bytes);
    tasks_ = tasks;
    peaks_.memory_peak_bytes = std::max(peaks_.memory_peak_bytes, memory);
    peaks_.processes_peak = std::max(peaks_.processes_peak, tasks + 1); // init, as groups count it
    if (tasks >= limits_.processes) peaks_.forks_refused = 1;
    return sure;
}

void ProcessTree::ended(const rusage& used) {
    const auto time = [](const timeval& value) {
        return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
    };
    const std::chrono::nanoseconds told = time(used.ru_utime) + time(used.ru_stime);
    seen_cpu_time_ = std::max(seen_cpu_time_, told);
    ended_ = true;
    // Of the largest process; it counts pages of files, too, so it only stands in for no look.
    if (peaks_.memory_peak_bytes == 0)
        peaks_.memory_peak_bytes =
            std::min(static_cast<std::uint64_t>(used.ru_maxrss) * kKiB, limits_.memory_bytes);
}

std::chrono::nanoseconds ProcessTree::cpu_time() const {
    if (ended_) return seen_cpu_time_;
    std::chrono::nanoseconds sum{};
    for (const pid_t process : all()) sum += cpu_time_of(process);
    return seen_cpu_time_ = std::max(seen_cpu_time_, sum);
}

std::uint64_t ProcessTree::memory_bytes() const {
    std::uint64_t sum = 0;
    for (const pid_t process : all()) {
        if (process != init_) sum += resident_of(read_text(folder_of(process) + "/status"));
    }
    return sum;
}

} // namespace cloister::isolate
