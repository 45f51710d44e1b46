// The client side of `execute_code`. One thread: a coroutine reads messages, callbacks watch stdin
// and signals. Output and input travel as base64, so that any bytes pass.
//
// Input is flow-controlled by its answers: a `ping` follows every piece, and the next piece waits
// for the pong. A piece that the program has no room for yet is refused whole and sent again.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/cli/client.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
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
using ErrorCode = boost::system::error_code;
using nlohmann::json;

constexpr int kEndedAtTimeLimit = 124;
constexpr int kNotRun = 125;
constexpr int kNotCompiled = 1;
constexpr std::chrono::seconds kConnectTime{5};
constexpr std::chrono::seconds kStartTime{60}; ///< of a daemon that was only just started
constexpr std::chrono::milliseconds kRetryInput{50};
constexpr std::size_t kInputPiece = 160 * 1024; ///< well within the server's bound for unread input
constexpr std::size_t kHastyPieces =
    100; ///< as fast as they are taken; then within the server's message rate
constexpr std::chrono::milliseconds kPieceTime{36};
constexpr std::size_t kMaxMessage =
    64 * 1024 * 1024; ///< the server is ours; its answers may be long
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each base64 character, -1 for every other byte.
constexpr std::array<int, 256> kBase64Values = [] {
    std::array<int, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int>(i);
    return values;
}();

std::string from_base64(std::string_view text) {
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : text) {
        const int value = kBase64Values[static_cast<unsigned char>(c)];
        if (value < 0) break;
        held = held << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<char>(held >> bits & 0xFF));
    }
    return out;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return; // whoever read our output is gone
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

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

int signal_number(const std::string& name) {
    for (int number = 1; number < SIGRTMIN; ++number) {
        const char* short_name = ::sigabbrev_np(number);
        if (short_name != nullptr && name == std::string("SIG") + short_name) return number;
    }
    return 0;
}

int exit_status(const json& result) {
    const std::string verdict = result.value("verdict", "");
    if (verdict == "ok") return 0;
    if (verdict == "time_limit" || verdict == "wall_limit") return kEndedAtTimeLimit;
    if (verdict == "compile_error") return kNotCompiled;
    if (verdict != "nonzero_exit" && verdict != "signalled" && verdict != "process_limit")
        return kNotRun;
    if (result.at("signal").is_string())
        return 128 + signal_number(result.at("signal").get<std::string>());
    return result.at("exit_code").is_number() ? result.at("exit_code").get<int>() : kNotRun;
}

/// Whether a loop can wait for fd 0; files and /dev/null are always ready and refuse to be waited
/// for.
bool stdin_can_be_awaited() {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) return false;
    epoll_event event{};
    event.events = EPOLLIN;
    const bool can = ::epoll_ctl(poll, EPOLL_CTL_ADD, 0, &event) == 0;
    (void)::close(poll);
    return can;
}

class RunClient {
public:
    RunClient(asio::io_context& io, const ClientRun& run)
        : run_(run), socket_(io), stdin_(io), retry_(io), signals_(io, SIGINT, SIGTERM) {}

    asio::awaitable<void> run();
    bool answered() const { return answered_; }
    int status() const { return status_; }

private:
    asio::awaitable<void> open(ErrorCode& error);
    void start();
    void begin_input();
    void take(const json& message);
    void go_on_with_input();
    void take_result(const json& result);
    void take_error(const json& message);
    void send(const json& message);
    void write_next();
    void watch_signals();
    void watch_stdin();
    void read_stdin();
    void send_piece();
    void finish(int status);

    ClientRun run_;
    websocket::stream<beast::tcp_stream> socket_;
    asio::posix::stream_descriptor stdin_;
    asio::steady_timer retry_;
    asio::signal_set signals_;
    beast::flat_buffer buffer_;
    std::deque<std::string> queue_;
    std::string run_id_;
    std::string piece_; ///< of stdin, until the server has taken it
    bool input_over_ = false;
    bool refused_ = false; ///< the last piece, which is sent again
    bool waits_ = false;   ///< fd 0 can be awaited
    std::size_t pieces_ = 0;
    int signalled_ = 0;
    bool answered_ = false;
    bool done_ = false;
    int status_ = kNotRun;
};

