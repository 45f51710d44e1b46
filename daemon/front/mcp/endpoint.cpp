// The transport first (methods, sessions, revisions), then the methods of the protocol. Submissions
// of its own carry the calls, so what happened in one is there for a client that lost its stream.
#include "daemon/front/mcp/endpoint.h"

#include "daemon/front/mcp/json_rpc.h"
#include "daemon/front/mcp/progress.h"
#include "daemon/front/mcp/stateless.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace cloister::front::mcp {
namespace {

using nlohmann::json;

constexpr std::string_view kPath = "/mcp";
constexpr std::array<std::string_view, 5> kAllVersions = {kStateless, "2025-11-25", "2025-06-18",
                                                          "2025-03-26", "2024-11-05"};
/// Those with sessions.
constexpr auto kVersions = std::span(kAllVersions).subspan<1>();
constexpr std::string_view kStructured = "2025-06-18"; ///< the first with structured results
constexpr std::string_view kPriming = "2025-11-25";    ///< whose streams begin with an event's id
constexpr std::string_view kBatches = "2025-03-26";    ///< the only one with batches
constexpr std::size_t kMaxBatch = 32;
constexpr std::size_t kMaxTokenBytes = 256;
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kStream = "text/event-stream";
constexpr std::string_view kInstructions =
    "Runs programs of many languages in fresh, isolated boxes without a network. Call run_code to "
    "try something out, run_tests to hold a program against examples, list_runtimes for languages "
    "and limits. Nothing is kept from one call to the next.";

/// True when an Accept field names `type`, or a range that it is in, and does not rule it out.
bool takes(const RequestHead& head, std::string_view type, bool by_range) {
    const std::string accepted = head.joined("Accept");
    std::string_view rest = accepted;
    while (!rest.empty()) {
        std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        one = one.substr(0, one.find(';'));
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
        if (one == type) return true;
        const std::string range = std::string(type.substr(0, type.find('/'))) + "/*";
        if (by_range && (one == "*/*" || one == range)) return true;
    }
    return by_range && head.count("Accept") == 0;
}

Answer reply_with(unsigned status, std::string body) {
    Answer answer;
    answer.reply = json_reply(status, std::move(body));
    return answer;
}

Answer refuse(unsigned status, Code code, std::string_view message, std::string_view id = "null") {
    return reply_with(status, error_text(id, code, message));
}

Answer with(Reply reply) {
    Answer answer;
    answer.reply = std::move(reply);
    return answer;
}

/// The answer to a header that names a revision which is none.
std::optional<Reply> check_version(const RequestHead& head, std::string_view id) {
    const std::string_view asked = head.only("MCP-Protocol-Version");
    const bool known = head.count("MCP-Protocol-Version") == 0 ||
                       std::ranges::find(kAllVersions, asked) != kAllVersions.end();
    if (known) return std::nullopt;
    return unsupported_version(id, asked, kAllVersions);
}

/// The answer to a request by that revision.
std::string answer_text(std::string_view version, std::string_view id, std::string_view result) {
    return result_text(id, version == kStateless ? complete(result) : std::string(result));
}

Answer accepted() {
    Answer answer;
    answer.reply.status = 202;
    answer.reply.type.clear();
    return answer;
}

bool is_initialize(const json& message) {
    return kind_of(message) == Kind::request && message.at("method") == "initialize";
}

json params_of(const json& message) {
    const auto params = message.find("params");
    return params == message.end() ? json::object() : *params;
}

/// The progress token as JSON; empty when there is none that could be repeated.
std::string token_of(const json& params) {
    const auto meta = params.find("_meta");
    if (meta == params.end() || !meta->is_object()) return {};
    const auto token = meta->find("progressToken");
    if (token == meta->end()) return {};
    const bool fits =
        token->is_number_integer() ||
        (token->is_string() && token->get_ref<const std::string&>().size() <= kMaxTokenBytes);
    return fits ? token->dump() : std::string();
}

std::string initialized(std::string_view version) {
    JsonObject info;
    info.text("name", "cloister").text("title", "Cloister").text("version", CLOISTER_VERSION);
    JsonObject out;
    out.text("protocolVersion", version).raw("capabilities", R"({"tools":{"listChanged":false}})");
    return out.raw("serverInfo", info.close()).text("instructions", kInstructions).close();
}

bool is_last(const Submissions::Event& event) {
    return event.name == "result" || event.name == "error";
}

} // namespace

