// Accepting and HTTP. Everything lives in a State that the coroutines share, so that whichever ends
// last takes it along.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/front/server.h"

#include "daemon/front/endpoint.h"
#include "daemon/front/exchange.h"
#include "daemon/front/session.h"
#include "daemon/front/text.h"

#include <cstdio>
#include <list>
#include <map>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/span.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace cloister::front {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::size_t kMaxHalfOpen = 512;       ///< connections that have not said what they want
constexpr std::size_t kMaxFarewells = 64;       ///< connections beyond the bound that are told so
constexpr std::size_t kMaxFarewell = 64 * 1024; ///< read and dropped behind a refused request
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::seconds kFarewellTime{2};
constexpr std::chrono::seconds kStatusTime{2};
constexpr std::size_t kBodiesAtOnce = 64 * 1024 * 1024; ///< of requests that are being read
constexpr std::chrono::seconds kWriteTime{20};          ///< for a piece of a long answer
constexpr int kUserTimeoutMs = 30'000; ///< unacknowledged data for that long: the peer is gone
constexpr int kUnsentInKernel =
    128 * 1024; ///< so that a slow reader fills our queue, which we watch
constexpr std::size_t kDescriptorsPerBox = 16;
constexpr std::size_t kSpareDescriptors = 64;

/// Connections whose request is not complete, oldest first; the oldest makes room for a new one.
using HalfOpen = std::list<beast::tcp_stream*>;

} // namespace

struct Server::State {
    State(asio::io_context& context, int listener, Service& shared)
        : io(context), acceptor(context), pause(context), service(shared) {
        sockaddr_storage bound{};
        socklen_t size = sizeof bound;
        isolate::check(::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size),
                       "read the listener's address");
        acceptor.assign(bound.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener);
        rlimit files{};
        isolate::check(::getrlimit(RLIMIT_NOFILE, &files), "read the limit of open files");
        const std::size_t reserved = kSpareDescriptors + kDescriptorsPerBox * 64;
        const std::size_t open =
            files.rlim_cur > 2 * reserved ? files.rlim_cur - reserved : files.rlim_cur / 2;
        max_connections = std::min<std::size_t>(shared.settings->config.connections, open);
    }

    asio::io_context& io;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    Service& service;
    std::shared_ptr<OpenSessions> sessions = std::make_shared<OpenSessions>();
    HalfOpen half_open;
    std::map<std::string, std::size_t> per_address; ///< of those that are not loopback
    std::uint64_t body_bytes = 0;                   ///< promised to requests that are being read
    std::uint64_t last_connection = 0;
    std::size_t connections = 0;
    std::size_t max_connections = 0;
    bool stopping = false;
    std::function<void()> done;
};

namespace {

using StatePtr = std::shared_ptr<Server::State>;

/// Counts a connection for as long as it lives.
class Counted {
public:
    Counted(StatePtr state, std::string address)
        : state_(std::move(state)), address_(std::move(address)) {
        ++state_->connections;
        if (!address_.empty()) ++state_->per_address[address_];
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
        --state_->connections;
        if (!address_.empty() && --state_->per_address[address_] == 0)
            state_->per_address.erase(address_);
        if (state_->connections == 0 && state_->done) std::exchange(state_->done, nullptr)();
    }

    /// Why the connection is one too many; empty when it is welcome.
    std::string_view excess() const {
        const std::size_t from_here = address_.empty() ? 0 : state_->per_address[address_];
        if (state_->connections > state_->max_connections)
            return "The server has no more connections to give.";
        if (from_here > state_->service.settings->config.connections_per_address)
            return "Too many connections from your address.";
        return {};
    }

