// All rooms, who is in which, and who everybody is. Knows connections, not sockets: each is a
// Member that hears messages. Every request becomes one call of a room; what the room answers is
// kept first (archive.h), then made into texts, once for all who get the same, and delivered.
//
// Promises: who somebody is was decided here, and nothing in a message changes it but a token that
// we signed. Whoever does not read, or floods, or fills a room loses for itself alone. What a
// member was told is kept.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/archive.h"
#include "daemon/front/events.h"
#include "daemon/front/held_documents.h"
#include "daemon/front/protocol.h"
#include "daemon/front/room_replies.h"
#include "daemon/front/rooms/room.h"
#include "daemon/front/send_queue.h"
#include "daemon/tokens/tokens.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front {

using ClientId = std::uint64_t; // as in executions.h

/// A connection, as the hub reaches it. Must not call the hub back from within.
class Member {
public:
    virtual ~Member() = default;
    /// `bulk`: a part of a large answer to this connection's own question.
    virtual void hear(const MessagePtr& message, bool bulk) = 0;
};

/// Hears of the documents of rooms, for those who subscribed to what is said about them. Must not
/// call the hub back from within.
class DocumentWatcher {
public:
    virtual ~DocumentWatcher() = default;
    /// Somebody who has it open. The refusal: why that cannot be.
    virtual std::optional<rooms::Refusal> subscribe(rooms::Connection connection,
                                                    const RoomDocument& document, bool korean) = 0;
    virtual void unsubscribe(rooms::Connection connection, const RoomDocument& document) = 0;
    /// The connection has left its room.
    virtual void on_left(rooms::Connection connection) = 0;
    virtual void on_changed(const RoomDocument& document) = 0;
    /// Files were made, renamed or deleted.
    virtual void on_files(const std::string& room_id) = 0;
};

/// Who a connection is.
struct Self {
    std::string connection_id{};
    std::string client_id{};
    std::string user_id{};
    std::string name{};
};

class Hub {
public:
    using Connection = rooms::Connection;

    /// `archive` may be none: then rooms end with the process. It and `config` outlive the hub.
    Hub(const config::Config& config, const tokens::Secret& secret, Archive* archive,
        LanguageOf language_of, std::function<rooms::Time()> now);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // --- Connections
    /// `wanted`: the connection id that the client chose; it gets another one when that is taken.
    Connection open(Member& member, const std::string& wanted);
    /// It is gone. Its room hears of it; twice is harmless.
    void close(Connection connection);
    const Self& self(Connection connection) const;
    /// With it, the client can be itself again on another connection.
    std::string resume_token(Connection connection) const;

    // --- Rooms
    /// Hears the code of every request of a room that is refused.
    void on_refusal(std::function<void(std::string_view code)> heard) {
        refused_ = std::move(heard);
    }
    void handle(Connection connection, RoomRequest request);
    void join(Connection connection, const JoinRoom& asked, const std::optional<std::string>& id);
    /// To be called a few times a second while is_lively(), else now and then.
    void tick();
    bool is_lively() const { return members_in_rooms_ > 0; }

    // --- Documents, for those who read them
    /// None: nobody can subscribe.
    void watch_with(DocumentWatcher* watcher) { watcher_ = watcher; }
    struct Text {
        std::string content{};
        std::string epoch{};
        std::uint64_t version = 0;
    };
    /// Of a room that is in memory.
    std::optional<Text> text_of(const RoomDocument& document) const;
    std::optional<std::pair<std::string, std::uint64_t>> version_of(
        const RoomDocument& document) const;
    bool is_open(Connection connection, const RoomDocument& document) const;
    /// The document of the caller's room that it may say this about: it is its text, or who asks
    /// may change it anyway.
    std::optional<RoomDocument> document_of(Connection connection, std::string_view path,
                                            std::string_view content) const;
    void tell(Connection connection, const MessagePtr& message) { say(connection, message); }

    // --- Runs in rooms (hub_runs.cpp)
    bool is_in_room(Connection connection) const;
    std::optional<Refusal> why_not_run(Connection connection) const;
    /// Fills in the room's files for a request that names one of them and brings no code.
    std::optional<Refusal> lend_files(Connection connection, ExecuteCode& request) const;
    /// From now on share() passes on what happens in the run.
    struct SharedRun {
        std::string run_id{};
        ClientId client = 0;
        bool streamed = false; ///< whoever started it asked to see it happen
        bool live = false;     ///< or to hear of its start at least
        std::string language{};
    };
    void share_run(Connection starter, const SharedRun& run);
    bool is_shared(const std::string& run_id) const { return runs_.contains(run_id); }
    /// Tells the room; true when whoever started the run hears of it, too.
    bool share(const Event& event);
    /// The client of Executions whose run a member of the same room means; nothing when it is not
    /// another member's.
    std::variant<std::monostate, ClientId, Refusal> client_of(Connection connection,
                                                              const RunName& run) const;

