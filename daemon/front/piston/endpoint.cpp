// The checks of a request in Piston's order: what kind of body it is comes before where it goes to.
#include "daemon/front/piston/endpoint.h"

#include "daemon/front/piston/requests.h"
#include "daemon/front/piston/stages.h"
#include "daemon/front/text.h"

#include <array>
#include <memory>

namespace cloister::front::piston {
namespace {

constexpr std::string_view kBase = "/api/v2";
constexpr std::string_view kExecute = "/api/v2/execute";
constexpr std::string_view kRuntimes = "/api/v2/runtimes";
constexpr std::string_view kPackages = "/api/v2/packages";

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool is_there(std::string_view path, std::string_view method) {
    if (is_reading(method)) return path == kRuntimes || path == kPackages;
    if (path == kPackages) return method == "POST" || method == "DELETE";
    return path == kExecute && method == "POST";
}

std::string message_text(std::string_view message) {
    return JsonObject().text("message", message).close();
}

Reply message_reply(unsigned status, std::string_view message) {
    return json_reply(status, message_text(message));
}

/// What its body parser says: there it is the trace of an exception.
Reply unreadable(std::string_view why) {
    return json_reply(400, JsonObject().text("stack", why).close());
}

Reply reply_of(const Fault& fault) {
    return fault.is_unreadable ? unreadable(fault.message) : message_reply(400, fault.message);
}

Answer replied(Reply reply) {
    Answer answer;
    answer.reply = std::move(reply);
    return answer;
}

Reply refused(const Refusal& refusal) {
    const bool is_busy = refusal.code == "busy";
    Reply reply = message_reply(is_busy ? 503 : 400, refusal.message);
    if (is_busy) reply.fields.emplace_back("Retry-After", "1");
    return reply;
}

Reply outcome(const Event& event, const std::string& language, const std::string& version) {
    if (const auto* refusal = std::get_if<Refused>(&event)) return refused(refusal->refusal);
    const Result& result = std::get<Finished>(event).result;
    JsonObject out;
    if (const auto compile = compile_stage(result)) out.raw("compile", to_text(*compile));
    out.raw("run", to_text(run_stage(result))).text("language", language);
    return json_reply(200, out.text("version", version).close());
}

/// The key alone, as Piston's own public server wants it, or behind "Bearer".
bool is_authorized(const RequestHead& head, const Access& access) {
    if (access.token.empty()) return true;
    const std::string_view given = head.only("Authorization");
    return token_matches(access.token, given) || token_matches(access.token, bearer_token(given));
}

} // namespace

HttpInterface::HttpInterface(const config::Settings& settings, const Catalog& catalog,
                             const Access& access, Executions& executions)
    : settings_(settings), catalog_(catalog), access_(access),
      waiting_(nullptr, Submissions::Bounds::of_waiting(settings.config.submissions), wall_clock),
      runs_(executions) {}

bool HttpInterface::serves(const RequestHead& head) const {
    const std::string_view path = path_of(head.target);
    return path == kBase || path.starts_with(std::string(kBase) + "/");
}

Reply HttpInterface::complaint(unsigned status, std::string_view, std::string_view message) const {
    return status == 413 ? unreadable("PayloadTooLargeError: request entity too large")
                         : message_reply(status, message);
}

std::optional<Reply> HttpInterface::check(const RequestHead& head) const {
    if (auto wrong = check_asker(head, access_)) return in_own_words(*wrong);
    const bool has_action = !is_reading(head.method) && head.method != "OPTIONS";
    const std::string_view path = path_of(head.target);
    if (has_action && !head.only("Content-Type").starts_with("application/json"))
        return message_reply(415, "requests must be of type application/json");
    if (!is_authorized(head, access_)) {
        Reply reply = message_reply(401, "A token is needed: Authorization: TOKEN");
        reply.fields.emplace_back("WWW-Authenticate", "Bearer");
        return reply;
    }
    if (!is_there(path, head.method)) return message_reply(404, "Not Found");
    if (!has_action)
        return head.has_body ? std::optional(message_reply(400, "GET takes no body"))
                             : std::nullopt;
    if (auto wrong = check_json_body(head, settings_.config)) return in_own_words(*wrong);
    return std::nullopt;
}

Answer HttpInterface::answer(const RequestHead& head, std::string_view body,
                             const std::string& submitter) {
    const std::string_view path = path_of(head.target);
    if (path == kExecute) return execute(body, submitter);
    if (path == kRuntimes) return replied(json_reply(200, runtimes_text(catalog_)));
    if (is_reading(head.method)) return replied(json_reply(200, packages_text(catalog_)));
    const auto answer = answer_package(body, head.method == "POST", catalog_);
    if (const auto* fault = std::get_if<Fault>(&answer)) return replied(reply_of(*fault));
    const auto& [status, message] = std::get<PackageAnswer>(answer);
    return replied(message_reply(status, message));
}

Answer HttpInterface::execute(std::string_view body, const std::string& submitter) {
    auto read = read_order(body, catalog_, false);
    if (const auto* fault = std::get_if<Fault>(&read)) return replied(reply_of(*fault));
    auto& order = std::get<Order>(read);
    auto made = make_job(std::move(order.run), catalog_);
    if (const auto* refusal = std::get_if<Refusal>(&made)) return replied(refused(*refusal));
    Submissions::Order waiting;
    waiting.kind = "piston";
    const auto opened = waiting_.open(waiting);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) return replied(refused(*refusal));
    const std::string id = std::get<Submissions::Opened>(opened).id;

    const auto reply = std::make_shared<Reply>();
    const auto heard = [this, id, reply, language = order.language,
                        version = order.version](const Event& event) {
        *reply = outcome(event, language, version);
        waiting_.finish(id, {});
    };
    const auto started = runs_.start(submitter, std::get<Job>(std::move(made)), heard);
    if (const auto* refusal = std::get_if<Refusal>(&started)) {
        waiting_.withdraw(id);
        return replied(refused(*refusal));
    }
    waiting_.on_cancel(id, std::get<HeardRuns::Run>(started).cancel);
    Answer answer;
    answer.kind = Answer::Kind::wait;
    answer.house = &waiting_;
    answer.submissions = {id};
    answer.finish = [reply] { return std::move(*reply); };
    answer.cancel_if_gone = true; // nobody else can ask for what it comes to
    return answer;
}

} // namespace cloister::front::piston
