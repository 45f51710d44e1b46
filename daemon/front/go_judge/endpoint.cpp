// Errors are JSON texts, as there.
#include "daemon/front/go_judge/endpoint.h"

#include "daemon/front/go_judge/multipart.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <array>
#include <memory>

#include <nlohmann/json.hpp>

namespace cloister::front::go_judge {
namespace {

constexpr std::string_view kBase = "/go-judge";
constexpr std::string_view kFiles = "/file/";

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

/// The path as go-judge has it.
std::string_view own_path(const RequestHead& head) {
    std::string_view path = path_of(head.target);
    if (path.starts_with(kBase)) path.remove_prefix(kBase.size());
    return path;
}

std::string as_json(std::string_view text) {
    std::string out;
    append_quoted(out, repaired(text));
    return out;
}

Reply text_reply(unsigned status, std::string_view message) {
    return json_reply(status, as_json(message));
}

Answer replied(Reply reply) {
    Answer answer;
    answer.reply = std::move(reply);
    return answer;
}

/// What the address takes; empty when there is none such.
std::string_view methods_of(std::string_view path) {
    if (path == "/run") return "POST";
    if (path == "/file") return "GET, HEAD, POST";
    if (path.starts_with(kFiles) && path.size() > kFiles.size()) return "GET, HEAD, DELETE";
    if (path == "/version" || path == "/config") return "GET, HEAD";
    return {};
}

bool takes(std::string_view methods, std::string_view method) {
    while (!methods.empty()) {
        const auto comma = std::min(methods.find(", "), methods.size());
        if (methods.substr(0, comma) == method) return true;
        methods.remove_prefix(std::min(comma + 2, methods.size()));
    }
    return false;
}

/// What we do of what go-judge's versions can.
void add_features(JsonObject& out) {
    out.flag("copyOutOptional", true).flag("copyOutTruncate", true).flag("symlink", true);
    out.flag("procPeak", true).flag("pipeProxy", true).flag("addressSpaceLimit", false);
    out.flag("stream", true).flag("fixSymlinkEscape", true);
}

std::string version_text() {
    JsonObject out;
    out.text("buildVersion", "cloister " CLOISTER_VERSION).text("goVersion", "");
    out.text("platform", "amd64").text("os", "linux");
    add_features(out);
    return out.close();
}

std::string config_text() {
    JsonObject out;
    add_features(out);
    return out.text("fileStorePath", "").raw("runnerConfig", "{}").close();
}

} // namespace

HttpInterface::HttpInterface(const config::Settings& settings, const Access& access,
                             Commands& commands)
    : settings_(settings), access_(access), commands_(commands),
      waiting_(nullptr, Submissions::Bounds::of_waiting(settings.config.submissions), wall_clock) {}

bool HttpInterface::serves(const RequestHead& head) const {
    const std::string_view path = path_of(head.target);
    if (path == kBase || path.starts_with(std::string(kBase) + "/")) return true;
    return !methods_of(path).empty();
}

Reply HttpInterface::complaint(unsigned status, std::string_view, std::string_view message) const {
    return text_reply(status, message);
}

std::optional<Reply> HttpInterface::check(const RequestHead& head) const {
    if (auto wrong = check_asker(head, access_)) return in_own_words(*wrong);
    const std::string_view path = own_path(head);
    const std::string_view methods = methods_of(path);
    if (methods.empty()) return text_reply(404, "Nothing lives at this address.");
    if (!takes(methods, head.method)) return in_own_words(wrong_method(methods));
    if (auto wrong = check_token(head, access_)) return in_own_words(*wrong);
    if (head.method != "POST")
        return head.has_body ? std::optional(text_reply(400, "This request takes no body."))
                             : std::nullopt;
    if (path == "/run") {
        if (auto wrong = check_json_body(head, settings_.config)) return in_own_words(*wrong);
        return std::nullopt;
    }
    if (!is_form(head.only("Content-Type")))
        return text_reply(400, "A form is needed: multipart/form-data with the field \"file\".");
    if (head.count("Content-Encoding") > 0)
        return text_reply(415, "The body must come without a Content-Encoding.");
    if (head.body_bytes > settings_.config.body_bytes)
        return text_reply(413,
                          "The body may hold " + readable_bytes(settings_.config.body_bytes) + ".");
    if (head.count("Expect") > 0 && head.only("Expect") != "100-continue")
        return text_reply(417, "Only 100-continue may be expected.");
    return std::nullopt;
}

Answer HttpInterface::answer(const RequestHead& head, std::string_view body,
                             const std::string& submitter) {
    const std::string_view path = own_path(head);
    if (path == "/run") return run(body, submitter);
    if (path == "/version") return replied(json_reply(200, version_text()));
    if (path == "/config") return replied(json_reply(200, config_text()));
    return replied(file(head, path, body));
}

Reply HttpInterface::file(const RequestHead& head, std::string_view path, std::string_view body) {
    FileStore& store = commands_.store();
    if (head.method == "POST") {
        auto upload = file_in_form(head.only("Content-Type"), body, "file");
        if (!upload) return text_reply(400, "The form has no file \"file\".");
        const auto id = store.add(std::move(upload->name), std::move(upload->content));
        if (!id) return text_reply(500, "The file store is full.");
        return text_reply(200, *id);
    }
    if (path == "/file") {
        std::string list;
        for (const auto& [id, name] : store.list())
            list += (list.empty() ? "" : ",") + as_json(id) + ":" + as_json(name);
        return json_reply(200, "{" + list + "}");
    }
    const std::string id(path.substr(kFiles.size()));
    const bool removed = head.method == "DELETE" && store.remove(id);
    const FileStore::FilePtr found = is_reading(head.method) ? store.find(id) : nullptr;
    if (!removed && !found) return text_reply(404, "There is no such file.");
    Reply reply;
    reply.type = found ? "application/octet-stream" : "";
    if (found) reply.shared = {found, &found->content}; // however many read it slowly
    return reply;
}

Answer HttpInterface::run(std::string_view body, const std::string& submitter) {
    const auto read = read_body(body, settings_.config);
    if (const auto* fault = std::get_if<Fault>(&read))
        return replied(text_reply(400, fault->message));
    auto request = read_request(std::get<nlohmann::json>(read), settings_.config, false);
    if (const auto* fault = std::get_if<Fault>(&request))
        return replied(text_reply(400, fault->message));
    Submissions::Order order;
    order.kind = "go-judge";
    const auto opened = waiting_.open(order);
    if (const auto* refusal = std::get_if<Refusal>(&opened))
        return replied(text_reply(500, refusal->message));
    const std::string id = std::get<Submissions::Opened>(opened).id;

    const auto reply = std::make_shared<Reply>();
    const auto handle = commands_.start(
        submitter, std::get<Request>(std::move(request)), [this, id, reply](const Ended& ended) {
            *reply = ended.error.empty() ? json_reply(200, to_text(ended.results))
                                         : text_reply(500, ended.error);
            waiting_.finish(id, {});
        });
    waiting_.on_cancel(id, handle.cancel);
    Answer answer;
    answer.kind = Answer::Kind::wait;
    answer.house = &waiting_;
    answer.submissions = {id};
    answer.finish = [reply] { return std::move(*reply); };
    answer.cancel_if_gone = true; // nobody else can ask for what it comes to
    return answer;
}

} // namespace cloister::front::go_judge
