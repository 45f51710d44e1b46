// What has expired is looked for when somebody asks, so nothing needs a clock of its own.
#include "daemon/front/go_judge/files.h"

#include "daemon/front/text.h"

namespace cloister::front::go_judge {
namespace {

constexpr std::uint64_t kOverhead = 256; ///< what an entry costs beside its bytes

std::uint64_t cost_of(const FileStore::File& file) {
    return file.name.size() + file.content.size() + kOverhead;
}

} // namespace

std::optional<std::string> FileStore::add(std::string name, std::string content) {
    tidy();
    File file{.name = std::move(name), .content = std::move(content)};
    const std::uint64_t cost = cost_of(file);
    if (files_.size() >= bounds_.files || cost > bounds_.bytes || bytes_ > bounds_.bytes - cost)
        return std::nullopt;
    std::string id = fresh_uuid();
    bytes_ += cost;
    files_[id] = {.file = std::make_shared<const File>(std::move(file)), .used = now_()};
    return id;
}

FileStore::FilePtr FileStore::find(const std::string& id) {
    tidy();
    const auto found = files_.find(id);
    if (found == files_.end()) return nullptr;
    found->second.used = now_();
    return found->second.file;
}

bool FileStore::remove(const std::string& id) {
    tidy();
    const auto found = files_.find(id);
    if (found == files_.end()) return false;
    bytes_ -= cost_of(*found->second.file);
    files_.erase(found);
    return true;
}

std::map<std::string, std::string> FileStore::list() {
    tidy();
    std::map<std::string, std::string> names;
    for (const auto& [id, kept] : files_) names[id] = kept.file->name;
    return names;
}

void FileStore::tidy() {
    const Time now = now_();
    std::erase_if(files_, [&](const auto& entry) {
        if (now - entry.second.used < bounds_.keep) return false;
        bytes_ -= cost_of(*entry.second.file);
        return true;
    });
}

} // namespace cloister::front::go_judge