    // --- Numbers
    std::size_t rooms() const { return rooms_.size(); }
    std::size_t memory() const { return memory_; }
    std::uint64_t divergences() const { return divergences_; }

private:
    struct Here;
    struct Person;
    using RoomPtr = std::shared_ptr<Here>;

    Person& person(Connection connection) { return *people_.at(connection); }
    const Person& person(Connection connection) const { return *people_.at(connection); }
    void say(Connection connection, const MessagePtr& message, bool bulk = false);
    void refuse(Connection connection, std::string code, std::string message,
                const std::optional<std::string>& id);

    // hub.cpp: rooms that come and go
    RoomPtr find_room(const std::string& room_id);
    RoomPtr load_room(const std::string& room_id);
    bool make_place();
    void unload(const std::string& room_id);
    void weigh(Here& here);
    bool has_memory_for(Here& here);
    void leave(Connection connection, const std::optional<std::string>& id, bool replaced);
    void settle(Here& here);
    struct Admission {
        RoomPtr here{};
        rooms::Role role = rooms::Role::viewer;
    };
    std::variant<std::optional<rooms::Role>, rooms::Refusal> role_by_token(
        const std::string& room_id, const Person& who, const std::string& own_token);
    std::variant<Admission, rooms::Refusal> admit(const std::string& room_id, const Person& who,
                                                  const std::string& token);
    void deliver(Here& here, const rooms::Deliveries& deliveries, Connection actor,
                 const std::optional<std::string>& id);
    MessagePtr message_for(Here& here, const rooms::Event& event,
                           const std::optional<std::string>& id);
    /// Keeps what changed, in the whole room or in one file, then delivers.
    void keep_and_deliver(Here& here, rooms::Deliveries deliveries, Connection actor,
                          const std::optional<std::string>& id, std::string_view path = {});
    void keep_held(Here& here);
    void expire();

    // hub_requests.cpp: one overload for each request
    struct Caller {
        Connection connection;
        const std::optional<std::string>& id;
    };
    void act(const Caller& caller, JoinRoom& asked);
    void act(const Caller& caller, LeaveRoom& asked);
    void act(const Caller& caller, Hello& asked);
    void act(const Caller& caller, ChangeCode& asked);
    void act(const Caller& caller, MoveCursor& asked);
    void act(const Caller& caller, Say& asked);
    void act(const Caller& caller, OperateFile& asked);
    void act(const Caller& caller, OpenDocument& asked);
    void act(const Caller& caller, PushUpdates& asked);
    void act(const Caller& caller, CloseDocument& asked);
    void act(const Caller& caller, AskHistory& asked);
    void act(const Caller& caller, ShowPresence& asked);
    void act(const Caller& caller, SendSignal& asked);
    void act(const Caller& caller, WatchAnalysis& asked);
    bool resume(Connection connection, const std::string& token);
    /// The caller's room; none when nothing can be done there, or `grows` and there is no memory
    /// for that: then the caller has been told.
    Here* room_of(const Caller& caller, bool grows);
    const rooms::Document* document(const RoomDocument& document) const;

    // hub_runs.cpp
    struct Run;
    void end_run(const Run& run, const Finished& finished);
    void tell_watchers(const Run& run, const Event& event);
    std::string runs_json(const Here& here) const;
    void end_runs_of(Connection connection);

    const config::Config& config_;
    tokens::Secret secret_;
    Archive* archive_;
    LanguageOf language_of_;
    std::function<rooms::Time()> now_;
    rooms::RoomLimits limits_;
    std::map<std::string, RoomPtr, std::less<>> rooms_{};
    std::map<Connection, std::shared_ptr<Person>> people_{};
    std::map<std::string, Connection, std::less<>> by_client_{};
    std::map<std::string, Connection, std::less<>> by_connection_id_{};
    std::map<std::string, std::shared_ptr<Run>, std::less<>> runs_{};
    Connection last_connection_ = 0;
    std::size_t members_in_rooms_ = 0;
    std::size_t memory_ = 0;
    std::uint64_t divergences_ = 0;
    std::function<void(std::string_view)> refused_{};
    DocumentWatcher* watcher_ = nullptr;
    rooms::Time last_expiry_{};
};

} // namespace cloister::front
