// Many virtual clients over one room: they edit while offline, lose connections, come back and send
// again, on a server that now and then starts anew from its log. A plan is a list of steps of plain
// numbers that mean something in every state, so that a plan that fails can be saved, cut down and
// done again.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace cloister::rooms::simulation {

struct Step {
    std::uint32_t kind = 0;
    std::uint32_t who = 0;
    std::uint32_t where = 0;
    std::uint32_t what = 0;
};

/// The clients of a run, how short the server's memory is, and what happens.
struct Plan {
    std::uint32_t understanding = 2; ///< clients that speak updates
    std::uint32_t base = 0;          ///< clients that send whole texts
    bool forgetful = false;          ///< the server keeps only a few updates
    std::vector<Step> steps{};
};

struct Counts {
    std::uint64_t runs = 0;
    std::uint64_t edits = 0;
    std::uint64_t drops = 0;
    std::uint64_t restarts = 0;
    std::uint64_t hashes = 0;  ///< compared by clients
    std::uint64_t resumed = 0; ///< by updates, not by the whole text
    std::uint64_t again = 0;   ///< updates that were sent again though accepted
};

/// A plan of about `edits` edits.
Plan make_plan(std::uint64_t seed, std::uint32_t edits);
/// Does it, then lets all connections come back and everything arrive. Empty when all have one
/// text, else what was wrong.
std::string run(const Plan& plan, Counts& counts);
/// A part of `plan` that still fails, found by leaving steps out.
Plan shrunk(Plan plan);

void save(const Plan& plan, std::ostream& out);
/// Throws when the text is no plan.
Plan load(std::istream& in);

} // namespace cloister::rooms::simulation
