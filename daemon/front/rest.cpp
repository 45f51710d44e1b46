// The addresses as a table; then one function for each request.
#include "daemon/front/rest.h"

#include "daemon/front/text.h"
#include "daemon/front/utf8.h"
#include "daemon/tokens/digest.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

constexpr std::string_view kExecute = "/api/v1/execute";
constexpr std::string_view kJudge = "/api/v1/judge";
constexpr std::string_view kSubmissions = "/api/v1/submissions/";
constexpr std::string_view kEvents = "/events";
constexpr std::size_t kMaxKey = 255;

enum class Address : std::uint8_t { none, execute, judge, submission, events };

struct Target {
    Address address = Address::none;
    std::string id{}; ///< of the submission
};

Target target_of(const RequestHead& head) {
    const std::string_view path = path_of(head.target);
    if (path == kExecute) return {Address::execute, {}};
    if (path == kJudge) return {Address::judge, {}};
    if (!path.starts_with(kSubmissions)) return {};
    std::string_view id = path.substr(kSubmissions.size());
    const bool events = id.ends_with(kEvents);
    if (events) id.remove_suffix(kEvents.size());
    return {events ? Address::events : Address::submission, std::string(id)};
}

/// The methods of an address, as an Allow field.
std::string_view methods_of(Address address) {
    switch (address) {
    case Address::execute:
    case Address::judge: return "POST";
    case Address::submission: return "GET, HEAD, DELETE";
    case Address::events: return "GET";
    case Address::none: break;
    }
    return {};
}

unsigned status_of(std::string_view code) {
    constexpr std::array<std::pair<std::string_view, unsigned>, 11> kStatuses = {{
        {"too_large", 413},
        {"unknown_language", 422},
        {"limit_too_high", 422},
        {"runtime_unavailable", 422},
        {"key_reused", 422},
        {"no_such_submission", 404},
        {"rate_limited", 429},
        {"busy", 503},
        {"interrupted", 503},
        {"internal_error", 500},
        {"unauthorized", 401},
    }};
    const auto found =
        std::ranges::find(kStatuses, code, [](const auto& pair) { return pair.first; });
    return found == kStatuses.end() ? 400 : found->second;
}

Refusal refusal(const char* code, const char* message) {
    Refusal made;
    made.code = code;
    made.message = message;
    return made;
}

/// The number of the last event that a client has, from its own word. Absent: that is no number.
std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    if (text.empty()) return number;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::optional<Reply> check_body(const RequestHead& head, const config::Config& config) {
    if (auto wrong = check_json_body(head, config)) return wrong;
    if (head.count("Idempotency-Key") == 0) return std::nullopt;
    const std::string_view key = head.only("Idempotency-Key");
    const bool plain = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 127; });
    if (key.empty() || key.size() > kMaxKey || !plain) {
        return error_reply(400, "bad_request",
                           "One Idempotency-Key of 1 to 255 printable characters without spaces.");
    }
    return std::nullopt;
}

Answer refused(const Refusal& why) {
    Answer answer;
    answer.reply = refusal_reply(why);
    return answer;
}

} // namespace

Reply refusal_reply(const Refusal& refusal) {
    Reply reply = json_reply(status_of(refusal.code),
                             JsonObject().raw("error", error_object(refusal)).close());
    if (reply.status == 503 || reply.status == 429) reply.fields.emplace_back("Retry-After", "1");
    return reply;
}

bool Rest::serves(const RequestHead& head) const {
    return target_of(head).address != Address::none;
}

std::optional<Reply> Rest::check(const RequestHead& head) const {
    if (auto wrong = check_asker(head, access_)) return wrong;
    const Target target = target_of(head);
    const std::string_view methods = methods_of(target.address);
    const bool is_post = head.method == "POST";
    if (!has_token(methods, head.method)) return wrong_method(methods);
    if (auto wrong = check_token(head, access_)) return wrong;
    if (is_post) return check_body(head, settings_.config);
    if (head.has_body) return error_reply(400, "bad_request", "This request must not have a body.");
    if (!number_in(head.only("Last-Event-ID")))
        return error_reply(400, "bad_request", "The Last-Event-ID is not the number of an event.");
    return std::nullopt;
}

Answer Rest::answer(const RequestHead& head, std::string_view body, const std::string& submitter) {
    const Target target = target_of(head);
    switch (target.address) {
    case Address::execute:
    case Address::judge: {
        const bool judges = target.address == Address::judge;
        Posted posted{judges ? kJudge : kExecute, body, std::nullopt, submitter};
        if (head.count("Idempotency-Key") > 0) posted.key = head.only("Idempotency-Key");
        if (!is_utf8(body)) break;
        return judges ? judge(posted) : execute(posted);
    }
    case Address::events: return events(head, target.id);
    case Address::submission: return head.method == "DELETE" ? cancel(target.id) : show(target.id);
    case Address::none: break;
    }
    return refused(refusal("bad_json", "The body is not valid UTF-8."));
}

