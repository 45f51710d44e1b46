// Promises of rooms over whole dialogues, text in and text out: who is told what, who may what, who
// is who.
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace cloister::front;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// One client and what it heard.
struct Guest {
    explicit Guest(House& house, const Granted& grant = {}) : home(house) {
        conversation = std::make_unique<Conversation>(
            house.service,
            [this](const MessagePtr& message, bool) {
                texts.push_back(message);
                said.push_back(json::parse(message->text));
            },
            house.stage.now);
        conversation->begin(grant);
        hello = said.at(0);
    }
    /// The messages that this one caused to come here.
    std::vector<json> say(const json& message) {
        const std::size_t before = said.size();
        CHECK(conversation->receive(message.dump(), false, home.stage.now) == Conversation::kGoOn);
        return {said.begin() + static_cast<std::ptrdiff_t>(before), said.end()};
    }
    json ask(const json& message) {
        const auto answers = say(message);
        REQUIRE(!answers.empty());
        return answers.back();
    }
    json join(const std::string& room = "room_123") {
        for (const json& answer : say({{"type", "join_room"}, {"room_id", room}}))
            if (answer["type"] != "code_change") return answer;
        return {};
    }
    json greet(json fields = json::object()) {
        fields["type"] = "hello";
        fields["protocol"] = 2;
        for (const json& answer : say(fields))
            if (answer["type"] == "hello_ok" || answer["type"] == "error") return answer;
        return {};
    }
    /// Takes what was heard since.
    std::vector<json> heard() {
        std::vector<json> out(said.begin() + static_cast<std::ptrdiff_t>(read), said.end());
        read = said.size();
        return out;
    }
    std::vector<json> heard(const std::string& type) {
        std::vector<json> out;
        for (json& message : heard())
            if (message["type"] == type) out.push_back(std::move(message));
        return out;
    }
    void forget() { read = said.size(); }

    House& home;
    std::vector<json> said{};
    std::vector<MessagePtr> texts{};
    std::size_t read = 0;
    json hello{};
    std::unique_ptr<Conversation> conversation{};
};

const json kExecute = {
    {"type", "execute_code"}, {"code", "print(1)"}, {"language", "python"}, {"file_path", "m.py"}};

json operation(const std::string& what, const std::string& path, const std::string& to = "") {
    return {{"type", "file_operation"}, {"operation", what}, {"file_path", path}, {"new_path", to}};
}

/// What is kept, in memory; fails when it is told to.
struct PaperArchive : Archive {
    std::optional<Saved> open(const std::string& room_id, cloister::rooms::Time) override {
        const auto found = saved.find(room_id);
        return found == saved.end() ? std::nullopt : std::optional(found->second);
    }
    void close(const std::string& room_id, cloister::rooms::Time) override {
        closed.push_back(room_id);
    }
    void keep(const cloister::rooms::Room& room, cloister::rooms::Time) override {
        if (fails) throw std::runtime_error("the disk is full");
        Saved all;
        for (const auto& file : room.files())
            all.files.emplace_back(file.path, room.document(file.path)->saved());
        saved[room.room_id()] = std::move(all);
    }
    void keep(const cloister::rooms::Room& room, std::string_view,
              cloister::rooms::Time now) override {
        keep(room, now);
    }
    std::optional<History> history(const std::string&, std::string_view, std::uint64_t from,
                                   std::uint64_t) override {
        asked_from = from;
        return History{from, {old}, true};
    }
    void tidy(cloister::rooms::Time) override { ++tidied; }

    std::map<std::string, Saved> saved{};
    std::vector<std::string> closed{};
    cloister::rooms::UpdatePtr old{};
    std::uint64_t asked_from = 0;
    int tidied = 0;
    bool fails = false;
};

} // namespace

