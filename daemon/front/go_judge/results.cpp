// Our verdicts in go-judge's words. A missing file speaks only where the command itself did well.
#include "daemon/front/go_judge/results.h"

#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <algorithm>
#include <csignal>
#include <set>

namespace cloister::front::go_judge {

using isolate::Collected;
using isolate::Verdict;

namespace {

constexpr std::string_view kAccepted = "Accepted";
constexpr std::string_view kTimeLimit = "Time Limit Exceeded";
constexpr std::string_view kOutputLimit = "Output Limit Exceeded";
constexpr std::string_view kFileError = "File Error";

std::string_view status_of(const Result& result, const isolate::Limits& limits) {
    const bool by_itself = result.signal == 0;
    switch (result.verdict) {
    case Verdict::ok:
    case Verdict::nonzero_exit:
    case Verdict::signalled:
    case Verdict::process_limit:
        if (result.usage.cpu_time > limits.cpu_time) return kTimeLimit;
        if (!by_itself) return "Signalled";
        return result.exit_code == 0 ? kAccepted : "Nonzero Exit Status";
    case Verdict::time_limit:
    case Verdict::wall_limit: return kTimeLimit;
    case Verdict::memory_limit: return "Memory Limit Exceeded";
    case Verdict::output_limit: return kOutputLimit;
    case Verdict::forbidden_syscall: return "Dangerous Syscall";
    case Verdict::compile_error:
    case Verdict::cancelled:
    case Verdict::internal_error: break;
    }
    return "Internal Error";
}

/// What we ended was ended by SIGKILL.
int exit_status_of(const Result& result) {
    if (result.signal != 0) return result.signal;
    return result.exit_code >= 0                       ? result.exit_code
           : result.verdict == Verdict::internal_error ? 0
                                                       : SIGKILL;
}

FileError why_not_there(const std::string& name, Collected state) {
    switch (state) {
    case Collected::missing: return {name, "CopyOutOpen", "no such file or directory"};
    case Collected::unreadable: return {name, "CopyOutOpen", "permission denied"};
    case Collected::too_large: return {name, "CopyOutSizeExceeded", "the file is too large"};
    case Collected::not_regular: return {name, "CopyOutNotRegularFile", "not a regular file"};
    case Collected::whole:
    case Collected::not_collected: break;
    }
    return {name, "CopyOutOpen", "the command was ended before its files were read"};
}

/// Takes what was found where the client wants it.
class Taker {
public:
    Taker(CommandResult& result, FileStore& store) : result_(result), store_(store) {}

    void take(const std::string& name, const std::string& content, bool cached) {
        if (!cached) {
            result_.files[name] = content;
            return;
        }
        if (auto id = store_.add(repaired(name), content)) result_.file_ids[name] = *std::move(id);
        else fail({name, "CopyOutCreateFile", "the file store is full"});
    }
    void fail(FileError error) {
        result_.file_errors.push_back(std::move(error));
        if (result_.status == kAccepted) result_.status = kFileError;
    }

private:
    CommandResult& result_;
    FileStore& store_;
};

bool names(const std::vector<CopyOut>& list, const std::string& name) {
    return std::ranges::find(list, name, &CopyOut::name) != list.end();
}

void take_streams(const Command& command, const Result& result, Taker& taker, CommandResult& into) {
    const std::array streams = {&result.output, &result.error};
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const Descriptor& descriptor = command.descriptors.at(i + 1);
        if (descriptor.kind != Descriptor::Kind::collector) continue;
        const std::string& kept = *streams.at(i);
        const std::uint64_t dropped = i == 0 ? result.output_dropped : result.error_dropped;
        const bool is_over = kept.size() > descriptor.bytes || dropped > 0;
        taker.take(descriptor.name, kept.substr(0, descriptor.bytes),
                   names(command.copy_out_cached, descriptor.name));
        if (!is_over) continue;
        if (into.status == kAccepted) into.status = kOutputLimit;
        taker.fail({descriptor.name, "CollectSizeExceeded", "the output is too large"});
    }
}

/// What was recorded of pipes; what there was above its bound has passed, and is no fault.
void take_records(const Command& command, const Result& result, Taker& taker) {
    for (const Record& record : command.records) {
        const std::string& kept = record.fd == 1 ? result.output : result.error;
        taker.take(record.name, kept.substr(0, record.bytes),
                   names(command.copy_out_cached, record.name));
    }
}

void take_files(const Command& command, const Result& result, Taker& taker) {
    for (const bool cached : {false, true}) {
        const auto& wanted = cached ? command.copy_out_cached : command.copy_out;
        std::set<std::string_view> seen;
        for (const CopyOut& one : wanted) {
            const auto found = std::ranges::find(result.files, one.name, &ResultFile::path);
            if (found == result.files.end()) continue; // what a descriptor prints
            const isolate::CollectedFile& file = found->file;
            if (one.optional && file.state == Collected::missing) continue;
            if (!seen.insert(one.name).second) continue;
            if (file.state != Collected::whole) {
                taker.fail(why_not_there(one.name, file.state));
                continue;
            }
            const std::uint64_t most = command.copy_out_bytes;
            const bool is_over = most > 0 && file.content.size() > most;
            if (is_over && !command.truncate)
                taker.fail(why_not_there(one.name, Collected::too_large));
            else
                taker.take(one.name, is_over ? file.content.substr(0, most) : file.content, cached);
        }
    }
}

CommandResult result_of_refusal(const Refusal& refusal) {
    if (refusal.code == "bad_path") return file_error("", "CopyInCreateFile", refusal.message);
    if (refusal.code == "too_large") return file_error("", "CopyInCopyContent", refusal.message);
    CommandResult result;
    result.error = refusal.message;
    return result;
}

std::string object_of(const std::map<std::string, std::string>& entries) {
    std::string out;
    for (const auto& [name, value] : entries) {
        out += out.empty() ? "{" : ",";
        append_quoted(out, repaired(name));
        out += ':';
        append_quoted(out, repaired(value));
    }
    return out + "}";
}

} // namespace