McpEndpoint::McpEndpoint(const config::Settings& settings, const Catalog& catalog,
                         const Access& access, Executions& executions, Judgings& judgings,
                         std::function<Sessions::Time()> now)
    : settings_(settings), catalog_(catalog), access_(access), submissions_(nullptr, {}, now),
      runs_(executions, submissions_), judged_(judgings, submissions_),
      sessions_(
          {settings.config.mcp_sessions, std::chrono::minutes(settings.config.mcp_session_minutes)},
          std::move(now), [this](const std::string& id) { return is_busy(id); }) {}

bool McpEndpoint::serves(const RequestHead& head) const {
    return settings_.config.mcp && path_of(head.target) == kPath;
}

std::optional<Reply> McpEndpoint::check(const RequestHead& head) const {
    if (auto wrong = check_asker(head, access_)) return wrong;
    // The one thing to listen for is what was missed; a stream of its own this server has none.
    const bool resumes = head.method == "GET" && head.count("Last-Event-ID") > 0;
    if (head.method != "POST" && head.method != "DELETE" && !resumes)
        return wrong_method(head.method == "GET" ? "POST, DELETE" : "GET, POST, DELETE");
    if (auto wrong = check_token(head, access_)) return wrong;
    if (head.method == "POST" && !takes(head, kJson, true))
        return error_reply(406, "bad_request",
                           "Accept has to name application/json, and should text/event-stream.");
    if (resumes && !takes(head, kStream, true))
        return error_reply(406, "bad_request", "Accept has to name text/event-stream.");
    if (head.method == "POST") return check_json_body(head, settings_.config);
    if (head.has_body) return error_reply(400, "bad_request", "This request must not have a body.");
    return std::nullopt;
}

Answer McpEndpoint::answer(const RequestHead& head, std::string_view body,
                           const std::string& submitter) {
    if (head.method == "POST") return post(head, body, submitter);
    if (auto wrong = check_version(head, "null")) return with(*std::move(wrong));
    if (head.only("MCP-Protocol-Version") == kStateless) return with(wrong_method("POST"));
    const auto found = session_of(head);
    if (const auto* reply = std::get_if<Reply>(&found)) {
        Answer answer;
        answer.reply = *reply;
        return answer;
    }
    if (head.method == "GET") return resume(head, std::string(head.only("Last-Event-ID")));
    const std::string id = std::get<const Session*>(found)->id;
    cancel(id, nullptr);
    sessions_.close(id);
    Answer answer = accepted();
    answer.reply.status = 204;
    return answer;
}

std::variant<const Session*, Reply> McpEndpoint::session_of(const RequestHead& head) {
    if (head.count("Mcp-Session-Id") == 0) {
        return json_reply(400, error_text("null", Code::server_error,
                                          "The field Mcp-Session-Id is missing; a session begins "
                                          "with an initialize request."));
    }
    const Session* session = sessions_.find(head.only("Mcp-Session-Id"));
    if (session == nullptr)
        return json_reply(404, error_text("null", Code::session_not_found,
                                          "There is no such session; it may have expired."));
    return session;
}

Answer McpEndpoint::post(const RequestHead& head, std::string_view body,
                         const std::string& submitter) {
    const bool readable = is_utf8(body) && nesting(body) <= settings_.config.json_depth;
    const json message =
        readable ? json::parse(body, nullptr, false) : json(json::value_t::discarded);
    if (message.is_discarded())
        return refuse(400, Code::parse_error, "The body is no JSON that can be read.");
    if (auto wrong = check_version(head, id_text(message))) return with(*std::move(wrong));
    if (is_stateless(head, message)) return stateless(head, message, submitter);
    if (message.is_array()) return batch(head, message, submitter);
    const Kind kind = kind_of(message);
    if (kind == Kind::invalid)
        return refuse(400, Code::invalid_request, "This is no message of JSON-RPC 2.0.",
                      id_text(message));
    if (is_initialize(message)) return initialize(head, message, submitter);
    const auto found = session_of(head);
    if (const auto* reply = std::get_if<Reply>(&found)) {
        Answer answer;
        answer.reply = *reply;
        return answer;
    }
    Outcome outcome = take({*std::get<const Session*>(found), submitter, message});
    if (kind != Kind::request) return accepted();
    return carry_out(head, std::move(outcome), false);
}

/// What is there at once, or when it has ended.
Answer McpEndpoint::carry_out(const RequestHead& head, Outcome outcome, bool cancel_if_gone) {
    if (outcome.submission.empty()) return reply_with(200, std::move(outcome.text));
    Answer answer;
    if (takes(head, kStream, false)) {
        answer = follow(outcome.submission, 0);
        answer.cancel_if_gone = cancel_if_gone;
        return answer;
    }
    answer.cancel_if_gone = cancel_if_gone;
    answer.kind = Answer::Kind::wait;
    answer.house = &submissions_;
    answer.submissions = {outcome.submission};
    answer.finish = [this, id = outcome.submission] {
        std::string text = ended(id);
        if (text.empty())
            text = error_text(calls_.contains(id) ? calls_.at(id).id : "null",
                              Code::request_cancelled, "The request was cancelled.");
        return json_reply(200, std::move(text));
    };
    return answer;
}

