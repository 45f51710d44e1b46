// request_analysis and request_suggestion: what clients may ask of the analyst, as typed requests,
// and what they are told.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/held_documents.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front {

/// What came of the language's own checkers: what they printed, or why they did not.
struct Checked {
    enum class Problem : std::uint8_t { none, absent, busy, late, failed };
    Problem problem = Problem::none;
    int exit_code = 0;
    std::string output{}; ///< raw bytes
};

/// Which text of a document a pushed answer is about.
struct DocumentVersion {
    std::string epoch{};
    std::uint64_t version = 0;
};

struct AskAnalyst {
    enum class Kind : std::uint8_t { analysis, suggestion };
    std::optional<std::string> id{};
    Kind kind = Kind::analysis;
    std::string file_path{};
    std::string content{};
    std::string language{};       ///< as the client says it; empty: by the file's name
    std::optional<bool> korean{}; ///< `lang`; absent: as the client's hello said
    std::uint32_t line = 0;       ///< of `position`, from 0
    std::uint32_t column = 0;     ///< UTF-16 units, from 0
    bool deep = false; ///< `depth`: with the language's own checkers, where there are any
    std::optional<Checked> checked{}; ///< what they said
    /// Of a room: the document whose text this is, or nearly so. A worker may hold it.
    std::optional<RoomDocument> document{};
    /// Asked by ourselves, for those who subscribed: the answer says so, and when there is none
    /// nothing (an empty text) comes in its place.
    std::optional<DocumentVersion> pushed{};
};

/// What is wrong with a request.
struct AskFault {
    std::string code;
    std::string message;
};

/// Whether messages in this language of a client's (BCP 47) are Korean ones; else they are English.
bool is_korean(std::string_view lang);

/// Absent when `type` is neither of the two. The id is not read here.
std::optional<std::variant<AskAnalyst, AskFault>> read_ask(std::string_view type,
                                                           const nlohmann::json& message,
                                                           const config::Config& bounds);

/// The request as the analyst takes it; `language` is the runtime's id. With `edit`: of the text
/// that the worker has, instead of the whole content.
std::string to_analyst(const AskAnalyst& ask, std::string_view language,
                       const TextEdit* edit = nullptr);

/// The client's answer, made of a worker's. The worker has read a stranger's bytes and may be the
/// stranger's by now: what it says is parsed and written anew. Absent when it is no answer.
std::optional<std::string> to_client(const AskAnalyst& ask, std::string_view answer);
/// The answer when there is none from a worker: `error` says why. Only the lines are counted.
std::string without_analyst(const AskAnalyst& ask, std::string_view language,
                            std::string_view error);

} // namespace cloister::front
