// Reading is a coroutine; writing is a queue with one write under way. The queue is what bounds a
// client that reads slowly: half full, its programs wait; full, it is closed (send_queue.h); and a
// write without any progress for a while cuts the connection. Whoever has asked for more than it
// reads is not heard until it has read.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/front/session.h"

#include "daemon/front/draining_stream.h"
#include "daemon/front/go_judge/dialogue.h"
#include "daemon/front/piston/dialogue.h"
#include "daemon/front/progress.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

namespace cloister::front {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kWriteStall{20}; ///< without a byte taken by the peer
constexpr std::chrono::seconds kCloseTime{5};   ///< for the closing handshake
constexpr std::size_t kKeptBuffer = 16 * 1024;  ///< of reading, between messages
/// What a connection that waits for its next message holds ready for it, and then for its rest. By
/// itself Beast would hold ten times as much for each one that says nothing.
constexpr std::size_t kFirstRead = 128;
constexpr std::size_t kNextRead = 4096;

/// What is of use until the handshake is done. On the heap by itself, since a coroutine's own
/// arguments live as long as it does.
struct Opening {
    UpgradeRequest request;
    Granted grant;
};
using OpeningPtr = std::unique_ptr<Opening>;

class Session final : public OpenSession, public std::enable_shared_from_this<Session> {
public:
    Session(asio::ip::tcp::socket socket, Service& service, std::shared_ptr<OpenSessions> sessions,
            std::shared_ptr<void> held, Granted::Language language)
        : held_(std::move(held)), socket_(std::move(socket)), stall_(socket_.get_executor()),
          read_again_(socket_.get_executor()), patience_(socket_.get_executor()), service_(service),
          sessions_(std::move(sessions)), queue_(service.settings->config.send_queue_bytes,
                                                 service.settings->config.send_queue_messages),
          dialogue_(make_dialogue(language)) {}

    ~Session() override {
        ended_ = true; // events of the last runs find nobody
        sessions_->erase(this);
    }

    asio::awaitable<void> run(OpeningPtr opening);
    void leave(unsigned code, std::string_view why) override;

private:
    asio::awaitable<void> accept(OpeningPtr opening);
    asio::awaitable<void> converse();
    void hear();
    void set_options(const Granted& grant);
    std::unique_ptr<Dialogue> make_dialogue(Granted::Language language);
    void send(const MessagePtr& message, bool bulk);
    void depart(unsigned code, std::string_view why, bool say_rest);
    void watch_patience();
    asio::awaitable<void> wait_for_reader();
    void write_next();
    void on_written(const ErrorCode& error);
    void weigh();
    void begin_close();
    void watch_progress();
    std::uint64_t bytes_taken();
    void cut();
    void end();

    std::shared_ptr<void> held_; ///< first: let go when all else is gone
    websocket::stream<DrainingStream> socket_;
    asio::steady_timer stall_;
    asio::steady_timer read_again_; ///< cancelled when the queue has room again
    asio::steady_timer patience_;
    Service& service_;
    std::shared_ptr<OpenSessions> sessions_;
    beast::flat_buffer buffer_;
    SendQueue queue_;
    std::uint64_t last_taken_ = 0;
    unsigned close_code_ = 0; ///< 0: staying
    std::string close_reason_;
    bool open_ = false;
    bool writing_ = false;
    bool watching_ = false;
    bool closing_sent_ = false;
    bool congested_ = false;
    bool ended_ = false;
    std::unique_ptr<Dialogue> dialogue_; ///< last: its end may still call the members above
};

std::unique_ptr<Dialogue> Session::make_dialogue(Granted::Language language) {
    const auto say = [this](const MessagePtr& message, bool bulk) { send(message, bulk); };
    using Language = Granted::Language;
    if (language == Language::own)
        return std::make_unique<Conversation>(service_, say, Clock::now());
    Line line;
    line.send = say;
    line.leave = [this](unsigned code, std::string_view why) { depart(code, why, true); };
    if (language == Language::go_judge)
        return std::make_unique<go_judge::RequestsDialogue>(service_, std::move(line),
                                                            Clock::now());
    if (language == Language::go_judge_stream)
        return std::make_unique<go_judge::StreamDialogue>(service_, std::move(line), Clock::now());
    return std::make_unique<piston::JobDialogue>(service_, std::move(line), Clock::now());
}

void Session::set_options(const Granted& grant) {
    const config::Config& config = service_.settings->config;
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = kCloseTime;
    timeout.idle_timeout = 2 * config.idle_ping; // Beast pings at half of it
    timeout.keep_alive_pings = true;
    socket_.set_option(timeout);
    websocket::permessage_deflate deflate;
    deflate.server_enable = false;
    socket_.set_option(deflate);
    socket_.read_message_max(static_cast<std::size_t>(config.message_bytes));
    socket_.auto_fragment(false);
    const bool subprotocol = grant.subprotocol;
    socket_.set_option(
        websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
            response.set(beast::http::field::server, "cloister");
            if (subprotocol)
                response.set(beast::http::field::sec_websocket_protocol, "cloister.v2");
        }));
}

asio::awaitable<void> Session::run(OpeningPtr opening) {
    const auto keep = shared_from_this();
    co_await accept(std::move(opening));
    if (open_) co_await converse();
}

