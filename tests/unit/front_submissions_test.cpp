// Promises of submissions: kept before anybody is told, ended once, one key one submission, there
// after a restart, bounded; and of the runs behind them.
#include "daemon/front/rest.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>

using namespace cloister::front;
using cloister::store::SavedSubmission;
namespace wire = cloister::wire;

namespace {

/// An archive on paper.
class PaperArchive final : public SubmissionArchive {
public:
    void keep(const SavedSubmission& submission) override {
        if (is_full) throw std::runtime_error("no space left");
        kept[submission.id] = submission;
        ++times;
    }
    std::optional<SavedSubmission> find_submission(std::string_view id) override {
        const auto found = kept.find(std::string(id));
        return found == kept.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<SavedSubmission> find_key(std::string_view key) override {
        for (const auto& [id, one] : kept)
            if (one.key == key) return one;
        return std::nullopt;
    }
    void end_interrupted(std::string_view text, Submissions::Time now,
                         Submissions::Time expires) override {
        for (auto& [id, one] : kept) {
            if (one.ended.count() > 0) continue;
            one.state = "failed";
            one.text = text;
            one.ended = now;
            one.expires = expires;
        }
    }
    void tidy_submissions(Submissions::Time now) override {
        std::erase_if(kept, [&](const auto& pair) {
            return pair.second.expires.count() > 0 && pair.second.expires <= now;
        });
    }
    std::size_t submission_count() override { return kept.size(); }
    std::size_t count_kind(std::string_view kind) override {
        return static_cast<std::size_t>(std::ranges::count_if(
            kept, [&](const auto& pair) { return pair.second.kind == kind; }));
    }
    std::vector<std::string> list_kind(std::string_view kind, std::uint64_t skip,
                                       std::uint64_t count) override {
        std::vector<std::string> ids;
        for (const auto& [id, one] : kept) {
            if (one.kind != kind) continue;
            if (skip > 0) --skip;
            else if (ids.size() < count) ids.push_back(id);
        }
        return ids;
    }
    void forget(const std::string& id) override { kept.erase(id); }

    std::map<std::string, SavedSubmission> kept{};
    int times = 0;
    bool is_full = false;
};

struct Desk {
    explicit Desk(Submissions::Bounds limits = {})
        : bounds(limits), submissions(&archive, bounds, [this] { return now; }) {}
    std::string open(const std::string& key = "", const std::string& digest = "d") {
        Submissions::Order order;
        order.kind = "execute";
        order.digest = digest;
        if (!key.empty()) order.key = key;
        const auto opened = submissions.open(order);
        REQUIRE(std::holds_alternative<Submissions::Opened>(opened));
        return std::get<Submissions::Opened>(opened).id;
    }
    Submissions::Time now{1'700'000'000'000};
    PaperArchive archive;
    Submissions::Bounds bounds;
    Submissions submissions;
};

/// A service on paper with its HTTP interface.
struct Counter {
    Counter()
        : submissions(nullptr, {}, [] { return Submissions::Time(1'700'000'000'000); }),
          runs(house.stage.executions, submissions), judged(house.judgings, submissions),
          rest(house.settings, house.catalog, access, submissions, runs, judged) {}

    RequestHead head(std::string_view method, std::string_view target) {
        RequestHead made;
        made.method = method;
        made.target = target;
        made.http_1_1 = true;
        made.local = {"127.0.0.1", 8000, true};
        made.fields = {{"Host", "127.0.0.1:8000"}};
        if (method == "POST") made.fields.emplace_back("Content-Type", "application/json");
        return made;
    }
    Answer post(std::string_view body, std::string_view key = {}) {
        RequestHead made = head("POST", "/api/v1/execute");
        if (!key.empty()) made.fields.emplace_back("Idempotency-Key", key);
        REQUIRE_FALSE(rest.check(made));
        return rest.answer(made, body, "somebody");
    }
    unsigned refused(const RequestHead& made) {
        const auto reply = rest.check(made);
        return reply ? reply->status : 0;
    }

