// The checks and choices that turn ExecuteCode into Job.
#include "daemon/front/jobs.h"

#include "daemon/front/sources.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace cloister::front {
namespace {

/// Something in the request that only shows once the catalog is known. Never leaves this file.
struct Wrong {
    std::string code;
    std::string message;
};

constexpr std::chrono::milliseconds kVersionTime{9'000}; // we serve at most ten seconds after start
constexpr std::chrono::milliseconds kCheckTime{12'000};  // somebody waits for an answer
constexpr std::uint64_t kCheckOutput = 256 * isolate::kKiB;

const policies::Policy& policy_of(const config::Settings& settings, const runtimes::StepPlan& step,
                                  const std::string& otherwise, std::uint32_t& number) {
    const std::string& usual = otherwise.empty() ? settings.config.run_policy : otherwise;
    const std::string& name = step.policy.empty() ? usual : step.policy;
    const auto found = settings.policies.find(name);
    if (found == settings.policies.end()) throw std::runtime_error("no policy is called " + name);
    number = static_cast<std::uint32_t>(std::distance(settings.policies.begin(), found));
    return found->second;
}

JobStep step_of(const Catalog& catalog, wire::Stage stage, const runtimes::StepPlan& plan,
                const std::string& policy = {}) {
    JobStep step;
    step.stage = stage;
    step.limits = policy_of(*catalog.settings, plan, policy, step.policy).limits;
    step.policy += catalog.first_policy;
    return step;
}

/// Replaces `limit` by `asked`, which may only be lower.
template <typename Value, typename Asked, typename Show>
void lower(Value& limit, const std::optional<Asked>& asked, const char* name, const Show& show) {
    if (!asked) return;
    if (*asked > static_cast<Asked>(limit)) {
        throw Wrong{"limit_too_high", "The limit '" + std::string(name) + "' may be at most " +
                                          show(static_cast<Asked>(limit)) + "."};
    }
    limit = static_cast<Value>(*asked);
}

isolate::Limits lowered(isolate::Limits limits, const LimitsAsked& asked) {
    const auto plain = [](std::uint64_t value) { return std::to_string(value); };
    lower(limits.wall_time, asked.wall_time, "wall_time", readable_seconds);
    lower(limits.cpu_time, asked.cpu_time, "cpu_time", readable_seconds);
    lower(limits.memory_bytes, asked.memory, "memory", readable_bytes);
    lower(limits.cpu_percent, asked.cpu_percent, "cpu_percent", plain);
    lower(limits.processes, asked.processes, "processes", plain);
    lower(limits.output_bytes, asked.output_bytes, "output_bytes", readable_bytes);
    lower(limits.file_bytes, asked.file_bytes, "file_bytes", readable_bytes);
    lower(limits.file_count, asked.file_count, "file_count", plain);
    lower(limits.open_files, asked.open_files, "open_files", plain);
    lower(limits.stack_bytes, asked.stack, "stack", readable_bytes);
    return limits;
}

bool is_source(const runtimes::Runtime& runtime, std::string_view path) {
    return std::ranges::find(runtime.extensions, extension_of(path)) != runtime.extensions.end();
}

void check_path(std::string_view path) {
    const std::string why = why_bad_path(path);
    if (!why.empty()) throw Wrong{"bad_path", why};
}

/// Refuses two files of one name, and a file where another one needs a folder.
void check_together(const std::vector<isolate::BundleFile>& files) {
    std::set<std::string_view> paths;
    for (const isolate::BundleFile& file : files) {
        if (!paths.insert(file.path).second)
            throw Wrong{"bad_path", "Two files are called '" + file.path + "'."};
    }
    for (const std::string_view path : paths) {
        for (auto slash = path.find('/'); slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
            if (!paths.contains(path.substr(0, slash))) continue;
            throw Wrong{"bad_path", "'" + std::string(path.substr(0, slash)) +
                                        "' cannot be a file and a folder."};
        }
    }
}

/// The path of the file to run, among `files`.
std::string choose_entry(const ExecuteCode& request, const runtimes::Runtime& runtime,
                         const std::vector<isolate::BundleFile>& files,
                         const std::string& code_path) {
    const auto there = [&](const std::string& path) {
        return std::ranges::any_of(files, [&](const auto& file) { return file.path == path; });
    };
    if (!request.entry.empty()) {
        if (there(request.entry)) return request.entry;
        throw Wrong{"bad_message", "The field 'entry' names no file of this request."};
    }
    if (request.code) return code_path;
    if (there(request.file_path)) return request.file_path;
    if (there(runtime.default_file)) return runtime.default_file;
    for (const isolate::BundleFile& file : files) {
        if (file.source) return file.path;
    }
    throw Wrong{"bad_message", "None of 'files' is a source file of " + runtime.name + "."};
}

/// javac insists that a public class lies in a file of its name; people should not have to care.
void name_for_java(isolate::BundleFile& file, isolate::Bundle& bundle) {
    const JavaNames names = java_names(file.content);
    const std::string& file_type = names.public_type.empty() ? names.main_type : names.public_type;
    if (!file_type.empty() && file_type.size() < 200)
        file.path = std::string(folder_of(file.path)) + file_type + ".java";
    bundle.entry = file.path;
    const std::string type =
        names.main_type.empty() ? std::string(stem_of(file.path)) : names.main_type;
    bundle.main_name = names.package.empty() ? type : names.package + "." + type;
}

isolate::Bundle lay_out(ExecuteCode& request, const runtimes::Runtime& runtime) {
    isolate::Bundle bundle;
    std::string code_path = runtime.default_file;
    if (!request.file_path.empty()) {
        check_path(request.file_path);
        if (is_source(runtime, request.file_path)) code_path = request.file_path;
    }
    if (request.code) {
        isolate::BundleFile file;
        file.path = code_path;
        file.content = *std::move(request.code);
        file.source = true;
        bundle.files.push_back(std::move(file));
        request.code.emplace(); // still there, for choose_entry
    }
    for (SourceFile& source : request.files) {
        check_path(source.path);
        isolate::BundleFile file;
        file.source = !request.one_source && is_source(runtime, source.path);
        file.path = std::move(source.path);
        file.content = std::move(source.content);
        bundle.files.push_back(std::move(file));
    }
    bundle.entry = choose_entry(request, runtime, bundle.files, code_path);
    const auto entry = std::ranges::find(bundle.files, bundle.entry, &isolate::BundleFile::path);
    entry->source = true;
    if (runtime.main_from == "java_class") {
        name_for_java(*entry, bundle);
        check_path(entry->path); // longer now, perhaps
    } else {
        bundle.main_name = stem_of(bundle.entry);
    }
    check_together(bundle.files);
    bundle.arguments = std::move(request.arguments);
    return bundle;
}

/// True when a warm interpreter can run this bundle: one that waits knows its program by the usual
/// names.
bool is_usual(const runtimes::Runtime& runtime, const isolate::Bundle& bundle) {
    if (!runtime.run.warm) return false;
    const bool main_fits =
        runtime.main_from.empty() || bundle.main_name == stem_of(runtime.default_file);
    const bool arguments_fit = bundle.arguments.empty() || runtime.run.warm->arguments;
    return bundle.entry == runtime.default_file && main_fits && arguments_fit;
}

/// True when the compiler is told the program's arguments, so that they matter to it.
bool compiler_takes_arguments(const runtimes::StepPlan& plan) {
    const auto takes = [](const std::vector<std::string>& words) {
        return std::ranges::find(words, "{args}") != words.end();
    };
    return takes(plan.command) || takes(plan.command_with_kit);
}

/// True when `asked` ("3.11") names `installed` ("3.11.2") or a part of it from the left.
bool is_version(std::string_view installed, std::string_view asked) {
    return installed.starts_with(asked) &&
           (installed.size() == asked.size() || installed[asked.size()] == '.');
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
    return out;
}

/// As a JSON list.
std::string list_of(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += out.empty() ? "[" : ",";
        append_quoted(out, word);
    }
    return out.empty() ? "[]" : out + "]";
}

const Catalog::Entry& choose_runtime(const ExecuteCode& request, const Catalog& catalog) {
    const runtimes::Runtime* runtime = runtimes::find(catalog.settings->runtimes, request.language);
    if (runtime == nullptr) {
        std::vector<std::string> known;
        for (const Catalog::Entry& entry : catalog.entries) known.push_back(entry.runtime->id);
        throw Wrong{"unknown_language", "No runtime is called '" + request.language.substr(0, 64) +
                                            "'. Known: " + joined(known, ", ") + "."};
    }
    const auto entry = std::ranges::find(catalog.entries, runtime, &Catalog::Entry::runtime);
    if (!entry->version && catalog.settings->method == "docker") {
        throw Wrong{"runtime_unavailable", runtime->name +
                                               " has no image on this server; `cloister "
                                               "docker-image " +
                                               runtime->id + "` makes it."};
    }
    if (!entry->version) {
        throw Wrong{"runtime_unavailable",
                    runtime->name + " is not installed on this server. Debian packages: " +
                        joined(runtime->packages, " ") + "."};
    }
    if (!request.version.empty() && !is_version(*entry->version, request.version)) {
        throw Wrong{"runtime_unavailable",
                    runtime->name + " is here in version " + *entry->version + " only."};
    }
    return *entry;
}

/// Adds files that no compiler sees.
void add_data(isolate::Bundle& bundle, std::vector<SourceFile>& data) {
    for (SourceFile& one : data) {
        check_path(one.path);
        isolate::BundleFile file;
        file.path = std::move(one.path);
        file.content = std::move(one.content);
        bundle.files.push_back(std::move(file));
    }
    check_together(bundle.files);
}

/// Names the files that are asked for; no compiler is told them.
void add_collect(isolate::Bundle& bundle, const ExecuteCode& request, std::uint64_t most_bytes) {
    for (const std::string& path : request.collect) check_path(path);
    bundle.collect = request.collect;
    if (!request.collected_folder.empty()) {
        check_path(request.collected_folder);
        bundle.collect.push_back(request.collected_folder + "/");
    }
    bundle.collect_bytes =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(most_bytes, isolate::kMaxCollectBytes));
}

/// Words of a compiler's command line; it runs in a box like any program, so none has to be feared.
void check_options(const ExecuteCode& request, const runtimes::Runtime& runtime) {
    if (request.compiler_options.empty() || runtime.takes_options()) return;
    throw Wrong{"bad_message", runtime.name + " takes no options of a compiler."};
}

Job checked_job(ExecuteCode& request, const Catalog& catalog, const std::string& policy) {
    const Catalog::Entry& entry = choose_runtime(request, catalog);
    const runtimes::Runtime& runtime = *entry.runtime;
    check_options(request, runtime);
    Job job;
    job.id = request.id;
    job.runtime = entry.number;
    job.language = runtime.id;
    job.version = *entry.version;
    job.method = catalog.settings->method;
    job.unprotected = catalog.settings->unprotected;
    if (runtime.compile) {
        job.steps.push_back(step_of(catalog, wire::Stage::compile, *runtime.compile));
        // A warm compiler is up with the options that it has.
        job.steps.back().usual =
            runtime.compile->warm.has_value() && request.compiler_options.empty();
        job.steps.back().limits = lowered(job.steps.back().limits, request.compile_limits);
    }
    job.steps.push_back(step_of(catalog, wire::Stage::run, runtime.run, policy));
    job.steps.back().limits = lowered(job.steps.back().limits, request.limits);
    try {
        isolate::Bundle bundle = lay_out(request, runtime);
        // A warm interpreter has its streams already, each its own.
        job.steps.back().usual = is_usual(runtime, bundle) && !request.merged;
        isolate::Bundle whole = bundle;
        const bool collects = !request.collect.empty() || !request.collected_folder.empty();
        add_data(whole, request.data);
        if (collects) add_collect(whole, request, catalog.settings->config.collect_bytes);
        job.collect = whole.collect;
        job.collect_bytes = whole.collect_bytes;
        job.bundle = isolate::pack(whole);
        bundle.options = std::move(request.compiler_options);
        const bool hides_arguments = runtime.compile && !bundle.arguments.empty() &&
                                     !compiler_takes_arguments(*runtime.compile);
        if (hides_arguments) bundle.arguments.clear();
        if (runtime.compile &&
            (hides_arguments || !request.data.empty() || collects || !bundle.options.empty()))
            job.compile_bundle = isolate::pack(bundle);
    } catch (const std::length_error& error) {
        throw Wrong{"too_large", "The request is too large: " + std::string(error.what()) + "."};
    }
    job.input = std::move(request.input).value_or("");
    job.input_open = request.interactive || request.terminal;
    job.stream = request.stream;
    job.usage = request.usage;
    job.terminal = request.terminal;
    job.columns = request.columns;
    job.rows = request.rows;
    job.base64 = request.base64;
    job.ordered = request.ordered;
    job.merged = request.merged;
    return job;
}

} // namespace