    /// True when so many are one too many that not even that can be said to this one.
    bool drop_silently() const {
        const auto& config = state_->service.settings->config;
        const std::size_t from_here = address_.empty() ? 0 : state_->per_address[address_];
        return state_->connections > state_->max_connections + kMaxFarewells ||
               from_here > config.connections_per_address + kMaxFarewells;
    }

private:
    StatePtr state_;
    std::string address_;
};

/// Membership in the list of half-open connections.
class HalfOpenEntry {
public:
    HalfOpenEntry(StatePtr state, beast::tcp_stream& stream) : state_(std::move(state)) {
        HalfOpen& list = state_->half_open;
        if (list.size() >= kMaxHalfOpen) {
            list.front()->socket().close(ignored_);
            list.splice(list.end(), list, list.begin()); // it is on its way out; not again
        }
        place_ = list.insert(list.end(), &stream);
    }
    HalfOpenEntry(const HalfOpenEntry&) = delete;
    HalfOpenEntry& operator=(const HalfOpenEntry&) = delete;
    ~HalfOpenEntry() { state_->half_open.erase(place_); }

private:
    StatePtr state_;
    HalfOpen::iterator place_;
    ErrorCode ignored_;
};

asio::ip::address plain(const asio::ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

LocalAddress local_address(const tcp::endpoint& endpoint) {
    const asio::ip::address address = plain(endpoint.address());
    LocalAddress local;
    local.text = address.to_string();
    local.port = endpoint.port();
    local.loopback = address.is_loopback();
    return local;
}

void set_options(tcp::socket& socket) {
    const int fd = socket.native_handle();
    const int one = 1;
    // None of these is worth refusing a connection for.
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel,
                       sizeof kUnsentInKernel);
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

template <typename Body>
RequestHead head_of(const http::request_parser<Body>& parser, const LocalAddress& local) {
    const auto& request = parser.get();
    RequestHead head;
    head.method = view(request.method_string());
    head.target = view(request.target());
    head.http_1_1 = request.version() == 11;
    head.body_bytes = parser.content_length().value_or(0);
    head.has_body = parser.chunked() || head.body_bytes > 0;
    for (const auto& field : request)
        head.fields.emplace_back(view(field.name_string()), view(field.value()));
    head.local = local;
    return head;
}

/// Refers to `reply`, which outlives it: the files of the page are sent from where they lie,
/// however many read them slowly.
http::response<http::span_body<const char>> response_of(const Reply& reply, bool head_only,
                                                        bool keep_alive) {
    http::response<http::span_body<const char>> response;
    response.version(11);
    response.result(reply.status);
    response.set(http::field::server, "cloister");
    if (!reply.type.empty()) response.set(http::field::content_type, reply.type);
    for (const auto& [name, value] : security_fields()) response.set(name, value);
    for (const auto& [name, value] : reply.fields) response.set(name, value);
    response.keep_alive(keep_alive);
    const std::string_view content = reply.content();
    if (!head_only) response.body() = beast::span<const char>(content.data(), content.size());
    // RFC 9110 8.6: what a 304 would say here is the length of what it does not send, and a 204
    // says nothing.
    if (reply.status != 304 && reply.status != 204) response.content_length(content.size());
    return response;
}

/// The answer to a head that could not be read; status 0 when there is nobody to answer.
Reply reply_to_error(const ErrorCode& error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return error_reply(431, "too_large", "The request's head is too large.");
    }
    const bool broken =
        error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message;
    if (broken) return error_reply(400, "bad_request", "This is not HTTP.");
    Reply silence;
    silence.status = 0;
    return silence;
}

/// Sends the last answer, then reads what the peer still sends: closing over unread bytes would
/// reset the connection and could take the answer along.
asio::awaitable<void> say_goodbye(beast::tcp_stream& stream, Reply reply, bool head_only) {
    auto response = response_of(reply, head_only, false);
    ErrorCode error;
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
    stream.expires_after(kFarewellTime);
    std::string dropped(4096, '\0');
    auto space = asio::buffer(dropped);
    for (std::size_t total = 0; !error && total < kMaxFarewell;) {
        total += co_await stream.async_read_some(space,
                                                 asio::redirect_error(asio::use_awaitable, error));
    }
}

/// What the keeper says of its boxes; nothing when it does not say it soon.
asio::awaitable<std::optional<wire::StatusReply>> ask_boxes(StatePtr state) {
    struct Waiting {
        explicit Waiting(asio::io_context& io) : timer(io, kStatusTime) {}
        asio::steady_timer timer;
        std::optional<wire::StatusReply> reply{};
    };
    const auto waiting = std::make_shared<Waiting>(state->io);
    state->service.ask_status([waiting](const wire::StatusReply& reply) {
        waiting->reply = reply;
        (void)waiting->timer.cancel();
    });
    ErrorCode error;
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    co_return waiting->reply;
}

enum class Next { again, stop, upgrade };

/// What the requests of one connection share.
struct Caller {
    Caller(StatePtr shared, beast::tcp_stream& from, LocalAddress own, std::string name)
        : state(std::move(shared)), stream(from), local(std::move(own)), submitter(std::move(name)),
          rate(state->service.settings->config.messages_per_second,
               state->service.settings->config.message_burst, Clock::now()) {}
    StatePtr state;
    beast::tcp_stream& stream;
    LocalAddress local;
    std::string submitter; ///< see SubmittedRuns
    Bucket rate;
    beast::flat_buffer buffer{2 * kMaxHeaderBytes};
    std::optional<HalfOpenEntry> half_open{}; ///< while it does not wait for us
};

class StreamPeer final : public Peer {
public:
    explicit StreamPeer(beast::tcp_stream& stream) : stream_(stream) {}
    asio::awaitable<bool> write(std::string text) override {
        ErrorCode error;
        stream_.expires_after(kWriteTime);
        co_await asio::async_write(stream_, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, error));
        stream_.expires_never();
        co_return !error;
    }
    tcp::socket& socket() override { return stream_.socket(); }

private:
    beast::tcp_stream& stream_;
};