    House house;
    Access access{};
    Submissions submissions;
    SubmittedRuns runs;
    SubmittedJudgings judged;
    Rest rest;
};

constexpr std::string_view kHello = R"js({"code":"print(1)","language":"python"})js";

std::string id_of(const Answer& answer) {
    for (const auto& [name, value] : answer.reply.fields)
        if (name == "Location") return value.substr(value.rfind('/') + 1);
    return {};
}

} // namespace

TEST_CASE("a submission is kept before it is answered, and when it ends", "[front][rest]") {
    Desk desk;
    const std::string id = desk.open();
    REQUIRE(desk.archive.kept.contains(id));
    CHECK(desk.archive.kept.at(id).state == "queued");
    desk.submissions.add(id, "started", "{}");
    CHECK(desk.submissions.find(id)->state == "running");
    desk.submissions.finish(id, R"({"success":true})");
    desk.submissions.finish(id, R"({"success":false})"); // once
    desk.submissions.add(id, "output", "{}", true);
    CHECK(desk.archive.kept.at(id).state == "done");
    CHECK(desk.archive.kept.at(id).text == R"({"success":true})");
    CHECK(desk.archive.kept.at(id).last_event == 2);
    CHECK(desk.submissions.under_way() == 0);
}

TEST_CASE("one key names one submission, and another request cannot take it", "[front][rest]") {
    Desk desk;
    const std::string id = desk.open("key", "this");
    CHECK(desk.open("key", "this") == id);
    Submissions::Order other;
    other.key = "key";
    other.digest = "that";
    const auto refused = desk.submissions.open(other);
    REQUIRE(std::holds_alternative<Refusal>(refused));
    CHECK(std::get<Refusal>(refused).code == "key_reused");
    desk.submissions.finish(id, "{}");
    desk.now += std::chrono::minutes(2); // no longer in memory
    desk.submissions.tick();
    CHECK(desk.submissions.in_memory() == 0);
    CHECK(desk.open("key", "this") == id);
    desk.now += std::chrono::hours(2);
    desk.submissions.tick();
    CHECK(desk.open("key", "that") != id); // expired
}

TEST_CASE("what could not be kept is not accepted, and a result waits until it can be",
          "[front][rest]") {
    Desk desk;
    const std::string id = desk.open();
    desk.archive.is_full = true;
    Submissions::Order order;
    CHECK(std::holds_alternative<Refusal>(desk.submissions.open(order)));
    desk.submissions.finish(id, R"({"x":1})");
    desk.now += std::chrono::minutes(2);
    desk.submissions.tick();
    CHECK(desk.submissions.find(id)->text == R"({"x":1})"); // still in memory
    desk.archive.is_full = false;
    desk.submissions.tick();
    CHECK(desk.submissions.in_memory() == 0);
    CHECK(desk.submissions.find(id)->text == R"({"x":1})");
}

TEST_CASE("after a restart what had ended is there and the rest says that it was interrupted",
          "[front][rest]") {
    Desk desk;
    const std::string done = desk.open();
    desk.submissions.finish(done, R"({"x":1})");
    const std::string open = desk.open("k");
    Submissions again(&desk.archive, {}, [&] { return desk.now; });
    CHECK(again.find(done)->text == R"({"x":1})");
    CHECK(again.find(open)->state == "failed");
    CHECK(again.find(open)->text.find("interrupted") != std::string::npos);
    CHECK_FALSE(again.find("other"));
}

TEST_CASE("events go on where their reader left off, and say what is forgotten", "[front][rest]") {
    Submissions::Bounds bounds;
    bounds.log_bytes = 100;
    Desk desk(bounds);
    const std::string id = desk.open();
    int changes = 0;
    auto watch = desk.submissions.watch(id, [&] { ++changes; });
    desk.submissions.add(id, "started", "{}");
    for (int i = 0; i < 10; ++i) desk.submissions.add(id, "output", std::string(30, 'x'), true);
    CHECK(changes == 11);
    auto events = desk.submissions.events_after(id, 0, 1'000);
    REQUIRE(events);
    CHECK_FALSE(events->over);
    CHECK(events->events.front().name == "started");
    CHECK(events->forgotten == 7);
    CHECK(events->events.size() == 4);
    events = desk.submissions.events_after(id, 10, 1'000);
    REQUIRE(events->events.size() == 1);
    CHECK(events->events.front().number == 11);
    CHECK(events->forgotten == 0);
    watch.reset();
    desk.submissions.finish(id, "{}");
    CHECK(changes == 11);
    CHECK(desk.submissions.events_after(id, 11, 1'000)->over);
    CHECK(desk.submissions.events_after(id, 12, 1'000)->events.empty());
    desk.now += std::chrono::minutes(2);
    desk.submissions.tick();
    events = desk.submissions.events_after(id, 3, 1'000); // from the archive
    REQUIRE(events->events.size() == 1);
    CHECK(events->events.front().number == 12);
    CHECK(events->forgotten == 8);
    CHECK_FALSE(desk.submissions.events_after("other", 0, 1));
}

TEST_CASE("what has ended stays in memory only as far as there is room", "[front][rest]") {
    Submissions::Bounds bounds;
    bounds.lingering = 3;
    bounds.under_way = 5;
    Desk desk(bounds);
    for (int i = 0; i < 20; ++i) desk.submissions.finish(desk.open(), "{}");
    CHECK(desk.submissions.in_memory() == 3);
    CHECK(desk.archive.kept.size() == 20);
    for (int i = 0; i < 5; ++i) (void)desk.open();
    const auto refused = desk.submissions.open({});
    REQUIRE(std::holds_alternative<Refusal>(refused));
    CHECK(std::get<Refusal>(refused).code == "busy");
}

TEST_CASE("a submitted run ends in its submission", "[front][rest]") {
    Counter counter;
    const auto answer = counter.post(kHello);
    CHECK(answer.reply.status == 202);
    const std::string id = id_of(answer);
    PaperBoxes& boxes = counter.house.stage.boxes;
    CHECK(boxes.boxes.at(boxes.last()).start.live); // for those who watch
    counter.house.stage.executions.on_output(boxes.last(), 0, "1\n");
    counter.house.stage.end(boxes.last());
    CHECK(counter.submissions.find(id)->state == "done");
    const auto events = counter.submissions.events_after(id, 0, 10'000);
    std::vector<std::string> names;
    for (const auto& event : events->events) names.push_back(event.name);
    CHECK(names == std::vector<std::string>{"started", "output", "result"});
    const Reply outcome = counter.rest.outcome(id);
    CHECK(outcome.status == 200);
    CHECK(outcome.body.starts_with(R"({"success":true,"output":"1\n")"));
    CHECK(counter.runs.submitters() == 0);
}

TEST_CASE("a submitted run is cancelled once, waiting or running", "[front][rest]") {
    Counter counter;
    const std::string running = id_of(counter.post(kHello));
    const std::string waiting = id_of(counter.post(kHello));
    const std::string path = "/api/v1/submissions/" + waiting;
    CHECK(counter.rest.answer(counter.head("DELETE", path), {}, "s").reply.status == 200);
    CHECK(counter.submissions.find(waiting)->text.find("cancelled") != std::string::npos);
    const std::string other = "/api/v1/submissions/" + running;
    CHECK(counter.rest.answer(counter.head("DELETE", other), {}, "s").reply.status == 202);
    PaperBoxes& boxes = counter.house.stage.boxes;
    CHECK(boxes.boxes.at(boxes.last()).killed);
    counter.house.stage.end(boxes.last());
    CHECK(counter.rest.answer(counter.head("DELETE", other), {}, "s").reply.status == 200);
    CHECK(counter.runs.submitters() == 0);
    CHECK(counter.rest.answer(counter.head("GET", "/api/v1/submissions/none"), {}, "s")
              .reply.status == 404);
}

TEST_CASE("a full queue refuses a submission and forgets it", "[front][rest]") {
    Counter counter;
    unsigned status = 202;
    int accepted = 0;
    while (status == 202 && accepted < 100) {
        status = counter.post(kHello).reply.status;
        accepted += status == 202 ? 1 : 0;
    }
    CHECK(status == 503);
    CHECK(counter.submissions.under_way() == static_cast<std::size_t>(accepted));
    CHECK(counter.runs.submitters() == 1);
}

TEST_CASE("a request is refused before its body is read", "[front][rest]") {
    Counter counter;
    CHECK(counter.refused(counter.head("POST", "/api/v1/execute")) == 0);
    CHECK(counter.refused(counter.head("GET", "/api/v1/execute")) == 405);
    CHECK(counter.refused(counter.head("POST", "/api/v1/submissions/x")) == 405);
    CHECK(counter.refused(counter.head("DELETE", "/api/v1/submissions/x/events")) == 405);
    const auto with = [&](std::string_view name, std::string_view value) {
        RequestHead made = counter.head("POST", "/api/v1/execute");
        std::erase_if(made.fields, [&](const auto& field) { return field.first == name; });
        made.fields.emplace_back(name, value);
        return counter.refused(made);
    };
    CHECK(with("Content-Type", "text/plain") == 415);
    CHECK(with("Content-Type", "application/json; charset=utf-8") == 0);
    CHECK(with("Content-Type", "Application/JSON") == 0);
    CHECK(with("Content-Encoding", "gzip") == 415);
    CHECK(with("Host", "evil.example") == 403);
    CHECK(with("Origin", "http://evil.example") == 403);
    CHECK(with("Origin", "null") == 403);
    CHECK(with("Origin", "http://127.0.0.1:8000") == 0);
    CHECK(with("Expect", "200-ok") == 417);
    CHECK(with("Idempotency-Key", "a b") == 400);
    CHECK(with("Idempotency-Key", "") == 400);
    CHECK(with("Idempotency-Key", std::string(256, 'k')) == 400);
    RequestHead large = counter.head("POST", "/api/v1/execute");
    large.has_body = true;
    large.body_bytes = counter.house.settings.config.body_bytes + 1;
    CHECK(counter.refused(large) == 413);
    counter.access.token = "a-token-of-some-length";
    CHECK(counter.refused(counter.head("POST", "/api/v1/execute")) == 401);
    CHECK(with("Authorization", "Bearer a-token-of-some-length") == 0);
}

TEST_CASE("each refusal has a status that fits", "[front][rest]") {
    Counter counter;
    const std::pair<std::string_view, unsigned> table[] = {
        {"", 400},
        {"{", 400},
        {"[]", 400},
        {"{}", 400},
        {"\xff", 400},
        {R"({"code":"x","language":"pyton"})", 422},
        {R"({"code":"x","language":"python","version":"9"})", 422},
        {R"({"code":"x","language":"python","limits":{"memory":"9g"}})", 422},
        {R"({"code":"x","language":"python","file_path":"../x.py"})", 400},
        {R"({"code":"x","language":"python","tty":true})", 400},
        {R"({"code":"x","language":"python","interactive":true})", 400},
        {R"({"code":"x","language":"python","wait":1})", 400},
        {R"({"code":"x","language":"python","cancel_on_disconnect":true})", 400},
    };
    for (const auto& [body, status] : table) {
        INFO(body);
        CHECK(counter.post(body).reply.status == status);
    }
    const std::string large =
        R"({"language":"python","code":")" + std::string(300'000, 'x') + "\"}";
    CHECK(counter.post(large).reply.status == 413);
    CHECK(counter.submissions.under_way() == 0);
    CHECK(counter.post(kHello, "k").reply.status == 202);
    CHECK(counter.post(R"js({"code":"print(2)","language":"python"})js", "k").reply.status == 422);
}
