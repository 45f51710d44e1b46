// A worker as its front meets it: a process of its own behind a socket. What it does not
// understand, or what is about another text than it has, it answers by ending.
#include "daemon/analyst/worker.h"
#include "daemon/wire/analyst.h"
#include "isolate/fd.h"
#include "tests/analysis/fixture.h"

#include <cerrno>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

namespace {

using cloister::isolate::Fd;
using cloister::wire::AnalystAnswer;
using cloister::wire::AnalystRequest;
using Kind = AnalystRequest::Kind;
using nlohmann::json;

struct Said {
    AnalystAnswer head{};
    json text{};
};

class Worker {
public:
    Worker() {
        const cloister::analyst::Languages& languages = all_languages();
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        socket_ = Fd(ends[0]);
        const timeval patience{.tv_sec = 20, .tv_usec = 0}; // one that says nothing is a failure
        REQUIRE(::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
        const Fd other(ends[1]);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ > 0) return;
        (void)::close(socket_.get());
        cloister::analyst::be_worker(languages, other.get());
    }
    ~Worker() {
        if (pid_ > 0) (void)end();
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Nothing when it ends instead.
    std::optional<Said> ask(Kind kind, std::string_view text, json request) {
        request.update({{"kind", "analysis"}, {"language", "python"}, {"lang", "en"}});
        request.update({{"file_path", "a.py"}, {"line", 0}, {"column", 0}});
        const std::string body = request.dump();
        AnalystRequest head;
        head.kind = kind;
        head.size = static_cast<std::uint32_t>(body.size());
        head.text_bytes = text.size();
        head.text_mark = cloister::wire::mark_of(text);
        send(head);
        (void)!::send(socket_.get(), body.data(), body.size(), MSG_NOSIGNAL);
        return hear();
    }
    std::optional<Said> read_whole(Kind kind, const std::string& text) {
        return ask(kind, text, {{"content", text}});
    }
    std::optional<Said> edit(unsigned start, unsigned removed, const std::string& inserted,
                             std::string_view becomes) {
        return ask(Kind::follow, becomes,
                   {{"edit", {{"start", start}, {"removed", removed}, {"text", inserted}}}});
    }
    void send(const AnalystRequest& head) {
        (void)!::send(socket_.get(), &head, sizeof head, MSG_NOSIGNAL);
    }
    std::optional<Said> hear() {
        Said said;
        if (!receive(&said.head, sizeof said.head)) return std::nullopt;
        std::string text(said.head.size, '\0');
        if (!receive(text.data(), text.size())) return std::nullopt;
        said.text = json::parse(text);
        return said;
    }
    /// Its exit code, as when the front lets go of it; -1: it was killed.
    int end() {
        socket_ = Fd();
        int status = 0;
        if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -2;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    bool receive(void* bytes, std::size_t size) {
        const ssize_t got = size == 0 ? 0 : ::recv(socket_.get(), bytes, size, MSG_WAITALL);
        REQUIRE((got >= 0 || errno == ECONNRESET)); // it ends, and does not wait for more
        return got == static_cast<ssize_t>(size);
    }

    Fd socket_{};
    pid_t pid_ = -1;
};

} // namespace

TEST_CASE("a worker answers once and ends, or holds what it has read and follows", "[worker]") {
    Worker once;
    const auto answer = once.read_whole(Kind::once, "import os\n");
    REQUIRE(answer);
    CHECK(answer->text.at("analysis").at("issues").size() == 1);
    CHECK(answer->head.held_kib == 0);
    CHECK(answer->head.text_mark == cloister::wire::mark_of("import os\n"));
    CHECK_FALSE(once.read_whole(Kind::once, "import os\n"));
    CHECK(once.end() == 0);

    Worker held;
    const auto first = held.read_whole(Kind::hold, "import os\n");
    REQUIRE(first);
    CHECK(first->head.held_kib > 0);
    const auto second = held.edit(10, 0, "os\n", "import os\nos\n");
    REQUIRE(second);
    CHECK(second->head.held_kib > 0);
    CHECK(second->head.text_mark == cloister::wire::mark_of("import os\nos\n"));
    CHECK(second->text.at("analysis").at("issues").empty());
    CHECK(held.end() == 0);
}

TEST_CASE("a worker with another text than the one that is meant says nothing", "[worker]") {
    Worker worker;
    SECTION("of the same length") {
        REQUIRE(worker.read_whole(Kind::hold, "x = 1\n"));
        CHECK_FALSE(worker.edit(4, 1, "3", "x = 2\n"));
    }
    SECTION("of another length") {
        REQUIRE(worker.read_whole(Kind::hold, "x = 1\n"));
        CHECK_FALSE(worker.edit(4, 1, "22", "x = 2\n"));
    }
    SECTION("from the beginning") {
        CHECK_FALSE(worker.ask(Kind::hold, "x = 1\n", {{"content", "x = 2\n"}}));
    }
    CHECK(worker.end() == 1);
}

TEST_CASE("a worker holds one document, and follows none before it holds it", "[worker]") {
    Worker worker;
    SECTION("an edit of nothing") { CHECK_FALSE(worker.edit(0, 0, "x", "x")); }
    SECTION("a second source") {
        REQUIRE(worker.read_whole(Kind::hold, "x = 1\n"));
        CHECK_FALSE(worker.read_whole(Kind::hold, "y = 1\n"));
    }
    SECTION("a request that is too large") {
        AnalystRequest head;
        head.size = cloister::wire::kMaxAnalystRequest + 1;
        worker.send(head);
        CHECK_FALSE(worker.hear());
    }
    CHECK(worker.end() == 1);
}
