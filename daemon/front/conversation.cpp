// From each request to the call that serves it.
#include "daemon/front/conversation.h"

#include "daemon/front/deep_checks.h"
#include "daemon/front/judging.h"
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
    if (connection_ != 0) service_.hub->close(std::exchange(connection_, 0));
    if (client_ != 0) service_.executions->close_client(std::exchange(client_, 0));
    if (judge_client_ != 0) service_.judgings->close_client(std::exchange(judge_client_, 0));
    if (analyses_client_ != 0) service_.analyses->close_client(std::exchange(analyses_client_, 0));
}

void Conversation::begin(const Granted& grant) {
    Hub& hub = *service_.hub;
    connection_ = hub.open(*this, grant.connection_id);
    say(connection_established(hub.self(connection_), hub.resume_token(connection_),
                               service_.settings->config));
    if (!grant.room_id.empty()) hub.join(connection_, JoinRoom{grant.room_id}, {});
}

unsigned Conversation::receive(std::string_view text, bool binary, Clock::time_point now) {
    const config::Config& config = service_.settings->config;
    if (!bucket_.take(now)) {
        if (!patience_.take(now)) return kTooFast;
        Refusal refusal =
            plain_refusal("rate_limited", "Too many messages; this one was not read.");
        if (!binary && text.size() <= kGlance) refusal.id = id_in(text, config);
        refuse(refusal);
        return kGoOn;
    }
    if (binary) {
        refuse(plain_refusal("bad_message", "Messages are text frames; this one was binary."));
        return kGoOn;
    }
    if (!is_utf8(text)) return kBadText;
    auto parsed = parse(text, config);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
        refuse(*refusal);
        return kGoOn;
    }
    std::visit([this](auto& request) { act(request); }, std::get<Request>(parsed));
    return kGoOn;
}

void Conversation::set_congested(bool congested) {
    if (judge_client_ != 0) service_.judgings->set_congested(judge_client_, congested);
    if (client_ != 0) service_.executions->set_congested(client_, congested);
}

void Conversation::on_event(const Event& event) {
    if (service_.hub->share(event)) say(to_text(event));
}

void Conversation::refuse(const std::optional<Refusal>& refusal) {
    if (!refusal) return;
    if (service_.metrics != nullptr) service_.metrics->count_refusal(refusal->code);
    say(to_text(*refusal));
}

void Conversation::act(const Ping& ping) { say(pong(ping.id)); }

void Conversation::act(RoomRequest& request) {
    const auto* hello = std::get_if<Hello>(&request.ask);
    if (hello != nullptr && !hello->lang.empty()) korean_ = is_korean(hello->lang);
    auto* watch = std::get_if<WatchAnalysis>(&request.ask);
    if (watch != nullptr && !watch->korean) watch->korean = korean_;
    service_.hub->handle(connection_, std::move(request));
}

void Conversation::act(ExecuteCode& request) {
    Hub& hub = *service_.hub;
    const bool shared = !request.is_private && hub.is_in_room(connection_);
    if (auto refusal = shared ? hub.why_not_run(connection_) : std::nullopt) {
        refusal->id = request.id;
        return refuse(refusal);
    }
    if (const auto refusal = hub.lend_files(connection_, request)) return refuse(refusal);
    auto made = make_job(std::move(request), *service_.catalog);
    if (const auto* refusal = std::get_if<Refusal>(&made)) return refuse(*refusal);
    Job job = std::get<Job>(std::move(made));
    Executions::Named named{};
    if (shared) {
        const Hub::SharedRun run{{}, client_, job.stream, job.is_live(), job.language};
        job.stream = true; // the others watch
        named = [this, run](const std::string& run_id) {
            Hub::SharedRun with_name = run;
            with_name.run_id = run_id;
            service_.hub->share_run(connection_, with_name);
        };
    }
    const auto accepted = service_.executions->submit(client_, std::move(job), named);
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) refuse(*refusal);
}

void Conversation::touch_run(const RunName& run,
                             const std::function<std::optional<Refusal>(ClientId client)>& touch) {
    const auto found = service_.hub->client_of(connection_, run);
    if (const auto* refusal = std::get_if<Refusal>(&found)) return refuse(*refusal);
    const auto* other = std::get_if<ClientId>(&found);
    refuse(touch(other == nullptr ? client_ : *other));
}

void Conversation::act(const ExecutionInput& request) {
    touch_run(request.run, [&](ClientId client) {
        return service_.executions->input(client, request.run, request.data, request.eof);
    });
}

void Conversation::act(const ExecutionSignal& request) {
    touch_run(request.run, [&](ClientId client) {
        return service_.executions->signal(client, request.run, request.signal);
    });
}

void Conversation::act(const ExecutionResize& request) {
    touch_run(request.run, [&](ClientId client) {
        return service_.executions->resize(client, request.run, request.columns, request.rows);
    });
}

void Conversation::act(const ExecutionCancel& request) {
    touch_run(request.run,
              [&](ClientId client) { return service_.executions->cancel(client, request.run); });
}

void Conversation::on_judge_event(const JudgeEvent& event) { say(judge_text(event)); }

void Conversation::act(JudgeRequest& request) {
    if (judge_client_ == 0) judge_client_ = service_.judgings->open_client(*this);
    const auto accepted = service_.judgings->submit(judge_client_, std::move(request));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) refuse(*refusal);
}

void Conversation::act(const JudgeCancel& request) {
    refuse(service_.judgings->cancel(judge_client_, request.run));
}

void Conversation::act(AskAnalyst& request) {
    if (service_.analyses == nullptr) {
        Refusal refusal =
            plain_refusal("runtime_unavailable", "This server runs without analysis.");
        refusal.id = request.id;
        return refuse(refusal);
    }
    if (!request.korean) request.korean = korean_;
    request.document = service_.hub->document_of(connection_, request.file_path, request.content);
    if (!request.deep) return analyse(std::move(request));
    check_deeply(*service_.executions, client_, *service_.analyses, *service_.catalog,
                 std::move(request), [this](AskAnalyst ask) { analyse(std::move(ask)); });
}

void Conversation::analyse(AskAnalyst request) {
    if (analyses_client_ == 0) analyses_client_ = service_.analyses->open_client();
    refuse(service_.analyses->ask(
        analyses_client_, std::move(request), [this](std::string text) { say(std::move(text)); },
        Clock::now()));
}

} // namespace cloister::front
