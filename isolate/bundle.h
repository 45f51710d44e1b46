// The sealed parcel in which a client's files and arguments travel. The front packs it into a
// memfd; the keeper passes the descriptor on unread; it is opened inside the box, after the uid
// drop and behind the filter, straight from the mapping: no allocation, every offset checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::isolate {

/// A file to lay into the box's working directory.
struct BundleFile {
    std::string path;    ///< relative, no empty, "." or ".." part; checked again when unpacked
    std::string content; ///< any bytes
    bool source = false; ///< listed by a command's {sources}
    bool executable = false;
    bool link = false; ///< a symbolic link to what `content` says, wherever in the box that leads
};

struct Bundle {
    std::vector<BundleFile> files{};
    std::vector<std::string> arguments{}; ///< the client's own, for {args}; no NUL inside
    std::vector<std::string> options{};   ///< for a compiler's {options}; likewise
    std::string entry{};                  ///< for {entry}: the path of the file to run
    std::string main_name{};              ///< for {main}: what the language calls it (a Java class)
    std::vector<std::string> collect{};   ///< paths like a file's, to be read when it has ended
    std::uint32_t collect_bytes = 0;      ///< of all of these together (collection.h)
    /// NAME=value, no NUL inside: all that the program finds, in place of what the keeper gives.
    std::optional<std::vector<std::string>> environment{};
};

inline constexpr std::size_t kMaxBundleFiles = 256;
inline constexpr std::size_t kMaxBundleArguments = 256;
inline constexpr std::size_t kMaxBundleOptions = 256;
inline constexpr std::size_t kMaxBundleCollect = 256;
inline constexpr std::size_t kMaxBundleEnvironment = 256;
inline constexpr std::size_t kMaxBundlePath = 1024;
inline constexpr std::size_t kMaxBundleBytes = 16 * 1024 * 1024;

/// The parcel's bytes. Throws std::length_error beyond the bounds above.
std::string pack(const Bundle& bundle);

/// A checked view over a parcel's bytes. Allocation-free and async-signal-safe.
class BundleView {
public:
    struct File {
        const char* path; ///< NUL-terminated
        std::span<const std::byte> content;
        bool source;
        bool executable;
        bool link; ///< `content` is followed by a NUL
    };

    /// False when the bytes are not a whole, well-formed parcel; then nothing else may be called.
    bool open(std::span<const std::byte> bytes);

    std::size_t file_count() const { return file_count_; }
    std::size_t argument_count() const { return argument_count_; }
    std::size_t option_count() const { return option_count_; }
    File file(std::size_t index) const;
    const char* argument(std::size_t index) const;
    const char* option(std::size_t index) const;
    const char* entry() const { return entry_; }
    const char* main_name() const { return main_name_; }
    std::size_t collect_count() const { return collect_count_; }
    const char* collect(std::size_t index) const;
    std::uint32_t collect_bytes() const { return collect_bytes_; }
    bool has_environment() const { return has_environment_; }
    std::size_t environment_count() const { return environment_count_; }
    const char* environment(std::size_t index) const;

private:
    const char* text_at(std::size_t index) const;

    std::span<const std::byte> bytes_{};
    std::size_t file_count_ = 0;
    std::size_t argument_count_ = 0;
    std::size_t option_count_ = 0;
    std::size_t collect_count_ = 0;
    std::size_t environment_count_ = 0;
    bool has_environment_ = false;
    std::uint32_t collect_bytes_ = 0;
    const char* entry_ = "";
    const char* main_name_ = "";
};

} // namespace cloister::isolate
