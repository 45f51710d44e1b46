// What a daemon tells of itself, over HTTP.
#include "daemon/cli/client.h"

#include "daemon/cli/connection.h"

#include <stdexcept>

#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

using nlohmann::json;

/// A row of the table: "python      3.11.2".
std::string row(const json& runtime) {
    const std::string id = runtime.value("id", "");
    std::string line = id + std::string(id.size() < 12 ? 12 - id.size() : 1, ' ');
    if (runtime.value("available", false)) return line + runtime.value("version", "") + "\n";
    line += "not installed; Debian packages:";
    for (const json& package : runtime.value("packages", json::array()))
        line += " " + package.get<std::string>();
    return line + "\n";
}

/// "boxes       8, 1 in use; 16 stand ready, 8 of them warm"
std::string boxes_row(const json& boxes) {
    const auto count = [&](const char* name) { return std::to_string(boxes.value(name, 0U)); };
    return "boxes       " + count("total") + ", " + count("running") + " in use; " +
           count("prepared") + " stand ready, " + count("warm") + " of them warm\n";
}

std::optional<json> fetch_catalog(const std::string& address, const std::string& token) {
    return fetch_json(address, token, "/api/v1/runtimes");
}

} // namespace

std::vector<std::string> available_languages(const std::string& address, const std::string& token) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) throw std::runtime_error("no daemon answers at " + address);
    std::vector<std::string> all;
    for (const json& runtime : answer->value("runtimes", json::array()))
        if (runtime.value("available", false)) all.push_back(runtime.value("id", ""));
    return all;
}

std::optional<std::string> fetch_status(const std::string& address, const std::string& token) {
    const auto answer = fetch_json(address, token, "/api/v1/status");
    if (!answer) return std::nullopt;
    return answer->dump();
}

std::optional<std::string> find_language(const std::string& address, const std::string& token,
                                         const std::string& file_name) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) return std::nullopt;
    for (const json& runtime : answer->value("runtimes", json::array())) {
        for (const json& extension : runtime.value("extensions", json::array())) {
            if (file_name.ends_with(extension.get<std::string>())) return runtime.value("id", "");
        }
    }
    throw std::runtime_error("the daemon at " + address + " knows no runtime for " + file_name +
                             "; name one with --language");
}

std::optional<std::string> fetch_runtimes(const std::string& address, const std::string& token) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) return std::nullopt;
    std::string table;
    for (const json& runtime : answer->value("runtimes", json::array())) table += row(runtime);
    if (answer->contains("boxes")) table += boxes_row(answer->at("boxes"));
    return table;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

} // namespace cloister::cli
