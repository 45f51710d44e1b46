// Field by field, in the order of PROTOCOL.md: the base fields first, then ours.
#include "daemon/front/replies.h"

#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

namespace cloister::front {
namespace {

std::string_view name_of(wire::Stage stage) {
    switch (stage) {
    case wire::Stage::version: return "version";
    case wire::Stage::compile: return "compile";
    case wire::Stage::run: return "run";
    case wire::Stage::check: return "check";
    }
    return "run";
}

std::string_view name_of(wire::Level level) {
    return wire::kLevelNames.at(static_cast<std::size_t>(level));
}

void add_run(JsonObject& out, const RunTag& run, const AsSeen& seen) {
    out.text("run_id", run.run_id);
    if (seen.by == nullptr) {
        out.maybe("id", run.id);
        return;
    }
    out.text("connection_id", seen.by->connection_id).text("user_id", seen.by->user_id);
    out.text("name", seen.by->name);
}

JsonObject begin(std::string_view type, const RunTag& run, const AsSeen& seen) {
    JsonObject out;
    out.text("type", type);
    add_run(out, run, seen);
    return out;
}

std::string text_of(const Started& event, const AsSeen& seen) {
    JsonObject out = begin("execution_started", event.run, seen);
    out.text("language", event.language).text("version", event.version);
    out.text("method", event.method);
    if (event.level) out.text("start", name_of(*event.level));
    return out.text("timestamp", timestamp()).close();
}

std::string text_of(const StageBegan& event, const AsSeen& seen) {
    return begin("execution_stage", event.run, seen).text("stage", name_of(event.stage)).close();
}

std::string text_of(const Output& event, const AsSeen& seen) {
    JsonObject out = begin("execution_output", event.run, seen);
    out.text("stream", event.stream);
    if (event.base64) out.text("encoding", "base64");
    // The data of a text stream is repaired already, across chunks.
    out.text("data", event.base64 ? to_base64(event.data) : event.data);
    return out.count("seq", event.seq).close();
}

std::string text_of(const UsageSample& event, const AsSeen& seen) {
    JsonObject out = begin("execution_usage", event.run, seen);
    out.seconds("wall_time", event.wall_time).seconds("cpu_time", event.cpu_time);
    return out.count("memory", event.memory_bytes).close();
}

std::string text_of(const Queued& event, const AsSeen& seen) {
    return begin("execution_queued", event.run, seen).count("position", event.position).close();
}

/// Words of ours: nothing in them needs a mark.
std::string list_of(const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words)
        list.append(list.empty() ? "\"" : ",\"").append(word).append("\"");
    return "[" + list + "]";
}

/// Whole number of the base, null when there is none.
void exit_fields(JsonObject& out, const Result& result) {
    if (result.exit_code >= 0) out.number("exit_code", result.exit_code);
    if (result.exit_code < 0) out.none("exit_code");
    if (result.signal > 0) out.text("signal", signal_name(result.signal));
    if (result.signal <= 0) out.none("signal");
}

/// Text where the bytes are text, base64 else.
std::string files_text(const std::vector<ResultFile>& files) {
    std::string list;
    for (const ResultFile& one : files) {
        JsonObject out;
        out.text("path", one.path);
        const std::string& content = one.file.content;
        if (one.file.state == isolate::Collected::whole) {
            const bool plain = is_utf8(content);
            out.bytes("content", content, !plain).text("encoding", plain ? "utf8" : "base64");
            out.count("bytes", content.size());
        } else {
            out.text("error", isolate::name_of(one.file.state));
        }
        list += (list.empty() ? "" : ",") + out.close();
    }
    return "[" + list + "]";
}

} // namespace

