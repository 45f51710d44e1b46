// A crowd of WebSocket connections that does what it is told, line by line on stdin, and answers
// each line with one on stdout. The server may be any that greets each connection with one message.
//
//   socket_bench PORT PATH
//     open N                         that many connections, all greeted        -> open,N,NS
//     close N                        only the first N stay                     -> close,N
//     all TYPE TEXT                  everybody sends TEXT and awaits a TYPE    -> all,N,NS
//     first TYPE TEXT                the first connection alone does           -> first,N,NS
//     ping IN_FLIGHT MS TYPE TEXT    one after the other sends TEXT; as many wait for a TYPE at one
//                                    time    -> ping,N,IN_FLIGHT,COUNT,NS,MEDIAN,P99   (times in
//                                    ns)
//     spread MS TYPE TEXT            the first sends TEXT, until all others have a TYPE, again
//                                                                   -> spread,N,COUNT,NS,MEDIAN,P99
//     edit MS PATH                   the first, which has PATH open, pushes a letter, until all
//                                    others have it and it has its ack, again  -> edit,N,…
#include "tests/bench/crowd.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>

namespace {

using namespace cloister::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kPatience{30'000};
constexpr std::size_t kAtOneTime = 16; ///< that are told something by `all`

/// Whether a message's type is `type`: the servers all write it first.
bool is_of(std::string_view type, std::string_view text) {
    return text.substr(0, type.size() + 12).find(type) != std::string_view::npos;
}

void stop_at_error(std::string_view text) {
    if (is_of("\"error\"", text)) throw std::runtime_error(std::string(text.substr(0, 300)));
}

std::string report_of(std::vector<nanoseconds>& times, nanoseconds elapsed) {
    if (times.empty()) throw std::runtime_error("nothing was measured");
    std::sort(times.begin(), times.end());
    const auto at = [&](std::size_t hundredths) {
        const std::size_t place = (times.size() * hundredths + 99) / 100;
        return std::to_string(times[std::max<std::size_t>(place, 1) - 1].count());
    };
    return std::to_string(times.size()) + "," + std::to_string(elapsed.count()) + "," + at(50) +
           "," + at(99);
}

class Bench {
public:
    Bench(std::uint16_t port, std::string path) : crowd_(port, std::move(path)) {}

    std::string obey(const std::string& line) {
        std::istringstream words(line);
        std::string command;
        words >> command;
        if (command == "open" || command == "close") {
            std::size_t count = 0;
            words >> count;
            return command + "," + std::to_string(count) + set_size(command, count);
        }
        if (command == "all" || command == "first") {
            const std::string type = word(words);
            return command + "," + size() + "," +
                   tell(command == "all" ? crowd_.size() : 1, type, rest(words));
        }
        if (command == "ping") {
            const std::size_t in_flight = std::stoul(word(words));
            const milliseconds length(std::stol(word(words)));
            const std::string type = word(words);
            return "ping," + size() + "," + std::to_string(in_flight) + "," +
                   ping(in_flight, length, type, rest(words));
        }
        if (command == "spread") {
            const milliseconds length(std::stol(word(words)));
            const std::string type = word(words);
            std::string text = rest(words);
            return "spread," + size() + "," + spread(length, type, "", [&] { return text; });
        }
        if (command == "edit") {
            const milliseconds length(std::stol(word(words)));
            return "edit," + size() + "," + edit(length, word(words));
        }
        throw std::runtime_error("no such command: " + line);
    }

private:
    static std::string word(std::istringstream& words) {
        std::string out;
        words >> out;
        return out;
    }
    static std::string rest(std::istringstream& words) {
        std::string out;
        std::getline(words >> std::ws, out);
        return out;
    }
    std::string size() const { return std::to_string(crowd_.size()); }

    std::string set_size(const std::string& command, std::size_t count) {
        const Clock::time_point begin = Clock::now();
        if (command == "close") {
            crowd_.close(count);
            return "";
        }
        crowd_.open(count);
        return "," + std::to_string(nanoseconds(Clock::now() - begin).count());
    }

    void receive(const Crowd::OnMessage& on_message) {
        if (!crowd_.receive(kPatience, on_message)) throw std::runtime_error("no answer");
    }

    /// Those before number `count` say `text`, a few at one time.
    std::string tell(std::size_t count, const std::string& type, const std::string& text) {
        const Clock::time_point begin = Clock::now();
        std::vector<bool> waits(crowd_.size());
        std::size_t told = 0;
        std::size_t answered = 0;
        while (answered < count) {
            for (; told < count && told - answered < kAtOneTime; ++told) {
                waits[told] = true;
                crowd_.send(told, text);
            }
            receive([&](std::size_t member, std::string_view message) {
                stop_at_error(message);
                if (!waits[member] || !is_of(type, message)) return;
                waits[member] = false;
                ++answered;
                if (member == 0) last_answer_ = message;
            });
        }
        return std::to_string(nanoseconds(Clock::now() - begin).count());
    }

    std::string ping(std::size_t in_flight, milliseconds length, const std::string& type,
                     const std::string& text) {
        std::vector<nanoseconds> times;
        std::vector<Clock::time_point> begun(crowd_.size());
        std::size_t next = 0;
        std::size_t waiting = 0;
        const Clock::time_point begin = Clock::now();
        const Clock::time_point end = begin + length;
        // Turns are taken in strides, so that neighbours in memory are not asked one after another.
        const auto ask = [&] {
            const std::size_t member = next++ * 7919 % crowd_.size();
            begun[member] = Clock::now();
            crowd_.send(member, text);
            ++waiting;
        };
        while (waiting < std::min(in_flight, crowd_.size())) ask();
        while (waiting > 0) {
            receive([&](std::size_t member, std::string_view message) {
                stop_at_error(message);
                if (!is_of(type, message)) return;
                const Clock::time_point now = Clock::now();
                times.push_back(now - begun[member]);
                --waiting;
                if (now < end) ask();
            });
        }
        return report_of(times, Clock::now() - begin);
    }

    /// `more`: what the first one waits for itself; empty: nothing.
    template <typename Text>
    std::string spread(milliseconds length, const std::string& type, const std::string& more,
                       const Text& text) {
        std::vector<nanoseconds> times;
        const Clock::time_point begin = Clock::now();
        while (Clock::now() - begin < length) {
            std::size_t left = crowd_.size() - 1;
            bool is_acknowledged = more.empty();
            const Clock::time_point sent = Clock::now();
            Clock::time_point last = sent;
            crowd_.send(0, text());
            while (left > 0 || !is_acknowledged) {
                receive([&](std::size_t member, std::string_view message) {
                    stop_at_error(message);
                    if (member == 0) {
                        if (!more.empty() && is_of(more, message)) is_acknowledged = true;
                    } else if (is_of(type, message) && left > 0 && is_news(message)) {
                        if (--left == 0) last = Clock::now();
                    }
                });
            }
            times.push_back(last - sent);
        }
        return report_of(times, Clock::now() - begin);
    }

    /// A hash alone, which the divergence alarm sends now and then, is not what is waited for.
    static bool is_news(std::string_view message) {
        return message.find("\"updates\":[]") == std::string_view::npos;
    }

    std::string edit(milliseconds length, const std::string& path) {
        if (!last_answer_.empty()) { // how things were when the document was opened
            epoch_ = text_after("\"epoch\":\"");
            version_ = std::stoull(text_after("\"version\":"));
            seq_ = std::stoull(text_after("\"last_seq\":"));
            last_answer_.clear();
        }
        // The document begins empty, and each edit of the bench adds one letter.
        return spread(length, "\"doc_updates\"", "\"doc_ack\"", [&] {
            const std::string kept = version_ > 0 ? "," + std::to_string(version_) : "";
            ++seq_;
            return R"({"type":"doc_push","file_path":")" + path + R"(","epoch":")" + epoch_ +
                   R"(","version":)" + std::to_string(version_++) + R"(,"updates":[{"seq":)" +
                   std::to_string(seq_) + R"(,"changes":[[0,"x"])" + kept + "]}]}";
        });
    }

    std::string text_after(const std::string& key) const {
        const std::size_t at = last_answer_.find(key);
        if (at == std::string::npos) throw std::runtime_error("no " + key + " in " + last_answer_);
        const std::size_t begin = at + key.size();
        return last_answer_.substr(begin, last_answer_.find_first_of("\",}", begin) - begin);
    }

    Crowd crowd_;
    std::string last_answer_{}; ///< to the first connection, until an edit has looked at it
    std::string epoch_{};
    std::uint64_t version_ = 0;
    std::uint64_t seq_ = 0;
};

void raise_limit_of_files() {
    rlimit files{};
    cloister::isolate::check(::getrlimit(RLIMIT_NOFILE, &files), "read the limit of open files");
    files.rlim_cur = files.rlim_max;
    cloister::isolate::check(::setrlimit(RLIMIT_NOFILE, &files), "raise the limit of open files");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("socket_bench PORT PATH, commands on stdin\n", stderr);
        return 2;
    }
    try {
        raise_limit_of_files();
        Bench bench(static_cast<std::uint16_t>(std::stoul(argv[1])), argv[2]);
        for (std::string line; std::getline(std::cin, line);) {
            std::puts(bench.obey(line).c_str());
            std::fflush(stdout);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "socket_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