TEST_CASE("two base clients work together with the base messages alone", "[front][rooms]") {
    House house;
    Guest alice(house);
    Guest bob(house);
    const json joined = alice.join();
    CHECK(joined["type"] == "room_joined");
    CHECK(joined["room_id"] == "room_123");
    CHECK(joined["users"].size() == 1);
    CHECK(joined["users"][0]["connection_id"] == alice.hello["connection_id"]);
    CHECK(joined["role"] == "owner");
    CHECK_FALSE(joined.contains("id"));
    CHECK(bob.join()["users"].size() == 2);
    const json seen = alice.heard("user_joined").at(0);
    CHECK(seen["user_id"] == bob.hello["user_id"]);

    CHECK(alice
              .say({{"type", "code_change"},
                    {"file_path", "main.py"},
                    {"content", "def hello():\n    print('Hello, World!')"},
                    {"change_type", "edit"},
                    {"position", {{"line", 0}, {"column", 0}}}})
              .empty());
    const auto changes = bob.heard("code_change");
    REQUIRE(changes.size() == 1);
    CHECK(changes[0]["content"] == "def hello():\n    print('Hello, World!')");
    CHECK(changes[0]["change_type"] == "edit");
    CHECK(changes[0]["position"] == json({{"line", 0}, {"column", 0}}));
    CHECK(changes[0]["connection_id"] == alice.hello["connection_id"]);
    CHECK(changes[0]["user_id"] == alice.hello["user_id"]);
    CHECK(changes[0].contains("timestamp"));

    (void)bob.say({{"type", "cursor_change"},
                   {"file_path", "main.py"},
                   {"position", {{"line", 1}, {"column", 15}}}});
    CHECK(alice.heard("cursor_change").at(0)["position"]["column"] == 15);
    (void)bob.say({{"type", "chat_message"}, {"message", "안녕 👋"}});
    const json chat = alice.heard("chat_message").at(0);
    CHECK(chat["message"] == "안녕 👋");
    CHECK(chat["message_id"] == 1);
    // As the base text has it: with a new_path, which means nothing here.
    (void)bob.say(operation("create", "new_file.py", "renamed_file.py"));
    const json made = alice.heard("file_operation").at(0);
    CHECK(made["operation"] == "create");
    CHECK(made["file_path"] == "new_file.py");
    CHECK_FALSE(made.contains("new_path"));
    (void)bob.say(operation("rename", "new_file.py", "renamed_file.py"));
    CHECK(alice.heard("file_operation").at(0)["new_path"] == "renamed_file.py");

    CHECK(bob.ask({{"type", "leave_room"}})["type"] == "room_left");
    CHECK(alice.heard("user_left").at(0)["user_id"] == bob.hello["user_id"]);
    CHECK(bob.ask({{"type", "leave_room"}})["code"] == "not_in_room");
}

TEST_CASE("who has said hello edits by updates, beside a base client", "[front][rooms]") {
    House house;
    Guest base(house);
    Guest page(house);
    (void)base.join();
    (void)base.say({{"type", "code_change"}, {"file_path", "main.py"}, {"content", "one\n"}});
    CHECK(page.greet({{"name", "민준"}})["resumed"] == false);
    const json joined = page.join();
    CHECK(joined["name"] == "민준");
    CHECK(joined["files"] ==
          json::parse(R"([{"file_path":"main.py","version":1,"bytes":4,"language":"python"}])"));
    const json state = page.ask({{"type", "doc_open"}, {"file_path", "main.py"}, {"id", "open"}});
    CHECK(state["type"] == "doc_state");
    CHECK(state["content"] == "one\n");
    CHECK(state["last_seq"] == 0);
    CHECK(state["read_only"] == false);
    CHECK(state["id"] == "open");
    base.forget();

    const json push = {
        {"type", "doc_push"},
        {"id", "p1"},
        {"file_path", "main.py"},
        {"epoch", state["epoch"]},
        {"version", 1},
        {"updates", {{{"seq", 1}, {"changes", json::parse(R"([4,[0,"두","셋"]])")}}}}};
    const json ack = page.ask(push);
    CHECK(ack["type"] == "doc_ack");
    CHECK(ack["version"] == 2);
    CHECK(ack["count"] == 1);
    CHECK(ack["id"] == "p1");
    const json change = base.heard("code_change").at(0);
    CHECK(change["content"] == "one\n두\n셋");
    CHECK(change["name"] == "민준");
    CHECK(change["position"] == json({{"line", 1}, {"column", 0}}));
    CHECK(page.ask(push)["version"] == 2); // sent again after a lost answer: nothing is done twice

    (void)base.say(
        {{"type", "code_change"}, {"file_path", "main.py"}, {"content", "one!\n두\n셋"}});
    const json update = page.heard("doc_updates").at(0);
    CHECK(update["version"] == 2);
    CHECK(update["updates"][0]["changes"] == json::parse(R"([3,[0,"!"],4])"));
    CHECK(update["updates"][0]["client_id"] != page.hello["client_id"]);

    CHECK(page.ask({{"type", "doc_history"},
                    {"file_path", "main.py"},
                    {"from", 1},
                    {"to", 3}})["updates"]
              .size() == 2);
    CHECK(page.ask({{"type", "code_change"}, {"file_path", "main.py"}, {"content", ""}})["code"] ==
          "bad_message");
}

