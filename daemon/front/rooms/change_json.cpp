// The JSON form of change sets. What CodeMirror would not print is refused rather than guessed at:
// a change set that two sides read differently is two documents.
#include "daemon/front/rooms/change_set.h"
#include "daemon/front/rooms/text16.h"

#include <charconv>

#include <nlohmann/json.hpp>

namespace cloister::rooms {
namespace {

using nlohmann::json;

Refusal bad(std::size_t part, const std::string& why) {
    return {"bad_update", "changes[" + std::to_string(part) + "]: " + why};
}

/// The length that `value` tells, or -1.
std::int64_t length_in(const json& value, const ChangeBounds& bounds) {
    const auto* number = value.get_ptr<const json::number_unsigned_t*>();
    if (number == nullptr || *number > bounds.length) return -1;
    return static_cast<std::int64_t>(*number);
}

void append_number(std::string& out, std::int32_t number) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

/// One inserted line. Only what JSON itself forbids is escaped.
void append_line(std::string& out, std::u16string_view line) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char16_t unit = line[i];
        if (unit >= 0x20 && unit != u'"' && unit != u'\\') continue;
        append_utf8(out, line.substr(plain, i - plain));
        plain = i + 1;
        out.push_back('\\');
        switch (unit) {
        case u'"': out.push_back('"'); break;
        case u'\\': out.push_back('\\'); break;
        case u'\b': out.push_back('b'); break;
        case u'\f': out.push_back('f'); break;
        case u'\t': out.push_back('t'); break;
        default:
            out += "u00";
            out.push_back(kHex[unit >> 4]);
            out.push_back(kHex[unit & 15]);
        }
    }
    append_utf8(out, line.substr(plain));
    out.push_back('"');
}

} // namespace

std::variant<ChangeSet, Refusal> parse_changes(const json& value, const ChangeBounds& bounds) {
    if (!value.is_array()) return Refusal{"bad_update", "changes must be a list."};
    if (value.size() > bounds.sections)
        return Refusal{"bad_update",
                       "changes has more than " + std::to_string(bounds.sections) + " parts."};
    ChangeSet out;
    std::u16string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const json& part = value[i];
        const bool is_kept = !part.is_array();
        if (!is_kept && part.empty()) return bad(i, "a list begins with the length to delete.");
        const std::int64_t length = length_in(is_kept ? part : part[0], bounds);
        if (length < 0)
            return bad(i, "a length is a whole number from 0 to " + std::to_string(bounds.length) +
                              ".");
        Section section{static_cast<std::int32_t>(length), Section::kKept};
        text.clear();
        if (!is_kept) {
            for (std::size_t line = 1; line < part.size(); ++line) {
                const auto* utf8 = part[line].get_ptr<const json::string_t*>();
                if (utf8 == nullptr) return bad(i, "an inserted line is a string.");
                if (utf8->find_first_of("\r\n") != std::string::npos)
                    return bad(i, "a line holds no line break: lines are separate strings.");
                if (line > 1) text.push_back(u'\n');
                text += from_utf8(*utf8);
            }
            if (text.size() > bounds.length)
                return bad(i, "inserts more than " + std::to_string(bounds.length) + " units.");
            section.inserted = static_cast<std::int32_t>(text.size());
        }
        if (section.length == 0 && section.inserted <= 0) return bad(i, "changes nothing.");
        out.add_as_is(section, text);
        if (out.length() > bounds.length || out.new_length() > bounds.length)
            return bad(i, "goes beyond " + std::to_string(bounds.length) + " units.");
    }
    return out;
}

void append_json(std::string& out, const ChangeSet& changes) {
    out.push_back('[');
    const std::u16string_view all = changes.inserted();
    std::size_t taken = 0;
    for (std::size_t i = 0; i < changes.sections().size(); ++i) {
        const Section& section = changes.sections()[i];
        if (i > 0) out.push_back(',');
        if (section.inserted < 0) {
            append_number(out, section.length);
            continue;
        }
        out.push_back('[');
        append_number(out, section.length);
        std::u16string_view text = all.substr(taken, static_cast<std::size_t>(section.inserted));
        taken += text.size();
        for (bool more = !text.empty(); more;) {
            const std::size_t end = text.find(u'\n');
            out.push_back(',');
            append_line(out, text.substr(0, end));
            more = end != std::u16string_view::npos;
            if (more) text.remove_prefix(end + 1);
        }
        out.push_back(']');
    }
    out.push_back(']');
}

} // namespace cloister::rooms
