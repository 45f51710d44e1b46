// The package's folder as somebody else's: whatever is read is found beneath one open descriptor,
// without following a symbolic link, and is a plain file of a bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::package {

inline constexpr std::size_t kMaxEntries = 20'000; ///< of one folder
inline constexpr std::size_t kMaxDepth = 16;       ///< of folders in one another

/// True for `^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,254}$`.
bool is_good_name(std::string_view name);

class Folder {
public:
    struct Entry {
        std::string name{};
        bool is_folder = false;
        std::uint64_t bytes = 0;
        auto operator<=>(const Entry&) const = default;
    };

    /// `path` is the caller's own word, so links in it are followed. Throws Wrong.
    explicit Folder(const std::string& path);
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    /// What stands in `path` (relative; "" is the package itself), by name. Throws Wrong for a name
    /// that the format forbids and for what is neither file nor folder.
    std::vector<Entry> list(const std::string& path) const;
    /// Whether there is a file, a folder, of that name. Throws Wrong for a link, and for what may
    /// not be looked at.
    bool has_file(const std::string& path) const;
    bool has_folder(const std::string& path) const;
    /// The whole file. Throws Wrong when it is larger than `most` bytes or no plain file.
    std::string read(const std::string& path, std::uint64_t most) const;

    /// The folder's own name, for reports.
    const std::string& name() const { return name_; }
    int descriptor() const { return fd_; }

private:
    int fd_ = -1;
    std::string name_{};
};

} // namespace cloister::package