TEST_CASE("presence and signals reach those whom they are for", "[front][rooms]") {
    House house;
    Guest one(house);
    Guest two(house);
    Guest base(house);
    for (Guest* guest : {&one, &two}) {
        (void)guest->greet();
        (void)guest->join();
    }
    (void)base.join();
    (void)one.say(operation("create", "a.py"));
    const std::string epoch =
        one.ask({{"type", "doc_open"}, {"file_path", "a.py"}})["epoch"].get<std::string>();
    (void)two.say({{"type", "doc_open"}, {"file_path", "a.py"}});
    two.forget();
    base.forget();
    const json presence = {{"type", "presence"},
                           {"file_path", "a.py"},
                           {"epoch", epoch},
                           {"version", 0},
                           {"ranges", {{{"anchor", 0}, {"head", 0}}}},
                           {"viewport", {1, 40}},
                           {"typing", true}};
    CHECK(one.say(presence).empty());
    const json seen = two.heard("presence").at(0);
    CHECK(seen["client_id"] == one.hello["client_id"]);
    CHECK(seen["viewport"] == json({1, 40}));
    CHECK(seen["typing"] == true);
    CHECK(base.heard("cursor_change").size() == 1);
    CHECK_FALSE(two.texts.back()->topic.empty());

    for (int i = 0; i < 60; ++i) (void)one.say(presence);
    CHECK(two.heard("presence").size() < 60);
    house.wait(1s);
    house.hub.tick();
    CHECK(two.heard("presence").size() == 1); // the newest was held back, not lost

    const json signal = {{"type", "rtc_signal"},
                         {"to", two.hello["connection_id"]},
                         {"kind", "description"},
                         {"payload", {{"sdp", "v=0"}}}};
    CHECK(one.say(signal).empty());
    const json told = two.heard("rtc_signal").at(0);
    CHECK(told["from"] == one.hello["connection_id"]);
    CHECK(told["payload"]["sdp"] == "v=0");
    CHECK(base.heard("rtc_signal").empty());
}

TEST_CASE("nobody becomes another by saying so", "[front][rooms]") {
    House house;
    Guest alice(house, Granted{"alice"});
    CHECK(alice.hello["connection_id"] == "alice");
    (void)alice.join();
    // The same address again is another connection, not the same person.
    Guest mallory(house, Granted{"alice"});
    CHECK(mallory.hello["connection_id"] != "alice");
    CHECK(mallory.hello["client_id"] != alice.hello["client_id"]);
    const std::string token = alice.hello["resume_token"].get<std::string>();
    std::string forged = token;
    forged[3] = forged[3] == 'A' ? 'B' : 'A';
    CHECK(mallory.greet({{"client_id", alice.hello["client_id"]},
                         {"user_id", alice.hello["user_id"]},
                         {"resume", {{"resume_token", forged}}}})["resumed"] == false);
    const json joined = mallory.join();
    CHECK(joined["client_id"] == mallory.hello["client_id"]);
    CHECK(joined["role"] == "runner");
    alice.forget();
    (void)mallory.say({{"type", "chat_message"},
                       {"message", "it is me, alice"},
                       {"user_id", alice.hello["user_id"]},
                       {"connection_id", "alice"}});
    CHECK(alice.heard("chat_message").at(0)["user_id"] == mallory.hello["user_id"]);
}

