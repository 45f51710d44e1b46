// What the front asks of a worker, as JSON, one request after the other about one document: first
// its whole text, then, while it is kept, what was edited in it since. Whether the text is the one
// that the front means is for the worker to check, between take() and answer().
#pragma once

#include "daemon/analyst/engine/analysis.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::analyst {

class Reader {
public:
    explicit Reader(const Languages& languages) : languages_(languages) {}

    /// Brings the document up to a request: parses it, or parses again what was edited. False when
    /// that cannot be: then answer() says why, and no edit can follow. Never throws.
    bool take(std::string_view request);
    /// The document's text as it is now; empty when there is none.
    std::string_view text() const;
    /// To what was taken last; called once. Never throws; what cannot be read is answered by an
    /// object with `error`.
    std::string answer();
    /// Whether an edit may follow: there is a document, and it is known as a whole.
    bool can_follow() const { return document_ != nullptr && is_whole_; }

private:
    bool take_request(std::string_view request);

    const Languages& languages_;
    std::unique_ptr<Document> document_{};
    bool is_whole_ = false;
    bool is_analysis_ = true;
    Asked asked_{}; ///< without its content
    std::string error_{};
    Clock::time_point begin_{};
    std::optional<Budget> budget_{};
};

/// One request with a whole text, and its answer.
std::string answer(const Languages& languages, std::string_view request);

} // namespace cloister::analyst
