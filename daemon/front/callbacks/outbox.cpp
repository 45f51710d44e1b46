// As many are handed over as the sender works on at once; the rest waits here, where it is counted.
#include "daemon/front/callbacks/outbox.h"

#include "daemon/wire/journal.h"
#include "isolate/packet.h"

#include <sys/mman.h>

namespace cloister::front::callbacks {
namespace {

constexpr std::array kFates = {"sent", "failed", "refused", "dropped"};

} // namespace

Outbox::Outbox(boost::asio::io_context& io, isolate::Fd socket) : socket_(io, socket.get()) {
    (void)socket.release(); // now the descriptor's
    socket_.native_non_blocking(true);
    listen();
}

void Outbox::send(const std::string& about, const std::string& url, const std::string& body) {
    Letter letter{about, url};
    letter.text += '\0';
    letter.text += body;
    const bool fits =
        waiting_.size() < kMostWaiting && waiting_bytes_ + letter.text.size() <= kMostBytes;
    if (gone_ || !fits) return end(about, Fate::dropped, 0);
    waiting_bytes_ += letter.text.size();
    waiting_.push_back(std::move(letter));
    pump();
}

void Outbox::pump() {
    while (!gone_ && under_way_.size() < kAtOnce && !waiting_.empty()) {
        const Letter letter = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= letter.text.size();
        const std::uint64_t number = ++last_;
        if (hand_over(number, letter.text)) under_way_.emplace(number, letter.about);
        else end(letter.about, Fate::dropped, 0);
    }
}

bool Outbox::hand_over(std::uint64_t number, const std::string& text) {
    const isolate::Fd memory(::memfd_create("callback", MFD_CLOEXEC));
    if (!memory) return false;
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t size = ::write(memory.get(), text.data() + done, text.size() - done);
        if (size <= 0) return false;
        done += static_cast<std::size_t>(size);
    }
    const Request request{number};
    const int fd = memory.get();
    return isolate::send_packet(socket_.native_handle(), isolate::bytes_of(request), {&fd, 1},
                                MSG_DONTWAIT);
}

void Outbox::listen() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                           if (!error) take();
                       });
}

void Outbox::take() {
    for (;;) {
        Answer answer;
        const isolate::Packet packet = isolate::receive_packet(
            socket_.native_handle(), isolate::writable_bytes_of(answer), MSG_DONTWAIT);
        if (packet.size == -1 && (errno == EAGAIN || errno == EINTR)) return listen();
        if (packet.size != sizeof answer) return give_up();
        const auto found = under_way_.find(answer.number);
        if (found == under_way_.end()) continue;
        const std::string about = std::move(found->second);
        under_way_.erase(found);
        const auto delivery = std::min(static_cast<std::uint32_t>(answer.delivery),
                                       static_cast<std::uint32_t>(Fate::refused));
        end(about, static_cast<Fate>(delivery), answer.status);
        pump();
    }
}

void Outbox::end(const std::string& about, Fate fate, std::uint32_t status) {
    ++counts_.at(static_cast<std::size_t>(fate));
    if (fate == Fate::sent) return;
    wire::JournalLine line("callback");
    line.text("about", about).text("fate", kFates.at(static_cast<std::size_t>(fate)));
    line.number("status", status).write();
}

/// The sender has ended, which it never does by itself.
void Outbox::give_up() {
    gone_ = true;
    for (const auto& [number, about] : under_way_) end(about, Fate::failed, 0);
    under_way_.clear();
    for (const Letter& letter : waiting_) end(letter.about, Fate::dropped, 0);
    waiting_.clear();
    waiting_bytes_ = 0;
}

} // namespace cloister::front::callbacks