/// By a revision without sessions: all there is to know of it is in it, and nothing stays of it but
/// its call, which ends with its connection.
Answer McpEndpoint::stateless(const RequestHead& head, const json& message,
                              const std::string& submitter) {
    const Kind kind = kind_of(message);
    const std::string id = id_text(message);
    if (kind == Kind::notification) return accepted();
    if (kind != Kind::request)
        return refuse(400, Code::invalid_request, "This is no request of JSON-RPC 2.0.", id);
    if (auto wrong = check_stateless(head, message, kAllVersions)) return with(*std::move(wrong));
    const std::string method = message.at("method");
    if (method == "server/discover") {
        const std::string found = cacheable(discovered(kAllVersions, kInstructions));
        return reply_with(200, answer_text(kStateless, id, found));
    }
    if (method == "subscriptions/listen") {
        if (!takes(head, kStream, true))
            return refuse(406, Code::invalid_request, "Accept has to name text/event-stream.", id);
        Reply reply = json_reply(200, subscribed(id));
        reply.type = kStream;
        return with(std::move(reply));
    }
    if (method != "tools/list" && method != "tools/call")
        return refuse(404, Code::method_not_found,
                      "There is no method '" + method.substr(0, 64) + "' here.", id);
    Session alone;
    alone.id = "request " + std::to_string(++requests_);
    alone.version = kStateless;
    alone.owner = submitter; // who takes turns, not a session
    return carry_out(head, request({alone, submitter, message, id}), true);
}

Answer McpEndpoint::initialize(const RequestHead& head, const json& message,
                               const std::string& submitter) {
    const std::string id = id_text(message);
    if (head.count("Mcp-Session-Id") > 0)
        return refuse(400, Code::invalid_request, "This session is initialized already.", id);
    const json params = params_of(message);
    const auto asked = params.find("protocolVersion");
    if (asked == params.end() || !asked->is_string())
        return refuse(200, Code::invalid_params, "The protocolVersion is missing.", id);
    const auto known = std::ranges::find(kVersions, asked->get_ref<const std::string&>());
    const std::string version(known == kVersions.end() ? kVersions.front() : *known);
    const Session* session =
        sessions_.open(version, head.local.loopback ? std::string() : submitter);
    if (session == nullptr) {
        Answer busy = refuse(503, Code::server_error, "All sessions are busy; try again.", id);
        busy.reply.fields.emplace_back("Retry-After", "1");
        return busy;
    }
    Answer answer = reply_with(200, result_text(id, initialized(version)));
    answer.reply.fields.emplace_back("Mcp-Session-Id", session->id);
    return answer;
}

/// Answered by one list when all of it has ended; those that are notifications have no part in it.
Answer McpEndpoint::batch(const RequestHead& head, const json& messages,
                          const std::string& submitter) {
    const auto found = session_of(head);
    if (const auto* reply = std::get_if<Reply>(&found)) {
        Answer answer;
        answer.reply = *reply;
        return answer;
    }
    const Session session = *std::get<const Session*>(found);
    if (session.version != kBatches)
        return refuse(400, Code::invalid_request, "Only the revision 2025-03-26 has batches.");
    if (messages.empty() || messages.size() > kMaxBatch)
        return refuse(400, Code::invalid_request, "A batch holds 1 to 32 messages.");
    std::vector<Outcome> outcomes;
    Answer answer;
    for (const json& message : messages) {
        Outcome outcome;
        if (is_initialize(message) || kind_of(message) == Kind::invalid)
            outcome.text = error_text(id_text(message), Code::invalid_request,
                                      "This is nothing that a batch may hold.");
        else outcome = take({session, submitter, message});
        if (!outcome.submission.empty()) answer.submissions.push_back(outcome.submission);
        outcomes.push_back(std::move(outcome));
    }
    answer.kind = Answer::Kind::wait;
    answer.house = &submissions_;
    answer.finish = [this, outcomes = std::move(outcomes)] {
        std::string list;
        for (const Outcome& outcome : outcomes) {
            const std::string text =
                outcome.submission.empty() ? outcome.text : ended(outcome.submission);
            if (!text.empty()) list += (list.empty() ? "" : ",") + text;
        }
        return list.empty() ? accepted().reply : json_reply(200, "[" + list + "]");
    };
    return answer;
}

