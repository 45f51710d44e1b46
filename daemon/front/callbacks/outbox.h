// The front's side of callbacks: what is to be sent, until it is known what became of it. Nothing
// is lost without a word: each is counted, and each that was not delivered is in the journal,
// without its address.
#pragma once

#include "daemon/front/callbacks/sender.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace cloister::front::callbacks {

class Outbox {
public:
    /// That wait to be sent; what comes on top is dropped, and told.
    static constexpr std::size_t kMostWaiting = 1'000;
    static constexpr std::size_t kMostBytes = 64 * 1024 * 1024;

    enum class Fate : std::uint8_t { sent, failed, refused, dropped };
    using Counts = std::array<std::uint64_t, 4>; ///< by Fate

    Outbox(boost::asio::io_context& io, isolate::Fd socket);
    /// `about`: names it in the journal.
    void send(const std::string& about, const std::string& url, const std::string& body);
    const Counts& counts() const { return counts_; }

private:
    struct Letter {
        std::string about{};
        std::string text{}; ///< as Request says
    };
    void pump();
    bool hand_over(std::uint64_t number, const std::string& text);
    void listen();
    void take();
    void end(const std::string& about, Fate fate, std::uint32_t status);
    void give_up();

    boost::asio::posix::stream_descriptor socket_;
    std::deque<Letter> waiting_{};
    std::size_t waiting_bytes_ = 0;
    std::map<std::uint64_t, std::string> under_way_{}; ///< what each is about
    std::uint64_t last_ = 0;
    bool gone_ = false;
    Counts counts_{};
};

} // namespace cloister::front::callbacks