asio::awaitable<void> Session::accept(OpeningPtr opening) {
    ErrorCode error;
    set_options(opening->grant);
    beast::get_lowest_layer(socket_).expires_never(); // the WebSocket's own timers take over
    co_await socket_.async_accept(opening->request,
                                  asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    open_ = true;
    socket_.binary(dialogue_->is_binary());
    sessions_->insert(this);
    dialogue_->begin(opening->grant);
    watch_patience();
}

void Session::watch_patience() {
    if (dialogue_->patience().count() == 0) return;
    patience_.expires_after(dialogue_->patience());
    patience_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
        const auto self = weak.lock();
        if (!error && self && !self->ended_) self->dialogue_->lose_patience();
    });
}

asio::awaitable<void> Session::converse() {
    ErrorCode error;
    while (close_code_ == 0) {
        auto space = buffer_.prepare(buffer_.size() == 0 ? kFirstRead : kNextRead);
        const std::size_t size = co_await socket_.async_read_some(
            space, asio::redirect_error(asio::use_awaitable, error));
        if (error || close_code_ != 0) break;
        buffer_.commit(size);
        if (socket_.is_message_done()) hear();
        while (queue_.is_stuffed() && close_code_ == 0 && open_) co_await wait_for_reader();
    }
    end();
}

/// Does what the message in the buffer asks for.
void Session::hear() {
    const auto bytes = buffer_.cdata();
    const std::string_view text(static_cast<const char*>(bytes.data()), bytes.size());
    const unsigned code = dialogue_->receive(text, socket_.got_binary(), Clock::now());
    buffer_.clear();
    if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
    if (code != Dialogue::kGoOn)
        leave(code, code == Dialogue::kTooFast ? "too many messages" : "not UTF-8");
}

/// Ends when something has been written, or the connection is over.
asio::awaitable<void> Session::wait_for_reader() {
    ErrorCode error; // always: it is cancelled
    read_again_.expires_at(asio::steady_timer::time_point::max());
    co_await read_again_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

/// The client's runs end with it, at once.
void Session::end() {
    ended_ = true;
    dialogue_->end();
}

void Session::send(const MessagePtr& message, bool bulk) {
    if (ended_ || close_code_ != 0 || !open_) return;
    if (!queue_.push(message, bulk)) return leave(1013, "reading too slowly");
    weigh();
    if (!writing_ && !queue_.is_empty()) write_next();
}

/// Tells the runs when the queue is over half its bound, and when it is well under it again.
void Session::weigh() {
    if (congested_ ? !queue_.is_light() : !queue_.is_heavy()) return;
    congested_ = !congested_;
    dialogue_->set_congested(congested_);
}

void Session::write_next() {
    writing_ = true;
    socket_.async_write(asio::buffer(queue_.front()),
                        [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                            self->on_written(error);
                        });
    watch_progress();
}

void Session::on_written(const ErrorCode& error) {
    writing_ = false;
    if (error) return cut();
    queue_.pop();
    (void)read_again_.cancel();
    if (!queue_.is_empty()) write_next();
    if (!ended_ && close_code_ == 0) weigh();
    if (close_code_ != 0 && !writing_) begin_close();
}

void Session::leave(unsigned code, std::string_view why) {
    // Going away, what is queued is still said. Thrown out, only the frame under way is finished.
    depart(code, why, code == 1001);
}

void Session::depart(unsigned code, std::string_view why, bool say_rest) {
    if (close_code_ != 0) return;
    close_code_ = code;
    close_reason_ = why;
    if (!say_rest && writing_) queue_.drop_rest();
    (void)read_again_.cancel();
    if (!writing_) begin_close();
    // Not from in here: we may stand in the middle of an event.
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->end(); });
}

void Session::begin_close() {
    if (closing_sent_ || !open_) return;
    closing_sent_ = true;
    websocket::close_reason reason(static_cast<websocket::close_code>(close_code_));
    reason.reason = close_reason_;
    socket_.async_close(reason, [self = shared_from_this()](const ErrorCode&) { self->cut(); });
}

std::uint64_t Session::bytes_taken() {
    return bytes_acknowledged(beast::get_lowest_layer(socket_).socket().native_handle());
}

/// One timer while anything is being written: cuts a peer that has taken nothing since it was set.
void Session::watch_progress() {
    if (watching_) return;
    watching_ = true;
    last_taken_ = bytes_taken();
    stall_.expires_after(kWriteStall);
    stall_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
        const auto self = weak.lock();
        if (error || !self) return;
        self->watching_ = false;
        if (!self->writing_) return;
        if (self->bytes_taken() == self->last_taken_) return self->cut();
        self->watch_progress();
    });
}

void Session::cut() {
    open_ = false;
    (void)stall_.cancel();
    (void)read_again_.cancel();
    beast::get_lowest_layer(socket_).close();
}

} // namespace

void start_session(asio::ip::tcp::socket socket, UpgradeRequest request, Granted grant,
                   Service& service, std::shared_ptr<OpenSessions> sessions,
                   std::shared_ptr<void> held) {
    const asio::any_io_executor executor = socket.get_executor();
    const auto session = std::make_shared<Session>(std::move(socket), service, std::move(sessions),
                                                   std::move(held), grant.language);
    auto opening = std::make_unique<Opening>();
    opening->request = std::move(request);
    opening->grant = std::move(grant);
    asio::co_spawn(executor, session->run(std::move(opening)), asio::detached);
}

} // namespace cloister::front
