// go-judge's two WebSockets. /ws takes any number of requests, each with an id of its own, and
// tells how each ended; /stream runs one, whose input and output pass as they come.
#pragma once

#include "daemon/front/conversation.h"
#include "daemon/front/dialogue.h"
#include "daemon/front/go_judge/commands.h"

#include <map>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::go_judge {

/// Requests of one connection that are under way.
inline constexpr std::size_t kMostRequests = 64;

class RequestsDialogue final : public Dialogue {
public:
    RequestsDialogue(Service& service, Line line, Bucket::Time now);
    ~RequestsDialogue() override { end(); }

    void begin(const Granted&) override {}
    unsigned receive(std::string_view text, bool binary, Bucket::Time now) override;
    void set_congested(bool) override {} // answers alone wait for the client; they are bounded
    void end() override;

private:
    void act(const nlohmann::json& message);
    void say(const std::string& id, const Ended& ended);
    void refuse(const std::string& id, const std::string& why);

    Service& service_;
    Line line_;
    Bucket bucket_;
    std::string asker_;
    /// How each is cancelled. Whoever hears the end of one looks here first.
    using Open = std::map<std::string, Commands::Handle>;
    std::shared_ptr<Open> open_ = std::make_shared<Open>();
};

class StreamDialogue final : public Dialogue {
public:
    StreamDialogue(Service& service, Line line, Bucket::Time now);
    ~StreamDialogue() override { end(); }

    void begin(const Granted&) override {}
    unsigned receive(std::string_view text, bool binary, Bucket::Time now) override;
    void set_congested(bool congested) override;
    void end() override;
    bool is_binary() const override { return true; }

private:
    /// What is left to be said to; gone with the dialogue.
    struct Ear;

    void begin_request(std::string_view text);
    void feed(std::string_view frame);
    void resize(std::string_view text);
    void leave(const std::string& why);

    Service& service_;
    Line line_;
    Bucket bucket_;
    std::string asker_;
    std::shared_ptr<Ear> ear_;
    Commands::Handle handle_{};
    bool begun_ = false;
    bool left_ = false;
};

} // namespace cloister::front::go_judge
