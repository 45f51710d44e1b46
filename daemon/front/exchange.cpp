// Waiting is a timer without an end that what happens to the submission cancels. Events are taken
// from the submission's own log at the pace at which the peer reads, so nothing is queued here.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/front/exchange.h"

#include <memory>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cloister::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kComment{15};
constexpr std::size_t kPiece = 64 * 1024; ///< of events, written at once

/// A timer that others end before its time.
struct Wait {
    explicit Wait(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool gone = false;
};
using WaitPtr = std::shared_ptr<Wait>;

/// True when the peer has ended its side and all that it sent has been read.
bool has_left(tcp::socket& socket) {
    char next = 0;
    const ssize_t size = ::recv(socket.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

void watch_peer(tcp::socket& socket, const WaitPtr& wait) {
    socket.async_wait(tcp::socket::wait_read, [&socket, wait](const ErrorCode& error) {
        if (error) return; // cancelled: the socket may be gone
        wait->gone = has_left(socket);
        if (wait->gone) (void)wait->timer.cancel();
    });
}

bool is_over(Submissions& submissions, const std::string& id) {
    const auto submission = submissions.find(id);
    return !submission || submission->ended.count() > 0;
}

} // namespace

asio::awaitable<void> wait_for_end(Peer& peer, Submissions& submissions, std::string id,
                                   bool or_gone) {
    const auto wait = std::make_shared<Wait>(peer.socket().get_executor());
    const std::weak_ptr<Wait> weak = wait;
    const auto watch = submissions.watch(id, [weak] {
        if (const auto waiting = weak.lock()) (void)waiting->timer.cancel();
    });
    if (or_gone) watch_peer(peer.socket(), wait);
    ErrorCode error; // always: it is cancelled
    while (!is_over(submissions, id) && !wait->gone) {
        wait->timer.expires_at(asio::steady_timer::time_point::max());
        co_await wait->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    if (or_gone) peer.socket().cancel(error);
    if (wait->gone) (void)submissions.cancel(id);
}

asio::awaitable<void> send_events(Peer& peer, Submissions& submissions, std::string id,
                                  std::uint64_t after, const EventFormat& format, bool or_gone) {
    const auto wait = std::make_shared<Wait>(peer.socket().get_executor());
    const std::weak_ptr<Wait> weak = wait;
    const auto watch = submissions.watch(id, [weak] {
        if (const auto waiting = weak.lock()) (void)waiting->timer.cancel();
    });
    std::string text = format.head;
    ErrorCode error;
    // However this ends: what nobody waits for any more is ended, what is over stays as it is.
    const std::shared_ptr<void> end(nullptr, [&](void*) {
        if (!or_gone) return;
        peer.socket().cancel(error);
        if (!is_over(submissions, id)) (void)submissions.cancel(id);
    });
    if (or_gone) watch_peer(peer.socket(), wait);
    while (!wait->gone) {
        const auto next = submissions.events_after(id, after, kPiece);
        if (!next) co_return; // expired under our hands
        if (next->forgotten > 0) text += format.gap(next->forgotten);
        for (const Submissions::Event& event : next->events) {
            text += format.event(event);
            after = event.number;
        }
        if (!text.empty()) {
            const bool taken = co_await peer.write(std::move(text));
            text.clear();
            if (!taken || next->over) co_return;
            continue; // something may have happened while it was written
        }
        if (next->over) co_return;
        if (!next->events.empty()) continue; // of which nothing was to be written
        wait->timer.expires_after(kComment);
        co_await wait->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (!error) text = ": still under way\n\n";
    }
}

} // namespace cloister::front