Catalog::Catalog(const config::Settings& from, std::uint32_t first_runtime,
                 std::uint32_t policy_number)
    : settings(&from), first_policy(policy_number) {
    std::uint32_t number = first_runtime;
    for (const auto& [id, runtime] : from.runtimes) {
        Entry entry;
        entry.runtime = &runtime;
        entry.number = number++;
        if (!runtime.hidden) entries.push_back(std::move(entry));
        else if (id == kCommandRuntime) command = std::move(entry);
    }
}

std::string Catalog::summary() const {
    std::vector<std::string> here;
    std::vector<std::string> missing;
    for (const Entry& entry : entries) {
        if (entry.version) here.push_back(entry.runtime->id + " " + *entry.version);
        if (!entry.version) missing.push_back(entry.runtime->id);
    }
    std::string out = here.empty() ? "no language" : joined(here, ", ");
    if (!missing.empty()) out += "; not installed: " + joined(missing, ", ");
    return out;
}

std::string Catalog::to_json() const {
    std::string list;
    for (const Entry& entry : entries) {
        JsonObject item;
        item.text("id", entry.runtime->id).text("name", entry.runtime->name);
        if (entry.version) item.text("version", *entry.version);
        if (!entry.version) item.none("version");
        item.flag("available", entry.version.has_value());
        if (!entry.version) item.raw("packages", list_of(entry.runtime->packages));
        item.text("default_file", entry.runtime->default_file);
        item.raw("extensions", list_of(entry.runtime->extensions));
        list += (list.empty() ? "" : ",") + item.close();
    }
    return "[" + list + "]";
}

