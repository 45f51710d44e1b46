// Clients, judgings that come and end; what happens to their tests: judge_steps.cpp.
#include "daemon/front/judging.h"
#include "daemon/front/text.h"

#include <algorithm>

namespace cloister::front {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{1'000};
constexpr std::chrono::milliseconds kAtLeast{1'000}; ///< of the wall clock, for two who talk

Refusal refusal(const char* code, std::string message) {
    Refusal made;
    made.code = code;
    made.message = std::move(message);
    if (made.code == "busy") made.retry_after = kRetryAfter;
    return made;
}

/// `over` with what `under` says where it says nothing.
LimitsAsked merged(const LimitsAsked& over, const LimitsAsked& under) {
    LimitsAsked out = over;
    const auto fill = [](auto& value, const auto& otherwise) {
        if (!value) value = otherwise;
    };
    fill(out.wall_time, under.wall_time);
    fill(out.cpu_time, under.cpu_time);
    fill(out.memory, under.memory);
    fill(out.cpu_percent, under.cpu_percent);
    fill(out.processes, under.processes);
    fill(out.output_bytes, under.output_bytes);
    fill(out.file_bytes, under.file_bytes);
    fill(out.file_count, under.file_count);
    fill(out.open_files, under.open_files);
    fill(out.stack, under.stack);
    return out;
}

} // namespace

Judgings::~Judgings() = default;

Judgings::ClientNumber Judgings::open_client(JudgeListener& listener) {
    const ClientNumber number = ++last_client_;
    auto client = std::make_shared<Client>(*this);
    client->listener = &listener;
    client->runs = executions_.open_client(*client);
    clients_.emplace(number, std::move(client));
    return number;
}

void Judgings::close_client(ClientNumber number) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    const std::shared_ptr<Client> client = found->second; // its caller may stand in it
    client->listener = nullptr;
    clients_.erase(found);
    executions_.close_client(client->runs); // nothing is heard of its runs any more
    while (!client->judgings.empty()) {
        const JudgingPtr judging = client->judgings.begin()->second;
        client->judgings.erase(client->judgings.begin());
        remove(judging);
    }
}

/// Finds all that is wrong with the request while it can still be refused.
std::optional<Refusal> Judgings::prepare(Judging& judging) {
    const std::string& policy = settings_.config.judge_policy;
    const JudgeRequest& request = judging.request;
    ExecuteCode bare = request.program;
    bare.limits = {};
    auto made = make_job(std::move(bare), catalog_, policy);
    if (const auto* why = std::get_if<Refusal>(&made)) return *why;
    judging.program = std::get<Job>(std::move(made));
    judging.program.pinned = true;
    const isolate::Limits ceiling = judging.program.steps.back().limits;
    std::vector<std::optional<std::size_t>> groups;
    for (const TestAsked& test : request.tests) {
        const LimitsAsked asked = merged(test.limits, request.program.limits);
        auto lowered = lower_limits(ceiling, asked);
        if (auto* why = std::get_if<Refusal>(&lowered)) {
            why->message = "Test '" + test.name + "': " + why->message;
            return *why;
        }
        // Who says nothing of the wall clock has all that the policy allows: a program that is not
        // given a processor is not slow. One that talks may wait for an interactor that waits for
        // it.
        auto limits = std::get<isolate::Limits>(lowered);
        if (request.interactive && !asked.wall_time)
            limits.wall_time = std::min(limits.wall_time, kAtLeast + 2 * limits.cpu_time);
        judging.limits.push_back(limits);
        groups.push_back(test.group);
    }
    judging.score.emplace(request.groups, groups);
    judging.tests.resize(request.tests.size());
    if (request.interactive && !executions_.has_room_for(2))
        return refusal("runtime_unavailable",
                       "An interactor needs two boxes at one time, and this server has one.");
    if (!request.checker) return std::nullopt;
    auto checker = make_job(*request.checker, catalog_, policy);
    if (auto* why = std::get_if<Refusal>(&checker)) {
        why->message = "The checker: " + why->message;
        return *why;
    }
    return std::nullopt;
}

std::variant<std::string, Refusal> Judgings::submit(ClientNumber number, JudgeRequest request) {
    const std::optional<std::string> id = request.id;
    const auto refuse = [&](Refusal why) {
        why.id = id;
        return why;
    };
    const auto found = clients_.find(number);
    if (draining_ || found == clients_.end())
        return refuse(refusal("busy", "The service is stopping."));
    Client& client = *found->second;
    if (client.judgings.size() >= bounds_.per_client)
        return refuse(refusal("busy", "As many judgings of this client as may be are under way."));
    auto judging = std::make_shared<Judging>();
    judging->bytes = request.bytes();
    if (under_way_ >= bounds_.judgings || bytes_ + judging->bytes > bounds_.bytes)
        return refuse(refusal("busy", "As many judgings as may be are under way."));
    judging->request = std::move(request);
    judging->client = number;
    if (auto why = prepare(*judging)) return refuse(*std::move(why));
    judging->number = ++last_judging_;
    judging->request.program.code.reset(); // packed by now
    judging->request.program.files.clear();
    client.judgings.emplace(judging->number, judging);
    ++under_way_;
    bytes_ += judging->bytes;
    const std::string name = judging->tag().run_id;
    JsonObject begun;
    begun.text("language", judging->program.language).text("version", judging->program.version);
    tell(*judging, "started", begun.count("tests", judging->tests.size()).close());
    feed(judging);
    return name;
}

std::optional<Refusal> Judgings::cancel(ClientNumber number, const RunName& run) {
    const auto client = clients_.find(number);
    if (client != clients_.end()) {
        for (const auto& [key, judging] : client->second->judgings) {
            const bool meant = run.run_id ? *run.run_id == judging->tag().run_id
                                          : run.id && run.id == judging->request.id;
            if (!meant) continue;
            const JudgingPtr keep = judging;
            keep->abandoned = keep->cancelled = true;
            drop_useless(*keep);
            end_when_done(keep);
            return std::nullopt;
        }
    }
    Refusal none = refusal("no_such_run", "No such judging of this connection is under way.");
    none.id = run.id;
    none.run_id = run.run_id;
    return none;
}

void Judgings::set_congested(ClientNumber number, bool congested) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    found->second->congested = congested;
    if (congested) return;
    std::vector<JudgingPtr> waiting;
    for (const auto& [key, judging] : found->second->judgings) waiting.push_back(judging);
    for (const JudgingPtr& judging : waiting) feed(judging);
}