/// `event_id`: "SUBMISSION:NUMBER", as the stream said it.
Answer McpEndpoint::resume(const RequestHead& head, const std::string& event_id) {
    const std::size_t colon = event_id.find(':');
    const std::string submission = event_id.substr(0, colon);
    std::uint64_t after = 0;
    const char* end = event_id.data() + event_id.size();
    const char* begin = colon == std::string::npos ? end : event_id.data() + colon + 1;
    const auto [stop, error] = std::from_chars(begin, end, after);
    const auto call = calls_.find(submission);
    const bool ours = call != calls_.end() && call->second.session == head.only("Mcp-Session-Id");
    if (error != std::errc{} || stop != end || !ours)
        return refuse(400, Code::invalid_params,
                      "The Last-Event-ID is of no stream of this session.");
    const auto left = submissions_.events_after(submission, after, 1);
    const bool over = !left || (left->over && left->events.empty());
    if (over || (call->second.cancelled && !is_under_way(submission)))
        return reply_with(204, {}); // which tells who reads events not to come back
    return follow(submission, after);
}

Answer McpEndpoint::follow(const std::string& submission, std::uint64_t after) {
    const Call& call = calls_.at(submission);
    Answer answer;
    answer.kind = Answer::Kind::events;
    answer.house = &submissions_;
    answer.submissions = {submission};
    answer.after = after;
    answer.format.head = event_stream_head();
    const bool resumes = call.version != kStateless;
    if (resumes && call.version >= kPriming && after == 0)
        answer.format.head += "id: " + submission + ":0\nretry: 1000\ndata: \n\n";
    answer.format.gap = [](std::uint64_t) { return std::string(); }; // progress is no record
    answer.format.event =
        [this, submission, resumes,
         progress = Progress(call.progress, call.tests)](const Submissions::Event& event) mutable {
            const std::string data =
                is_last(event) ? ended(submission) : progress.tell(event, Clock::now());
            if (data.empty()) return std::string();
            const std::string text = "event: message\ndata: " + data + "\n\n";
            return resumes ? "id: " + submission + ":" + std::to_string(event.number) + "\n" + text
                           : text;
        };
    return answer;
}

// -- The protocol's methods
// -----------------------------------------------------------------------

McpEndpoint::Outcome McpEndpoint::take(const Asked& asked) {
    if (kind_of(asked.message) == Kind::request) {
        Asked named = asked;
        named.id = id_text(asked.message);
        return request(named);
    }
    if (kind_of(asked.message) == Kind::notification) notify(asked);
    return {}; // this server asks nothing, so answers are answers to nothing
}

void McpEndpoint::notify(const Asked& asked) {
    if (asked.message.at("method") != "notifications/cancelled") return;
    const json params = params_of(asked.message);
    const auto id = params.find("requestId");
    if (id == params.end()) return;
    const std::string text = id->dump(-1, ' ', false, json::error_handler_t::replace);
    cancel(asked.session.id, &text);
}

McpEndpoint::Outcome McpEndpoint::request(const Asked& asked) {
    const std::string method = asked.message.at("method");
    const bool structured = asked.session.version >= kStructured;
    if (method == "ping") return {result_text(asked.id, "{}"), {}};
    if (method == "tools/call") return call_tool(asked);
    if (method == "tools/list") {
        if (params_of(asked.message).contains("cursor"))
            return {error_text(asked.id, Code::invalid_params, "There is one page, so no cursor."),
                    {}};
        const std::string list = list_text(catalog_, structured);
        const bool alone = asked.session.version == kStateless;
        return {answer_text(asked.session.version, asked.id, alone ? cacheable(list) : list), {}};
    }
    return {error_text(asked.id, Code::method_not_found,
                       "There is no method '" + method.substr(0, 64) + "' here."),
            {}};
}

McpEndpoint::Outcome McpEndpoint::call_tool(const Asked& asked) {
    const auto wrong = [&](const std::string& message) {
        return Outcome{error_text(asked.id, Code::invalid_params, message), {}};
    };
    const json params = params_of(asked.message);
    const auto name = params.find("name");
    if (name == params.end() || !name->is_string()) return wrong("The name of a tool is missing.");
    const auto tool = find_tool(name->get_ref<const std::string&>());
    if (!tool) return wrong("Unknown tool: " + name->get<std::string>().substr(0, 64));
    const auto given = params.find("arguments");
    if (given != params.end() && !given->is_object()) return wrong("The arguments are no object.");
    const json arguments = given == params.end() ? json::object() : *given;
    Call call;
    call.session = asked.session.id;
    call.version = asked.session.version;
    call.id = asked.id;
    call.progress = token_of(params);
    call.tool = *tool;
    for (const auto& [submission, other] : calls_) {
        if (other.session == call.session && other.id == call.id && is_under_way(submission))
            return {
                error_text(asked.id, Code::invalid_request, "A request with this id is under way."),
                {}};
    }
    if (*tool == Tool::list_runtimes) {
        if (const auto why = refuse_arguments(arguments, *tool))
            return {answer_text(call.version, asked.id, failed_result(error_object(*why))), {}};
        const std::string known = runtimes_result(catalog_, call.version >= kStructured);
        return {answer_text(call.version, asked.id, known), {}};
    }
    return start(asked, std::move(call), arguments);
}

