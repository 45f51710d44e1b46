// Reading with the checksum held against what was read.
#include "daemon/front/store/rows.h"

#include "daemon/front/store/records.h"

namespace cloister::store {

std::uint32_t check_of_room(std::string_view name, std::int64_t used_ms, std::string_view owner) {
    // Rows from before there were owners have none.
    return owner.empty() ? check_of(name, used_ms) : check_of(name, used_ms, owner);
}

std::uint32_t check_of_file(std::int64_t room, std::string_view path, std::string_view epoch,
                            std::string_view eol) {
    return check_of(room, path, epoch, eol);
}

std::uint32_t check_of_text(std::int64_t file, std::uint64_t version, std::string_view content,
                            std::uint64_t total) {
    return check_of(file, version, content, total);
}

std::uint32_t check_of_update(std::int64_t file, std::uint64_t version, std::string_view client,
                              std::uint64_t seq, std::int64_t at_ms, std::string_view changes) {
    return check_of(file, version, client, seq, at_ms, changes);
}

std::uint32_t check_of_seq(std::int64_t file, std::string_view client, std::uint64_t seq,
                           std::uint64_t version) {
    return check_of(file, client, seq, version);
}

std::uint32_t check_of_line(std::int64_t room, const rooms::ChatLine& line) {
    const rooms::Person& from = line.from;
    return check_of(room, line.message_id, std::string_view(from.connection_id),
                    std::string_view(from.client_id), std::string_view(from.user_id),
                    std::string_view(from.name), from.color, static_cast<int>(from.role),
                    std::string_view(line.text), std::int64_t{line.at.count()});
}

std::optional<std::u16string> read_text_row(const Query& query, std::int64_t file, int first) {
    const std::string_view content = query.blob(first + 1);
    if (query.number(first + 3) !=
        check_of_text(file, query.count(first), content, query.count(first + 2)))
        return std::nullopt;
    return unpacked_text(content);
}

std::optional<rooms::Update> read_update_row(const Query& query, std::int64_t file, int first) {
    const std::string_view client = query.text(first + 1);
    const std::uint64_t seq = query.count(first + 2);
    const std::int64_t at_ms = query.number(first + 3);
    const std::string_view bytes = query.blob(first + 4);
    if (query.number(first + 5) !=
        check_of_update(file, query.count(first), client, seq, at_ms, bytes))
        return std::nullopt;
    auto changes = unpacked_changes(bytes);
    if (!changes) return std::nullopt;
    return rooms::Update{std::string(client), seq, *std::move(changes), rooms::Time(at_ms)};
}

bool is_right_seq_row(const Query& query, std::int64_t file, int first) {
    return query.number(first + 3) ==
           check_of_seq(file, query.text(first), query.count(first + 1), query.count(first + 2));
}

std::optional<rooms::ChatLine> read_chat_row(const Query& query, std::int64_t room, int first) {
    rooms::ChatLine line;
    line.message_id = query.count(first);
    rooms::Person& from = line.from;
    from.connection_id = query.text(first + 1);
    from.client_id = query.text(first + 2);
    from.user_id = query.text(first + 3);
    from.name = query.text(first + 4);
    from.color = static_cast<int>(query.number(first + 5));
    const std::int64_t role = query.number(first + 6);
    if (role < 0 || role > static_cast<int>(rooms::Role::viewer)) return std::nullopt;
    from.role = static_cast<rooms::Role>(role);
    line.text = query.text(first + 7);
    line.at = rooms::Time(query.number(first + 8));
    if (query.number(first + 9) != check_of_line(room, line)) return std::nullopt;
    return line;
}

} // namespace cloister::store
