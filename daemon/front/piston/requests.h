// What Piston's clients ask for, from their JSON to our ExecuteCode: names of languages, ranges of
// versions, files, limits; each check in Piston's order and words. Pure.
#pragma once

#include "daemon/front/jobs.h"

#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::piston {

/// What is wrong, for the client.
struct Fault {
    std::string message{};
    bool is_unreadable = false; ///< the body is no JSON that can be read
};

/// A program that may be run, and what its answer calls it.
struct Order {
    ExecuteCode run{};
    std::string language{}; ///< Piston's name of it
    std::string version{};
};

/// `stdin` of the body is of no use to an interactive run, whose input comes by itself.
std::variant<Order, Fault> read_order(std::string_view body, const Catalog& catalog,
                                      bool interactive);
std::variant<Order, Fault> read_order(const nlohmann::json& body, const Catalog& catalog,
                                      bool interactive);
/// The body as JSON, or why it is none. A body that is empty is an empty object.
std::variant<nlohmann::json, Fault> read_body(std::string_view body, const config::Config& bounds);

/// The answers of /runtimes and /packages: what is installed.
std::string runtimes_text(const Catalog& catalog);
std::string packages_text(const Catalog& catalog);

/// What asking for a package to be installed or removed comes to: a status and a message.
struct PackageAnswer {
    unsigned status = 500;
    std::string message{};
};
std::variant<PackageAnswer, Fault> answer_package(std::string_view body, bool install,
                                                  const Catalog& catalog);

/// The number of a signal by Linux' name for it, real-time ones included; 0: there is none such.
int signal_by_name(std::string_view name);

} // namespace cloister::front::piston