std::optional<std::string> version_in(std::string_view printed) {
    const auto digit = [&](std::size_t i) {
        return i < printed.size() && printed[i] >= '0' && printed[i] <= '9';
    };
    for (std::size_t start = 0; start < printed.size(); ++start) {
        if (!digit(start)) continue;
        std::size_t end = start;
        std::size_t dots = 0;
        while (digit(end) || (dots < 2 && printed[end] == '.' && digit(end + 1))) {
            if (printed[end] == '.') ++dots;
            if (++end >= printed.size()) break;
        }
        if (dots > 0 && end - start <= 32) return std::string(printed.substr(start, end - start));
        start = end;
    }
    return std::nullopt;
}

Job version_job(const Catalog& catalog, const Catalog::Entry& entry) {
    Job job;
    job.runtime = entry.number;
    job.language = entry.runtime->id;
    job.steps.push_back(step_of(catalog, wire::Stage::version, entry.runtime->version));
    job.steps.back().limits.wall_time = std::min(job.steps.back().limits.wall_time, kVersionTime);
    job.bundle = isolate::pack(isolate::Bundle{});
    return job;
}

std::optional<Job> command_job(const Catalog& catalog) {
    if (!catalog.command) return std::nullopt;
    Job job;
    job.runtime = catalog.command->number;
    job.language = catalog.command->runtime->id;
    job.method = catalog.settings->method;
    job.unprotected = catalog.settings->unprotected;
    job.steps.push_back(step_of(catalog, wire::Stage::run, catalog.command->runtime->run));
    return job;
}

