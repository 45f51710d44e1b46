// Every field that go-judge knows is read here or named as one that cannot be had; what it ignores
// itself is passed over.
#include "daemon/front/go_judge/requests.h"

#include "daemon/config/settings.h"
#include "daemon/front/fields.h"
#include "daemon/front/protocol.h"
#include "daemon/front/sources.h"
#include "daemon/front/utf8.h"
#include "isolate/bundle.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

namespace cloister::front::go_judge {

using fields::wrong;
using nlohmann::json;

namespace {

std::string at(const std::string& list, std::size_t index) {
    return list + "[" + std::to_string(index) + "]";
}

/// Null when it is absent or null.
const json* list_in(const json& object, const char* key) {
    const json* list = fields::find(object, key);
    if (list != nullptr && !list->is_array())
        wrong(fields::name_of_field(key) + " must be a list.");
    return list;
}

std::vector<std::string> texts_in(const json& list, const char* key, std::size_t most) {
    if (list.size() > most)
        wrong(fields::name_of_field(key) + " may hold at most " + std::to_string(most) + " texts.");
    std::vector<std::string> texts;
    for (const json& one : list) {
        if (!one.is_string()) wrong(fields::name_of_field(key) + " must be a list of texts.");
        texts.push_back(one.get<std::string>());
        if (texts.back().find('\0') != std::string::npos)
            wrong(fields::name_of_field(key) + " must not hold NUL characters.");
        if (texts.back().size() >= kMostWordBytes)
            wrong(fields::name_of_field(key) + " holds a text that is too long.");
    }
    return texts;
}

/// Nothing when it is none of the forms that bring bytes.
std::optional<Origin> origin_in(const json& file) {
    if (fields::find(file, "src") != nullptr)
        wrong("Files of this host cannot be had by \"src\"; send their \"content\".");
    if (auto content = fields::maybe_text(file, "content"))
        return Origin{.cached = false, .text = *std::move(content)};
    if (auto id = fields::maybe_text(file, "fileId"))
        return Origin{.cached = true, .text = *std::move(id)};
    return std::nullopt;
}

/// True where versions of go-judge have `true`, or the stream's name.
bool is_set(const json& file, const char* key) {
    const json* value = fields::find(file, key);
    return value != nullptr && !(value->is_boolean() && !value->get<bool>());
}

/// A collector's name.
void check_name(const std::string& name, const std::string& place) {
    if (name.find('\0') != std::string::npos || name.size() > isolate::kMaxBundlePath)
        wrong(place + ": 'name' is no name.");
}

Descriptor read_descriptor(const json& file, std::size_t fd, bool streams,
                           const std::string& place) {
    Descriptor read;
    if (file.is_null()) return read;
    if (!file.is_object()) wrong(place + " must be an object or null.");
    const bool in = is_set(file, "streamIn");
    if (in || is_set(file, "streamOut")) {
        if (!streams) wrong(place + ": streams are for /stream.");
        if (in != (fd == 0)) wrong(place + ": streamIn is descriptor 0, streamOut 1 or 2.");
        read.kind = Descriptor::Kind::stream;
        return read;
    }
    if (auto origin = origin_in(file)) {
        if (fd != 0) wrong(place + ": only descriptor 0 is read from a file.");
        read.kind = Descriptor::Kind::origin;
        read.origin = *std::move(origin);
        return read;
    }
    auto name = fields::maybe_text(file, "name");
    const auto most = fields::maybe_count(file, "max");
    if (!name || !most) wrong(place + ": the file is not valid for cmd.");
    if (fd == 0) wrong(place + ": descriptor 0 cannot be collected.");
    check_name(*name, place);
    read.kind = Descriptor::Kind::collector;
    read.name = *std::move(name);
    read.bytes = *most;
    return read;
}

void read_descriptors(const json& cmd, bool streams, const std::string& place, Command& command) {
    const json* files = list_in(cmd, "files");
    if (files == nullptr) return;
    if (files->size() > kDescriptors)
        wrong(place + ".files: only descriptors 0, 1 and 2 can be had.");
    for (std::size_t fd = 0; fd < files->size(); ++fd)
        command.descriptors.at(fd) =
            read_descriptor((*files)[fd], fd, streams, at(place + ".files", fd));
    const auto& [in, out, error] = command.descriptors;
    const bool both = out.kind == Descriptor::Kind::collector && error.kind == out.kind;
    if (both && out.name == error.name) wrong(place + ".files: two collectors have one name.");
}

void check_path(const std::string& path, const std::string& place) {
    const std::string why = why_bad_path(path);
    if (!why.empty()) wrong(place + ": " + why);
}

void read_copy_in(const json& cmd, const config::Config& bounds, const std::string& place,
                  Command& command) {
    const json* given = fields::find(cmd, "copyIn");
    if (given == nullptr) return;
    if (!given->is_object()) wrong(place + ".copyIn must be an object.");
    if (given->size() > bounds.files_per_run)
        wrong(place + ".copyIn may hold at most " + std::to_string(bounds.files_per_run) +
              " files.");
    for (const auto& [path, file] : given->items()) {
        check_path(path, place + ".copyIn");
        if (!file.is_object()) wrong(place + ".copyIn: each file must be an object.");
        CopyIn one;
        one.path = path;
        if (auto target = fields::maybe_text(file, "symlink")) {
            if (target->empty() || target->size() >= isolate::kMaxBundlePath ||
                target->find('\0') != std::string::npos)
                wrong(place + ".copyIn: a symlink must lead to a path.");
            one.link = true;
            one.origin.text = *std::move(target);
        } else if (auto origin = origin_in(file)) {
            one.origin = *std::move(origin);
        } else {
            wrong(place + ".copyIn: the file is not valid for cmd.");
        }
        command.copy_in.push_back(std::move(one));
    }
    // A folder that is a link is not followed, so links come last.
    std::stable_partition(command.copy_in.begin(), command.copy_in.end(),
                          [](const CopyIn& one) { return !one.link; });
}

std::vector<CopyOut> read_copy_out(const json& cmd, const char* key, const config::Config& bounds,
                                   const std::string& place) {
    std::vector<CopyOut> read;
    const json* list = list_in(cmd, key);
    if (list == nullptr) return read;
    for (std::string& name : texts_in(*list, key, bounds.collect_files)) {
        CopyOut one;
        one.optional = name.ends_with('?');
        if (one.optional) name.pop_back();
        check_path(name, place + "." + key);
        one.name = std::move(name);
        read.push_back(std::move(one));
    }
    return read;
}

std::uint64_t number_or_zero(const json& cmd, const char* key) {
    return fields::maybe_count(cmd, key).value_or(0);
}

Command read_command(const json& cmd, const config::Config& bounds, bool streams,
                     const std::string& place) {
    if (!cmd.is_object()) wrong(place + " must be an object.");
    Command command;
    const json* arguments = list_in(cmd, "args");
    if (arguments == nullptr || arguments->empty()) wrong(place + ".args must name a program.");
    command.arguments = texts_in(*arguments, "args", isolate::kMaxBundleArguments);
    if (command.arguments.front().empty()) wrong(place + ".args must name a program.");
    if (const json* environment = list_in(cmd, "env"))
        command.environment = texts_in(*environment, "env", isolate::kMaxBundleEnvironment);
    command.terminal = fields::flag(cmd, "tty");
    if (command.terminal && !streams) wrong(place + ": a tty is for /stream.");
    read_descriptors(cmd, streams, place, command);
    command.cpu_ns = number_or_zero(cmd, "cpuLimit");
    command.clock_ns = number_or_zero(cmd, "clockLimit");
    if (const std::uint64_t real = number_or_zero(cmd, "realCpuLimit"); real > 0)
        command.clock_ns = real;
    command.memory_bytes = number_or_zero(cmd, "memoryLimit");
    command.stack_bytes = number_or_zero(cmd, "stackLimit");
    command.processes = number_or_zero(cmd, "procLimit");
    command.cpu_rate = number_or_zero(cmd, "cpuRateLimit");
    read_copy_in(cmd, bounds, place, command);
    command.copy_out = read_copy_out(cmd, "copyOut", bounds, place);
    command.copy_out_cached = read_copy_out(cmd, "copyOutCached", bounds, place);
    command.copy_out_bytes = number_or_zero(cmd, "copyOutMax");
    command.truncate = fields::flag(cmd, "copyOutTruncate");
    const bool copies = !command.copy_out.empty() || !command.copy_out_cached.empty();
    if (command.terminal && copies) wrong(place + ": a command with a tty leaves no files.");
    return command;
}

struct End {
    std::uint64_t index = 0;
    std::uint64_t fd = 0;
};

End read_end(const json& pipe, const char* key, std::size_t commands, const std::string& place) {
    const json* end = fields::find(pipe, key);
    if (end == nullptr || !end->is_object()) wrong(place + "." + key + " is missing.");
    const End read{.index = number_or_zero(*end, "index"), .fd = number_or_zero(*end, "fd")};
    if (read.index >= commands) wrong(place + "." + key + ".index names no command.");
    return read;
}

/// A pipe with a proxy that has a name is recorded, as a collector of the command that prints.
void read_record(const json& pipe, const End& from, const std::string& place, Command& speaker) {
    auto name = fields::maybe_text(pipe, "name");
    if (!fields::flag(pipe, "proxy") || !name || name->empty()) return;
    check_name(*name, place);
    const auto has_it = [&](const auto& one) { return one.name == *name; };
    if (std::ranges::any_of(speaker.descriptors, has_it) ||
        std::ranges::any_of(speaker.records, has_it))
        wrong(place + ": two collectors have one name.");
    speaker.records.push_back(
        {.fd = from.fd, .name = *std::move(name), .bytes = number_or_zero(pipe, "max")});
}

Pipe read_pipe(const json& pipe, const std::vector<Pipe>& others, const std::string& place,
               std::vector<Command>& commands) {
    if (!pipe.is_object()) wrong(place + " must be an object.");
    const End from = read_end(pipe, "in", commands.size(), place);
    const End to = read_end(pipe, "out", commands.size(), place);
    if (from.fd >= kDescriptors || to.fd >= kDescriptors)
        wrong(place + ": only descriptors 0, 1 and 2 can be had.");
    if (from.fd == 0 || to.fd != 0)
        wrong(place + ": a pipe leads from descriptor 1 or 2 of one command to descriptor 0 of "
                      "another.");
    if (from.index == to.index) wrong(place + ": a command cannot talk to itself.");
    for (const Pipe& other : others) {
        if ((other.from == from.index && other.fd == from.fd) || other.to == to.index)
            wrong(place + ": the descriptor is connected twice.");
    }
    const auto is_free = [&](const End& end) {
        return commands[end.index].descriptors.at(end.fd).kind == Descriptor::Kind::nothing;
    };
    if (!is_free(from) || !is_free(to)) wrong(place + ": the descriptor has a file already.");
    if (commands[from.index].terminal || commands[to.index].terminal)
        wrong(place + ": a command with a tty cannot be connected.");
    read_record(pipe, from, place, commands[from.index]);
    return {.from = from.index, .fd = from.fd, .to = to.index};
}

/// Takes the pipes apart: what no pipe leads to need not run at the same time.
std::vector<Connected> connected_by(const std::vector<Pipe>& pipes, std::size_t commands) {
    std::vector<std::size_t> leader(commands);
    std::iota(leader.begin(), leader.end(), std::size_t{0});
    for (const Pipe& pipe : pipes) {
        const std::size_t one = leader[pipe.from];
        const std::size_t other = leader[pipe.to];
        std::ranges::replace(leader, std::max(one, other), std::min(one, other));
    }
    std::map<std::size_t, Connected> found;
    for (std::size_t i = 0; i < commands; ++i) found[leader[i]].commands.push_back(i);
    for (const Pipe& pipe : pipes) found[leader[pipe.from]].pipes.push_back(pipe);
    std::vector<Connected> all;
    for (auto& [first, one] : found) {
        if (one.commands.size() > kMostConnected)
            wrong("Pipes may connect at most " + std::to_string(kMostConnected) +
                  " commands with each other.");
        if (!one.pipes.empty()) all.push_back(std::move(one));
    }
    return all;
}

Request checked_request(const json& body, const config::Config& bounds, bool streams) {
    if (!body.is_object()) wrong("The request must be a JSON object.");
    Request request;
    request.id = fields::text_or(body, "requestId", "");
    const json* commands = list_in(body, "cmd");
    if (commands == nullptr || commands->empty()) wrong("no cmd provided");
    if (commands->size() > kMostCommands)
        wrong("cmd may hold at most " + std::to_string(kMostCommands) + " commands.");
    for (std::size_t i = 0; i < commands->size(); ++i)
        request.commands.push_back(read_command((*commands)[i], bounds, streams, at("cmd", i)));
    const json* list = list_in(body, "pipeMapping");
    std::vector<Pipe> pipes;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i)
        pipes.push_back(read_pipe((*list)[i], pipes, at("pipeMapping", i), request.commands));
    request.connected = connected_by(pipes, request.commands.size());
    return request;
}

} // namespace

std::variant<json, Fault> read_body(std::string_view body, const config::Config& bounds) {
    if (!is_utf8(body)) return Fault{"The request is not valid UTF-8."};
    if (nesting(body) > bounds.json_depth) return Fault{"The request is nested too deeply."};
    json read = json::parse(body, nullptr, false);
    if (!read.is_object()) return Fault{"The request is not a JSON object."};
    return read;
}

std::variant<Request, Fault> read_request(const json& body, const config::Config& bounds,
                                          bool streams) {
    try {
        return checked_request(body, bounds, streams);
    } catch (const fields::Wrong& found) {
        return Fault{found.message};
    }
}

} // namespace cloister::front::go_judge
