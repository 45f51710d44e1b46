// One look at one sequence (`look`) serves validation and repair alike.
#include "daemon/front/utf8.h"

namespace cloister::front {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD

struct Look {
    enum class State { valid, invalid, unfinished } state;
    std::size_t length; ///< of the sequence, or of its longest well-formed beginning (at least 1)
};

/// Judges the sequence at the start of `bytes`, which is not empty. Unicode 15, table 3-7.
Look look(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned first = at(0);
    if (first < 0x80) return {Look::State::valid, 1};
    std::size_t more = 0;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        more = 1;
    } else if (first >= 0xE0 && first <= 0xEF) {
        more = 2;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        more = 3;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return {Look::State::invalid, 1};
    }
    for (std::size_t i = 1; i <= more; ++i) {
        if (i >= bytes.size()) return {Look::State::unfinished, i};
        if (at(i) < low || at(i) > high) return {Look::State::invalid, i};
        low = 0x80;
        high = 0xBF;
    }
    return {Look::State::valid, more + 1};
}

} // namespace

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const Look seen = look(bytes);
        if (seen.state != Look::State::valid) return false;
        bytes.remove_prefix(seen.length);
    }
    return true;
}

void Utf8Repair::feed(std::string_view bytes, std::string& out) {
    while (held_count_ > 0 && !bytes.empty()) {
        held_[held_count_] = bytes.front();
        const Look seen = look(std::string_view(held_.data(), held_count_ + 1));
        if (seen.state == Look::State::invalid) {
            out += kReplacement; // the new byte begins something else and is looked at again
            held_count_ = 0;
            break;
        }
        bytes.remove_prefix(1);
        ++held_count_;
        if (seen.state == Look::State::valid) {
            out.append(held_.data(), held_count_);
            held_count_ = 0;
        }
    }
    std::size_t good = 0; // bytes at the front that are known to be well-formed
    while (good < bytes.size()) {
        const std::string_view rest = bytes.substr(good);
        const Look seen = look(rest);
        if (seen.state == Look::State::valid) {
            good += seen.length;
            continue;
        }
        out.append(bytes.substr(0, good));
        bytes.remove_prefix(good + seen.length);
        good = 0;
        if (seen.state == Look::State::invalid) {
            out += kReplacement;
        } else {
            held_count_ = rest.copy(held_.data(), seen.length);
        }
    }
    out.append(bytes.substr(0, good));
}

void Utf8Repair::finish(std::string& out) {
    if (held_count_ > 0) out += kReplacement;
    held_count_ = 0;
}

std::string repaired(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    Utf8Repair repair;
    repair.feed(bytes, out);
    repair.finish(out);
    return out;
}

} // namespace cloister::front