std::variant<isolate::Limits, Refusal> lower_limits(const isolate::Limits& limits,
                                                    const LimitsAsked& asked) {
    try {
        return lowered(limits, asked);
    } catch (const Wrong& found) {
        Refusal refusal;
        refusal.code = found.code;
        refusal.message = found.message;
        return refusal;
    }
}

std::variant<Job, Refusal> make_job(ExecuteCode request, const Catalog& catalog,
                                    const std::string& policy) {
    try {
        return checked_job(request, catalog, policy);
    } catch (const Wrong& found) {
        Refusal refusal;
        refusal.code = found.code;
        refusal.message = found.message;
        refusal.id = request.id;
        return refusal;
    }
}

isolate::Limits lowest(isolate::Limits one, const isolate::Limits& other) {
    const auto take = [](auto& value, const auto& most) { value = std::min(value, most); };
    take(one.memory_bytes, other.memory_bytes);
    take(one.cpu_percent, other.cpu_percent);
    take(one.wall_time, other.wall_time);
    take(one.cpu_time, other.cpu_time);
    take(one.processes, other.processes);
    take(one.output_bytes, other.output_bytes);
    take(one.file_bytes, other.file_bytes);
    take(one.file_count, other.file_count);
    take(one.open_files, other.open_files);
    take(one.stack_bytes, other.stack_bytes);
    return one;
}

