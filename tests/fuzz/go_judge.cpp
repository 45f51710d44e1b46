// What clients of go-judge send: a form has its file or none, and of a request that is taken every
// path, word and number is within its bounds. The input is a form's type and body, with a NUL
// between, or else a request.
#include "daemon/config/settings.h"
#include "daemon/front/go_judge/multipart.h"
#include "daemon/front/go_judge/requests.h"
#include "daemon/front/sources.h"
#include "isolate/bundle.h"
#include "tests/fuzz/fuzz.h"

#include <nlohmann/json.hpp>

using namespace cloister;
using namespace cloister::front::go_judge;

namespace {

void read_as_form(std::string_view type, std::string_view body) {
    const auto upload = file_in_form(type, body, "file");
    if (!upload) return;
    fuzz::require(is_form(type));
    fuzz::require(body.find(upload->content) != std::string_view::npos);
    fuzz::require(upload->name.find('/') == std::string::npos);
}

void check(const Command& command) {
    fuzz::require(!command.arguments.empty() && !command.arguments.front().empty());
    fuzz::require(command.arguments.size() <= isolate::kMaxBundleArguments);
    for (const std::string& word : command.arguments)
        fuzz::require(word.find('\0') == std::string::npos && word.size() < kMostWordBytes);
    for (const CopyIn& one : command.copy_in) fuzz::require(front::why_bad_path(one.path).empty());
    for (const auto* list : {&command.copy_out, &command.copy_out_cached}) {
        for (const CopyOut& one : *list) fuzz::require(front::why_bad_path(one.name).empty());
    }
}

/// Each command is in one group at most, each descriptor at one end of a pipe.
void check_pipes(const Request& request) {
    std::vector<bool> seen(request.commands.size());
    std::vector<bool> ends(request.commands.size() * kDescriptors);
    const auto take = [](std::vector<bool>& marks, std::size_t place) {
        fuzz::require(place < marks.size() && !marks[place]);
        marks[place] = true;
    };
    for (const Connected& one : request.connected) {
        fuzz::require(one.commands.size() >= 2 && one.commands.size() <= kMostConnected);
        for (const std::size_t index : one.commands) take(seen, index);
        for (const Pipe& pipe : one.pipes) {
            fuzz::require(pipe.from != pipe.to && (pipe.fd == 1 || pipe.fd == 2));
            take(ends, pipe.from * kDescriptors + pipe.fd);
            take(ends, pipe.to * kDescriptors);
        }
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos) {
        read_as_form(text.substr(0, nul), text.substr(nul + 1));
        return 0;
    }
    static const config::Config bounds;
    const auto body = read_body(text, bounds);
    if (std::holds_alternative<Fault>(body)) return 0;
    for (const bool streams : {false, true}) {
        const auto read = read_request(std::get<nlohmann::json>(body), bounds, streams);
        const auto* request = std::get_if<Request>(&read);
        if (request == nullptr) continue;
        fuzz::require(!request->commands.empty() && request->commands.size() <= kMostCommands);
        for (const Command& command : request->commands) check(command);
        check_pipes(*request);
    }
    return 0;
}
