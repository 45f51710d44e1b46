// Limits that a client asks for are taken down to the policy's: its own service has no ceilings, so
// its clients ask for plenty.
#include "daemon/front/go_judge/commands.h"

#include <algorithm>
#include <stdexcept>

namespace cloister::front::go_judge {

using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kNanosPerMilli = 1'000'000;
constexpr const char* kQueueFull = "worker queue is full";
static_assert(kMostConnected <= Executions::kMostTogether);

/// Rounded up, so that no command gets less than was asked for.
milliseconds millis(std::uint64_t nanoseconds, milliseconds most) {
    const auto ceiling = static_cast<std::uint64_t>(most.count());
    const std::uint64_t asked =
        nanoseconds / kNanosPerMilli + (nanoseconds % kNanosPerMilli > 0 ? 1 : 0);
    return milliseconds(std::min(asked, ceiling));
}

template <typename Value>
void lower(Value& limit, std::uint64_t asked) {
    if (asked > 0) limit = static_cast<Value>(std::min<std::uint64_t>(limit, asked));
}

/// Without a clock of its own a command may take twice its processor time.
isolate::Limits limits_of(const Command& command, isolate::Limits limits) {
    const auto wall = limits.wall_time;
    if (command.cpu_ns > 0) {
        limits.cpu_time = millis(command.cpu_ns, limits.cpu_time);
        limits.wall_time = std::min(wall, 2 * limits.cpu_time);
    }
    if (command.clock_ns > 0)
        limits.wall_time = millis(std::max(command.clock_ns, command.cpu_ns), wall);
    lower(limits.memory_bytes, command.memory_bytes);
    lower(limits.stack_bytes, command.stack_bytes);
    lower(limits.processes, command.processes);
    constexpr std::uint64_t kRatePerPercent = 10;
    if (command.cpu_rate > 0)
        lower(limits.cpu_percent, std::max<std::uint64_t>(command.cpu_rate / kRatePerPercent, 1));
    const auto& [in, out, error] = command.descriptors;
    const bool both = out.kind == Descriptor::Kind::collector && error.kind == out.kind;
    if (both) lower(limits.output_bytes, std::max(out.bytes, error.bytes));
    return limits;
}

/// Null, and in `lost` the id, when a file is not here (any more).
const std::string* bytes_of(const Origin& origin, FileStore& store, FileStore::FilePtr& held) {
    if (!origin.cached) return &origin.text;
    held = store.find(origin.text);
    return held ? &held->content : nullptr;
}

CommandResult not_here(std::string name, const std::string& id) {
    return file_error(std::move(name), "CopyInOpenFile", "file id not found: " + id.substr(0, 64));
}

/// Names of files to be read back, each once; what is collected from descriptors is not among them.
std::vector<std::string> collected(const Command& command) {
    std::vector<std::string> names;
    const auto is_printed = [&](const std::string& name) {
        return std::ranges::any_of(command.descriptors,
                                   [&](const Descriptor& descriptor) {
                                       return descriptor.kind == Descriptor::Kind::collector &&
                                              descriptor.name == name;
                                   }) ||
               std::ranges::any_of(command.records,
                                   [&](const Record& record) { return record.name == name; });
    };
    for (const auto* list : {&command.copy_out, &command.copy_out_cached}) {
        for (const CopyOut& one : *list) {
            const bool known = std::ranges::find(names, one.name) != names.end();
            if (!known && !is_printed(one.name)) names.push_back(one.name);
        }
    }
    return names;
}

} // namespace

std::variant<Job, CommandResult, Fault> Commands::make_job(const Command& command) const {
    auto bare = command_job(catalog_);
    if (!bare) return Fault{"This server runs no commands."};
    Job job = *std::move(bare);
    job.steps.back().limits = limits_of(command, job.steps.back().limits);
    FileStore::FilePtr held;
    const Descriptor& in = command.descriptors.front();
    if (in.kind == Descriptor::Kind::origin) {
        const std::string* bytes = bytes_of(in.origin, store_, held);
        if (bytes == nullptr) return not_here("stdin", in.origin.text);
        job.input = *bytes;
    }
    isolate::Bundle bundle;
    std::uint64_t total = 0;
    bundle.arguments = command.arguments;
    bundle.environment = command.environment;
    for (const CopyIn& one : command.copy_in) {
        const std::string* bytes = bytes_of(one.origin, store_, held);
        if (bytes == nullptr) return not_here(one.path, one.origin.text);
        total += bytes->size();
        if (total > isolate::kMaxBundleBytes)
            return file_error(one.path, "CopyInCopyContent", "the files are too large");
        isolate::BundleFile file;
        file.path = one.path;
        file.content = *bytes;
        file.executable = !one.link;
        file.link = one.link;
        bundle.files.push_back(std::move(file));
    }
    job.input_open = in.kind == Descriptor::Kind::stream || command.terminal;
    job.terminal = command.terminal;
    const auto is_stream = [&](std::size_t fd) {
        return command.descriptors.at(fd).kind == Descriptor::Kind::stream;
    };
    job.stream = is_stream(1) || is_stream(2);
    job.base64 = true; // raw bytes
    bundle.collect = collected(command);
    bundle.collect_bytes = static_cast<std::uint32_t>(kCopyOutBytes);
    job.collect = bundle.collect;
    job.collect_bytes = bundle.collect_bytes;
    try {
        job.bundle = isolate::pack(bundle);
    } catch (const std::length_error& error) {
        return file_error("", "CopyInCopyContent", error.what());
    }
    return job;
}