CommandResult file_error(std::string name, std::string_view type, std::string message) {
    CommandResult result;
    result.status = kFileError;
    result.error = message;
    result.file_errors.push_back({std::move(name), type, std::move(message)});
    return result;
}

void drop_files(CommandResult& result, const std::string& why) {
    for (const auto& [name, content] : result.files)
        result.file_errors.push_back({name, "CollectSizeExceeded", why});
    result.files.clear();
    if (result.status == kAccepted) result.status = kOutputLimit;
}

CommandResult result_of(const Command& command, const isolate::Limits& limits, const Event& event,
                        FileStore& store) {
    if (const auto* refused = std::get_if<Refused>(&event))
        return result_of_refusal(refused->refusal);
    const Result& result = std::get<Finished>(event).result;
    CommandResult out;
    out.status = status_of(result, limits);
    out.exit_status = exit_status_of(result);
    const bool ours =
        result.verdict == Verdict::cancelled || result.verdict == Verdict::internal_error ||
        result.verdict == Verdict::process_limit || result.verdict == Verdict::forbidden_syscall;
    if (ours) out.error = result.reason;
    out.time = result.usage.cpu_time;
    out.run_time = result.usage.wall_time;
    out.memory = result.usage.memory_peak_bytes;
    out.processes_peak = result.usage.processes_peak;
    Taker taker(out, store);
    take_streams(command, result, taker, out);
    take_records(command, result, taker);
    take_files(command, result, taker);
    return out;
}

std::string to_text(const CommandResult& result) {
    JsonObject out;
    out.text("status", result.status).number("exitStatus", result.exit_status);
    if (!result.error.empty()) out.text("error", repaired(result.error));
    out.number("time", result.time.count()).count("memory", result.memory);
    out.number("runTime", result.run_time.count());
    if (result.processes_peak > 0) out.count("procPeak", result.processes_peak);
    if (!result.files.empty()) out.raw("files", object_of(result.files));
    if (!result.file_ids.empty()) out.raw("fileIds", object_of(result.file_ids));
    std::string errors;
    for (const FileError& error : result.file_errors) {
        JsonObject one;
        one.text("name", repaired(error.name)).text("type", error.type);
        errors +=
            (errors.empty() ? "" : ",") + one.text("message", repaired(error.message)).close();
    }
    if (!errors.empty()) out.raw("fileError", "[" + errors + "]");
    return out.close();
}

std::string to_text(const std::vector<CommandResult>& results) {
    std::string list;
    for (const CommandResult& result : results) list += (list.empty() ? "" : ",") + to_text(result);
    return "[" + list + "]";
}

} // namespace cloister::front::go_judge