asio::awaitable<void> RunClient::open(ErrorCode& error) {
    const Address address = read_address(run_.address);
    auto& stream = beast::get_lowest_layer(socket_);
    co_await connect(stream, address, error);
    if (error) co_return;
    const bool v6 = address.host.find(':') != std::string::npos;
    const std::string host = (v6 ? "[" + address.host + "]" : address.host) + ":" + address.port;
    const std::string token = run_.token;
    socket_.set_option(websocket::stream_base::decorator([token](websocket::request_type& request) {
        if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    }));
    socket_.read_message_max(kMaxMessage);
    websocket::response_type response;
    co_await socket_.async_handshake(response, host, "/api/v1/ws/demo",
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::upgrade_declined) {
        throw std::runtime_error("the daemon at " + run_.address + " answers " +
                                 std::to_string(response.result_int()) + ": " + response.body());
    }
    stream.expires_never();
    socket_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
}

asio::awaitable<void> RunClient::run() {
    ErrorCode error;
    co_await open(error);
    if (error) co_return;
    answered_ = true;
    start();
    while (!done_) {
        co_await socket_.async_read(buffer_, asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        const auto bytes = buffer_.cdata();
        const char* text = static_cast<const char*>(bytes.data());
        const json message = json::parse(text, text + bytes.size(), nullptr, false);
        buffer_.clear();
        if (message.is_object()) take(message);
    }
    if (!done_) {
        (void)std::fprintf(stderr, "cloister: the daemon closed the connection: %s\n",
                           error.message().c_str());
        finish(kNotRun);
    }
    co_await socket_.async_close(websocket::close_code::normal,
                                 asio::redirect_error(asio::use_awaitable, error));
}

void RunClient::start() {
    json request{{"type", "execute_code"},    {"id", "run"},
                 {"language", run_.language}, {"stream", true},
                 {"interactive", true},       {"output_encoding", "base64"},
                 {"args", run_.arguments},    {"file_path", run_.file_name}};
    request["code"] = run_.code;
    try {
        (void)request.dump(); // throws on code that is not UTF-8, which then travels as a file
    } catch (const json::type_error&) {
        request.erase("code");
        request["files"] = json::array({{{"path", run_.file_name},
                                         {"content", to_base64(run_.code)},
                                         {"encoding", "base64"}}});
        request["entry"] = run_.file_name;
    }
    send(request);
    watch_signals();
}

/// From the run's start on: input before that could only wait in the server.
void RunClient::begin_input() {
    waits_ = stdin_can_be_awaited();
    const int copy = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        input_over_ = true;
        send_piece();
        return;
    }
    if (waits_) {
        stdin_.assign(copy);
    } else {
        (void)::close(copy);
    }
    watch_stdin();
}

void RunClient::take(const json& message) {
    const std::string type = message.value("type", "");
    if (type == "execution_started") {
        run_id_ = message.value("run_id", "");
        begin_input();
    } else if (type == "execution_output") {
        const bool error = message.value("stream", "") == "stderr";
        write_all(error ? 2 : 1, from_base64(message.value("data", "")));
    } else if (type == "execution_result") {
        take_result(message.at("result"));
    } else if (type == "error") {
        take_error(message);
    } else if (type == "pong") {
        go_on_with_input();
    }
}

/// The server has looked at the last piece.
void RunClient::go_on_with_input() {
    if (input_over_ && !refused_) return;
    const bool hasty = !refused_ && pieces_ < kHastyPieces;
    retry_.expires_after(hasty ? std::chrono::milliseconds{}
                               : std::max(kPieceTime, refused_ ? kRetryInput : kPieceTime));
    retry_.async_wait([this](const ErrorCode& error) {
        if (error || done_) return;
        if (refused_) return send_piece();
        watch_stdin();
    });
}

void RunClient::take_result(const json& result) {
    const std::string verdict = result.value("verdict", "");
    if (result.contains("compile") && verdict == "compile_error") {
        write_all(2, from_base64(result.value("error", "")));
    } else if (result.contains("reason")) {
        (void)std::fprintf(stderr, "cloister: %s\n", result.value("reason", "").c_str());
    }
    finish(exit_status(result));
}

void RunClient::take_error(const json& message) {
    const std::string id = message.value("id", "");
    const std::string code = message.value("code", "");
    if (id == "run" && (run_id_.empty() || code != "no_such_run")) {
        (void)std::fprintf(stderr, "cloister: %s\n", message.value("message", "").c_str());
        return finish(kNotRun);
    }
    if (id == "run-input" && code == "too_large") refused_ = true;
    if (code == "rate_limited") { // unsaid which message; going on could lose or repeat input
        (void)std::fprintf(stderr, "cloister: the daemon takes fewer messages than input needs\n");
        finish(kNotRun);
    }
    // Otherwise the run is over or takes no more input; its result is on the way.
    if (id == "run-input" && code != "too_large") input_over_ = true;
}