/// A share of the memory for bodies, for as long as one is read.
class BodyShare {
public:
    BodyShare(StatePtr state, std::uint64_t bytes) : state_(std::move(state)), bytes_(bytes) {
        state_->body_bytes += bytes_;
    }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;
    ~BodyShare() { state_->body_bytes -= bytes_; }
    bool is_too_much() const { return state_->body_bytes > kBodiesAtOnce + bytes_; }

private:
    StatePtr state_;
    std::uint64_t bytes_;
};

/// Sends `reply`, and keeps the connection for the next request when that is in order.
asio::awaitable<Next> send_reply(Caller& caller, Reply reply, bool head_only, bool keep) {
    if (!keep || caller.state->stopping) {
        co_await say_goodbye(caller.stream, std::move(reply), head_only);
        co_return Next::stop;
    }
    auto response = response_of(reply, head_only, true);
    ErrorCode error;
    caller.stream.expires_after(kWriteTime);
    co_await http::async_write(caller.stream, response,
                               asio::redirect_error(asio::use_awaitable, error));
    co_return error ? Next::stop : Next::again;
}

/// What may be said against a request before its body is read.
std::optional<Reply> refuse_early(Caller& caller, const Endpoint& endpoint,
                                  const RequestHead& head) {
    if (auto wrong = endpoint.check(head)) return wrong;
    if (caller.state->stopping) return endpoint.complaint(503, "busy", "The service is stopping.");
    if (caller.rate.take(Clock::now())) return std::nullopt;
    Reply reply = endpoint.complaint(429, "rate_limited", "Too many requests.");
    reply.fields.emplace_back("Retry-After", "1");
    return reply;
}

/// Waits or streams, as the answer asks for; the connection is not half-open meanwhile.
asio::awaitable<Next> take_time(Caller& caller, Answer answer, bool keep) {
    StreamPeer peer(caller.stream);
    caller.half_open.reset();
    caller.stream.expires_never();
    if (answer.kind == Answer::Kind::events) {
        co_await send_events(peer, *answer.house, answer.submissions.front(), answer.after,
                             answer.format, answer.cancel_if_gone);
        ErrorCode ignored; // a close that fails has still closed
        caller.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
        co_return Next::stop;
    }
    for (const std::string& id : answer.submissions)
        co_await wait_for_end(peer, *answer.house, id, answer.cancel_if_gone);
    Reply reply = answer.finish();
    const Next next = co_await send_reply(caller, std::move(reply), false, keep);
    if (next == Next::again) caller.half_open.emplace(caller.state, caller.stream);
    co_return next;
}

