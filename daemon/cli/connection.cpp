// Finding the daemon, greeting it, messages, and asking it for one page.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/cli/connection.h"

#include "daemon/cli/client.h"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using nlohmann::json;

constexpr std::chrono::seconds kConnectTime{5};
constexpr std::chrono::seconds kStartTime{60}; ///< of a daemon that was only just started
constexpr std::size_t kMaxMessage =
    64 * 1024 * 1024; ///< the server is ours; its answers may be long

struct Address {
    std::string host;
    std::string port;
};

Address read_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("'" + text + "' is no ADDR:PORT");
    Address address;
    address.host = text.substr(0, colon);
    address.port = text.substr(colon + 1);
    if (address.host.size() > 2 && address.host.front() == '[')
        address.host = address.host.substr(1, address.host.size() - 2);
    return address;
}

/// As a Host field has it.
std::string text_of(const Address& address) {
    const bool v6 = address.host.find(':') != std::string::npos;
    return (v6 ? "[" + address.host + "]" : address.host) + ":" + address.port;
}

/// Connects, or leaves an error in `error`.
asio::awaitable<void> connect(beast::tcp_stream& stream, const Address& address, ErrorCode& error) {
    tcp::resolver resolver(stream.get_executor());
    const auto places =
        resolver.resolve(address.host, address.port, error); // of a literal address, mostly
    if (error) co_return;
    stream.expires_after(kConnectTime);
    co_await stream.async_connect(places, asio::redirect_error(asio::use_awaitable, error));
    ErrorCode ignored; // slower without, not wrong
    if (!error) stream.socket().set_option(tcp::no_delay(true), ignored);
}

asio::awaitable<void> fetch(beast::tcp_stream& stream, const Address& address, std::string target,
                            std::string token, ErrorCode& error,
                            http::response<http::string_body>& response) {
    co_await connect(stream, address, error);
    if (error) co_return;
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, text_of(address));
    request.set(http::field::connection, "close");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, response,
                              asio::redirect_error(asio::use_awaitable, error));
}

} // namespace

struct Connection::Parts {
    explicit Parts(asio::io_context& io) : socket(io) {}
    websocket::stream<beast::tcp_stream> socket;
    beast::flat_buffer buffer{};
};

Connection::Connection(asio::io_context& io) : parts_(std::make_unique<Parts>(io)) {}

Connection::~Connection() = default;

asio::awaitable<void> Connection::open(std::string place, std::string token, ErrorCode& error) {
    auto& socket = parts_->socket;
    const Address address = read_address(place);
    auto& stream = beast::get_lowest_layer(socket);
    co_await connect(stream, address, error);
    if (error) co_return;
    const std::string host = text_of(address);
    socket.set_option(websocket::stream_base::decorator([token](websocket::request_type& request) {
        if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    }));
    socket.read_message_max(kMaxMessage);
    stream.expires_after(kStartTime);
    websocket::response_type response;
    co_await socket.async_handshake(response, host, "/api/v1/ws/demo",
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::upgrade_declined)
        throw std::runtime_error("the daemon at " + place + " answers " +
                                 std::to_string(response.result_int()) + ": " +
                                 trimmed(response.body()));
    if (error) throw std::runtime_error("the daemon at " + place + ": " + error.message());
    stream.expires_never();
    socket.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
}

asio::awaitable<void> Connection::read(std::string& message, ErrorCode& error) {
    auto& buffer = parts_->buffer;
    buffer.clear();
    co_await parts_->socket.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
    message = beast::buffers_to_string(buffer.cdata());
}

void Connection::write(const std::string& message, std::function<void(const ErrorCode&)> done) {
    parts_->socket.async_write(
        asio::buffer(message),
        [done = std::move(done)](const ErrorCode& error, std::size_t) { done(error); });
}

asio::awaitable<void> Connection::close() {
    ErrorCode ignored;
    co_await parts_->socket.async_close(websocket::close_code::normal,
                                        asio::redirect_error(asio::use_awaitable, ignored));
}

std::string Connection::reason() const {
    const auto& said = parts_->socket.reason().reason;
    return {said.data(), said.size()};
}

void run_to_end(asio::io_context& io, asio::awaitable<void> task) {
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr what) { thrown = std::move(what); });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

std::optional<json> fetch_json(const std::string& place, const std::string& token,
                               const char* path) {
    asio::io_context io(1);
    beast::tcp_stream stream(io);
    ErrorCode error;
    http::response<http::string_body> response;
    run_to_end(io, fetch(stream, read_address(place), path, token, error, response));
    if (error) return std::nullopt;
    json answer = json::parse(response.body(), nullptr, false);
    if (response.result() != http::status::ok || !answer.is_object()) {
        throw std::runtime_error("the daemon at " + place + " answers " +
                                 std::to_string(response.result_int()));
    }
    return answer;
}

} // namespace cloister::cli