bool renumber(Job& job, const Catalog& catalog, const std::string& policy) {
    const auto entry = std::ranges::find_if(catalog.entries, [&](const Catalog::Entry& one) {
        return one.runtime->id == job.language && one.version;
    });
    if (entry == catalog.entries.end()) return false;
    const runtimes::Runtime& runtime = *entry->runtime;
    if (job.has_compiler() != runtime.compile.has_value()) return false;
    job.runtime = entry->number;
    for (JobStep& step : job.steps) {
        const bool compiles = step.stage == wire::Stage::compile;
        const JobStep fresh = compiles ? step_of(catalog, step.stage, *runtime.compile)
                                       : step_of(catalog, step.stage, runtime.run, policy);
        step.policy = fresh.policy;
        step.limits = lowest(step.limits, fresh.limits);
    }
    return true;
}

std::optional<Job> check_job(const std::string& language, const SourceFile& source,
                             const Catalog& catalog) {
    const runtimes::Runtime* runtime = runtimes::find(catalog.settings->runtimes, language);
    const auto entry = std::ranges::find(catalog.entries, runtime, &Catalog::Entry::runtime);
    if (entry == catalog.entries.end() || !entry->version || !runtime->check) return std::nullopt;
    Job job;
    job.runtime = entry->number;
    job.language = runtime->id;
    job.version = *entry->version;
    job.steps.push_back(step_of(catalog, wire::Stage::check, *runtime->check));
    isolate::Limits& limits = job.steps.back().limits;
    limits.wall_time = std::min(limits.wall_time, kCheckTime);
    limits.output_bytes = std::min(limits.output_bytes, kCheckOutput);
    ExecuteCode request;
    request.code = source.content;
    // A name that cannot be one in the box is of no use to a checker either.
    if (why_bad_path(source.path).empty()) request.file_path = source.path;
    try {
        job.bundle = isolate::pack(lay_out(request, *runtime));
    } catch (const Wrong&) {
        return std::nullopt;
    } catch (const std::length_error&) {
        return std::nullopt;
    }
    return job;
}

} // namespace cloister::front
