// From each request to the call that serves it.
#include "daemon/front/conversation.h"

#include "daemon/front/protocol.h"
#include "daemon/front/replies.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

namespace cloister::front {
namespace {

/// How many bursts of refused messages are taken before the connection is closed.
constexpr std::uint32_t kPatience = 4;
/// A message beyond the rate is looked into for its id up to this size; a larger one is not worth
/// it.
constexpr std::size_t kGlance = 16 * 1024;

Refusal plain_refusal(const char* code, const char* message) {
    Refusal refusal;
    refusal.code = code;
    refusal.message = message;
    return refusal;
}

} // namespace

Conversation::Conversation(Service& service, Send send, Clock::time_point now)
    : service_(service), send_(std::move(send)), client_(service.executions->open_client(*this)),
      bucket_(service.settings->config.messages_per_second, service.settings->config.message_burst,
              now),
      patience_(service.settings->config.messages_per_second,
                kPatience * service.settings->config.message_burst, now) {}

Conversation::~Conversation() { end(); }

void Conversation::end() {
    if (client_ != 0) service_.executions->close_client(std::exchange(client_, 0));
}

void Conversation::begin(const Granted& grant) {
    const std::string connection_id =
        grant.connection_id.empty() ? fresh_uuid() : grant.connection_id;
    const std::string user_id = "user_" + fresh_uuid().substr(0, 8);
    send_(connection_established(connection_id, user_id, service_.settings->config));
    if (grant.room)
        send_(to_text(plain_refusal("unknown_type", "This server does not offer rooms yet.")));
}

unsigned Conversation::receive(std::string_view text, bool binary, Clock::time_point now) {
    const config::Config& config = service_.settings->config;
    if (!bucket_.take(now)) {
        if (!patience_.take(now)) return kTooFast;
        Refusal refusal =
            plain_refusal("rate_limited", "Too many messages; this one was not read.");
        if (!binary && text.size() <= kGlance) refusal.id = id_in(text, config);
        send_(to_text(refusal));
        return kGoOn;
    }
    if (binary) {
        send_(to_text(
            plain_refusal("bad_message", "Messages are text frames; this one was binary.")));
        return kGoOn;
    }
    if (!is_utf8(text)) return kBadText;
    auto parsed = parse(text, config);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
        send_(to_text(*refusal));
        return kGoOn;
    }
    std::visit([this](auto& request) { act(request); }, std::get<Request>(parsed));
    return kGoOn;
}

void Conversation::set_congested(bool congested) {
    if (client_ != 0) service_.executions->set_congested(client_, congested);
}

void Conversation::on_event(const Event& event) { send_(to_text(event)); }

void Conversation::refuse(const std::optional<Refusal>& refusal) {
    if (refusal) send_(to_text(*refusal));
}

void Conversation::act(const Ping& ping) { send_(pong(ping.id)); }

void Conversation::act(ExecuteCode& request) {
    auto job = make_job(std::move(request), *service_.catalog);
    if (const auto* refusal = std::get_if<Refusal>(&job)) return send_(to_text(*refusal));
    const auto accepted = service_.executions->submit(client_, std::get<Job>(std::move(job)));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) send_(to_text(*refusal));
}

void Conversation::act(const ExecutionInput& request) {
    refuse(service_.executions->input(client_, request.run, request.data, request.eof));
}

void Conversation::act(const ExecutionSignal& request) {
    refuse(service_.executions->signal(client_, request.run, request.signal));
}

void Conversation::act(const ExecutionResize& request) {
    refuse(service_.executions->resize(client_, request.run, request.columns, request.rows));
}

void Conversation::act(const ExecutionCancel& request) {
    refuse(service_.executions->cancel(client_, request.run));
}

} // namespace cloister::front