/// A request under way.
struct Commands::Running {
    std::string asker{};
    Request request{};
    std::vector<isolate::Limits> limits{};
    Ended ended{};
    std::size_t left = 1; ///< commands whose end is not known, and whoever starts them
    bool cancelled = false;
    std::vector<HeardRuns::Run> runs{}; ///< by command; empty ones have not begun, or have ended
    std::vector<bool> over{};
    Done done{};
    Heard heard{};
    AnswerBytes bytes;

    explicit Running(std::shared_ptr<std::uint64_t> held_by_all) : bytes(std::move(held_by_all)) {}

    /// Takes away what is too much.
    void hold(CommandResult& result) {
        std::uint64_t size = 0;
        for (const auto& [name, content] : result.files) size += name.size() + content.size();
        if (!bytes.take(size)) drop_files(result, "the answer is too large");
    }
    void finish_one() {
        if (--left > 0) return;
        if (!ended.error.empty()) ended.results.clear();
        const Done call = std::move(done);
        call(std::move(ended));
    }
    void cancel() {
        cancelled = true;
        std::vector<Cancel> all; // ends come meanwhile
        for (const HeardRuns::Run& run : runs) all.push_back(run.cancel);
        for (const Cancel& one : all) {
            if (one) one();
        }
    }
    void give_up(const std::string& why) {
        if (ended.error.empty()) ended.error = why;
        cancel();
    }
    std::optional<std::string> feed(std::size_t index, std::string_view data) {
        const bool streams = index < runs.size() && request.commands[index].descriptors[0].kind ==
                                                        Descriptor::Kind::stream;
        if (!streams) return "input does not exist";
        if (!runs[index].input) return std::nullopt;
        const auto refusal = runs[index].input(data, data.empty());
        // What comes when the program has just ended finds nobody.
        if (!refusal || refusal->code != "too_large") return std::nullopt;
        return refusal->message;
    }
    std::optional<std::string> resize(std::size_t index, std::uint16_t columns,
                                      std::uint16_t rows) {
        if (index >= runs.size() || !request.commands[index].terminal)
            return "resize input does not have tty";
        if (runs[index].resize) (void)runs[index].resize(columns, rows);
        return std::nullopt;
    }
};

void Commands::hear_end(Running& running, std::size_t index, const Event& event) {
    running.runs[index] = {};
    running.over[index] = true;
    const auto* refused = std::get_if<Refused>(&event);
    if (refused != nullptr && refused->refusal.code == "busy") {
        running.give_up(refused->refusal.message);
    } else {
        CommandResult result =
            result_of(running.request.commands[index], running.limits[index], event, store_);
        running.hold(result);
        running.ended.results[index] = std::move(result);
    }
    running.finish_one();
}

HeardRuns::Part Commands::part_of(const std::shared_ptr<Running>& running, std::size_t index,
                                  Job job) {
    ++running->left;
    HeardRuns::Part part;
    if (job.stream) {
        part.watch = [running, index](const Event& event) {
            const auto& output = std::get<Output>(event);
            const std::size_t fd = output.stream == "stderr" ? 2 : 1;
            const auto kind = running->request.commands[index].descriptors.at(fd).kind;
            if (kind == Descriptor::Kind::stream) running->heard(index, fd, output.data);
        };
    }
    part.job = std::move(job);
    part.heard = [this, running, index](const Event& event) { hear_end(*running, index, event); };
    return part;
}

