// The files that a run is asked for, on their way out of its box: a stream of parts, written inside
// by the box's user once the program has ended, read outside as what it is, a stranger's bytes. The
// stream can claim nothing but that a file's content is this, or why there is none; and not more of
// it than was asked for.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::isolate {

/// Of all files of a run together.
inline constexpr std::uint32_t kMaxCollectBytes = 64 * 1024 * 1024;
/// Of a folder that is asked for as a whole, "NAME/".
inline constexpr std::size_t kMaxFolderFiles = 64;
inline constexpr std::size_t kMaxFolderName = 255; ///< bytes, as Linux has it

/// What came of one file, spelled as on the wire.
enum class Collected : std::uint32_t {
    whole,
    missing,
    not_regular,   ///< a folder, a device, a symbolic link at its end or on the way to it
    too_large,     ///< more than what the files before it left of the bound; a folder of too many
    unreadable,    ///< its own permissions say so
    not_collected, ///< the run was ended by us, or the files took too long
};
inline constexpr std::array kCollectedNames = {"whole",     "missing",    "not_regular",
                                               "too_large", "unreadable", "not_collected"};
constexpr std::string_view name_of(Collected state) {
    return kCollectedNames[static_cast<std::size_t>(state)];
}

/// The head of one part. Content parts of a file, then its end; file after file. Of a folder: of
/// each file in it a name part, content parts and an end; then the folder's own end.
struct CollectionPart {
    static constexpr std::uint32_t kMagic = 0x54524150; // "PART"
    static constexpr std::uint32_t kContent = 0;
    static constexpr std::uint32_t kEnd = 1; ///< + Collected
    static constexpr std::uint32_t kName = 0x100;
    std::uint32_t magic = kMagic;
    std::uint32_t file = 0;
    std::uint32_t kind = kContent;
    std::uint32_t size = 0; ///< bytes that follow; 0 at the end
};

/// One for each path that was asked for, in order; before a folder's, one for each file in it.
struct CollectedFile {
    std::size_t asked = 0; ///< number of the path
    std::string name{};    ///< of a file in a folder, without '/'; empty: what was asked for itself
    Collected state = Collected::not_collected;
    std::string content{}; ///< empty unless whole
};

/// Takes the stream as it comes, in pieces of any size.
class CollectionReader {
public:
    CollectionReader(const std::vector<std::string>& paths, std::uint64_t most_bytes);
    /// What breaks the rules ends the collection: whatever follows is dropped.
    void take(std::string_view bytes);
    /// After the stream's end.
    std::vector<CollectedFile> finish();

private:
    bool take_part();

    std::vector<bool> folders_; ///< whether a path is one
    std::vector<CollectedFile> files_{};
    CollectedFile current_{}; ///< has not ended
    std::uint64_t most_bytes_;
    std::uint64_t bytes_ = 0;
    std::size_t next_ = 0;      ///< the first path that has not ended
    std::size_t in_folder_ = 0; ///< files of it so far
    std::string head_{};        ///< of the next part, as far as it is here
    std::size_t left_ = 0;      ///< of the name or content under way
    bool naming_ = false;
    bool broken_ = false;
};

} // namespace cloister::isolate