Answer Rest::execute(const Posted& posted) {
    auto parsed = parse_submitted_run(posted.body, settings_.config);
    if (const auto* why = std::get_if<Refusal>(&parsed)) return refused(*why);
    auto& submitted = std::get<SubmittedRun>(parsed);
    auto made = make_job(std::move(submitted.run), catalog_);
    if (const auto* why = std::get_if<Refusal>(&made)) return refused(*why);
    return submit(posted, "execute", submitted.wait, submitted.cancel_on_disconnect,
                  [&](const std::string& id) {
                      return runs_.start(posted.submitter, id, std::get<Job>(std::move(made)));
                  });
}

Answer Rest::judge(const Posted& posted) {
    auto parsed = parse_submitted_judging(posted.body, settings_.config);
    if (const auto* why = std::get_if<Refusal>(&parsed)) return refused(*why);
    auto& submitted = std::get<SubmittedJudging>(parsed);
    return submit(posted, "judge", submitted.wait, submitted.cancel_on_disconnect,
                  [&](const std::string& id) {
                      return judgings_.start(posted.submitter, id, std::move(submitted.judging));
                  });
}

Answer Rest::submit(const Posted& posted, const char* kind, bool wait, bool cancel_if_gone,
                    const std::function<std::optional<Refusal>(const std::string&)>& start) {
    Submissions::Order order;
    order.kind = kind;
    order.key = posted.key;
    order.digest = tokens::digest(std::string(posted.path) + "\n" + std::string(posted.body));
    const auto opened = submissions_.open(order);
    if (const auto* why = std::get_if<Refusal>(&opened)) return refused(*why);
    const auto& [id, is_new] = std::get<Submissions::Opened>(opened);
    if (const auto why = is_new ? start(id) : std::nullopt) {
        submissions_.withdraw(id);
        return refused(*why);
    }
    return accepted(id, is_new, wait, cancel_if_gone && is_new);
}

Answer Rest::accepted(const std::string& id, bool is_new, bool wait, bool cancel_if_gone) {
    Answer answer;
    if (wait) {
        answer.kind = Answer::Kind::wait;
        answer.house = &submissions_;
        answer.submissions = {id};
        answer.finish = [this, id] { return outcome(id); };
        answer.cancel_if_gone = cancel_if_gone;
        return answer;
    }
    const auto submission = submissions_.find(id);
    if (!submission) { // expired in between
        answer.reply = refusal_reply(refusal("no_such_submission", "It has expired."));
        return answer;
    }
    answer.reply = json_reply(202, to_text(*submission));
    answer.reply.fields.emplace_back("Location", std::string(kSubmissions) + id);
    if (!is_new) answer.reply.fields.emplace_back("Idempotency-Replayed", "true");
    return answer;
}

Reply Rest::outcome(const std::string& id) {
    const auto submission = submissions_.find(id);
    if (!submission) return refusal_reply(refusal("no_such_submission", "It has expired."));
    Reply reply = json_reply(200, submission->text);
    if (submission->state != "done") {
        const std::string& error = submission->text;
        const auto code = nlohmann::json::parse(error).value("code", "");
        reply = json_reply(status_of(code), JsonObject().raw("error", error).close());
        if (reply.status == 503) reply.fields.emplace_back("Retry-After", "1");
    }
    reply.fields.emplace_back("Location", std::string(kSubmissions) + id);
    return reply;
}

Answer Rest::show(const std::string& id) {
    Answer answer;
    const auto submission = submissions_.find(id);
    answer.reply =
        submission ? json_reply(200, to_text(*submission))
                   : refusal_reply(refusal("no_such_submission", "There is no such submission."));
    return answer;
}

Answer Rest::cancel(const std::string& id) {
    (void)submissions_.cancel(id); // what is not there is said by show()
    Answer answer = show(id);
    const auto submission = submissions_.find(id);
    if (submission && submission->ended.count() == 0) answer.reply.status = 202;
    return answer;
}

Answer Rest::events(const RequestHead& head, const std::string& id) {
    Answer answer;
    const std::uint64_t after = number_in(head.only("Last-Event-ID")).value_or(0);
    const auto events = submissions_.events_after(id, after, 1);
    if (!events) {
        answer.reply = refusal_reply(refusal("no_such_submission", "There is no such submission."));
    } else if (events->over && events->events.empty()) {
        answer.reply = json_reply(204, {}); // which tells an EventSource not to come back
    } else {
        answer.kind = Answer::Kind::events;
        answer.house = &submissions_;
        answer.submissions = {id};
        answer.after = after;
        answer.format = {event_stream_head(), event_text, gap_text};
    }
    return answer;
}

std::string event_text(const Submissions::Event& event) {
    return "id: " + std::to_string(event.number) + "\nevent: " + event.name +
           "\ndata: " + event.data + "\n\n";
}

std::string gap_text(std::uint64_t forgotten) {
    return "event: gap\ndata: " + JsonObject().count("forgotten", forgotten).close() + "\n\n";
}

} // namespace cloister::front
