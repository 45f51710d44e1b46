// The whole engine behind two functions: texts in, JSON texts out. Requests: requests.h.
#pragma once

#include "daemon/analyst/engine/budget.h"
#include "daemon/analyst/engine/deep.h"
#include "daemon/analyst/engine/document.h"

#include <string>
#include <string_view>

namespace cloister::analyst {

struct Asked {
    std::string file_path{};
    std::string content{}; ///< well-formed UTF-8
    Tongue tongue = Tongue::en;
    Position position{};              ///< of a suggestion
    std::optional<Checked> checked{}; ///< of an analysis that is to be deep
};

/// The `analysis` object of PROTOCOL.md. A budget that is spent before there is a tree gives
/// `success` false with what can be counted without one.
std::string analyse(const Language& language, const Asked& asked, Budget budget = Budget());

/// The `suggestions` list.
std::string suggest(const Language& language, const Asked& asked, Budget budget = Budget());

/// The same of a document that is there already.
std::string analysis_of(const Document& document, Tongue tongue, Clock::time_point begin,
                        Budget& budget, const Checked* checked = nullptr);
std::string suggestions_of(const Document& document, Position position, Tongue tongue,
                           Budget& budget);

/// The `analysis` of a source that took too long.
std::string without_tree(const Language& language, std::string_view content);

} // namespace cloister::analyst