std::vector<Judgings::JudgingPtr> Judgings::all() const {
    std::vector<JudgingPtr> out;
    for (const auto& [number, client] : clients_)
        for (const auto& [key, judging] : client->judgings) out.push_back(judging);
    return out;
}

void Judgings::tick() {
    for (const JudgingPtr& judging : all()) feed(judging);
}

// Numbers of runtimes and policies are good until the settings have been read twice more; a judging
// may go on for longer. What was compiled was compiled by what has gone: it is compiled again.
void Judgings::renew() {
    const std::string& policy = settings_.config.judge_policy;
    for (const JudgingPtr& judging : all()) {
        if (judging->over) continue;
        for (auto* held : {&judging->program_held, &judging->checker_held}) {
            if (*held) executions_.let_go(**held);
            held->reset();
        }
        if (!renumber(judging->program, catalog_, policy)) {
            give_up(judging, refusal("runtime_unavailable",
                                     "The language of this judging is no longer there."));
            continue;
        }
        const isolate::Limits& most = judging->program.steps.back().limits;
        for (isolate::Limits& limits : judging->limits) limits = lowest(limits, most);
    }
}

void Judgings::drain() {
    draining_ = true;
    for (const JudgingPtr& judging : all())
        if (!judging->over) give_up(judging, refusal("busy", "The service is stopping."));
}

void Judgings::tell(const Judging& judging, std::string_view name, std::string data) {
    const auto client = clients_.find(judging.client);
    if (client == clients_.end() || client->second->listener == nullptr) return;
    JudgeEvent event;
    event.run = judging.tag();
    event.name = name;
    event.data = std::move(data);
    if (judging.failure) {
        event.refusal = *judging.failure;
        event.refusal.id = judging.request.id;
        event.refusal.run_id = event.run.run_id;
    }
    client->second->listener->on_judge_event(event);
}

/// It is over, or its client is gone.
void Judgings::remove(const JudgingPtr& judging) {
    if (std::exchange(judging->over, true)) return;
    --under_way_;
    bytes_ -= judging->bytes;
    if (judging->program_held) executions_.let_go(*judging->program_held);
    if (judging->checker_held) executions_.let_go(*judging->checker_held);
    const auto client = clients_.find(judging->client);
    if (client != clients_.end()) client->second->judgings.erase(judging->number);
}

} // namespace cloister::front
