// The files that clients of go-judge leave here between their requests: sent to /file, or left by
// a command (copyOutCached). Bounded in number and bytes; one that nobody has used for a while
// goes. One store for all who may connect, as there: an id is a random number, and whoever may ask
// for the list may read it all.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cloister::front::go_judge {

class FileStore {
public:
    using Time = std::chrono::milliseconds; ///< since 1970
    struct Bounds {
        std::size_t files = 1'000;
        std::uint64_t bytes = 256 * std::uint64_t{1024} * 1024;
        Time keep = std::chrono::minutes(60); ///< after its last use
    };
    struct File {
        std::string name{}; ///< text
        std::string content{};
    };
    using FilePtr = std::shared_ptr<const File>;

    FileStore(const Bounds& bounds, std::function<Time()> now)
        : bounds_(bounds), now_(std::move(now)) {}

    /// Its id; nothing when there is no room.
    std::optional<std::string> add(std::string name, std::string content);
    /// Null when there is none such. Using it keeps it.
    FilePtr find(const std::string& id);
    bool remove(const std::string& id);
    /// Names by id.
    std::map<std::string, std::string> list();
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Kept {
        FilePtr file{};
        Time used{};
    };
    void tidy();

    Bounds bounds_;
    std::function<Time()> now_;
    std::map<std::string, Kept> files_{};
    std::uint64_t bytes_ = 0;
};

} // namespace cloister::front::go_judge
