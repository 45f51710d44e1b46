// The client side of `execute_code`. One thread: a coroutine reads messages, callbacks watch stdin
// and signals. Output and input travel as base64, so that any bytes pass.
//
// Input is flow-controlled by its answers: a `ping` follows every piece, and the next piece waits
// for the pong. A piece that the program has no room for yet is refused whole and sent again.
//
// A `co_await` statement here holds names, literals and calls only: gcc 12 destroys braced
// temporaries beside one twice.
#include "daemon/cli/client.h"
#include "daemon/cli/connection.h"
#include "daemon/wire/base64.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

constexpr int kEndedAtTimeLimit = 124;
constexpr int kNotRun = 125;
constexpr int kNotCompiled = 1;
constexpr std::chrono::milliseconds kRetryInput{50};
constexpr std::size_t kInputPiece = 160 * 1024; ///< well within the server's bound for unread input
constexpr std::size_t kHastyPieces =
    100; ///< as fast as they are taken; then within the server's message rate
constexpr std::chrono::milliseconds kPieceTime{36};
void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return; // whoever read our output is gone
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
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
        : run_(run), connection_(io), stdin_(io), retry_(io), signals_(io, SIGINT, SIGTERM) {}

    asio::awaitable<void> run();
    bool answered() const { return answered_; }
    int status() const { return status_; }

private:
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
    Connection connection_;
    asio::posix::stream_descriptor stdin_;
    asio::steady_timer retry_;
    asio::signal_set signals_;
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

asio::awaitable<void> RunClient::run() {
    ErrorCode error;
    co_await connection_.open(run_.address, run_.token, error);
    if (error) co_return;
    answered_ = true;
    start();
    std::string text;
    while (!done_) {
        co_await connection_.read(text, error);
        if (error) break;
        const json message = json::parse(text, nullptr, false);
        if (message.is_object()) take(message);
    }
    if (!done_) {
        (void)std::fprintf(stderr, "cloister: the daemon closed the connection: %s\n",
                           error.message().c_str());
        finish(kNotRun);
    }
    co_await connection_.close();
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
                                         {"content", wire::to_base64(run_.code)},
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
        write_all(error ? 2 : 1, wire::from_base64(message.value("data", "")).value_or(""));
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
        write_all(2, wire::from_base64(result.value("error", "")).value_or(""));
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
    connection_.write(queue_.front(), [this](const ErrorCode& error) {
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
               {"data", wire::to_base64(piece_)}};
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

} // namespace

std::optional<int> run_through_daemon(const ClientRun& run) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    asio::io_context io(1);
    RunClient client(io, run);
    run_to_end(io, client.run());
    if (!client.answered()) return std::nullopt;
    return client.status();
}

} // namespace cloister::cli
