// libzip over the bytes where they lie. Sizes that the archive states are only a first check: what
// is counted is what comes out.
#include "daemon/front/judge0/archive.h"

#include "daemon/front/sources.h"

#include <memory>
#include <sys/stat.h>
#include <zip.h>

namespace cloister::front::judge0 {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kLeast = 22;       ///< an archive's last record
constexpr unsigned kUnixAttributes = 16; ///< the mode is in the upper half

struct Close {
    void operator()(zip_t* archive) const { ::zip_discard(archive); }
    void operator()(zip_file_t* file) const { (void)::zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Close>;
using Member = std::unique_ptr<zip_file_t, Close>;

Archive open_archive(std::string_view zip) {
    if (zip.size() < kLeast) return nullptr; // nothing at all would be an archive without files
    zip_error_t error{};
    zip_source_t* source = ::zip_source_buffer_create(zip.data(), zip.size(), 0, &error);
    if (source == nullptr) return nullptr;
    Archive archive(::zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
    if (!archive) ::zip_source_free(source);
    return archive;
}

/// A link would be a file whose content is a path; a device has no content at all.
bool is_special(zip_t* archive, zip_uint64_t index) {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (::zip_file_get_external_attributes(archive, index, 0, &system, &attributes) != 0)
        return true;
    const mode_t mode = attributes >> kUnixAttributes;
    return system == ZIP_OPSYS_UNIX && (mode & S_IFMT) != 0 && !S_ISREG(mode) && !S_ISDIR(mode);
}

/// False when it is damaged, encrypted, or more than `room` bytes.
bool read_member(zip_t* archive, zip_uint64_t index, std::uint64_t room, std::string& into) {
    const Member member(::zip_fopen_index(archive, index, 0));
    if (!member) return false;
    std::string piece(kPiece, '\0');
    for (;;) {
        const zip_int64_t size = ::zip_fread(member.get(), piece.data(), piece.size());
        if (size < 0 || static_cast<std::uint64_t>(size) > room - into.size()) return false;
        if (size == 0) return true; // the checksum is right, too
        into.append(piece, 0, static_cast<std::size_t>(size));
    }
}

} // namespace

std::variant<std::vector<SourceFile>, std::string> unpack(std::string_view zip,
                                                          const ArchiveBounds& bounds) {
    const Archive archive = open_archive(zip);
    if (!archive) return "is not a zip archive";
    const zip_int64_t count = ::zip_get_num_entries(archive.get(), 0);
    std::vector<SourceFile> files;
    std::uint64_t room = bounds.bytes;
    for (zip_int64_t i = 0; i < count; ++i) {
        const auto index = static_cast<zip_uint64_t>(i);
        zip_stat_t about{};
        if (::zip_stat_index(archive.get(), index, 0, &about) != 0) return "is damaged";
        const std::string name = about.name == nullptr ? "" : about.name;
        if (is_special(archive.get(), index)) return "holds a link or a special file";
        if (name.ends_with('/')) continue; // a folder, made where a file needs it
        if (files.size() >= bounds.files)
            return "holds more than " + std::to_string(bounds.files) + " files";
        if (!why_bad_path(name).empty()) return "holds a file whose name is not allowed";
        const bool too_large = (about.valid & ZIP_STAT_SIZE) != 0 && about.size > room;
        SourceFile file;
        file.path = name;
        if (too_large || !read_member(archive.get(), index, room, file.content))
            return "is damaged, encrypted or larger than " + std::to_string(bounds.bytes / 1024) +
                   " kB when unpacked";
        room -= file.content.size();
        files.push_back(std::move(file));
    }
    return files;
}

} // namespace cloister::front::judge0
