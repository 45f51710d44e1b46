// The front's end of the pair to the keeper: frames out and in, the sealed bundle, our ends of each
// box's pipes, which the keeper makes, and of its terminal, which we make. Implements Boxes for
// Executions: what is written to a box, and how it is told to wait, holds from its start on,
// whether its pipes are here yet or not.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/streams.h"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace cloister::front {

class KeeperLink : public Boxes {
public:
    /// What the keeper says. `on_gone` also stands for a keeper that broke the rules.
    struct Handlers {
        std::function<void(const wire::StatusReply&)> on_status{};
        std::function<void()> on_drain{};
        std::function<void(const std::string& why)> on_gone{};
        /// The new settings' text; empty when it could not be received.
        std::function<void(const wire::ReloadFrame&, isolate::Fd text)> on_reload{};
        std::function<void(isolate::Fd)> on_analyst{}; ///< empty when it could not be received
    };

    KeeperLink(boost::asio::io_context& io, isolate::Fd socket, Handlers handlers);
    ~KeeperLink() override;

    /// Starts listening; events of boxes go to `executions`.
    void start(Executions& executions);
    void ask_status();
    void tell_ready();
    void tell_reloaded(bool taken);

    void start(const Start& start) override;
    void kill(std::uint64_t box, isolate::Verdict reason) override;
    void signal(std::uint64_t box, int number) override;
    void release(std::uint64_t artifact) override;
    void write(std::uint64_t box, std::string_view bytes) override;
    void connect(std::uint64_t from, std::size_t stream, std::uint64_t to) override;
    void close_input(std::uint64_t box) override;
    std::size_t unread_input(std::uint64_t box) override;
    void resize(std::uint64_t box, std::uint16_t columns, std::uint16_t rows) override;
    void pause(std::uint64_t box, bool paused) override;
    void forget(std::uint64_t box) override;

private:
    struct Streams;
    struct Parcel;

    void send(Parcel parcel);
    void flush();
    void listen();
    wire::Received receive();
    void take(wire::Received& received);
    void take_streams(wire::Received& received);
    void take_end(const wire::EndedFrame& ended);
    void reserve(std::size_t pipes);
    std::shared_ptr<StreamReader> reader(std::uint64_t box, isolate::Fd fd, bool live,
                                         std::size_t stream);
    std::shared_ptr<StreamReader> files_reader(std::uint64_t box, isolate::Fd fd);
    void pass_on(std::uint64_t box, std::size_t stream, std::string_view bytes);
    void take_more(std::uint64_t box);
    void fell_silent(std::uint64_t box, std::size_t stream);
    void take_life(const wire::LifeFrame& answer);
    void look_again(std::uint64_t box, std::size_t stream);
    void gone(const std::string& why);
    Streams* find(std::uint64_t box);

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor socket_;
    Handlers handlers_;
    Executions* executions_ = nullptr;
    std::unordered_map<std::uint64_t, std::unique_ptr<Streams>> boxes_;
    std::deque<Parcel> unsent_;        ///< few frames for each box, and one for each signal
    std::size_t awaited_ = 0;          ///< streams that are not here yet
    std::vector<isolate::Fd> reserve_; ///< numbers for these streams
    bool waiting_ = false;
};

} // namespace cloister::front