McpEndpoint::Outcome McpEndpoint::start(const Asked& asked, Call call, const json& arguments) {
    const auto failed = [&](const Refusal& why) {
        return Outcome{
            answer_text(asked.session.version, asked.id, failed_result(error_object(why))), {}};
    };
    // On this machine a session is a client of its own, whatever connections it uses.
    const bool here = asked.session.owner.empty();
    const std::string submitter = here ? "session " + call.session : asked.submitter;
    Submissions::Order order;
    order.kind = "mcp";
    std::optional<Refusal> why;
    std::string id;
    const auto open = [&] {
        const auto opened = submissions_.open(order);
        if (const auto* refusal = std::get_if<Refusal>(&opened)) why = *refusal;
        else id = std::get<Submissions::Opened>(opened).id;
        return !why;
    };
    if (call.tool == Tool::run_code) {
        auto read = read_run(arguments, settings_.config);
        if (const auto* refusal = std::get_if<Refusal>(&read)) return failed(*refusal);
        auto& run = std::get<RunAsked>(read);
        auto made = make_job(std::move(run.run), catalog_);
        if (const auto* refusal = std::get_if<Refusal>(&made)) return failed(*refusal);
        Job& job = std::get<Job>(made);
        job.stream = job.usage = !call.progress.empty();
        call.max_output = run.max_output;
        if (open()) why = runs_.start(submitter, id, std::move(job));
    } else {
        auto read = read_tests(arguments, settings_.config);
        if (const auto* refusal = std::get_if<Refusal>(&read)) return failed(*refusal);
        auto& judging = std::get<JudgeRequest>(read);
        call.tests = judging.tests.size();
        if (open()) why = judged_.start(submitter, id, std::move(judging));
    }
    if (why) {
        if (!id.empty()) submissions_.withdraw(id);
        return failed(*why);
    }
    calls_.emplace(id, std::move(call));
    return {{}, id};
}

// -- Calls under way
// ------------------------------------------------------------------------------

bool McpEndpoint::is_under_way(const std::string& submission) {
    const auto found = submissions_.find(submission);
    return found && found->ended.count() == 0;
}

bool McpEndpoint::is_busy(const std::string& session) {
    return std::ranges::any_of(calls_, [&](const auto& pair) {
        return pair.second.session == session && is_under_way(pair.first);
    });
}

/// Of this session, the call of this request; all of them when `id` is null.
void McpEndpoint::cancel(const std::string& session, const std::string* id) {
    for (auto& [submission, call] : calls_) {
        if (call.session != session || (id != nullptr && call.id != *id)) continue;
        if (!is_under_way(submission)) continue;
        call.cancelled = true;
        (void)submissions_.cancel(submission);
    }
}

std::string McpEndpoint::ended(const std::string& submission) {
    const auto found = calls_.find(submission);
    if (found == calls_.end()) return {};
    const Call& call = found->second;
    if (call.cancelled) return {};
    return answer_text(call.version, call.id, result_of(call, submission));
}

std::string McpEndpoint::result_of(const Call& call, const std::string& submission) {
    const auto saved = submissions_.find(submission);
    if (!saved) return failed_result(R"({"code":"internal_error","message":"It is gone."})");
    if (saved->state != "done") return failed_result(saved->text);
    const bool structured = call.version >= kStructured;
    if (call.tool == Tool::run_code) return run_result(saved->text, call.max_output, structured);
    std::vector<std::string> verdicts;
    if (const auto events = submissions_.events_after(submission, 0, SIZE_MAX)) {
        for (const Submissions::Event& event : events->events)
            if (event.name == "verdict") verdicts.push_back(event.data);
    }
    return tests_result(saved->text, verdicts, structured);
}

void McpEndpoint::tick() {
    submissions_.tick();
    std::erase_if(calls_, [&](const auto& pair) { return !submissions_.find(pair.first); });
    sessions_.tick();
}

} // namespace cloister::front::mcp
