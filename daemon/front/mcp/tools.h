// The tools: what a model is told of them, how their arguments become runs and judgings, how what
// comes of these becomes a result that a model reads. Pure.
#pragma once

#include "daemon/front/jobs.h"
#include "daemon/front/judge_requests.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::mcp {

enum class Tool : std::uint8_t { run_code, run_tests, list_runtimes };
std::optional<Tool> find_tool(std::string_view name);

/// The result of tools/list. `structured`: with output schemas, which revisions before 2025-06-18
/// do not know.
std::string list_text(const Catalog& catalog, bool structured);

struct RunAsked {
    ExecuteCode run{};
    std::size_t max_output = 16 * isolate::kKiB; ///< bytes of each stream that are returned
};
/// `arguments` is an object.
std::variant<RunAsked, Refusal> read_run(const nlohmann::json& arguments,
                                         const config::Config& config);
/// Of a tool that takes none.
std::optional<Refusal> refuse_arguments(const nlohmann::json& arguments, Tool which);
std::variant<JudgeRequest, Refusal> read_tests(const nlohmann::json& arguments,
                                               const config::Config& config);

// Results of tools/call. A program that fails is no error of its tool.

/// `result`: what a run's submission ends with.
std::string run_result(std::string_view result, std::size_t max_output, bool structured);
/// `summary`: what a judging's submission ends with; `verdicts`: of its tests, in order.
std::string tests_result(std::string_view summary, const std::vector<std::string>& verdicts,
                         bool structured);
std::string runtimes_result(const Catalog& catalog, bool structured);
/// `error`: `{"code", "message"}`
std::string failed_result(std::string_view error);

} // namespace cloister::front::mcp
