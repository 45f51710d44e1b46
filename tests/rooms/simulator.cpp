// The world of a run: a room, clients that follow the rules of the protocol as a page would, and a
// queue in each direction between each of them and the room.
#include "tests/rooms/simulator.h"

#include "daemon/front/rooms/room.h"

#include <array>
#include <deque>
#include <istream>
#include <ostream>
#include <random>
#include <stdexcept>

namespace cloister::rooms::simulation {
namespace {

constexpr std::string_view kPath = "main.py";
constexpr std::size_t kLongText = 400; ///< from here on clients delete more than they write

struct OpenMessage {
    std::string epoch;
    std::optional<std::uint64_t> version;
};
struct PushMessage {
    std::string epoch;
    std::uint64_t version;
    std::vector<Sent> updates;
};
struct TextMessage {
    std::string content;
};
using Message = std::variant<OpenMessage, PushMessage, TextMessage>;

struct Client {
    bool is_base = false;
    std::string client_id{};
    Connection connection = 0; ///< none while offline
    std::deque<Message> to_server{};
    std::deque<Event> to_client{};
    std::u16string text{};
    // Those that understand updates.
    std::string epoch{};
    std::uint64_t version = 0;
    std::vector<Sent> pending{};
    std::uint64_t next_seq = 1;
    bool is_open = false;
    bool in_flight = false;
};

/// What clients write: some of it has two units, some a line break.
constexpr std::array<std::u16string_view, 10> kWords = {
    u"a", u"b", u"\n", u"한", u"😀", u"xy", u"글\n", u"🏳x", u"  ", u"def f():\n"};

class World {
public:
    World(const Plan& plan, Counts& counts) : plan_(plan), counts_(counts) {
        limits_.document.base_arrival = Time{1'000'000'000}; // lines here are as slow as can be
        limits_.updates_per_message = 7; // so that coming back takes several messages
        if (plan.forgetful) limits_.document.log_updates = 24;
        start_room();
        for (std::uint32_t i = 0; i < plan.understanding + plan.base; ++i) {
            Client client;
            client.is_base = i >= plan.understanding;
            client.client_id = "c" + std::to_string(++clients_made_);
            clients_.push_back(std::move(client));
            connect(clients_.back());
        }
        (void)room_->create(clients_[0].connection, kPath);
        for (Client& client : clients_)
            if (!client.is_base) client.to_server.push_back(OpenMessage{});
    }

    void step(const Step& step) {
        Client& client = clients_[step.who % clients_.size()];
        now_ += Time{step.what % 7};
        const std::uint32_t kind = step.kind % 100;
        const std::uint32_t rare = step.kind / 100 % 100;
        if (kind < 34) {
            edit(client, step);
        } else if (kind < 50) {
            send(client, step.what);
        } else if (kind < 73) {
            serve(client);
        } else if (kind < 96) {
            receive(client);
        } else if (client.connection == 0) {
            connect(client);
        } else if (kind < 98) {
            drop(client, step.what % 2 == 0);
        } else if (rare < 60) {
            send_again(client);
        } else if (rare < 85) {
            now_ += Time{1'000};
            deliver(room_->tick(now_));
        } else if (rare < 95) {
            reload(client);
        } else {
            restart();
        }
    }

    /// Everybody comes back, and everything arrives.
    void settle() {
        for (int round = 0; round < 3; ++round) {
            for (Client& client : clients_)
                if (client.connection == 0) connect(client);
            for (bool moved = true; moved && failure_.empty();) {
                moved = false;
                for (Client& client : clients_) {
                    send(client, 63);
                    moved = moved || !client.to_server.empty() || !client.to_client.empty();
                    while (!client.to_server.empty()) serve(client);
                    while (!client.to_client.empty() && failure_.empty()) receive(client);
                }
            }
            now_ += Time{5'000};
            deliver(room_->tick(now_));
        }
        const Document& document = *room_->document(kPath);
        for (const Client& client : clients_) {
            if (!client.pending.empty()) fail(client, "has updates that nobody took");
            if (client.text != document.text())
                fail(client, "ends with '" + to_utf8(client.text) + "', the server with '" +
                                 to_utf8(document.text()) + "'");
        }
        if (to_utf8(document.text()).size() != document.bytes()) failure_ = "bytes are miscounted";
        const auto again = Document::restore(document.saved(), limits_.document);
        if (!again || again->text() != document.text() || again->version() != document.version())
            failure_ = "what is saved is not what was there";
    }

    const std::string& failure() const { return failure_; }

private:
    void fail(const Client& client, const std::string& what) {
        if (failure_.empty())
            failure_ = client.client_id + (client.is_base ? " (base) " : " ") + what;
    }

    void start_room() {
        room_.emplace("sim", limits_, [this] {
            const std::string number = std::to_string(++epochs_made_);
            return std::string(16 - number.size(), '0') + number;
        });
    }

    void deliver(const Deliveries& deliveries) {
        for (const Delivery& delivery : deliveries)
            for (const Connection to : delivery.to)
                for (Client& client : clients_)
                    if (client.connection == to) client.to_client.push_back(delivery.event);
    }

    void connect(Client& client) {
        client.connection = ++connections_made_;
        deliver(room_->join(client.connection,
                            Person{"n" + std::to_string(client.connection), client.client_id,
                                   client.client_id, "", 0, Role::editor},
                            !client.is_base, now_));
        if (!client.is_base && room_->document(kPath) != nullptr) {
            OpenMessage open;
            if (!client.epoch.empty()) open = {client.epoch, client.version};
            client.to_server.push_back(std::move(open));
        }
    }

    /// What is under way is lost. The server may not notice before the client is back.
    void drop(Client& client, bool server_knows) {
        ++counts_.drops;
        const Connection old = client.connection;
        lose(client);
        if (server_knows && room_->has(old)) deliver(room_->leave(old));
    }

    void lose(Client& client) {
        client.connection = 0;
        client.is_open = false;
        client.in_flight = false;
        client.to_server.clear();
        client.to_client.clear();
    }

    /// The page is loaded anew: what was not sent is gone, and so is who it was.
    void reload(Client& client) {
        if (client.connection != 0) drop(client, true);
        client.client_id = "c" + std::to_string(++clients_made_);
        client.epoch.clear();
        client.pending.clear();
        client.next_seq = 1;
        connect(client);
    }

    void restart() {
        ++counts_.restarts;
        const SavedDocument saved = room_->document(kPath)->saved();
        for (Client& client : clients_) lose(client);
        start_room();
        if (!room_->load(kPath, saved)) failure_ = "the server cannot read its own log";
    }

    void edit(Client& client, const Step& step) {
        // Nothing to edit before the first text is there.
        if (client.is_base ? client.connection == 0 : client.epoch.empty()) return;
        const std::u16string& text = client.text;
        std::size_t from = step.where % (text.size() + 1);
        if (is_inside_pair(text, from)) --from;
        std::size_t removed = step.what % 3 == 0 ? (step.what / 3) % 6 : 0;
        if (step.what % 97 == 0 || text.size() > kLongText) removed = text.size();
        std::size_t to = std::min(text.size(), from + removed);
        if (is_inside_pair(text, to)) ++to;
        const std::u16string_view word =
            step.what % 5 == 4 ? std::u16string_view{} : kWords[(step.what / 7) % kWords.size()];
        if (from == to && word.empty()) return;
        ChangeSet changes = ChangeSet::replacing(text.size(), from, to, word);
        if (step.what % 11 == 0) { // several places at once, as with many cursors
            std::size_t at = (step.where / 3) % (changes.new_length() + 1);
            std::u16string after = text;
            changes.apply_to(after);
            if (is_inside_pair(after, at)) --at;
            changes = changes.compose(ChangeSet::replacing(after.size(), at, at, u"+"));
        }
        ++counts_.edits;
        changes.apply_to(client.text);
        if (client.is_base) client.to_server.push_back(TextMessage{to_utf8(client.text)});
        else client.pending.push_back({client.next_seq++, std::move(changes)});
    }

    void send(Client& client, std::uint32_t most) {
        if (client.is_base || !client.is_open || client.in_flight || client.pending.empty()) return;
        push(client, most % 64 + 1);
        client.in_flight = true;
    }

    void push(Client& client, std::size_t most) {
        const std::size_t count = std::min(most, client.pending.size());
        client.to_server.push_back(PushMessage{
            client.epoch,
            client.version,
            {client.pending.begin(), client.pending.begin() + static_cast<std::ptrdiff_t>(count)}});
    }

    /// An impatient client: the same push twice. What was accepted must not be done twice.
    void send_again(Client& client) {
        if (!client.in_flight) return;
        ++counts_.again;
        for (auto message = client.to_server.rbegin(); message != client.to_server.rend();
             ++message)
            if (std::holds_alternative<PushMessage>(*message)) {
                client.to_server.push_back(Message(*message));
                return;
            }
        push(client, 64);
    }

    void serve(Client& client) {
        if (client.to_server.empty()) return;
        const Message message = std::move(client.to_server.front());
        client.to_server.pop_front();
        const Connection actor = client.connection;
        if (const auto* open = std::get_if<OpenMessage>(&message)) {
            deliver(room_->open(actor, kPath, open->epoch, open->version));
        } else if (const auto* text = std::get_if<TextMessage>(&message)) {
            deliver(room_->change_code(actor, kPath, text->content, {}, now_));
        } else if (const auto* sent = std::get_if<PushMessage>(&message)) {
            deliver(room_->push(actor, kPath, sent->epoch, sent->version, sent->updates, now_));
        }
    }

    void receive(Client& client) {
        if (client.to_client.empty()) return;
        const Event event = std::move(client.to_client.front());
        client.to_client.pop_front();
        if (const auto* code = std::get_if<CodeChange>(&event)) {
            if (client.is_base) client.text = from_utf8(*code->content);
            else fail(client, "got a whole text");
        } else if (const auto* state = std::get_if<DocState>(&event)) {
            take(client, *state);
        } else if (const auto* updates = std::get_if<DocUpdates>(&event)) {
            take(client, *updates);
        } else if (const auto* ack = std::get_if<DocAck>(&event)) {
            take(client, *ack);
        } else if (const auto* refusal = std::get_if<Refusal>(&event)) {
            // The server's memory may be too short for where the client is.
            if (refusal->code != "stale_epoch" || !plan_.forgetful) {
                fail(client, "was refused: " + refusal->code + ": " + refusal->message);
                return;
            }
            if (!client.is_open) return; // it has asked already
            client.is_open = false;
            client.in_flight = false;
            client.to_server.push_back(OpenMessage{client.epoch, client.version});
        }
    }

    void take(Client& client, const DocState& state) {
        if (!client.epoch.empty() && client.epoch == state.epoch && !plan_.forgetful)
            fail(client, "lost its place in the history");
        client.epoch = state.epoch;
        client.version = state.version;
        client.text = from_utf8(*state.content);
        client.pending.clear();
        client.next_seq = state.last_seq + 1;
        client.is_open = true;
        client.in_flight = false;
        check(client, state.hash);
    }

    void take(Client& client, const DocUpdates& message) {
        if (message.epoch != client.epoch) return fail(client, "got another epoch's updates");
        if (message.resumed) {
            ++counts_.resumed;
            client.is_open = true;
            client.in_flight = false;
        } else if (!client.is_open) {
            // Between a refused push and the answer to doc_open they may be of any version.
            if (!plan_.forgetful) fail(client, "got updates before the answer to doc_open");
            return;
        }
        if (message.version != client.version)
            return fail(client, "is at version " + std::to_string(client.version) +
                                    " and got updates of " + std::to_string(message.version));
        for (const UpdatePtr& update : message.updates) {
            ++client.version;
            if (update->client_id == client.client_id) {
                if (client.pending.empty() || client.pending.front().seq != update->seq)
                    return fail(client, "got an update of its own that it does not wait for");
                client.pending.erase(client.pending.begin());
                continue;
            }
            ChangeSet changes = update->changes;
            for (Sent& own : client.pending) {
                ChangeSet moved = own.changes.map(changes);
                changes = changes.map(own.changes, true);
                own.changes = std::move(moved);
            }
            changes.apply_to(client.text);
        }
        if (message.hash) check(client, *message.hash);
    }

    void take(Client& client, const DocAck& ack) {
        // Who has asked anew finds its own updates in the answer.
        if (!client.is_open && plan_.forgetful) return;
        while (!client.pending.empty() && client.pending.front().seq <= ack.last_seq) {
            client.pending.erase(client.pending.begin());
            ++client.version;
        }
        if (client.version != ack.version)
            return fail(client, "is at version " + std::to_string(client.version) + ", was told " +
                                    std::to_string(ack.version));
        client.in_flight = false;
        if (ack.hash) check(client, *ack.hash);
    }

    void check(const Client& client, std::uint32_t hash) {
        if (!client.pending.empty()) return;
        ++counts_.hashes;
        if (hash_of(client.text) != hash) fail(client, "has another text than its version has");
    }

    const Plan& plan_;
    Counts& counts_;
    RoomLimits limits_{};
    std::optional<Room> room_{};
    std::vector<Client> clients_{};
    Time now_{1'000};
    std::uint64_t connections_made_ = 0;
    std::uint64_t clients_made_ = 0;
    std::uint64_t epochs_made_ = 0;
    std::string failure_{};
};

} // namespace

Plan make_plan(std::uint64_t seed, std::uint32_t edits) {
    std::mt19937_64 random(seed);
    Plan plan;
    plan.understanding = 2 + static_cast<std::uint32_t>(random() % 5);
    plan.base = random() % 2 == 0 ? 0 : 1 + static_cast<std::uint32_t>(random() % 3);
    plan.forgetful = random() % 8 == 0;
    const auto number = [&] { return static_cast<std::uint32_t>(random()); };
    for (std::uint32_t i = 0; i < edits * 3; ++i) { // about one step in three is an edit
        Step step;
        step.kind = number();
        step.who = number();
        step.where = number();
        step.what = number();
        plan.steps.push_back(step);
    }
    return plan;
}

std::string run(const Plan& plan, Counts& counts) {
    ++counts.runs;
    World world(plan, counts);
    for (const Step& step : plan.steps) {
        world.step(step);
        if (!world.failure().empty()) return world.failure();
    }
    world.settle();
    return world.failure();
}

Plan shrunk(Plan plan) {
    Counts unused;
    for (std::size_t piece = plan.steps.size() / 2; piece > 0; piece /= 2)
        for (std::size_t at = 0; at < plan.steps.size();) {
            Plan less = plan;
            const auto begin = less.steps.begin() + static_cast<std::ptrdiff_t>(at);
            less.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(
                                                std::min(piece, plan.steps.size() - at)));
            if (run(less, unused).empty()) at += piece;
            else plan = std::move(less);
        }
    return plan;
}

void save(const Plan& plan, std::ostream& out) {
    out << "rooms-plan 1 " << plan.understanding << ' ' << plan.base << ' ' << plan.forgetful << ' '
        << plan.steps.size() << '\n';
    for (const Step& step : plan.steps)
        out << step.kind << ' ' << step.who << ' ' << step.where << ' ' << step.what << '\n';
}

Plan load(std::istream& in) {
    std::string word;
    int format = 0;
    std::size_t count = 0;
    Plan plan;
    in >> word >> format >> plan.understanding >> plan.base >> plan.forgetful >> count;
    if (!in || word != "rooms-plan" || format != 1 || plan.understanding == 0)
        throw std::runtime_error("this is no plan of the simulator");
    for (Step step;
         plan.steps.size() < count && in >> step.kind >> step.who >> step.where >> step.what;)
        plan.steps.push_back(step);
    if (plan.steps.size() != count) throw std::runtime_error("the plan ends too early");
    return plan;
}

} // namespace cloister::rooms::simulation