TEST_CASE("with its token a client is itself again, and its old connection is not",
          "[front][rooms]") {
    House house;
    Guest before(house, Granted{"mine"});
    (void)before.greet({{"name", "Ann"}});
    (void)before.join();
    (void)before.say(operation("create", "a.py"));
    const json state = before.ask({{"type", "doc_open"}, {"file_path", "a.py"}});
    const auto push = [&](Guest& guest, int seq, int version, const char* changes) {
        return guest.ask({{"type", "doc_push"},
                          {"file_path", "a.py"},
                          {"epoch", state["epoch"]},
                          {"version", version},
                          {"updates", {{{"seq", seq}, {"changes", json::parse(changes)}}}}});
    };
    CHECK(push(before, 1, 0, R"([[0,"x"]])")["version"] == 1);
    before.forget();

    Guest after(house, Granted{"mine"});
    CHECK(after.hello["connection_id"] != "mine"); // still taken
    const json again = after.greet({{"resume",
                                     {{"resume_token", before.hello["resume_token"]},
                                      {"rooms", {{{"room_id", "room_123"}}}}}}});
    CHECK(again["resumed"] == true);
    CHECK(again["client_id"] == before.hello["client_id"]);
    CHECK(again["user_id"] == before.hello["user_id"]);
    CHECK(again["connection_id"] == "mine");
    CHECK(again["role"] == "owner");
    CHECK(after.said.back()["type"] == "room_joined");
    CHECK(after.said.back()["users"].size() == 1);
    CHECK(before.heard("room_left").at(0)["replaced"] == true);

    const json missed = after.ask(
        {{"type", "doc_open"}, {"file_path", "a.py"}, {"epoch", state["epoch"]}, {"version", 0}});
    CHECK(missed["resumed"] == true);
    CHECK(missed["last_seq"] == 1);
    CHECK(push(after, 1, 0, R"([[0,"x"]])")["version"] == 1); // what was sent already is not
                                                              // doubled
    CHECK(push(after, 2, 1, R"([1,[0,"y"]])")["version"] == 2);

    // The old connection is a stranger now.
    CHECK(before.join()["client_id"] != after.hello["client_id"]);
    CHECK(before.join()["code"] == "bad_message");
    CHECK(before.said.at(0)["client_id"] != before.home.hub.self(1).client_id);
}