void RunClient::send(const json& message) {
    queue_.push_back(message.dump());
    if (queue_.size() == 1) write_next();
}

void RunClient::write_next() {
    socket_.async_write(asio::buffer(queue_.front()), [this](const ErrorCode& error, std::size_t) {
        if (error) return; // the reader hears of it too
        queue_.pop_front();
        if (!queue_.empty()) write_next();
    });
}

void RunClient::watch_signals() {
    signals_.async_wait([this](const ErrorCode& error, int number) {
        if (error || done_) return;
        // Before the start the run is known by our own name for it.
        json message{{"type", "execution_signal"},
                     {"id", "run"},
                     {"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}};
        if (++signalled_ > 1) message["type"] = "execution_cancel";
        send(message);
        watch_signals();
    });
}

void RunClient::watch_stdin() {
    if (done_ || input_over_) return;
    if (!waits_) return read_stdin();
    stdin_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const ErrorCode& error) {
        if (!error && !done_) read_stdin();
    });
}

void RunClient::read_stdin() {
    piece_.resize(kInputPiece);
    const ssize_t size = ::read(0, piece_.data(), piece_.size());
    piece_.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return watch_stdin();
    if (size <= 0) input_over_ = true;
    send_piece();
}

void RunClient::send_piece() {
    refused_ = false;
    ++pieces_;
    json input{{"type", "execution_input"},
               {"id", "run-input"},
               {"encoding", "base64"},
               {"data", to_base64(piece_)}};
    if (input_over_) input["eof"] = true;
    input["run_id"] = run_id_;
    send(input);
    send(json{{"type", "ping"}, {"id", "input"}});
}

void RunClient::finish(int status) {
    status_ = status;
    done_ = true;
    ErrorCode ignored;
    (void)signals_.cancel(ignored);
    (void)retry_.cancel();
    if (stdin_.is_open()) (void)stdin_.close(ignored);
}

/// A row of the table: "python      3.11.2".
std::string row(const json& runtime) {
    const std::string id = runtime.value("id", "");
    std::string line = id + std::string(id.size() < 12 ? 12 - id.size() : 1, ' ');
    if (runtime.value("available", false)) return line + runtime.value("version", "") + "\n";
    line += "not installed; Debian packages:";
    for (const json& package : runtime.value("packages", json::array()))
        line += " " + package.get<std::string>();
    return line + "\n";
}

/// "boxes       8, 1 in use; 16 stand ready, 8 of them warm"
std::string boxes_row(const json& boxes) {
    const auto count = [&](const char* name) { return std::to_string(boxes.value(name, 0U)); };
    return "boxes       " + count("total") + ", " + count("running") + " in use; " +
           count("prepared") + " stand ready, " + count("warm") + " of them warm\n";
}

asio::awaitable<void> fetch(beast::tcp_stream& stream, const Address& address, std::string target,
                            std::string token, ErrorCode& error,
                            http::response<http::string_body>& response) {
    co_await connect(stream, address, error);
    if (error) co_return;
    const bool v6 = address.host.find(':') != std::string::npos;
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host,
                (v6 ? "[" + address.host + "]" : address.host) + ":" + address.port);
    request.set(http::field::connection, "close");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, response,
                              asio::redirect_error(asio::use_awaitable, error));
}

/// Runs `io` with `task` to their end; what the task throws is thrown here.
void run_to_end(asio::io_context& io, asio::awaitable<void> task) {
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr what) { thrown = std::move(what); });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

/// What an address of the daemon answers. Nothing when no daemon does.
std::optional<json> fetch_json(const std::string& address, const std::string& token,
                               const char* path) {
    asio::io_context io(1);
    beast::tcp_stream stream(io);
    ErrorCode error;
    http::response<http::string_body> response;
    run_to_end(io, fetch(stream, read_address(address), path, token, error, response));
    if (error) return std::nullopt;
    json answer = json::parse(response.body(), nullptr, false);
    if (response.result() != http::status::ok || !answer.is_object()) {
        throw std::runtime_error("the daemon at " + address + " answers " +
                                 std::to_string(response.result_int()));
    }
    return answer;
}

std::optional<json> fetch_catalog(const std::string& address, const std::string& token) {
    return fetch_json(address, token, "/api/v1/runtimes");
}

} // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char byte : bytes) {
        held = held << 8 | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6) out.push_back(kAlphabet[held >> (bits - 6) & 63]);
    }
    if (bits > 0) out.push_back(kAlphabet[held << (6 - bits) & 63]);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

