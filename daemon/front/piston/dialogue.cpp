// Messages in, the engine's events out.
#include "daemon/front/piston/dialogue.h"

#include "daemon/front/piston/requests.h"
#include "daemon/front/piston/stages.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace cloister::front::piston {

using nlohmann::json;

namespace {

constexpr const char* kRunId = "job"; ///< one a connection

std::string text_in(const json& message, const char* key) {
    const auto found = message.find(key);
    return found != message.end() && found->is_string() ? found->get<std::string>() : "";
}

} // namespace

JobDialogue::JobDialogue(Service& service, Line line, Bucket::Time now)
    : service_(service), line_(std::move(line)),
      bucket_(service.settings->config.messages_per_second, service.settings->config.message_burst,
              now) {}

RunName JobDialogue::run() const {
    RunName name;
    name.id = kRunId;
    return name;
}

void JobDialogue::end() {
    if (client_ != 0) service_.executions->close_client(std::exchange(client_, 0));
}

void JobDialogue::set_congested(bool congested) {
    if (client_ != 0) service_.executions->set_congested(client_, congested);
}

void JobDialogue::leave(unsigned code, std::string_view why) {
    if (!std::exchange(left_, true)) line_.leave(code, why);
}

void JobDialogue::lose_patience() {
    if (!begun_) leave(kInitTimeout, "Initialization Timeout");
}

/// Says what is wrong, and that this is the end.
void JobDialogue::give_up(std::string_view message) {
    if (left_) return;
    say(JsonObject().text("type", "error").text("message", message).close());
    leave(kNotifiedError, "Notified Error");
}

unsigned JobDialogue::receive(std::string_view text, bool binary, Bucket::Time now) {
    if (left_) return kGoOn;
    if (!bucket_.take(now)) {
        give_up("Too many messages.");
    } else if (binary) {
        give_up("Messages are text frames.");
    } else {
        const auto read = read_body(text, service_.settings->config);
        if (const auto* fault = std::get_if<Fault>(&read)) give_up(fault->message);
        else if (std::get<json>(read).is_object()) act(std::get<json>(read));
    }
    return kGoOn;
}

/// A type that is not known is passed over: clients of later versions may send more.
void JobDialogue::act(const json& message) {
    const std::string type = text_in(message, "type");
    if (type == "init") {
        if (begun_) leave(kAlreadyInitialized, "Already Initialized");
        else begin_job(message);
    } else if (type == "data") {
        if (is_running()) feed(message);
    } else if (type == "signal") {
        if (is_running()) send_signal(message);
    } else if (type == "eof") {
        if (is_running()) close_input();
    }
}

bool JobDialogue::is_running() {
    if (!begun_) leave(kNotInitialized, "Not yet initialized");
    return begun_ && client_ != 0;
}

void JobDialogue::begin_job(const json& message) {
    auto read = read_order(message, *service_.catalog, true);
    if (const auto* fault = std::get_if<Fault>(&read)) return give_up(fault->message);
    auto& order = std::get<Order>(read);
    order.run.id = kRunId;
    auto made = make_job(std::move(order.run), *service_.catalog);
    if (const auto* refusal = std::get_if<Refusal>(&made)) return give_up(refusal->message);
    begun_ = true;
    language_ = order.language;
    Job job = std::get<Job>(std::move(made));
    job.tells_compiler = true;
    has_compiler_ = job.has_compiler();
    client_ = service_.executions->open_client(*this);
    const auto accepted = service_.executions->submit(client_, std::move(job));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) give_up(refusal->message);
}

void JobDialogue::feed(const json& message) {
    if (text_in(message, "stream") != "stdin") return leave(kOnlyStdin, "Can only write to stdin");
    const auto refusal =
        service_.executions->input(client_, run(), text_in(message, "data"), false);
    // What comes when the program has just ended finds nobody, as there.
    if (refusal && refusal->code != "no_such_run") give_up(refusal->message);
}

void JobDialogue::close_input() {
    const auto refusal = service_.executions->input(client_, run(), {}, true);
    if (refusal && refusal->code == "too_large") give_up(refusal->message);
}

void JobDialogue::send_signal(const json& message) {
    const int number = signal_by_name(text_in(message, "signal"));
    if (number == 0) return leave(kInvalidSignal, "Invalid signal");
    // While the program is compiled only what would end it has anything to reach.
    (void)service_.executions->signal(client_, run(), number);
}

// ---- what happens to the job

void JobDialogue::say_stage(std::string_view name) {
    say(JsonObject().text("type", "stage").text("stage", name).close());
}

void JobDialogue::say_data(std::string_view stream, std::string_view data) {
    if (data.empty()) return;
    JsonObject out;
    out.text("type", "data").text("stream", stream);
    say(out.bytes("data", data, false).close());
}

void JobDialogue::hear_compiled(const CompileResult& compile) {
    if (std::exchange(told_compiled_, true)) return;
    if (!std::exchange(told_compiler_, true)) say_stage("compile");
    say_data("stdout", compile.output);
    say_data("stderr", compile.error);
    say(exit_text("compile", stage_of(compile)));
}

void JobDialogue::hear_end(const Result& result) {
    if (result.compile) hear_compiled(*result.compile);
    const bool compiled = !result.compile || result.compile->success;
    if (compiled) {
        if (!std::exchange(told_run_, true)) say_stage("run");
        say(exit_text("run", run_stage(result)));
    }
    leave(kJobCompleted, "Job Completed");
}

void JobDialogue::on_event(const Event& event) {
    if (left_) return;
    if (const auto* started = std::get_if<Started>(&event)) {
        JsonObject out;
        out.text("type", "runtime").text("language", language_);
        say(out.text("version", started->version).close());
        if (!has_compiler_ && !std::exchange(told_run_, true)) say_stage("run");
    } else if (const auto* stage = std::get_if<StageBegan>(&event)) {
        if (stage->stage == wire::Stage::compile) {
            told_compiler_ = true;
            return say_stage("compile");
        }
        if (stage->compiled) hear_compiled(*stage->compiled);
        told_run_ = true;
        say_stage("run");
    } else if (const auto* output = std::get_if<Output>(&event)) {
        if (!std::exchange(told_run_, true)) say_stage("run");
        say_data(output->stream, output->data);
    } else if (const auto* finished = std::get_if<Finished>(&event)) {
        hear_end(finished->result);
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
        give_up(refused->refusal.message);
    }
}

} // namespace cloister::front::piston