TEST_CASE("roles come from signed tokens and are kept to", "[front][rooms]") {
    auto settings = made_settings();
    settings.config.room_tokens = "required";
    House house(settings);
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(house.time).count();
    const auto token = [&](const std::string& room, const std::string& role, std::int64_t expires) {
        return cloister::tokens::sign(cloister::tokens::Secret{1, 2, 3},
                                      cloister::tokens::RoomPass{room, role, expires});
    };
    const auto join = [](Guest& guest, const std::string& with) {
        return guest.ask({{"type", "join_room"}, {"room_id", "exam"}, {"token", with}});
    };
    Guest viewer(house);
    CHECK(viewer.join("exam")["code"] == "unauthorized");
    CHECK(join(viewer, token("other", "owner", now + 60))["code"] == "unauthorized");
    CHECK(join(viewer, token("exam", "owner", now - 1))["code"] == "unauthorized");
    CHECK(join(viewer, token("exam", "king", now + 60))["code"] == "unauthorized");
    CHECK(join(viewer, "nonsense.nonsense")["code"] == "unauthorized");
    CHECK(house.hub.rooms() == 0);
    CHECK(join(viewer, token("exam", "viewer", now + 60))["role"] == "viewer");
    Guest editor(house);
    CHECK(editor.greet({{"token", token("exam", "editor", now + 60)}}).contains("client_id"));
    CHECK(editor.join("exam")["role"] == "editor");
    Guest runner(house);
    CHECK(join(runner, token("exam", "runner", now + 60))["role"] == "runner");

    const json change = {{"type", "code_change"}, {"file_path", "m.py"}, {"content", "1"}};
    CHECK(viewer.ask(change)["code"] == "forbidden");
    CHECK(viewer.ask(operation("create", "m.py"))["code"] == "forbidden");
    CHECK(runner.say(change).empty());
    CHECK(viewer.ask(kExecute)["code"] == "forbidden");
    CHECK(editor.ask(kExecute)["code"] == "forbidden");
    CHECK(house.stage.boxes.order.empty());
    CHECK(runner.say(kExecute).empty());
    CHECK(house.stage.boxes.order.size() == 1);
    json own = kExecute;
    own["private"] = true;
    CHECK(viewer.say(own).empty()); // its own affair, as outside of the room
}

TEST_CASE("a run in a room is the room's", "[front][rooms]") {
    House house;
    Guest starter(house);
    Guest page(house);
    Guest base(house);
    (void)starter.join();
    (void)page.greet();
    (void)page.join();
    (void)base.join();
    for (Guest* guest : {&starter, &page, &base}) guest->forget();
    json execute = kExecute;
    execute["id"] = "mine";
    execute["interactive"] = true;
    (void)starter.say(execute);
    const auto box = house.stage.boxes.last();
    house.stage.executions.on_started(box, 1ms, cloister::wire::Level::cold);
    house.stage.executions.on_output(box, 0, "name? ");
    const json started = page.heard("execution_started").at(0);
    CHECK(started["user_id"] == starter.hello["user_id"]);
    CHECK_FALSE(started.contains("id")); // it is the starter's
    const std::string run_id = started["run_id"];
    CHECK(page.said.back()["data"] == "name? ");
    CHECK(base.heard().empty());
    const auto own = starter.heard();
    REQUIRE(own.size() == 1); // it asked to hear of the start only
    CHECK(own[0]["type"] == "execution_started");
    CHECK(own[0]["id"] == "mine");

    // Another member answers the program's question.
    CHECK(page.say({{"type", "execution_input"}, {"run_id", run_id}, {"data", "Bob\n"}}).empty());
    CHECK(house.stage.boxes.boxes.at(box).input == "Bob\n");
    Guest late(house);
    CHECK(late.join()["runs"][0]["type"] == "execution_started");
    Guest outsider(house);
    CHECK(outsider.ask({{"type", "execution_cancel"}, {"run_id", run_id}})["code"] ==
          "no_such_run");
    (void)outsider.join("elsewhere");
    CHECK(outsider.ask({{"type", "execution_cancel"}, {"run_id", run_id}})["code"] ==
          "no_such_run");
    house.stage.end(box);
    for (Guest* guest : {&starter, &page, &base}) {
        const auto results = guest->heard("execution_result");
        REQUIRE(results.size() == 1);
        CHECK(results[0]["result"]["output"] == "name? ");
        CHECK(results[0].contains("id") == (guest == &starter));
    }
    Guest later(house);
    const json runs = later.join()["runs"];
    REQUIRE(runs.size() == 1);
    CHECK(runs[0]["result"]["output"] == "name? ");

    execute["private"] = true;
    (void)starter.say(execute);
    page.forget();
    house.stage.end(house.stage.boxes.last());
    CHECK(page.heard().empty());
    CHECK(starter.heard("execution_result").size() == 1);
}

