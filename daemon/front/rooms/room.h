// One room: who is in it, its files, who looks at what, what was said. Pure logic: every call is
// something that a member did, and returns what is to be sent to whom. The actor is always a
// connection, who that is the room knows from its joining: no message can speak for somebody else.
// Whatever is refused changes nothing and answers the actor alone.
#pragma once

#include "daemon/front/rooms/base_view.h"
#include "daemon/front/rooms/document.h"
#include "daemon/front/rooms/events.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::rooms {

/// What a member can make grow, and how far.
struct RoomLimits {
    std::size_t members = 100;
    std::size_t files = 64;
    std::size_t room_bytes = std::size_t{4} << 20; ///< of all documents
    std::size_t path_bytes = 1023;
    std::size_t part_bytes = 255;
    std::size_t name_chars = 64;
    std::size_t chat_chars = 4'000;
    std::size_t chat_kept = 50;
    double chat_per_second = 2;
    double chat_burst = 6;
    double presence_per_second = 30;
    double signal_per_second = 50;
    std::size_t signal_bytes = std::size_t{16} << 10;
    std::size_t presence_ranges = 32;
    std::size_t updates_per_message = 256;
    int colors = 12;
    Time hash_after_idle{2'000};
    DocumentLimits document{};
};

/// So many a second, as many at once. Time is told, not read.
class Allowance {
public:
    Allowance(double per_second, double burst, Time now)
        : per_second_(per_second), burst_(burst), left_(burst), last_(now) {}
    bool take(Time now);

private:
    double per_second_;
    double burst_;
    double left_;
    Time last_;
};

class Room {
public:
    /// `fresh_epoch` gives 16 random hexadecimal digits.
    Room(std::string room_id, const RoomLimits& limits, std::function<std::string()> fresh_epoch);

    // --- Coming and going
    /// `understands` updates of documents: false for base clients, which get whole texts. A client
    /// that is already here on another connection leaves that one.
    Deliveries join(Connection actor, Person person, bool understands, Time now);
    Deliveries leave(Connection actor);
    /// It said hello after it had joined.
    Deliveries understand(Connection actor);
    /// It has another name from now on: the others hear of it as of one who joins.
    Deliveries introduce(Connection actor, std::string_view name);

    // --- Documents
    /// `epoch` and `version`: what the member has, when it comes back.
    Deliveries open(Connection actor, std::string_view path, std::string_view epoch = {},
                    std::optional<std::uint64_t> version = {});
    Deliveries close(Connection actor, std::string_view path);
    Deliveries push(Connection actor, std::string_view path, std::string_view epoch,
                    std::uint64_t version, std::vector<Sent> updates, Time now);
    /// A base client's whole text. A file that is not there is made. `edit` is passed on to other
    /// base clients as it is.
    struct Edit {
        std::string change_type = "edit";
        std::optional<Position> position{};
    };
    Deliveries change_code(Connection actor, std::string_view path, std::string_view content,
                           std::optional<std::uint64_t> version, Time now, const Edit& edit);
    Deliveries change_code(Connection actor, std::string_view path, std::string_view content,
                           std::optional<std::uint64_t> version, Time now) {
        return change_code(actor, path, content, version, now, Edit());
    }
    Deliveries history(Connection actor, std::string_view path, std::uint64_t from,
                       std::uint64_t to) const;

    // --- Files
    Deliveries create(Connection actor, std::string_view path);
    /// A file, or a folder with all that is in it.
    Deliveries remove(Connection actor, std::string_view path);
    Deliveries rename(Connection actor, std::string_view path, std::string_view new_path);

    // --- Presence and talk
    Deliveries present(Connection actor, Presence presence, Time now);
    Deliveries move_cursor(Connection actor, std::string_view path, Position position, Time now);
    Deliveries chat(Connection actor, std::string_view text, Time now);
    Deliveries signal(Connection actor, std::string_view to_connection_id, std::string kind,
                      std::string payload, Time now);

    /// To be called a few times a second: presence that was held back, hashes of idle documents.
    Deliveries tick(Time now);

    // --- What others ask
    /// Absent when the member may start a run here and touch those of others.
    std::optional<Refusal> why_not_run(Connection actor) const;
    bool has(Connection actor) const { return members_.contains(actor); }
    bool is_empty() const { return members_.empty(); }
    const Person* person(Connection actor) const;
    std::vector<Connection> connections() const;
    const std::string& room_id() const { return room_id_; }
    /// User id of who was its owner first without a token for it; empty: nobody yet.
    const std::string& owner() const { return owner_; }
    const Document* document(std::string_view path) const;
    /// It opened the document, and gets its updates.
    bool is_open(Connection actor, std::string_view path) const;
    std::vector<FileInfo> files() const;
    const std::deque<ChatLine>& chat_lines() const { return chat_; }

    // --- Keeping
    /// About the bytes of memory that it occupies.
    std::size_t memory() const;
    /// Forgets the oldest updates of each document, but for so many bytes of them.
    void shorten_logs(std::size_t bytes);
    /// Puts a kept document into the room; false when it is damaged.
    bool load(std::string_view path, const SavedDocument& saved);
    void load_chat(std::vector<ChatLine> lines);
    void set_owner(std::string user_id) { owner_ = std::move(user_id); }

private:
    struct Viewer {
        bool is_open = false; ///< it gets updates
        BaseView base{};      ///< it gets whole texts
    };
    struct File {
        File(Document start, Time now) : document(std::move(start)), changed(now) {}
        Document document;
        std::map<Connection, Viewer> viewers{};
        Time changed;
        std::uint64_t hashed_version = 0;
    };
    struct Member {
        Person person;
        bool understands;
        Allowance chat;
        Allowance presence;
        Allowance signals;
        std::optional<Presence> last{}; ///< where it is
        bool held_back = false;         ///< and the others do not know yet
    };
    using Files = std::map<std::string, std::unique_ptr<File>, std::less<>>;

    Deliveries refuse(Connection actor, std::string code, std::string message) const;
    Deliveries refuse(Connection actor, Refusal refusal) const;
    /// All others, or those of them that understand updates, or that do not.
    enum class Which { all, understanding, base };
    std::vector<Connection> others(Connection actor, Which which = Which::all) const;
    const Member* member(Connection actor) const;
    Member* member(Connection actor);
    File* file(std::string_view path);
    int free_color() const;

    std::optional<Refusal> why_not_edit(const Member* member) const;
    std::optional<Refusal> why_no_file(std::string_view path) const;
    std::optional<Refusal> why_no_place(std::string_view path) const;
    File& make_file(const std::string& path, Time now);
    std::size_t bytes_for(const File* file) const;
    /// Tells all viewers but `actor` what was accepted.
    void publish(Deliveries& out, const std::string& path, File& file, const Pushed& pushed,
                 Connection actor, const Person& from, Time now, const Edit& edit);
    /// To all others, from where the member is now; base clients get a cursor.
    void tell_presence(Deliveries& out, Connection actor, Member& member);
    void take_out(Deliveries& out, Connection actor);
    void announce(Deliveries& out, Connection actor, const FileOperation& operation) const;

    std::string room_id_;
    std::string owner_{};
    RoomLimits limits_;
    std::function<std::string()> fresh_epoch_;
    std::map<Connection, Member> members_{};
    Files files_{};
    std::deque<ChatLine> chat_{};
    std::uint64_t next_message_ = 1;
};

} // namespace cloister::rooms
