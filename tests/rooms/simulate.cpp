// rooms_simulator: many virtual clients edit one document, until so many edits are done or a run
// fails. A run that fails is cut down and saved, and can be done again.
//
//   rooms_simulator [--edits N] [--seed S] [--save FILE]
//   rooms_simulator --replay FILE
#include "tests/rooms/simulator.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <string_view>

using namespace cloister::rooms::simulation;

namespace {

struct Options {
    std::uint64_t edits = 1'000'000;
    std::uint64_t seed = std::random_device{}();
    std::string save = "rooms-failed.plan";
    std::string replay{};
};

Options read(int count, char** words) {
    Options out;
    for (int i = 1; i < count; i += 2) {
        const std::string_view word = words[i];
        if (i + 1 == count) throw std::runtime_error("'" + std::string(word) + "' needs a value");
        const std::string value = words[i + 1];
        if (word == "--edits") out.edits = std::stoull(value);
        else if (word == "--seed") out.seed = std::stoull(value);
        else if (word == "--save") out.save = value;
        else if (word == "--replay") out.replay = value;
        else throw std::runtime_error("no option is called '" + std::string(word) + "'");
    }
    return out;
}

int replay(const std::string& path) {
    std::ifstream file(path);
    Counts counts;
    const std::string failure = run(load(file), counts);
    std::cout << (failure.empty() ? "all have one text" : failure) << '\n';
    return failure.empty() ? 0 : 1;
}

int simulate(const Options& options) {
    std::cout << "seed " << options.seed << std::endl;
    Counts counts;
    for (std::uint64_t i = 0; counts.edits < options.edits; ++i) {
        // Short runs find what goes wrong at the start, long ones what needs a history.
        const Plan plan = make_plan(options.seed + i, i % 10 == 0 ? 2'000 : 60);
        const std::string failure = run(plan, counts);
        if (failure.empty()) continue;
        std::cout << "run " << i << ": " << failure << std::endl;
        const Plan small = shrunk(plan);
        std::ofstream file(options.save);
        save(small, file);
        std::cout << "saved, " << small.steps.size() << " steps: --replay " << options.save << '\n';
        return 1;
    }
    std::cout << counts.runs << " runs, " << counts.edits << " edits, " << counts.drops
              << " drops, " << counts.restarts << " restarts, " << counts.resumed << " resumed, "
              << counts.again << " pushes again, " << counts.hashes << " hashes: 0 divergences\n";
    return 0;
}

} // namespace

int main(int count, char** words) {
    try {
        const Options options = read(count, words);
        return options.replay.empty() ? simulate(options) : replay(options.replay);
    } catch (const std::exception& error) {
        std::cerr << "rooms_simulator: " << error.what() << '\n';
        return 2;
    }
}