TEST_CASE("a run whose starter leaves has an end for the others", "[front][rooms]") {
    House house;
    Guest page(house);
    (void)page.greet();
    (void)page.join();
    auto starter = std::make_unique<Guest>(house);
    (void)starter->join();
    (void)starter->say(kExecute);
    const auto box = house.stage.boxes.last();
    page.forget();
    starter.reset();
    CHECK(house.stage.boxes.boxes.at(box).killed);
    const json result = page.heard("execution_result").at(0)["result"];
    CHECK(result["verdict"] == "cancelled");
    house.stage.end(box);
    CHECK(page.heard("execution_result").empty());
}

TEST_CASE("a room's file is run with the room's other files", "[front][rooms]") {
    House house;
    Guest guest(house);
    const json execute = {{"type", "execute_code"}, {"language", "python"}, {"file_path", "m.py"}};
    CHECK(guest.ask(execute)["code"] == "bad_message");
    (void)guest.join();
    CHECK(guest.ask(execute)["code"] == "no_such_file");
    (void)guest.say({{"type", "code_change"}, {"file_path", "m.py"}, {"content", "import util"}});
    (void)guest.say(
        {{"type", "code_change"}, {"file_path", "util.py"}, {"content", "print('여기')"}});
    CHECK(guest.say(execute).empty());
    const std::string& bundle = house.stage.boxes.boxes.at(house.stage.boxes.last()).bundle;
    CHECK(bundle.find("import util") != std::string::npos);
    CHECK(bundle.find("print('여기')") != std::string::npos);
}

TEST_CASE("one connection is in one room", "[front][rooms]") {
    House house;
    Guest guest(house);
    Guest other(house);
    (void)other.join("first");
    (void)guest.join("first");
    other.forget();
    const auto answers = guest.say({{"type", "join_room"}, {"room_id", "second"}, {"id", "2"}});
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]["type"] == "room_left");
    CHECK_FALSE(answers[0].contains("id"));
    CHECK(answers[1]["room_id"] == "second");
    CHECK(answers[1]["id"] == "2");
    CHECK(other.heard("user_left").size() == 1);
    Guest third(house, Granted{"", "second"});
    CHECK(third.said.at(1)["type"] == "room_joined");
    for (const std::string& bad : {std::string(), std::string(200, 'x'), std::string("a\nb")})
        CHECK(guest.ask({{"type", "join_room"}, {"room_id", bad}})["code"] == "bad_message");
    CHECK(guest.say({{"type", "chat_message"}, {"message", "still here"}}).empty());
}

