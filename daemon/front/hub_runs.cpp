// Runs that a room sees. Executions knows nothing of rooms: whoever started a run hears of it as
// always, and the hub passes the same on to the others, as texts without the starter's own id.
#include "daemon/front/hub_parts.h"
#include "daemon/front/replies.h"

namespace cloister::front {
namespace {

std::string run_id_of(const Event& event) {
    return std::visit(
        [](const auto& told) -> std::string {
            if constexpr (requires { told.run; }) return told.run.run_id;
            else return told.refusal.run_id.value_or("");
        },
        event);
}

/// As the file was when it came: with its own line breaks.
std::string with_line_breaks(const rooms::Document& document) {
    std::string text = rooms::to_utf8(document.text());
    if (document.eol() == "\n") return text;
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += document.eol();
        else out.push_back(c);
    }
    return out;
}

/// The first `bytes` of `text`; what is cut off is counted as dropped.
void shorten(std::string& text, std::uint64_t bytes, std::uint64_t& dropped) {
    if (text.size() <= bytes) return;
    std::size_t end = static_cast<std::size_t>(bytes);
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    dropped += text.size() - end;
    text.resize(end);
}

} // namespace

bool Hub::is_in_room(Connection connection) const { return person(connection).here != nullptr; }

std::optional<Refusal> Hub::why_not_run(Connection connection) const {
    const RoomPtr& here = person(connection).here;
    if (here == nullptr) return std::nullopt;
    auto why = here->room.why_not_run(connection);
    if (!why) return std::nullopt;
    Refusal refusal;
    refusal.code = std::move(why->code);
    refusal.message = std::move(why->message);
    return refusal;
}

std::optional<Refusal> Hub::lend_files(Connection connection, ExecuteCode& request) const {
    if (request.code || !request.files.empty()) return std::nullopt;
    Refusal refusal;
    refusal.id = request.id;
    const RoomPtr& here = person(connection).here;
    if (here == nullptr) {
        refusal.code = "bad_message";
        refusal.message = "The field 'code' is missing; without it, a file of your room is run, "
                          "and you are in no room.";
        return refusal;
    }
    if (here->room.document(request.file_path) == nullptr) {
        refusal.code = "no_such_file";
        refusal.message = "The field 'code' is missing, and the room has no such file.";
        return refusal;
    }
    for (const rooms::FileInfo& file : here->room.files())
        request.files.push_back({file.path, with_line_breaks(*here->room.document(file.path))});
    return std::nullopt;
}

void Hub::share_run(Connection starter, const SharedRun& shared) {
    const Person& who = person(starter);
    if (who.here == nullptr) return;
    auto run = std::make_shared<Run>();
    run->shared = shared;
    run->starter = starter;
    run->here = who.here;
    run->by = *who.here->room.person(starter);
    runs_[shared.run_id] = std::move(run);
}

/// Base clients know results only.
void Hub::tell_watchers(const Run& run, const Event& event) {
    const RoomPtr here = run.here.lock();
    if (here == nullptr) return;
    const bool is_result = std::holds_alternative<Finished>(event);
    MessagePtr message;
    for (const Connection to : here->room.connections()) {
        if (to == run.starter || !(is_result || person(to).understands)) continue;
        if (message == nullptr) message = message_of(to_text(event, {.by = &run.by}));
        say(to, message);
    }
}

bool Hub::share(const Event& event) {
    const auto found = runs_.find(run_id_of(event));
    if (found == runs_.end()) return true;
    const std::shared_ptr<Run> keep = found->second; // who is told may end it
    Run& run = *keep;
    const SharedRun& shared = run.shared;
    if (std::holds_alternative<Started>(event)) run.started = to_text(event, {.by = &run.by});
    if (const auto* finished = std::get_if<Finished>(&event)) {
        end_run(run, *finished);
    } else {
        tell_watchers(run, event);
    }
    const bool is_over =
        std::holds_alternative<Finished>(event) || std::holds_alternative<Refused>(event);
    if (is_over) runs_.erase(shared.run_id);
    if (is_over || shared.streamed) return true;
    if (std::holds_alternative<UsageSample>(event)) return true; // asked for by whoever started it
    return std::holds_alternative<Started>(event) && shared.live;
}

/// The room is told, and remembers the beginning of what was printed.
void Hub::end_run(const Run& run, const Finished& finished) {
    tell_watchers(run, finished);
    const RoomPtr here = run.here.lock();
    if (here == nullptr || config_.room_runs == 0 || !rooms_.contains(here->room.room_id())) return;
    Finished kept = finished;
    shorten(kept.result.output, config_.room_run_bytes, kept.result.output_dropped);
    shorten(kept.result.error, config_.room_run_bytes, kept.result.error_dropped);
    kept.result.files.clear();
    if (kept.result.compile) {
        std::uint64_t dropped = 0; // said nowhere: what the compiler says is in `error` as well
        shorten(kept.result.compile->output, config_.room_run_bytes, dropped);
        shorten(kept.result.compile->error, config_.room_run_bytes, dropped);
    }
    here->results.push_back(to_text(kept, {.by = &run.by}));
    while (here->results.size() > config_.room_runs) here->results.pop_front();
    weigh(*here);
}

/// The last results, then what is under way.
std::string Hub::runs_json(const Here& here) const {
    std::string out = "[";
    const auto add = [&](const std::string& text) {
        if (out.size() > 1) out.push_back(',');
        out += text;
    };
    for (const std::string& result : here.results) add(result);
    for (const auto& [run_id, run] : runs_) {
        const RoomPtr place = run->here.lock();
        if (place.get() == &here && !run->started.empty()) add(run->started);
    }
    out.push_back(']');
    return out;
}

/// Executions ends what a client leaves behind without a word; the room hears how it ended.
void Hub::end_runs_of(Connection connection) {
    std::vector<std::shared_ptr<Run>> over;
    for (const auto& [run_id, run] : runs_)
        if (run->starter == connection) over.push_back(run);
    for (const std::shared_ptr<Run>& run : over) runs_.erase(run->shared.run_id);
    for (const std::shared_ptr<Run>& run : over) {
        Finished finished;
        finished.run.run_id = run->shared.run_id;
        finished.language = run->shared.language;
        finished.result.verdict = isolate::Verdict::cancelled;
        finished.result.reason = "The run was ended because whoever started it has left.";
        end_run(*run, finished);
    }
}

std::variant<std::monostate, ClientId, Refusal> Hub::client_of(Connection connection,
                                                               const RunName& name) const {
    const auto found = name.run_id ? runs_.find(*name.run_id) : runs_.end();
    if (found == runs_.end() || found->second->starter == connection) return std::monostate{};
    const Run& run = *found->second;
    const RoomPtr& here = person(connection).here;
    if (here == nullptr || run.here.lock() != here) return std::monostate{};
    if (auto refusal = why_not_run(connection)) {
        refusal->id = name.id;
        refusal->run_id = name.run_id;
        return *std::move(refusal);
    }
    return run.shared.client;
}

} // namespace cloister::front
