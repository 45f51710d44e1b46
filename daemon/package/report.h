// What is said of a judged package: a table for people, JUnit XML for continuous integration, JSON
// for everything else. What comes from the package or its programs is shown without control
// characters, and cut.
#pragma once

#include "daemon/package/grading.h"
#include "daemon/package/text.h"

#include <string>
#include <vector>

namespace cloister::package {

/// Something beside the submissions that holds or does not: validators, the time limit.
struct Check {
    std::string name{};
    bool ok = false;
    std::string detail{};                  ///< one line
    std::vector<std::string> complaints{}; ///< one for each case
};

struct Row {
    const Submission* submission = nullptr;
    SubmissionResult result{};
    Outcome outcome{};
    std::string skipped{}; ///< why it was not judged; empty: it was
};

struct Report {
    const Problem* problem = nullptr;
    double time_limit = 0; ///< seconds
    std::string time_limit_source{};
    std::vector<Check> checks{};
    std::vector<Row> rows{};

    bool ok() const;
};

/// The lines of the table, each when it is known.
std::string head_text(const Report& report);
std::string check_text(const Check& check);
std::string table_head(const Problem& problem);
std::string row_text(const Problem& problem, const Row& row);
std::string foot_text(const Report& report);

std::string to_json(const Report& report);
std::string to_junit(const Report& report);
/// The same of a package that could not be judged.
std::string failure_to_json(const std::string& message);
std::string failure_to_junit(const std::string& package, const std::string& message);

} // namespace cloister::package
