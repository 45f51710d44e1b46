// One client's dialogue, whatever carries it: texts in, texts out. Knows the rate it may speak at
// and passes requests on to Executions and to the Hub. The WebSocket session is the transport
// around it; the tests are another one.
#pragma once

#include "daemon/front/analyses.h"
#include "daemon/front/dialogue.h"
#include "daemon/front/executions.h"
#include "daemon/front/hub.h"
#include "daemon/front/judgings.h"
#include "daemon/front/metrics.h"
#include "daemon/front/rate.h"
#include "daemon/front/routes.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front {

class Endpoint;
namespace go_judge {
class Commands;
}

/// What every conversation shares. Outlives them all.
struct Service {
    const config::Settings* settings = nullptr;
    Catalog* catalog = nullptr;
    Executions* executions = nullptr;
    Analyses* analyses = nullptr;
    Hub* hub = nullptr;
    Judgings* judgings = nullptr;
    go_judge::Commands* commands = nullptr; ///< null: its clients are not served
    std::vector<Endpoint*> endpoints{};     ///< of HTTP, beside the pages
    Metrics* metrics = nullptr;             ///< none: nothing is counted
    Access access{};
    std::string runtimes_json{};
    bool ready = false;
    /// The texts of /api/v1/status and /metrics, and what /healthz and /readyz complain of.
    std::function<std::string(bool status, const std::optional<wire::StatusReply>& boxes)> report{};
    std::function<Health()> health{};
    /// Calls back once, later, with what the keeper says.
    std::function<void(std::function<void(const wire::StatusReply&)>)> ask_status{};
};

class Conversation : public Dialogue, public Listener, public Member, public JudgeListener {
public:
    using Send = Line::Send;

    Conversation(Service& service, Send send, Clock::time_point now);
    ~Conversation() override;

    /// Says hello.
    void begin(const Granted& grant) override;
    unsigned receive(std::string_view text, bool binary, Clock::time_point now) override;
    void set_congested(bool congested) override;
    void end() override;

    void on_event(const Event& event) override;
    void on_judge_event(const JudgeEvent& event) override;
    void hear(const MessagePtr& message, bool bulk) override { send_(message, bulk); }

private:
    void say(std::string text) { send_(message_of(std::move(text)), false); }
    void act(const Ping& ping);
    void act(ExecuteCode& request);
    void act(const ExecutionInput& request);
    void act(const ExecutionSignal& request);
    void act(const ExecutionResize& request);
    void act(const ExecutionCancel& request);
    void act(AskAnalyst& request);
    void analyse(AskAnalyst request);
    void act(JudgeRequest& request);
    void act(const JudgeCancel& request);
    void act(RoomRequest& request);
    void refuse(const std::optional<Refusal>& refusal);
    /// Does it to the run of this client, or to one of the room that this one may touch.
    void touch_run(const RunName& run,
                   const std::function<std::optional<Refusal>(ClientId client)>& touch);

    Service& service_;
    Send send_;
    ClientId client_;
    Analyses::Client analyses_client_ = 0;    ///< 0: has not asked yet
    bool korean_ = false;                     ///< `lang` of its hello
    Judgings::ClientNumber judge_client_ = 0; ///< likewise
    Hub::Connection connection_ = 0;          ///< from begin() on
    Bucket bucket_;
    Bucket patience_; ///< for messages refused; when it is empty too, the connection is closed
};

} // namespace cloister::front
