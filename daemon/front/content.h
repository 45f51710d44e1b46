// What a browser accepts and what it has already: the negotiation of RFC 9110 for files that have
// more than one form. Pure.
#pragma once

#include <string_view>

namespace cloister::front {

enum class Coding { identity, gzip, brotli };

/// The name in Content-Encoding; empty for `identity`.
std::string_view name_of(Coding coding);

/// Whether `accept_encoding` (all values of the field, joined by commas) takes that coding. Nobody
/// is refused the plain form, which needs no decoding.
bool accepts(std::string_view accept_encoding, Coding coding);

/// Whether `if_none_match` names `etag`, quotes included. Weakly compared, as the field is.
bool is_known(std::string_view if_none_match, std::string_view etag);

} // namespace cloister::front
