// Addresses whose requests may have a body and whose answers may take their time: what the server
// asks of whoever serves them, and the checks that all of them share. Pure; the server reads
// bodies, waits and streams.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/routes.h"
#include "daemon/front/submissions.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front {

/// How the events of a submission are written to a stream; each may come to nothing.
struct EventFormat {
    std::string head{}; ///< written at once
    std::function<std::string(const Submissions::Event&)> event{};
    std::function<std::string(std::uint64_t forgotten)> gap{};
};

/// What the server is to do for a request.
struct Answer {
    enum class Kind : std::uint8_t {
        reply,  ///< send `reply`
        wait,   ///< wait until all of `submissions` have ended, then send what `finish` makes
        events, ///< write the events of the one of `submissions` that come after `after`
    };
    Kind kind = Kind::reply;
    Reply reply{};
    Submissions* house = nullptr; ///< where `submissions` are
    std::vector<std::string> submissions{};
    std::function<Reply()> finish{};
    EventFormat format{};
    std::uint64_t after = 0;
    bool cancel_if_gone = false; ///< whoever is not there to hear of it wants no end of it
};

class Endpoint {
public:
    virtual ~Endpoint() = default;
    /// True when requests to this address are ours.
    virtual bool serves(const RequestHead& head) const = 0;
    /// What is wrong with a request whose body is not read yet: address, method, who asks, what
    /// kind of body and how large it says to be.
    virtual std::optional<Reply> check(const RequestHead& head) const = 0;
    /// Does what a request that passed check() asks for. `submitter` tells who is one client and
    /// who is another.
    virtual Answer answer(const RequestHead& head, std::string_view body,
                          const std::string& submitter) = 0;
    /// What the server itself has against a request, in the words of this interface.
    virtual Reply complaint(unsigned status, std::string_view code, std::string_view message) const;
    /// The same for an answer of the checks below, which keeps its header fields.
    Reply in_own_words(const Reply& wrong) const;
};

/// The path of a target, without its query.
std::string_view path_of(std::string_view target);
/// What is wrong with the shape of a request, its Host or its Origin.
std::optional<Reply> check_asker(const RequestHead& head, const Access& access);
/// The answer to a request without the token, where one is needed.
std::optional<Reply> check_token(const RequestHead& head, const Access& access);
/// What is wrong with what a request says of its JSON body.
std::optional<Reply> check_json_body(const RequestHead& head, const config::Config& config);
/// The answer to a method that an address does not have. `methods`: an Allow field.
Reply wrong_method(std::string_view methods);
Reply json_reply(unsigned status, std::string body);

/// The head of an answer that is a stream of server-sent events.
std::string event_stream_head();

} // namespace cloister::front
