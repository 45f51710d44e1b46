// The rows whose reading and whose checksums several files share. `first`: the column where the row
// begins in the query. What is absent is not as it was written.
#pragma once

#include "daemon/front/rooms/document.h"
#include "daemon/front/rooms/events.h"
#include "daemon/front/store/sqlite.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::store {

std::uint32_t check_of_room(std::string_view name, std::int64_t used_ms, std::string_view owner);
std::uint32_t check_of_file(std::int64_t room, std::string_view path, std::string_view epoch,
                            std::string_view eol);
std::uint32_t check_of_text(std::int64_t file, std::uint64_t version, std::string_view content,
                            std::uint64_t total);
std::uint32_t check_of_update(std::int64_t file, std::uint64_t version, std::string_view client,
                              std::uint64_t seq, std::int64_t at_ms, std::string_view changes);
std::uint32_t check_of_seq(std::int64_t file, std::string_view client, std::uint64_t seq,
                           std::uint64_t version);
std::uint32_t check_of_line(std::int64_t room, const rooms::ChatLine& line);

/// version, content, total, checksum
std::optional<std::u16string> read_text_row(const Query& query, std::int64_t file, int first);
/// version, client, seq, at_ms, changes, checksum
std::optional<rooms::Update> read_update_row(const Query& query, std::int64_t file, int first);
/// client, seq, version, checksum
bool is_right_seq_row(const Query& query, std::int64_t file, int first);
/// message, connection, client, user, name, color, role, words, at_ms, checksum
std::optional<rooms::ChatLine> read_chat_row(const Query& query, std::int64_t room, int first);

} // namespace cloister::store