/// The job of a command, if it may be started; else its result says why not.
std::optional<Job> Commands::prepare(Running& running, std::size_t index) const {
    Command& command = running.request.commands[index];
    auto made = make_job(command);
    command.copy_in = {}; // the job has what they bring
    command.descriptors.front().origin = {};
    if (auto* job = std::get_if<Job>(&made)) {
        running.limits[index] = job->steps.back().limits;
        return std::move(*job);
    }
    if (auto* result = std::get_if<CommandResult>(&made))
        running.ended.results[index] = std::move(*result);
    if (auto* fault = std::get_if<Fault>(&made)) running.give_up(fault->message);
    return std::nullopt;
}

void Commands::start_alone(const std::shared_ptr<Running>& running, std::size_t index, Job job) {
    auto started = runs_.start(running->asker, part_of(running, index, std::move(job)));
    if (auto* run = std::get_if<HeardRuns::Run>(&started)) {
        if (!running->over[index]) running->runs[index] = std::move(*run);
        return;
    }
    --running->left; // its start is still counted
    running->give_up(kQueueFull);
}

namespace {

/// The pipes by places among the commands that they connect, with what is to be recorded of each.
std::vector<Executions::Wire> wires_of(const Connected& connected, const Request& request) {
    const auto place_of = [&](std::size_t command) {
        const auto found = std::ranges::find(connected.commands, command);
        return static_cast<std::size_t>(found - connected.commands.begin());
    };
    std::vector<Executions::Wire> wires;
    for (const Pipe& pipe : connected.pipes) {
        Executions::Wire wire{.from = place_of(pipe.from),
                              .stream = pipe.fd - 1,
                              .to = place_of(pipe.to),
                              .record = 0};
        for (const Record& record : request.commands[pipe.from].records) {
            if (record.fd == pipe.fd) wire.record = record.bytes;
        }
        wires.push_back(wire);
    }
    return wires;
}

} // namespace

void Commands::start_connected(const std::shared_ptr<Running>& running,
                               const Connected& connected) {
    const std::vector<std::size_t>& commands = connected.commands;
    std::vector<std::optional<Job>> jobs;
    jobs.reserve(commands.size());
    for (const std::size_t index : commands) jobs.push_back(prepare(*running, index));
    if (running->cancelled) return;
    if (!std::ranges::all_of(jobs, [](const auto& job) { return job.has_value(); })) {
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (jobs[i])
                running->ended.results[commands[i]].error =
                    "what it is connected with could not be started";
        }
        return;
    }
    HeardRuns::Parts group;
    group.wires = wires_of(connected, running->request);
    group.stands_or_falls = true;
    for (std::size_t i = 0; i < jobs.size(); ++i)
        group.parts.push_back(part_of(running, commands[i], *std::move(jobs[i])));
    auto started = runs_.start_group(running->asker, std::move(group));
    if (const auto* refusal = std::get_if<Refusal>(&started)) {
        running->left -= commands.size();
        return running->give_up(refusal->code == "busy" ? kQueueFull : refusal->message);
    }
    auto& runs = std::get<std::vector<HeardRuns::Run>>(started);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!running->over[commands[i]]) running->runs[commands[i]] = std::move(runs[i]);
    }
}

Commands::Handle Commands::start(const std::string& asker, Request request, Done done,
                                 Heard heard) {
    const auto running = std::make_shared<Running>(held_);
    running->asker = asker;
    running->request = std::move(request);
    running->done = std::move(done);
    running->heard = std::move(heard);
    const std::size_t count = running->request.commands.size();
    running->ended.results.resize(count);
    running->limits.resize(count);
    running->runs.resize(count);
    running->over.resize(count);
    std::vector<bool> begun(count);
    for (const Connected& connected : running->request.connected) {
        for (const std::size_t index : connected.commands) begun[index] = true;
        if (!running->cancelled) start_connected(running, connected);
    }
    for (std::size_t i = 0; i < count && !running->cancelled; ++i) {
        if (begun[i]) continue;
        // One after the other, so that what does not fit into the queue is never all in memory.
        if (auto job = prepare(*running, i)) start_alone(running, i, *std::move(job));
    }
    running->finish_one();
    const std::weak_ptr<Running> weak = running;
    Handle handle;
    handle.cancel = [weak] {
        if (const auto under_way = weak.lock()) under_way->cancel();
    };
    handle.input = [weak](std::size_t index, std::string_view data) -> std::optional<std::string> {
        const auto under_way = weak.lock();
        return under_way ? under_way->feed(index, data) : std::nullopt;
    };
    handle.resize = [weak](std::size_t index, std::uint16_t columns,
                           std::uint16_t rows) -> std::optional<std::string> {
        const auto under_way = weak.lock();
        return under_way ? under_way->resize(index, columns, rows) : std::nullopt;
    };
    return handle;
}

} // namespace cloister::front::go_judge
