// Every number in the stream is held against what was asked for before a byte is kept.
#include "isolate/collection.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cloister::isolate {

CollectionReader::CollectionReader(const std::vector<std::string>& paths, std::uint64_t most_bytes)
    : most_bytes_(most_bytes) {
    for (const std::string& path : paths) folders_.push_back(path.ends_with('/'));
}

void CollectionReader::take(std::string_view bytes) {
    while (!bytes.empty() && !broken_) {
        if (left_ > 0) {
            const std::size_t size = std::min(left_, bytes.size());
            (naming_ ? current_.name : current_.content) += bytes.substr(0, size);
            left_ -= size;
            bytes.remove_prefix(size);
            continue;
        }
        const std::size_t size = std::min(sizeof(CollectionPart) - head_.size(), bytes.size());
        head_ += bytes.substr(0, size);
        bytes.remove_prefix(size);
        if (head_.size() == sizeof(CollectionPart)) broken_ = !take_part();
    }
}

/// False when this part may not come now.
bool CollectionReader::take_part() {
    CollectionPart part;
    std::memcpy(&part, head_.data(), sizeof part);
    head_.clear();
    if (part.magic != CollectionPart::kMagic || next_ >= folders_.size() || part.file != next_)
        return false;
    const bool named = !current_.name.empty();
    if (part.kind == CollectionPart::kName) {
        if (!folders_[next_] || named || part.size == 0 || part.size > kMaxFolderName ||
            ++in_folder_ > kMaxFolderFiles)
            return false;
        naming_ = true;
        left_ = part.size;
        return true;
    }
    naming_ = false;
    if (part.kind == CollectionPart::kContent) {
        if (folders_[next_] != named || part.size == 0 || part.size > most_bytes_ - bytes_)
            return false;
        bytes_ += part.size;
        left_ = part.size;
        return true;
    }
    const std::uint32_t state = part.kind - CollectionPart::kEnd;
    if (state >= kCollectedNames.size() || part.size != 0) return false;
    current_.asked = next_;
    current_.state = static_cast<Collected>(state);
    if (current_.state != Collected::whole) current_.content = {};
    if (!named) {
        ++next_;
        in_folder_ = 0;
    }
    files_.push_back(std::exchange(current_, {}));
    return true;
}

std::vector<CollectedFile> CollectionReader::finish() {
    for (; next_ < folders_.size(); ++next_) files_.emplace_back().asked = next_;
    return std::move(files_);
}

} // namespace cloister::isolate