/// Reads the body, answers.
asio::awaitable<Next> serve_endpoint(Caller& caller, Endpoint& endpoint,
                                     http::request_parser<http::empty_body>& parser) {
    const RequestHead early = head_of(parser, caller.local);
    const config::Config& config = caller.state->service.settings->config;
    if (auto wrong = refuse_early(caller, endpoint, early)) {
        const bool keep = parser.get().keep_alive() && !early.has_body;
        co_return co_await send_reply(caller, *std::move(wrong), early.method == "HEAD", keep);
    }
    const bool chunked = parser.chunked();
    const BodyShare share(caller.state, chunked ? config.body_bytes : early.body_bytes);
    if (share.is_too_much()) {
        Reply busy = endpoint.complaint(503, "busy", "Too many requests are being read.");
        co_return co_await send_reply(caller, std::move(busy), false, false);
    }
    StreamPeer peer(caller.stream);
    if (early.count("Expect") > 0) {
        const bool taken = co_await peer.write("HTTP/1.1 100 Continue\r\n\r\n");
        if (!taken) co_return Next::stop;
    }
    http::request_parser<http::string_body> whole(std::move(parser));
    whole.body_limit(config.body_bytes);
    ErrorCode error;
    caller.stream.expires_after(config.body_timeout);
    co_await http::async_read(caller.stream, caller.buffer, whole,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        Reply reply = reply_to_error(error);
        if (error == http::error::body_limit)
            reply = endpoint.complaint(413, "too_large", "The body is too large.");
        if (reply.status != 0) co_await say_goodbye(caller.stream, std::move(reply), false);
        co_return Next::stop;
    }
    const RequestHead head = head_of(whole, caller.local);
    const bool keep = whole.get().keep_alive();
    Answer answer = endpoint.answer(head, whole.get().body(), caller.submitter);
    whole.get().body() = {}; // waiting may take long
    if (answer.kind == Answer::Kind::reply)
        co_return co_await send_reply(caller, std::move(answer.reply), head.method == "HEAD", keep);
    co_return co_await take_time(caller, std::move(answer), keep);
}

/// Reads one request and answers it, or leaves it in `request` with what was granted.
asio::awaitable<Next> serve_request(Caller& caller, UpgradeRequest& request, Granted& grant) {
    const StatePtr& state = caller.state;
    beast::tcp_stream& stream = caller.stream;
    beast::flat_buffer& buffer = caller.buffer;
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kMaxHeaderBytes);
    parser.body_limit(boost::none); // checked once it is known who asks for what
    stream.expires_after(state->service.settings->config.handshake_timeout);
    ErrorCode error;
    co_await http::async_read_header(stream, buffer, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        Reply reply = reply_to_error(error);
        if (reply.status != 0) co_await say_goodbye(stream, std::move(reply), false);
        co_return Next::stop;
    }
    const RequestHead head = head_of(parser, caller.local);
    const bool head_only = head.method == "HEAD";
    if (asks_for_websocket(head)) {
        Handshake handshake = check_handshake(head, state->service.access);
        if (state->stopping) handshake.granted = false;
        if (state->stopping)
            handshake.refusal = error_reply(503, "busy", "The service is stopping.");
        if (handshake.granted && buffer.size() > 0) {
            handshake.granted = false;
            handshake.refusal =
                error_reply(400, "bad_request", "Frames may follow the server's answer only.");
        }
        if (!handshake.granted) {
            co_await say_goodbye(stream, std::move(handshake.refusal), head_only);
            co_return Next::stop;
        }
        grant = std::move(handshake.grant);
        request = parser.release();
        co_return Next::upgrade;
    }
    for (Endpoint* endpoint : state->service.endpoints)
        if (endpoint->serves(head)) co_return co_await serve_endpoint(caller, *endpoint, parser);
    Facts facts;
    facts.access = &state->service.access;
    facts.ready = state->service.ready;
    facts.health = state->service.health();
    facts.runtimes_json = state->service.runtimes_json;
    facts.nonce = fresh_nonce();
    Reply reply = route(head, facts);
    if (reply.status == 200 && asks_for_boxes(head)) {
        facts.boxes = co_await ask_boxes(state);
        if (asks_for_report(head))
            facts.report = state->service.report(head.target.starts_with("/api"), facts.boxes);
        reply = route(head, facts);
    }
    const bool keep = parser.get().keep_alive() && !head.has_body && reply.status < 400;
    co_return co_await send_reply(caller, std::move(reply), head_only, keep);
}