std::string result_text(const Finished& event) {
    const Result& result = event.result;
    std::string error = result.error;
    if (!result.reason.empty()) {
        if (!error.empty() && error.back() != '\n') error += '\n';
        error += result.reason;
    }
    JsonObject out;
    out.flag("success", result.verdict == isolate::Verdict::ok);
    out.bytes("output", result.output, event.base64).bytes("error", error, event.base64);
    out.seconds("execution_time", result.usage.wall_time);
    out.text("language", event.language).text("method", event.method);
    if (!event.unprotected.empty()) out.raw("unprotected", list_of(event.unprotected));
    out.text("verdict", isolate::name_of(result.verdict));
    if (!result.reason.empty()) out.text("reason", result.reason);
    exit_fields(out, result);
    out.seconds("cpu_time", result.usage.cpu_time).seconds("wall_time", result.usage.wall_time);
    out.count("memory_peak", result.usage.memory_peak_bytes);
    JsonObject truncated;
    truncated.count("stdout", result.output_dropped).count("stderr", result.error_dropped);
    out.raw("truncated", truncated.close());
    if (result.compile) {
        JsonObject compile;
        compile.flag("success", result.compile->success);
        compile.flag("cached", result.compile->cached);
        compile.bytes("output", result.compile->output, event.base64);
        compile.bytes("error", result.compile->error, event.base64);
        out.raw("compile", compile.seconds("wall_time", result.compile->wall_time).close());
    }
    if (!result.files.empty()) out.raw("files", files_text(result.files));
    out.seconds("queued_time", result.queued_time).seconds("setup_time", result.setup_time);
    if (event.base64) out.text("output_encoding", "base64");
    return out.text("start", name_of(result.level)).close();
}

NamedEvent named_event(const Event& event) {
    NamedEvent named;
    JsonObject out;
    if (const auto* started = std::get_if<Started>(&event)) {
        named.submission = started->run.id.value_or("");
        named.name = "started";
        out.text("language", started->language).text("version", started->version);
        out.text("method", started->method);
        if (started->level) out.text("start", name_of(*started->level));
    } else if (const auto* stage = std::get_if<StageBegan>(&event)) {
        named.submission = stage->run.id.value_or("");
        named.name = "stage";
        out.text("stage", name_of(stage->stage));
    } else if (const auto* output = std::get_if<Output>(&event)) {
        named.submission = output->run.id.value_or("");
        named.name = "output";
        out.text("stream", output->stream);
        if (output->base64) out.text("encoding", "base64");
        out.text("data", output->base64 ? to_base64(output->data) : output->data);
    } else if (const auto* sample = std::get_if<UsageSample>(&event)) {
        named.submission = sample->run.id.value_or("");
        named.name = "usage";
        out.seconds("wall_time", sample->wall_time).seconds("cpu_time", sample->cpu_time);
        out.count("memory", sample->memory_bytes);
    }
    named.data = out.close();
    return named;
}

namespace {

std::string text_of(const Finished& event, const AsSeen& seen) {
    JsonObject out;
    out.text("type", "execution_result").raw("result", result_text(event));
    add_run(out, event.run, seen);
    return out.text("timestamp", timestamp()).close();
}

std::string text_of(const Refused& event, const AsSeen& seen) {
    if (seen.by == nullptr) return to_text(event.refusal);
    Refusal refusal = event.refusal;
    refusal.id.reset();
    return to_text(refusal);
}

} // namespace

std::string to_text(const Event& event, const AsSeen& seen) {
    return std::visit([&](const auto& one) { return text_of(one, seen); }, event);
}

std::string pong(const std::optional<std::string>& id) {
    return JsonObject().text("type", "pong").maybe("id", id).text("timestamp", timestamp()).close();
}

std::string connection_established(const Self& self, const std::string& resume_token,
                                   const config::Config& config) {
    JsonObject limits;
    limits.count("message_bytes", config.message_bytes).count("code_bytes", config.code_bytes);
    limits.count("doc_bytes", config.document_bytes).count("files", config.room_files);
    limits.count("members", config.room_members).count("push_updates", config.push_updates);
    limits.count("push_bytes", config.push_bytes).count("chat_chars", config.chat_chars);
    limits.count("files_per_run", config.files_per_run);
    limits.count("arguments", config.arguments_per_run);
    limits.count("collect_files", config.collect_files);
    limits.count("collect_bytes", config.collect_bytes);
    limits.count("runs", config.runs_per_client).count("queue", config.queue_per_client);
    limits.count("input_bytes", config.input_queue_bytes);
    JsonObject out;
    out.text("type", "connection_established").text("connection_id", self.connection_id);
    out.text("user_id", self.user_id).text("timestamp", timestamp()).number("protocol", 2);
    out.raw(
        "features",
        R"(["ot","stream","presence","rtc","history","stdin","tty","files","analysis","usage","collect"])");
    out.text("client_id", self.client_id).text("resume_token", resume_token);
    const auto heartbeat = std::chrono::duration_cast<std::chrono::milliseconds>(config.idle_ping);
    return out.number("heartbeat_ms", heartbeat.count()).raw("limits", limits.close()).close();
}

} // namespace cloister::front
