// How long one run of /bin/true takes, and how many end in a second: a bare posix_spawn, boxes of
// ours, and every other sandbox named on the command line. Contenders take turns, so that all of
// them meet the same machine. Prints one line for each run, and for each slice of closed loops.
//
//   box_bench POLICIES latency ROUNDS SECONDS [NAME=COMMAND...]
//       run,NAME,ROUND,NANOSECONDS
//   box_bench POLICIES loops SLICES MILLISECONDS SECONDS N,N... [NAME=COMMAND...]
//       run,NAME,N,SLICE,NANOSECONDS
//       slice,NAME,N,SLICE,RUNS,NANOSECONDS      the time from the first start to the last end
//
// No round begins when SECONDS have passed. How a COMMAND is written: make_command().
#include "tests/bench/contender.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <stdexcept>

namespace {

using namespace cloister::bench;
using Contenders = std::vector<std::unique_ptr<Contender>>;

constexpr int kWarmUpRounds = 3;

/// Does `act` for each contender in turn. One that does not work on this host takes no further
/// part.
void take_turns(Contenders& contenders, const std::function<void(Contender&)>& act) {
    for (auto contender = contenders.begin(); contender != contenders.end() && !is_interrupted();) {
        try {
            act(**contender);
            ++contender;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s: %s\n", (*contender)->name().c_str(), error.what());
            contender = contenders.erase(contender);
        }
    }
}

void measure_latency(Contenders contenders, int rounds, std::chrono::seconds most) {
    const Clock::time_point end = Clock::now() + most;
    for (int round = -kWarmUpRounds; round < rounds && !is_interrupted(); ++round) {
        if (round > 0 && Clock::now() > end) return;
        take_turns(contenders, [&](Contender& contender) {
            contender.get_ready();
            const auto begin = Clock::now();
            contender.run();
            const std::chrono::nanoseconds took = Clock::now() - begin;
            if (round < 0) return;
            std::printf("run,%s,%d,%lld\n", contender.name().c_str(), round,
                        static_cast<long long>(took.count()));
        });
    }
}

void measure_loops(Contenders contenders, int slices, std::chrono::milliseconds length,
                   std::chrono::seconds most, const std::vector<unsigned>& counts) {
    const Clock::time_point end = Clock::now() + most;
    for (int slice = 0; slice < slices && !is_interrupted(); ++slice) {
        for (const unsigned loops : counts) {
            if (slice > 0 && Clock::now() > end) return;
            take_turns(contenders, [&](Contender& contender) {
                const Slice done = contender.run_in_loops(loops, length);
                const char* name = contender.name().c_str();
                for (const std::chrono::nanoseconds time : done.runs) {
                    std::printf("run,%s,%u,%d,%lld\n", name, loops, slice,
                                static_cast<long long>(time.count()));
                }
                std::printf("slice,%s,%u,%d,%zu,%lld\n", name, loops, slice, done.runs.size(),
                            static_cast<long long>(done.elapsed.count()));
            });
        }
    }
}

std::vector<unsigned> numbers_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<unsigned> numbers;
    for (std::string word; std::getline(stream, word, ',');) {
        const int number = std::atoi(word.c_str());
        if (number < 1 || number > 512) throw std::runtime_error("not from 1 to 512: " + word);
        numbers.push_back(static_cast<unsigned>(number));
    }
    if (numbers.empty()) throw std::runtime_error("no number of loops");
    return numbers;
}

/// `most_loops`: how many boxes a contender of ours may have under way.
Contenders make_contenders(const std::string& policies, unsigned most_loops,
                           const std::vector<std::string>& others) {
    Contenders all;
    all.push_back(make_command("posix_spawn", "/bin/true"));
    const cloister::config::Settings settings = settings_for_true(policies, most_loops);
    all.push_back(make_boxes("cloister cold", settings, 0));
    all.push_back(make_boxes("cloister prepared", settings, settings.config.prepared_boxes));
    for (const std::string& text : others) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) throw std::runtime_error("not NAME=COMMAND: " + text);
        all.push_back(make_command(text.substr(0, equals), text.substr(equals + 1)));
    }
    return all;
}

int measure(const std::vector<std::string>& words) {
    const auto number = [&](std::size_t at) { return std::atoi(words.at(at).c_str()); };
    const auto rest = [&](std::size_t from) {
        return std::vector(words.begin() + static_cast<std::ptrdiff_t>(from), words.end());
    };
    if (words.size() >= 4 && words[1] == "latency") {
        measure_latency(make_contenders(words[0], 1, rest(4)), number(2),
                        std::chrono::seconds(number(3)));
        return 0;
    }
    if (words.size() >= 6 && words[1] == "loops") {
        const std::vector<unsigned> counts = numbers_of(words[5]);
        measure_loops(
            make_contenders(words[0], *std::max_element(counts.begin(), counts.end()), rest(6)),
            number(2), std::chrono::milliseconds(number(3)), std::chrono::seconds(number(4)),
            counts);
        return 0;
    }
    std::fputs("usage: box_bench POLICIES latency ROUNDS SECONDS [NAME=COMMAND...]\n"
               "       box_bench POLICIES loops SLICES MILLISECONDS SECONDS N,N... "
               "[NAME=COMMAND...]\n",
               stderr);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    watch_for_interrupts();
    try {
        return measure({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "box_bench: %s\n", error.what());
        return 1;
    }
}
