// Least recently used goes first; what a run uses stays, over the bound if it must, until it is
// given back.
#include "daemon/front/artifacts.h"

#include <algorithm>
#include <type_traits>

namespace cloister::front {
namespace {

template <typename Value>
void append(std::string& bytes, const Value& value) {
    static_assert(std::is_integral_v<Value> || std::is_enum_v<Value>); // nothing with padding
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append(std::string& bytes, std::chrono::milliseconds value) { append(bytes, value.count()); }

} // namespace

std::string artifact_key(const Job& job) {
    const JobStep& step = job.steps.front();
    // Whoever adds a limit adds it to the key.
    const auto& [memory, cpu_percent, wall_time, cpu_time, processes, output, file_bytes,
                 file_count, open_files, stack] = step.limits;
    const std::string_view bundle = job.bundle_of(step);
    std::string key;
    key.reserve(bundle.size() + 128);
    append(key, job.runtime);
    append(key, step.policy);
    append(key, memory);
    append(key, cpu_percent);
    append(key, wall_time);
    append(key, cpu_time);
    append(key, processes);
    append(key, output);
    append(key, file_bytes);
    append(key, file_count);
    append(key, open_files);
    append(key, stack);
    return key += bundle; // the numbers before it are of fixed size
}

std::optional<Artifacts::Kept> Artifacts::take(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    Entry& entry = *found->second;
    if (entry.users++ == 0) --unused_;
    entries_.splice(entries_.end(), entries_, found->second);
    return entry.kept;
}

void Artifacts::give_back(std::uint64_t artifact) {
    const auto found = by_artifact_.find(artifact);
    if (found == by_artifact_.end()) return release_(artifact);
    if (--found->second->users > 0) return;
    ++unused_;
    trim();
}

void Artifacts::forget(std::uint64_t artifact) {
    const auto found = by_artifact_.find(artifact);
    if (found == by_artifact_.end()) return;
    const Entries::iterator entry = found->second;
    bytes_ -= entry->bytes;
    if (entry->users == 0) --unused_;
    by_key_.erase(entry->key);
    by_artifact_.erase(found);
    entries_.erase(entry);
}

std::optional<std::uint64_t> Artifacts::compiler_of(const std::string& key) const {
    const auto found = compilers_.find(key);
    if (found == compilers_.end()) return std::nullopt;
    return found->second;
}

void Artifacts::begin_compile(std::string key, std::uint64_t compiler) {
    compilers_.emplace(std::move(key), compiler);
}

void Artifacts::compiled(std::uint64_t compiler, std::uint64_t artifact, std::uint64_t bytes,
                         const CompileResult& compile, bool pinned) {
    const auto found =
        std::ranges::find(compilers_, compiler, [](const auto& pair) { return pair.second; });
    if (found == compilers_.end()) return;
    Entry entry;
    entry.key = std::move(compilers_.extract(found).key());
    entry.kept = {.artifact = artifact, .compile = compile};
    entry.kept.compile.cached = true;
    entry.kept.compile.wall_time = {};
    entry.kept.compile.usage = {};
    entry.bytes = bytes + entry.key.size() + compile.output.size() + compile.error.size();
    entry.users = 1;
    if (!pinned && (entry.bytes > bounds_.bytes || bounds_.unused == 0)) return;
    bytes_ += entry.bytes;
    const auto place = entries_.insert(entries_.end(), std::move(entry));
    by_key_.emplace(place->key, place);
    by_artifact_.emplace(artifact, place);
    trim();
}

void Artifacts::end_compile(std::uint64_t compiler) {
    std::erase_if(compilers_, [&](const auto& pair) { return pair.second == compiler; });
}

void Artifacts::trim() {
    for (auto next = entries_.begin(); next != entries_.end() && unused_ > 0;) {
        if (bytes_ <= bounds_.bytes && unused_ <= bounds_.unused) return;
        const auto entry = next++;
        if (entry->users == 0) drop(entry);
    }
}

void Artifacts::drop(Entries::iterator entry) {
    const std::uint64_t artifact = entry->kept.artifact;
    bytes_ -= entry->bytes;
    --unused_;
    by_key_.erase(entry->key);
    by_artifact_.erase(artifact);
    entries_.erase(entry);
    release_(artifact);
}

} // namespace cloister::front
