// Every number in the stream is held against what was asked for before a byte is kept.
#include "isolate/collection.h"

#include <algorithm>
#include <cstring>

namespace cloister::isolate {

void CollectionReader::take(std::string_view bytes) {
    while (!bytes.empty() && !broken_) {
        if (left_ > 0) {
            const std::size_t size = std::min(left_, bytes.size());
            files_[next_].content += bytes.substr(0, size);
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
    if (part.magic != CollectionPart::kMagic || next_ >= files_.size() || part.file != next_)
        return false;
    if (part.kind == CollectionPart::kContent) {
        if (part.size == 0 || part.size > most_bytes_ - bytes_) return false;
        bytes_ += part.size;
        left_ = part.size;
        return true;
    }
    const std::uint32_t state = part.kind - CollectionPart::kEnd;
    if (state >= kCollectedNames.size() || part.size != 0) return false;
    files_[next_++].state = static_cast<Collected>(state);
    return true;
}

std::vector<CollectedFile> CollectionReader::finish() {
    for (CollectedFile& file : files_) {
        if (file.state != Collected::whole) file.content = {};
    }
    return std::move(files_);
}

} // namespace cloister::isolate
