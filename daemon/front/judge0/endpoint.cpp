// The addresses; then one function for each request.
#include "daemon/front/judge0/endpoint.h"

#include "daemon/front/judge0/query.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

namespace cloister::front::judge0 {
namespace {

using nlohmann::json;

constexpr const char* kKind = "judge0";
constexpr std::string_view kSubmissions = "/submissions";
constexpr std::string_view kBatch = "/submissions/batch";
constexpr std::string_view kLanguages = "/languages";
constexpr std::array<std::string_view, 9> kFacts = {"/statuses",    "/about",      "/version",
                                                    "/license",     "/isolate",    "/system_info",
                                                    "/config_info", "/statistics", "/workers"};
constexpr std::size_t kMostInBatch = 20;
constexpr std::uint64_t kPerPage = 20;
constexpr std::uint64_t kMostPerPage = 100;
constexpr std::size_t kMostAnswer = 8 * isolate::kMiB; ///< of several submissions together
constexpr const char* kNotText =
    "some attributes for this submission cannot be converted to UTF-8, "
    "use base64_encoded=true query parameter";

/// The path without a slash at its end.
std::string_view plain_path(const RequestHead& head) {
    std::string_view path = path_of(head.target);
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

/// What follows `folder`, when that is one part.
std::string_view below(std::string_view path, std::string_view folder) {
    if (!path.starts_with(folder) || path.size() < folder.size() + 2 || path[folder.size()] != '/')
        return {};
    const std::string_view rest = path.substr(folder.size() + 1);
    return rest.find('/') == std::string_view::npos ? rest : std::string_view{};
}

/// The methods of an address, as an Allow field; empty: it is none of ours.
std::string_view methods_of(std::string_view path) {
    if (path == kSubmissions || path == kBatch) return "GET, HEAD, POST";
    if (path == "/authenticate" || path == "/authorize") return "POST";
    if (path == kLanguages || !below(path, kLanguages).empty()) return "GET, HEAD";
    if (!below(path, kSubmissions).empty()) return "GET, HEAD, DELETE";
    return std::ranges::find(kFacts, path) == kFacts.end() ? "" : "GET, HEAD";
}

Reply error(unsigned status, std::string_view message) {
    return json_reply(status, JsonObject().text("error", message).close());
}

Answer replied(Reply reply) {
    Answer answer;
    answer.reply = std::move(reply);
    return answer;
}

Reply text_reply(std::string text) {
    Reply reply;
    reply.type = "text/plain; charset=utf-8";
    reply.body = std::move(text);
    return reply;
}

Reply empty_reply(unsigned status) {
    Reply reply;
    reply.status = status;
    return reply;
}

/// In the field or the query parameter of that name, or as everywhere else.
bool carries_token(const RequestHead& head, const Access& access, std::string_view name) {
    return access.token.empty() || token_matches(access.token, head.only(name)) ||
           token_matches(access.token, query_value(head.target, name)) ||
           token_matches(access.token, bearer_token(head.only("Authorization")));
}

bool asks_for(const RequestHead& head, std::string_view flag) {
    return query_value(head.target, flag) == "true";
}

Reply invalid(const Fields& fields) {
    std::string list;
    for (const std::string& name : fields.invalid) list += (list.empty() ? "" : ", ") + name;
    return error(400, "invalid fields: [" + list + "]");
}

Reply refused(const Refusal& why) {
    if (why.code != "busy") return error(422, why.message);
    Reply reply = error(503, "queue is full");
    reply.fields.emplace_back("Retry-After", "1");
    return reply;
}

std::vector<std::string> tokens_of(const RequestHead& head) {
    std::vector<std::string> tokens;
    const std::string list = query_value(head.target, "tokens");
    for (std::string_view rest = list; !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        if (comma > 0) tokens.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return tokens;
}

std::optional<Reply> check_batch(std::size_t size) {
    if (size == 0) return error(400, "there should be at least one submission in a batch");
    if (size > kMostInBatch)
        return error(400, "number of submissions in a batch should be less than or equal to " +
                              std::to_string(kMostInBatch));
    return std::nullopt;
}

/// A number from 1 on; absent: it is something else.
std::optional<std::uint64_t> page_number(const std::string& text, std::uint64_t usual,
                                         std::uint64_t most) {
    if (text.empty()) return usual;
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || stop != end || number < 1 || number > most) return std::nullopt;
    return number;
}

/// Adds one of several submissions to `items`; or why that cannot be.
std::optional<Reply> add_item(std::string& items, const std::optional<std::string>& object) {
    if (!object) return error(400, kNotText);
    if (items.size() + object->size() > kMostAnswer)
        return error(400, "the answer would be too large, ask for fewer submissions or fields");
    items += (items.empty() ? "" : ",") + *object;
    return std::nullopt;
}

/// The body as JSON; nothing when it is none.
std::optional<json> read_body(std::string_view body, const config::Config& bounds) {
    if (!is_utf8(body) || nesting(body) > bounds.json_depth) return std::nullopt;
    json read = json::parse(body, nullptr, false);
    if (!read.is_object()) return std::nullopt;
    return read;
}

} // namespace

HttpInterface::HttpInterface(Parts parts)
    : parts_(std::move(parts)), work_(parts_.executions, parts_.catalog, parts_.submissions) {
    work_.when_ended([this](const std::string& id, const std::string& url) { on_ended(id, url); });
}

bool HttpInterface::serves(const RequestHead& head) const {
    return !methods_of(plain_path(head)).empty();
}

Reply HttpInterface::complaint(unsigned status, std::string_view, std::string_view message) const {
    return error(status, message);
}

std::optional<Reply> HttpInterface::check(const RequestHead& head) const {
    if (auto wrong = check_asker(head, parts_.access)) return in_own_words(*wrong);
    const std::string_view path = plain_path(head);
    const std::string_view methods = methods_of(path);
    if (!has_token(methods, head.method)) return in_own_words(wrong_method(methods));
    if (!carries_token(head, parts_.access, "X-Auth-Token")) return empty_reply(401);
    const bool lists = path == kSubmissions && head.method != "POST";
    const bool is_for_users = lists || head.method == "DELETE" || path == "/authorize";
    if (is_for_users && !carries_token(head, parts_.access, "X-Auth-User")) return empty_reply(403);
    const bool has_json = head.method == "POST" && path.starts_with(kSubmissions);
    if (has_json) {
        if (auto wrong = check_json_body(head, parts_.settings.config)) return in_own_words(*wrong);
    } else if (head.has_body) {
        return error(400, "this request must not have a body");
    }
    return std::nullopt;
}

Answer HttpInterface::answer(const RequestHead& head, std::string_view body,
                             const std::string& submitter) {
    const std::string_view path = plain_path(head);
    const bool posts = head.method == "POST";
    if (path == kSubmissions) return posts ? post_one(head, body, submitter) : replied(list(head));
    if (path == kBatch)
        return posts ? post_batch(head, body, submitter) : replied(show_batch(head));
    if (const std::string id(below(path, kSubmissions)); !id.empty())
        return replied(head.method == "DELETE" ? remove(head, id) : show_one(head, id));
    if (path.starts_with(kLanguages)) return replied(show_language(below(path, kLanguages)));
    if (posts) return replied(empty_reply(200)); // who is who was checked already
    return replied(show_fact(path));
}

// ---- making submissions

HttpInterface::Created HttpInterface::create(const json& body, bool base64,
                                             const std::string& submitter) {
    Created created;
    const Rules rules{parts_.catalog, static_cast<bool>(parts_.tell)};
    auto read = read_submission(body, base64, rules);
    if (auto* errors = std::get_if<Errors>(&read)) {
        created.errors = std::move(*errors);
        return created;
    }
    auto& accepted = std::get<Accepted>(read);
    Submissions::Order order;
    order.kind = kKind;
    order.request = std::move(accepted.kept);
    const int language = json::parse(order.request).value("language_id", 0);
    const auto opened = parts_.submissions.open(order);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) {
        created.refusal = *refusal;
        return created;
    }
    created.id = std::get<Submissions::Opened>(opened).id;
    if (auto refusal = work_.start(submitter, created.id, std::move(accepted.program))) {
        parts_.submissions.withdraw(created.id);
        created.refusal = std::move(refusal);
        return created;
    }
    ++statistics_.total;
    ++statistics_.languages[language];
    return created;
}

Answer HttpInterface::post_one(const RequestHead& head, std::string_view text,
                               const std::string& submitter) {
    const auto body = read_body(text, parts_.settings.config);
    if (!body) return replied(error(400, "the body must be a JSON object"));
    const Fields fields = read_fields(query_value(head.target, "fields"));
    const bool waits = asks_for(head, "wait");
    if (waits && !fields.invalid.empty()) return replied(invalid(fields));
    const bool base64 = asks_for(head, "base64_encoded");
    const Created created = create(*body, base64, submitter);
    if (!created.errors.empty()) return replied(json_reply(422, to_text(created.errors)));
    if (created.refusal) return replied(refused(*created.refusal));
    const std::string token = JsonObject().text("token", created.id).close();
    if (!waits) return replied(json_reply(201, token));
    Answer answer;
    answer.kind = Answer::Kind::wait;
    answer.house = &parts_.submissions;
    answer.submissions = {created.id};
    answer.finish = [this, id = created.id, fields, base64, token] {
        const auto saved = find(id);
        if (!saved) return json_reply(201, token); // it has expired under our hands
        if (const auto object = shown(*saved, fields, base64)) return json_reply(201, *object);
        return json_reply(201, JsonObject().text("token", id).text("error", kNotText).close());
    };
    return answer;
}

Answer HttpInterface::post_batch(const RequestHead& head, std::string_view text,
                                 const std::string& submitter) {
    const auto body = read_body(text, parts_.settings.config);
    if (!body) return replied(error(400, "the body must be a JSON object"));
    const auto found = body->find("submissions");
    const bool is_list = found != body->end() && found->is_array();
    if (auto wrong = check_batch(is_list ? found->size() : 0)) return replied(*std::move(wrong));
    const bool base64 = asks_for(head, "base64_encoded");
    std::string items;
    bool is_any_made = false;
    bool is_any_wrong = false;
    for (const json& one : *found) {
        const Created created = create(one.is_object() ? one : json::object(), base64, submitter);
        JsonObject item;
        is_any_made = is_any_made || !created.id.empty();
        is_any_wrong = is_any_wrong || !created.errors.empty();
        items += items.empty() ? "" : ",";
        if (!created.errors.empty()) items += to_text(created.errors);
        else if (created.refusal) items += refused(*created.refusal).body;
        else items += item.text("token", created.id).close();
    }
    if (!is_any_made && !is_any_wrong) {
        Refusal full;
        full.code = "busy";
        return replied(refused(full));
    }
    return replied(json_reply(is_any_made ? 201 : 422, "[" + items + "]"));
}

// ---- showing them

std::optional<store::SavedSubmission> HttpInterface::find(const std::string& id) {
    auto saved = parts_.submissions.find(id);
    if (saved && saved->kind != kKind) return std::nullopt;
    return saved;
}

std::optional<std::string> HttpInterface::shown(const store::SavedSubmission& saved,
                                                const Fields& fields, bool base64) const {
    const View view{fields, base64, work_.is_processing(saved.id), parts_.catalog};
    return to_text(saved, view);
}

Reply HttpInterface::show_one(const RequestHead& head, const std::string& id) {
    const Fields fields = read_fields(query_value(head.target, "fields"));
    if (!fields.invalid.empty()) return invalid(fields);
    const auto saved = find(id);
    if (!saved) return error(404, "there is no such submission");
    const auto object = shown(*saved, fields, asks_for(head, "base64_encoded"));
    return object ? json_reply(200, *object) : error(400, kNotText);
}

Reply HttpInterface::show_batch(const RequestHead& head) {
    const std::vector<std::string> tokens = tokens_of(head);
    if (auto wrong = check_batch(tokens.size())) return *std::move(wrong);
    const Fields fields = read_fields(query_value(head.target, "fields"));
    if (!fields.invalid.empty()) return invalid(fields);
    std::string items;
    for (const std::string& token : tokens) {
        const auto saved = find(token);
        const auto object = saved ? shown(*saved, fields, asks_for(head, "base64_encoded"))
                                  : std::optional<std::string>("null");
        if (auto wrong = add_item(items, object)) return *std::move(wrong);
    }
    return json_reply(200, JsonObject().raw("submissions", "[" + items + "]").close());
}

Reply HttpInterface::list(const RequestHead& head) {
    const std::string page_text = query_value(head.target, "page");
    const std::string size_text = query_value(head.target, "per_page");
    const auto page = page_number(page_text, 1, 1'000'000);
    if (!page) return error(400, "invalid page: " + page_text.substr(0, 64));
    const auto size = page_number(size_text, kPerPage, kMostPerPage);
    if (!size) return error(400, "invalid per_page: " + size_text.substr(0, 64));
    const Fields fields = read_fields(query_value(head.target, "fields"));
    if (!fields.invalid.empty()) return invalid(fields);
    std::string items;
    for (const std::string& id : parts_.submissions.list_kind(kKind, (*page - 1) * *size, *size)) {
        const auto saved = find(id);
        if (!saved) continue; // it has expired and is about to go
        const auto object = shown(*saved, fields, asks_for(head, "base64_encoded"));
        if (auto wrong = add_item(items, object)) return *std::move(wrong);
    }
    const std::uint64_t count = parts_.submissions.count_kind(kKind);
    const std::uint64_t pages = (count + *size - 1) / *size;
    JsonObject meta;
    meta.count("current_page", *page);
    if (*page < pages) meta.count("next_page", *page + 1);
    else meta.none("next_page");
    if (*page > 1) meta.count("prev_page", *page - 1);
    else meta.none("prev_page");
    meta.count("total_pages", pages).count("total_count", count);
    JsonObject out;
    return json_reply(200,
                      out.raw("submissions", "[" + items + "]").raw("meta", meta.close()).close());
}

Reply HttpInterface::remove(const RequestHead& head, const std::string& id) {
    const Fields fields = read_fields(query_value(head.target, "fields"));
    if (!fields.invalid.empty()) return invalid(fields);
    const auto saved = find(id);
    if (!saved) return error(404, "there is no such submission");
    const auto object = shown(*saved, fields, true);
    if (!parts_.submissions.forget(id)) {
        const Status status = status_of(*saved, work_.is_processing(id));
        return error(400, "submission cannot be deleted because its status is " +
                              std::to_string(static_cast<int>(status)) + " (" +
                              std::string(description_of(status)) + ")");
    }
    return json_reply(200, object.value_or("{}"));
}

void HttpInterface::on_ended(const std::string& id, const std::string& url) {
    const auto saved = find(id);
    if (!saved) return;
    ++statistics_.statuses[static_cast<int>(status_of(*saved, false))];
    if (url.empty() || !parts_.tell) return;
    if (const auto object = shown(*saved, read_fields({}), true)) parts_.tell(id, url, *object);
}

// ---- languages and facts

Reply HttpInterface::show_language(std::string_view id) const {
    const auto all = languages(parts_.catalog);
    if (id.empty() || id == "all") {
        std::string list;
        for (const Language& language : all) {
            std::string one = short_text(language);
            if (!id.empty()) {
                JsonObject longer;
                longer.number("id", language.id).text("name", language.name);
                one = longer.flag("is_archived", false).close();
            }
            list += (list.empty() ? "" : ",") + one;
        }
        return json_reply(200, "[" + list + "]");
    }
    const auto found = std::ranges::find_if(
        all, [&](const Language& language) { return std::to_string(language.id) == id; });
    if (found == all.end()) return error(404, "there is no such language");
    return json_reply(200, long_text(*found, parts_.catalog));
}

Reply HttpInterface::show_fact(std::string_view path) {
    if (path == "/statuses") return json_reply(200, statuses_text());
    if (path == "/about") return json_reply(200, about_text());
    if (path == "/version") return text_reply(kVersion);
    if (path == "/license") return text_reply(license_text());
    if (path == "/isolate") return text_reply(isolation_text());
    if (path == "/system_info") return json_reply(200, system_text(parts_.machine));
    if (path == "/config_info")
        return json_reply(200, config_text(parts_.settings, static_cast<bool>(parts_.tell)));
    if (path == "/statistics") {
        statistics_.kept = parts_.submissions.count_kind(kKind);
        return json_reply(200, statistics_text(statistics_, parts_.catalog));
    }
    Workers workers;
    workers.waiting = parts_.executions.waiting() + work_.waiting();
    workers.boxes = parts_.boxes ? parts_.boxes() : 0;
    workers.running = parts_.executions.running();
    const auto failed = statistics_.statuses.find(static_cast<int>(Status::internal_error));
    workers.failed = failed == statistics_.statuses.end() ? 0 : failed->second;
    return json_reply(200, workers_text(workers));
}

} // namespace cloister::front::judge0
