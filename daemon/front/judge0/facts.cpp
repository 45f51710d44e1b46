// Keys are Judge0's own; what we cannot do is told as not allowed.
#include "daemon/front/judge0/facts.h"

#include "daemon/front/judge0/work.h"
#include "daemon/front/text.h"

#include <fstream>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace cloister::front::judge0 {
namespace {

using nlohmann::json;

std::string readable_memory(std::uint64_t bytes) {
    const double gib = static_cast<double>(bytes) / (1024.0 * isolate::kMiB);
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.1fGi", gib);
    return text.data();
}

} // namespace

Machine this_machine() {
    Machine machine;
    utsname names{};
    if (::uname(&names) == 0) machine.architecture = names.machine;
    machine.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; machine.processor.empty() && std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos)
            machine.processor = line.substr(colon + 2);
    }
    struct sysinfo info {};
    if (::sysinfo(&info) == 0) {
        machine.memory = readable_memory(std::uint64_t{info.totalram} * info.mem_unit);
        machine.swap = readable_memory(std::uint64_t{info.totalswap} * info.mem_unit);
    }
    return machine;
}

std::string about_text() {
    JsonObject out;
    out.text("version", kVersion).text("homepage", "Cloister " CLOISTER_VERSION);
    out.text("source_code", "Cloister " CLOISTER_VERSION);
    return out.text("maintainer", "the operator of this Cloister").close();
}

std::string license_text() {
    return "Cloister " CLOISTER_VERSION
           ", which serves this interface, is under the Apache License, "
           "Version 2.0.\n";
}

std::string isolation_text() {
    return "Cloister " CLOISTER_VERSION " isolates natively: namespaces, control groups, system "
           "call filters; see SECURITY.md.\n";
}

std::string system_text(const Machine& machine) {
    JsonObject out;
    out.text("Architecture", machine.architecture);
    out.text("CPU(s)", std::to_string(machine.processors));
    out.text("Model name", machine.processor);
    return out.text("Mem", machine.memory).text("Swap", machine.swap).close();
}

std::string config_text(const config::Settings& settings, bool callbacks) {
    json out = {{"maintenance_mode", false},
                {"enable_wait_result", true},
                {"enable_compiler_options", true},
                {"allowed_languages_for_compile_options", json::array()},
                {"enable_command_line_arguments", true},
                {"enable_submission_delete", true},
                {"enable_callbacks", callbacks},
                {"callbacks_max_tries", 3},
                {"callbacks_timeout", 5},
                {"enable_additional_files", true},
                {"max_queue_size", Work::kMostWaiting},
                {"allow_enable_per_process_and_thread_time_limit", false},
                {"enable_per_process_and_thread_time_limit", false},
                {"allow_enable_per_process_and_thread_memory_limit", false},
                {"enable_per_process_and_thread_memory_limit", false},
                {"redirect_stderr_to_stdout", false},
                {"max_extract_size", 10'240},
                {"enable_batched_submissions", true},
                {"max_submission_batch_size", 20},
                {"submission_cache_duration", 1},
                {"use_docs_as_homepage", false},
                {"allow_enable_network", false},
                {"enable_network", false},
                {"disable_implicit_base64_encoding", true}};
    for (const auto& [name, range] : ranges_of(settings)) {
        out[std::string(name)] = range.usual;
        out["max_" + std::string(name)] = range.most;
    }
    return out.dump();
}

std::string workers_text(const Workers& workers) {
    JsonObject out;
    out.text("queue", "default").count("size", workers.waiting);
    out.count("available", workers.boxes);
    out.count("idle", workers.boxes - std::min(workers.boxes, workers.running));
    out.count("working", workers.running).count("paused", 0);
    return "[" + out.count("failed", workers.failed).close() + "]";
}

std::string statistics_text(const Statistics& statistics, const Catalog& catalog) {
    json languages = json::array();
    for (const auto& [id, count] : statistics.languages) {
        const auto language = find_language(catalog, id);
        languages.push_back({{"language", {{"id", id}, {"name", language ? language->name : ""}}},
                             {"count", count}});
    }
    json statuses = json::array();
    for (const auto& [id, count] : statistics.statuses) {
        const auto description = description_of(static_cast<Status>(id));
        statuses.push_back(
            {{"status", {{"id", id}, {"description", description}}}, {"count", count}});
    }
    const std::string now = timestamp();
    const json out = {{"created_at", now},
                      {"cached_until", now},
                      {"submissions", {{"total", statistics.total}, {"kept", statistics.kept}}},
                      {"languages", languages},
                      {"statuses", statuses}};
    return out.dump();
}

} // namespace cloister::front::judge0
