// One document and its authority: it alone decides the order of updates. A client sends what it did
// to the version that it knew; the document moves it over what happened since, one update at a time
// (the one way in which all sides agree), applies it, numbers it, and remembers it for a while.
//
// Version N is the text after N updates. The epoch names the history: within one epoch a version is
// always the same text.
#pragma once

#include "daemon/front/rooms/change_set.h"
#include "daemon/front/rooms/text16.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace cloister::rooms {

/// Milliseconds since 1970, told by the caller.
using Time = std::chrono::milliseconds;

/// What a stranger can make grow, and how far.
struct DocumentLimits {
    std::size_t doc_bytes = std::size_t{1} << 20; ///< of the text in UTF-8
    std::size_t log_updates = 10'000;             ///< older ones are forgotten
    std::size_t log_bytes = std::size_t{4} << 20;
    std::size_t push_updates = 64;
    std::size_t push_bytes = std::size_t{256} << 10; ///< of the inserted text, in UTF-8
    /// Sections looked at for one message: a few milliseconds. Who is farther behind opens anew and
    /// does that work itself.
    std::size_t rebase_work = std::size_t{1} << 18;
    std::size_t clients = 4'096;    ///< whose last seq is remembered
    std::size_t base_reach = 128;   ///< versions back to which a base client's text is looked for
    std::size_t base_versions = 16; ///< that a base client may be looking at
    Time base_arrival{5'000};       ///< after so long, what was sent to it has arrived
    std::uint64_t hash_every = 64;  ///< versions
};

/// An update that was accepted, as it applies to the version before it. Never changes.
struct Update {
    std::string client_id;
    std::uint64_t seq = 0; ///< the client's own count, from 1
    ChangeSet changes{};
    Time at{};
};
using UpdatePtr = std::shared_ptr<const Update>;

/// One update as a client sends it.
struct Sent {
    std::uint64_t seq = 0;
    ChangeSet changes{};
};

/// What became of a push.
struct Pushed {
    std::uint64_t version = 0;        ///< now
    std::size_t count = 0;            ///< updates of the push that are part of the document now
    std::uint64_t last_seq = 0;       ///< of the client
    std::vector<UpdatePtr> updates{}; ///< those accepted just now; the first is of first_version()
    std::optional<std::uint32_t> hash{}; ///< of the text, when a version was passed that is hashed
    std::uint64_t first_version() const { return version - updates.size(); }
};

/// A document as it can be kept: an old text and all that came after it.
struct SavedDocument {
    std::string epoch;
    std::string eol;
    std::uint64_t first_version = 0;
    std::u16string text{}; ///< at first_version
    std::vector<UpdatePtr> updates{};
    std::vector<std::pair<std::string, std::uint64_t>> last_seqs{};
};

class Document {
public:
    /// `epoch`: 16 random hexadecimal digits.
    Document(std::string epoch, Ingested content, const DocumentLimits& limits);
    /// Absent when the updates do not fit on each other.
    static std::optional<Document> restore(const SavedDocument& saved,
                                           const DocumentLimits& limits);
    SavedDocument saved() const;

    const std::string& epoch() const { return epoch_; }
    const std::string& eol() const { return eol_; }
    const std::u16string& text() const { return text_; }
    std::size_t bytes() const { return bytes_; }
    /// About the bytes of memory that text, log and clients occupy.
    std::size_t memory() const;
    /// Forgets the oldest updates, but for so many bytes of them.
    void shorten_log(std::size_t bytes);
    std::uint64_t version() const { return first_version_ + log_.size(); }
    /// The oldest version from which on the updates are remembered.
    std::uint64_t first_version() const { return first_version_; }
    std::uint64_t last_seq(const std::string& client_id) const;
    std::uint32_t hash() const { return hash_of(text_); }
    const DocumentLimits& limits() const { return limits_; }
    /// From now on it may have so many bytes: a room's documents share what the room may have.
    void allow_bytes(std::size_t bytes) { limits_.doc_bytes = bytes; }

    /// Accepts what `client_id` did to `version`: all of it or nothing. What was accepted before
    /// (by its seq) is not done twice.
    std::variant<Pushed, Refusal> push(const std::string& client_id, std::string_view epoch,
                                       std::uint64_t version, std::vector<Sent> updates, Time now);
    /// Accepts a change of the text as it is, and gives it the client's next seq.
    std::variant<Pushed, Refusal> append(const std::string& client_id, ChangeSet changes, Time now);

    /// Absent when the log does not reach back so far, or `version` is still to come.
    std::optional<std::vector<UpdatePtr>> updates_since(std::uint64_t version) const;
    /// The update that made version + 1 of `version`. first_version() <= version < this->version().
    const Update& update_of(std::uint64_t version) const { return *update_at(version); }
    const UpdatePtr& update_at(std::uint64_t version) const;
    /// Turns `text`, of version + 1, back into the text of `version`.
    void undo(std::u16string& text, std::uint64_t version) const;
    std::u16string text_at(std::uint64_t version) const;
    /// Where positions of `version` are now; false when it is not known any more, or too long ago
    /// to be worth the work.
    bool map_positions(std::uint64_t version, std::vector<std::size_t>& positions) const;

private:
    struct Entry {
        UpdatePtr update;
        std::u16string removed; ///< the text that it took away, to go back
        std::size_t bytes() const;
    };
    struct Seen {
        std::uint64_t seq = 0;
        std::uint64_t version = 0; ///< of the last update
    };

    std::size_t length_at(std::uint64_t version) const;
    std::optional<Refusal> check(std::string_view epoch, std::uint64_t version,
                                 const std::vector<Sent>& updates) const;
    std::optional<Refusal> rebase(std::vector<Sent>& pending, const std::string& client_id,
                                  std::uint64_t version) const;
    std::variant<Pushed, Refusal> accept(const std::string& client_id, std::vector<Sent> updates,
                                         Time now);
    void remember(const std::string& client_id, std::uint64_t seq);
    void trim();

    DocumentLimits limits_;
    std::string epoch_;
    std::string eol_;
    std::u16string text_;
    std::size_t bytes_ = 0;
    std::uint64_t first_version_ = 0;
    std::deque<Entry> log_{};
    std::size_t log_bytes_ = 0;
    std::unordered_map<std::string, Seen> seen_{};
};

} // namespace cloister::rooms
