// Each call turns the loop until it has what it waits for, or a signal came.
#include "daemon/cli/daemon_link.h"

#include "daemon/cli/connection.h"

#include <csignal>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cloister::cli {

namespace asio = boost::asio;

struct DaemonLink::Parts {
    asio::io_context io{1};
    Connection connection{io};
    asio::signal_set signals{io, SIGINT, SIGTERM, SIGHUP};
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

DaemonLink::DaemonLink(const std::string& address, const std::string& token)
    : parts_(std::make_unique<Parts>()) {
    parts_->watch();
    bool done = false;
    ErrorCode error;
    std::exception_ptr thrown;
    asio::co_spawn(parts_->io, parts_->connection.open(address, token, error),
                   [&](std::exception_ptr what) {
                       thrown = std::move(what);
                       done = true;
                   });
    parts_->run(done);
    if (thrown) std::rethrow_exception(thrown);
    if (error) throw std::runtime_error("no daemon answers at " + address);
}

DaemonLink::~DaemonLink() = default;

void DaemonLink::send(const std::string& text) {
    bool done = false;
    ErrorCode error;
    parts_->connection.write(text, [&](const ErrorCode& what) {
        error = what;
        done = true;
    });
    parts_->run(done);
    if (error) throw std::runtime_error("the daemon is gone: " + error.message());
}

std::string DaemonLink::receive() {
    bool done = false;
    ErrorCode error;
    std::string text;
    asio::co_spawn(parts_->io, parts_->connection.read(text, error),
                   [&](const std::exception_ptr&) { done = true; });
    parts_->run(done);
    if (error) {
        const std::string said = parts_->connection.reason();
        throw std::runtime_error("the daemon closed the connection: " +
                                 (said.empty() ? error.message() : said));
    }
    return text;
}

void DaemonLink::wait(std::chrono::milliseconds time) {
    bool done = false;
    asio::steady_timer timer(parts_->io, time);
    timer.async_wait([&](const ErrorCode&) { done = true; });
    parts_->run(done);
}

} // namespace cloister::cli