struct DaemonLink::Parts {
    asio::io_context io{1};
    websocket::stream<beast::tcp_stream> socket{io};
    asio::signal_set signals{io, SIGINT, SIGTERM, SIGHUP};
    beast::flat_buffer buffer{};
    int signal = 0;

    void watch() {
        signals.async_wait([this](const ErrorCode& error, int number) {
            if (error) return;
            signal = number;
            watch();
        });
    }

    /// Until `done`, or a signal.
    void run(const bool& done) {
        while (!done && signal == 0) {
            if (io.run_one() == 0) break;
        }
        if (signal != 0) throw Interrupted{signal};
    }
};

namespace {

asio::awaitable<void> open_socket(websocket::stream<beast::tcp_stream>& socket, std::string place,
                                  std::string token) {
    ErrorCode error;
    const Address address = read_address(place);
    auto& stream = beast::get_lowest_layer(socket);
    co_await connect(stream, address, error);
    if (error) throw std::runtime_error("no daemon answers at " + place);
    const bool v6 = address.host.find(':') != std::string::npos;
    const std::string host = (v6 ? "[" + address.host + "]" : address.host) + ":" + address.port;
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

} // namespace

DaemonLink::DaemonLink(const std::string& address, const std::string& token)
    : parts_(std::make_unique<Parts>()) {
    parts_->watch();
    bool done = false;
    std::exception_ptr thrown;
    asio::co_spawn(parts_->io, open_socket(parts_->socket, address, token),
                   [&](std::exception_ptr what) {
                       thrown = std::move(what);
                       done = true;
                   });
    parts_->run(done);
    if (thrown) std::rethrow_exception(thrown);
}

DaemonLink::~DaemonLink() = default;

void DaemonLink::send(const std::string& text) {
    bool done = false;
    ErrorCode error;
    parts_->socket.async_write(asio::buffer(text), [&](const ErrorCode& what, std::size_t) {
        error = what;
        done = true;
    });
    parts_->run(done);
    if (error) throw std::runtime_error("the daemon is gone: " + error.message());
}

std::string DaemonLink::receive() {
    bool done = false;
    ErrorCode error;
    parts_->socket.async_read(parts_->buffer, [&](const ErrorCode& what, std::size_t) {
        error = what;
        done = true;
    });
    parts_->run(done);
    if (error) {
        const auto& why = parts_->socket.reason();
        const std::string said(why.reason.data(), why.reason.size());
        throw std::runtime_error("the daemon closed the connection: " +
                                 (said.empty() ? error.message() : said));
    }
    const auto bytes = parts_->buffer.cdata();
    std::string text(static_cast<const char*>(bytes.data()), bytes.size());
    parts_->buffer.clear();
    return text;
}

void DaemonLink::wait(std::chrono::milliseconds time) {
    bool done = false;
    asio::steady_timer timer(parts_->io, time);
    timer.async_wait([&](const ErrorCode&) { done = true; });
    parts_->run(done);
}

std::vector<std::string> available_languages(const std::string& address, const std::string& token) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) throw std::runtime_error("no daemon answers at " + address);
    std::vector<std::string> all;
    for (const json& runtime : answer->value("runtimes", json::array()))
        if (runtime.value("available", false)) all.push_back(runtime.value("id", ""));
    return all;
}

std::optional<std::string> fetch_status(const std::string& address, const std::string& token) {
    const auto answer = fetch_json(address, token, "/api/v1/status");
    if (!answer) return std::nullopt;
    return answer->dump();
}

std::optional<int> run_through_daemon(const ClientRun& run) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    asio::io_context io(1);
    RunClient client(io, run);
    run_to_end(io, client.run());
    if (!client.answered()) return std::nullopt;
    return client.status();
}

std::optional<std::string> find_language(const std::string& address, const std::string& token,
                                         const std::string& file_name) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) return std::nullopt;
    for (const json& runtime : answer->value("runtimes", json::array())) {
        for (const json& extension : runtime.value("extensions", json::array())) {
            if (file_name.ends_with(extension.get<std::string>())) return runtime.value("id", "");
        }
    }
    throw std::runtime_error("the daemon at " + address + " knows no runtime for " + file_name +
                             "; name one with --language");
}

std::optional<std::string> fetch_runtimes(const std::string& address, const std::string& token) {
    const auto answer = fetch_catalog(address, token);
    if (!answer) return std::nullopt;
    std::string table;
    for (const json& runtime : answer->value("runtimes", json::array())) table += row(runtime);
    if (answer->contains("boxes")) table += boxes_row(answer->at("boxes"));
    return table;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

} // namespace cloister::cli