TEST_CASE("rooms are bounded in number and in memory", "[front][rooms]") {
    auto settings = made_settings();
    settings.config.rooms = 2;
    settings.config.room_members = 2;
    settings.config.rooms_memory = 100'000;
    settings.config.message_burst = 10'000;
    House house(settings);
    Guest one(house);
    Guest two(house);
    Guest three(house);
    (void)one.join("a");
    (void)two.join("b");
    CHECK(three.join("c")["code"] == "busy");
    CHECK(three.join("a")["type"] == "room_joined");
    Guest four(house);
    CHECK(four.join("a")["code"] == "room_full");
    std::string code;
    for (int i = 0; i < 64 && code.empty(); ++i) {
        const auto answers = one.say({{"type", "code_change"},
                                      {"file_path", "f" + std::to_string(i)},
                                      {"content", std::string(10'000, 'x')}});
        if (!answers.empty()) code = answers.back()["code"].get<std::string>();
    }
    CHECK(code == "busy");
    CHECK(house.hub.memory() < 200'000);
    for (int i = 0; i < 64; ++i) (void)one.say(operation("delete", "f" + std::to_string(i)));
    CHECK(one.say({{"type", "code_change"}, {"file_path", "small"}, {"content", "x"}}).empty());
    // Nobody is in b, and nothing: its place is free.
    (void)two.say({{"type", "leave_room"}});
    CHECK(house.hub.rooms() == 1);
    CHECK(four.join("c")["type"] == "room_joined");
}

TEST_CASE("an empty room is kept for a while", "[front][rooms]") {
    House house;
    {
        Guest guest(house);
        (void)guest.join();
        (void)guest.say({{"type", "code_change"}, {"file_path", "a.py"}, {"content", "kept"}});
    }
    house.wait(23h);
    house.hub.tick();
    Guest back(house);
    CHECK(back.join()["files"].size() == 1);
    back.conversation.reset();
    house.wait(25h);
    house.hub.tick();
    CHECK(house.hub.rooms() == 0);
}

TEST_CASE("nothing is told before it is kept", "[front][rooms]") {
    PaperArchive archive;
    House house(made_settings(), &archive);
    Guest writer(house);
    Guest reader(house);
    (void)writer.join();
    (void)reader.join();
    reader.forget();
    const auto write = [&](const std::string& content) {
        return writer.say(
            {{"type", "code_change"}, {"file_path", "a.py"}, {"content", content}, {"id", "w"}});
    };
    CHECK(write("one").empty());
    CHECK(archive.saved.at("room_123").files.size() == 1);
    CHECK(reader.heard("code_change").size() == 1);
    archive.fails = true;
    CHECK(write("two").empty());
    CHECK(reader.heard("code_change").empty());
    CHECK(write("three").at(0)["code"] == "busy"); // and nothing piles up
    CHECK(writer.ask({{"type", "chat_message"}, {"message", "x"}})["code"] == "busy");
    Guest late(house);
    CHECK(late.join()["code"] == "busy"); // nobody sees what is not kept
    house.hub.tick();
    CHECK(reader.heard("code_change").empty());
    archive.fails = false;
    house.hub.tick();
    CHECK(reader.heard("code_change").at(0)["content"] == "two");
    CHECK(write("four").empty());

    // After a restart, everything is as it was.
    House again(made_settings(), &archive);
    Guest back(again);
    const auto answers = back.say({{"type", "join_room"}, {"room_id", "room_123"}});
    REQUIRE(answers.size() == 2);
    CHECK(answers[1]["content"] == "four");
    CHECK(answers[1]["version"] == 3);
}

TEST_CASE("history beyond the room's memory comes from the archive", "[front][rooms]") {
    PaperArchive archive;
    archive.old = std::make_shared<cloister::rooms::Update>();
    auto settings = made_settings();
    settings.config.document_log_updates = 2;
    House house(settings, &archive);
    Guest guest(house);
    (void)guest.join();
    for (const char* text : {"1", "12", "123", "1234"})
        (void)guest.say({{"type", "code_change"}, {"file_path", "a"}, {"content", text}});
    const json chunk =
        guest.ask({{"type", "doc_history"}, {"file_path", "a"}, {"from", 0}, {"to", 4}});
    CHECK(chunk["version"] == 0);
    CHECK(chunk["more"] == true);
    CHECK(
        guest.ask({{"type", "doc_history"}, {"file_path", "a"}, {"from", 2}, {"to", 4}})["updates"]
            .size() == 2);
    CHECK(archive.asked_from == 0);
    guest.conversation.reset();
    house.wait(6min);
    house.hub.tick();
    CHECK(archive.closed == std::vector<std::string>{"room_123"});
    CHECK(archive.tidied == 1);
}

TEST_CASE("a text goes to all as one", "[front][rooms]") {
    House house;
    Guest one(house);
    Guest two(house);
    Guest three(house);
    for (Guest* guest : {&one, &two, &three}) (void)guest->join();
    (void)one.say({{"type", "code_change"}, {"file_path", "a"}, {"content", "shared"}});
    CHECK(two.texts.back() == three.texts.back());
    Guest four(house);
    Guest five(house);
    (void)four.join();
    const MessagePtr text = four.texts.back(); // the room's file, for one who joins
    (void)five.join();
    CHECK(five.texts.back() == text);
}
