// What clients of go-judge ask for, from their JSON to plain values: commands with their
// descriptors, files and limits, and the pipes between them. Pure. What it means for a run is
// commands.h's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::config {
struct Config;
}

namespace cloister::front::go_judge {

/// What is wrong, for the client.
struct Fault {
    std::string message{};
};

/// Commands of one request.
inline constexpr std::size_t kMostCommands = 16;
/// Commands that pipes connect with each other, and that therefore run at one time.
inline constexpr std::size_t kMostConnected = 8;
/// One argument or variable with its NUL: the kernel's own bound (MAX_ARG_STRLEN).
inline constexpr std::size_t kMostWordBytes = 128 * 1024;
/// Descriptors 0, 1 and 2 are a command's own; there are no others.
inline constexpr std::size_t kDescriptors = 3;

/// Bytes that a client sends, or has left here before.
struct Origin {
    bool cached = false;
    std::string text{}; ///< the bytes, or the id
};

struct Descriptor {
    enum class Kind : std::uint8_t { nothing, origin, collector, stream } kind = Kind::nothing;
    Origin origin{};
    std::string name{};      ///< of a collector or a stream
    std::uint64_t bytes = 0; ///< that a collector takes at most
};

struct CopyIn {
    std::string path{};
    bool link = false; ///< then `origin.text` is where it leads
    Origin origin{};
};

struct CopyOut {
    std::string name{};
    bool optional = false;
};

/// What passes through a pipe is collected as well, as the command's that prints it.
struct Record {
    std::size_t fd = 0;
    std::string name{};
    std::uint64_t bytes = 0; ///< at most; what is more passes all the same
};

struct Command {
    std::vector<std::string> arguments{};
    std::optional<std::vector<std::string>> environment{};
    std::array<Descriptor, kDescriptors> descriptors{};
    std::vector<Record> records{};
    // 0: the policy's
    std::uint64_t cpu_ns = 0;
    std::uint64_t clock_ns = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t stack_bytes = 0;
    std::uint64_t processes = 0;
    std::uint64_t cpu_rate = 0; ///< 1000: one core
    std::vector<CopyIn> copy_in{};
    std::vector<CopyOut> copy_out{};
    std::vector<CopyOut> copy_out_cached{};
    std::uint64_t copy_out_bytes = 0; ///< of each file; 0: whatever fits
    bool truncate = false;
    bool terminal = false;
};

/// From a descriptor that a command writes to, 1 or 2, to what another one reads as 0.
struct Pipe {
    std::size_t from = 0;
    std::size_t fd = 0;
    std::size_t to = 0;
};

/// Commands that pipes connect, in the order of the request, and their pipes.
struct Connected {
    std::vector<std::size_t> commands{};
    std::vector<Pipe> pipes{};
};

struct Request {
    std::string id{};
    std::vector<Command> commands{};
    std::vector<Connected> connected{}; ///< a command is in one of them at most
};

/// The body as JSON, or why it is none.
std::variant<nlohmann::json, Fault> read_body(std::string_view body, const config::Config& bounds);
/// `streams`: descriptors may be streams, and a command may have a terminal.
std::variant<Request, Fault> read_request(const nlohmann::json& body, const config::Config& bounds,
                                          bool streams);

} // namespace cloister::front::go_judge
