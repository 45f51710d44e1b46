// Piston's WebSocket, /api/v2/connect: one program a connection, fed and watched while it runs,
// ended when the connection is. Beyond Piston: signals arrive, stdin can be closed
// ({"type":"eof"}), `exit` tells times and memory.
#pragma once

#include "daemon/front/conversation.h"
#include "daemon/front/dialogue.h"

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::piston {

class JobDialogue final : public Dialogue, public Listener {
public:
    static constexpr unsigned kAlreadyInitialized = 4000;
    static constexpr unsigned kInitTimeout = 4001;
    static constexpr unsigned kNotifiedError = 4002;
    static constexpr unsigned kNotInitialized = 4003;
    static constexpr unsigned kOnlyStdin = 4004;
    static constexpr unsigned kInvalidSignal = 4005;
    static constexpr unsigned kJobCompleted = 4999;

    JobDialogue(Service& service, Line line, Bucket::Time now);
    ~JobDialogue() override { end(); }

    void begin(const Granted&) override {}
    unsigned receive(std::string_view text, bool binary, Bucket::Time now) override;
    void set_congested(bool congested) override;
    void end() override;
    std::chrono::milliseconds patience() const override { return std::chrono::seconds(1); }
    void lose_patience() override;

    void on_event(const Event& event) override;

private:
    void act(const nlohmann::json& message);
    void begin_job(const nlohmann::json& message);
    void feed(const nlohmann::json& message);
    void send_signal(const nlohmann::json& message);
    void close_input();
    bool is_running();
    void say(std::string text) { line_.send(message_of(std::move(text)), false); }
    void say_stage(std::string_view name);
    void say_data(std::string_view stream, std::string_view data);
    void leave(unsigned code, std::string_view why);
    void give_up(std::string_view message);
    void hear_compiled(const CompileResult& compile);
    void hear_end(const Result& result);
    RunName run() const;

    Service& service_;
    Line line_;
    Bucket bucket_;
    ClientId client_ = 0; ///< 0: not begun, or over
    std::string language_{};
    bool begun_ = false;
    bool left_ = false;
    bool has_compiler_ = false;
    bool told_compiler_ = false; ///< its stage has begun
    bool told_compiled_ = false; ///< and ended
    bool told_run_ = false;
};

} // namespace cloister::front::piston
