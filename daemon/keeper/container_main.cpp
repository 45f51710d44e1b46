// cloister-container: the first process of a container of the Docker executor. Static, shown there
// read-only; ordinary and without capabilities from its first instruction. It connects to the one
// socket that it finds, and the rest is as in a box of our own: contained.h.
//
//     cloister-container [--env NAME=VALUE]... [--live-env NAME=VALUE]... [--umask MODE] -- WORD...
//
// WORD: of the runtime's command, with its holes ({entry}, …).
#include "daemon/keeper/command.h"
#include "isolate/contained.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace cloister::isolate;

constexpr const char* kSocket = "/run/cloister/socket";
constexpr int kWrongUse = 125;

int connect_to_keeper() {
    const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, kSocket);
    if (socket < 0 ||
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        ::_exit(kWrongUse); // nobody is there to be told
    return socket;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<const char*> environment;
    std::vector<const char*> live;
    Inside inside;
    int next = 1;
    for (; next + 1 < argc && std::strcmp(argv[next], "--") != 0; next += 2) {
        const char* const value = argv[next + 1];
        if (std::strcmp(argv[next], "--env") == 0) environment.push_back(value);
        else if (std::strcmp(argv[next], "--live-env") == 0) live.push_back(value);
        else if (std::strcmp(argv[next], "--umask") == 0)
            inside.umask = static_cast<mode_t>(std::strtoul(value, nullptr, 8));
        else return kWrongUse;
    }
    if (next + 1 >= argc) return kWrongUse;
    const cloister::keeper::Command command(std::vector<std::string>(argv + next + 1, argv + argc));
    live.insert(live.begin(), environment.begin(), environment.end());
    environment.push_back(nullptr);
    live.push_back(nullptr);
    inside.command = command.words();
    inside.environment = environment.data();
    inside.live_environment = live.data();
    inside.user_id = ::getuid();
    inside.report_fd = connect_to_keeper();
    be_contained_init(inside);
}