/// Requests, until one becomes a WebSocket or none follows.
asio::awaitable<Next> serve_requests(Caller& caller, UpgradeRequest& request, Granted& grant) {
    caller.half_open.emplace(caller.state, caller.stream);
    Next next = Next::again;
    while (next == Next::again) next = co_await serve_request(caller, request, grant);
    caller.half_open.reset();
    co_return next;
}

asio::awaitable<void> serve_connection(StatePtr state, tcp::socket socket) {
    ErrorCode error;
    const tcp::endpoint local_end = socket.local_endpoint(error);
    if (error) co_return;
    const tcp::endpoint remote_end = socket.remote_endpoint(error);
    if (error) co_return;
    const asio::ip::address remote = plain(remote_end.address());
    const auto counted =
        std::make_shared<Counted>(state, remote.is_loopback() ? std::string() : remote.to_string());
    if (counted->drop_silently()) co_return;
    const LocalAddress local = local_address(local_end);
    set_options(socket);
    beast::tcp_stream stream(std::move(socket));
    const std::string_view excess = counted->excess();
    if (!excess.empty()) {
        stream.expires_after(kFarewellTime);
        Reply reply = error_reply(503, "busy", excess);
        co_await say_goodbye(stream, std::move(reply), false);
        co_return;
    }
    UpgradeRequest request;
    Granted grant;
    // From elsewhere, whoever shares an address shares its turns; on this machine each connection
    // has its own.
    const std::string name = remote.is_loopback()
                                 ? "connection " + std::to_string(++state->last_connection)
                                 : remote.to_string();
    Caller caller(state, stream, local, name);
    const Next next = co_await serve_requests(caller, request, grant);
    if (next != Next::upgrade) co_return;
    // Not awaited: all that this coroutine holds would live as long as the session.
    start_session(stream.release_socket(), std::move(request), std::move(grant), state->service,
                  state->sessions, counted);
}

/// Out of descriptors or memory, accepting waits a moment: the listener stays readable, so trying
/// again at once would spin.
asio::awaitable<void> accept_all(StatePtr state) {
    while (!state->stopping) {
        ErrorCode error;
        tcp::socket socket(state->io);
        co_await state->acceptor.async_accept(socket,
                                              asio::redirect_error(asio::use_awaitable, error));
        if (!state->acceptor.is_open()) co_return;
        if (!error) {
            asio::co_spawn(state->io, serve_connection(state, std::move(socket)), asio::detached);
            continue;
        }
        if (error == asio::error::connection_aborted) continue;
        state->pause.expires_after(kAcceptPause);
        co_await state->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

} // namespace

Server::Server(asio::io_context& io, int listener, Service& service)
    : state_(std::make_shared<State>(io, listener, service)) {}

Server::~Server() = default;

void Server::start() { asio::co_spawn(state_->io, accept_all(state_), asio::detached); }

void Server::stop_accepting() {
    state_->stopping = true;
    ErrorCode ignored; // a close that fails has still closed
    state_->acceptor.close(ignored);
    (void)state_->pause.cancel();
}

void Server::close_all(std::function<void()> done) {
    if (state_->connections == 0) return done();
    state_->done = std::move(done);
    const OpenSessions sessions = *state_->sessions; // leaving changes the set
    for (OpenSession* session : sessions) {
        if (state_->sessions->contains(session)) session->leave(1001, "the service is stopping");
    }
    const HalfOpen waiting = state_->half_open;
    for (beast::tcp_stream* stream : waiting) stream->cancel();
}

std::size_t Server::connections() const { return state_->connections; }

std::size_t Server::sessions() const { return state_->sessions->size(); }

std::string Server::address() const {
    const tcp::endpoint end = state_->acceptor.local_endpoint();
    const std::string text = plain(end.address()).to_string();
    const bool v6 = text.find(':') != std::string::npos;
    return "http://" + (v6 ? "[" + text + "]" : text) + ":" + std::to_string(end.port());
}

} // namespace cloister::front
