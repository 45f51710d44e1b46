// Promises of change sets: what is refused and by what name, how positions and halves of characters
// are kept, and the two cases for which everybody maps one update at a time.
#include "tests/rooms/changes.h"

#include <random>

#include <catch2/catch.hpp>

using namespace cloister::rooms;

namespace {

/// Why the JSON form is refused; empty when it is not.
std::string refused(std::string_view json, const ChangeBounds& bounds = {}) {
    const auto parsed = parse_changes(nlohmann::json::parse(json), bounds);
    const auto* refusal = std::get_if<Refusal>(&parsed);
    return refusal == nullptr ? "" : refusal->code + ": " + refusal->message;
}

} // namespace

TEST_CASE("a change set prints as it was written", "[rooms]") {
    for (const char* text :
         {"[]", "[5]", "[[2]]", "[5,[2],[0,\"line\",\"line\"]]", "[[0,\"\",\"\"]]",
          "[3,[1,\"a\"],[1,\"b\"],[2]]", "[[0,\"한😀\\\"\\\\\\t\\u0001\"],4]"})
        CHECK(json_of(changes(text)) == text);
}

TEST_CASE("a change set tells the lengths before and after", "[rooms]") {
    const ChangeSet set = changes("[5,[2],[0,\"한😀\",\"x\"],1]");
    CHECK(set.length() == 8);
    CHECK(set.new_length() == 5 + 0 + 5 + 1); // two units for the emoji, one for the line break
    CHECK(applied(set, "abcdefgh") == "abcde한😀\nxh");
}

TEST_CASE("what is no change set is refused as bad_update, and the text says where", "[rooms]") {
    for (const char* text : {"{}",
                             "5",
                             "null",
                             "\"[5]\"",
                             "[-1]",
                             "[1.5]",
                             "[\"5\"]",
                             "[true]",
                             "[null]",
                             "[[]]",
                             "[[-2]]",
                             "[[\"a\"]]",
                             "[[1,2]]",
                             "[[0,\"a\\nb\"]]",
                             "[[0,\"a\\r\"]]",
                             "[[0,[\"a\"]]]",
                             "[0]",
                             "[[0]]",
                             "[[0,\"\"]]",
                             "[3,0]",
                             "[18446744073709551615]",
                             "[1e3]"}) {
        INFO(text);
        CHECK(refused(text).starts_with("bad_update: changes"));
    }
    CHECK(refused("[1,2,[0,\"a\\nb\"]]").starts_with("bad_update: changes[2]:"));
}

TEST_CASE("a change set may not go beyond its bounds", "[rooms]") {
    const ChangeBounds bounds{10, 3};
    CHECK(refused("[10]", bounds).empty());
    CHECK_FALSE(refused("[11]", bounds).empty());
    CHECK_FALSE(refused("[[6],5]", bounds).empty());
    CHECK_FALSE(refused("[[0,\"12345678901\"]]", bounds).empty());
    CHECK_FALSE(refused("[8,[0,\"123\"]]", bounds).empty());
    CHECK(refused("[[8,\"12345678\"],[0,\"ab\"]]", bounds).empty());
    CHECK_FALSE(refused("[1,[1],1,[1]]", bounds).empty());
    CHECK(refused("[1,[1],1]", bounds).empty());
}

TEST_CASE("a change that cuts a character in two is seen", "[rooms]") {
    const std::u16string text = u"a😀b"; // units: a, two halves, b
    CHECK(changes("[2,[0,\"x\"],2]").splits_pair(text));
    CHECK(changes("[2,[1],1]").splits_pair(text));
    CHECK(changes("[[2],2]").splits_pair(text));
    CHECK_FALSE(changes("[1,[2],1]").splits_pair(text));
    CHECK_FALSE(changes("[1,[0,\"x\"],3]").splits_pair(text));
    CHECK_FALSE(changes("[4,[0,\"x\"]]").splits_pair(text));
}

TEST_CASE("mapping over a composed change differs from mapping over its parts", "[rooms]") {
    SECTION("the smallest case") {
        const ChangeSet a = changes("[[0,\"x\"],1]");
        const ChangeSet b = changes("[[0,\"x\"],1]");
        const ChangeSet c = changes("[[2,\"y\"]]");
        CHECK(applied(a.map(b).map(c), "y") == "yx");
        CHECK(applied(a.map(b.compose(c)), "y") == "xy");
    }
    SECTION("one that happens to people") {
        const ChangeSet a = changes("[1,[1,\"X\"],1]");
        const ChangeSet b = changes("[[3]]");
        const ChangeSet c = changes("[[0,\"y\"]]");
        CHECK(applied(a.map(b).map(c), "y") == "yX");
        CHECK(applied(a.map(b.compose(c)), "y") == "Xy");
    }
}

TEST_CASE("two changes of one text lead to one text in either order", "[rooms]") {
    std::mt19937 random(20260101);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    std::size_t differences = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::u16string text(below(12), u'-');
        const auto one = [&](char16_t letter) {
            const std::size_t from = below(text.size() + 1);
            const std::size_t to = from + below(text.size() - from + 1);
            ChangeSet first =
                ChangeSet::replacing(text.size(), from, to, std::u16string(below(3), letter));
            if (below(2) == 0) return first;
            const std::size_t at = below(first.new_length() + 1);
            return first.compose(ChangeSet::replacing(first.new_length(), at, at, u"!"));
        };
        const ChangeSet a = one(u'a');
        const ChangeSet b = one(u'b');
        std::u16string left = text;
        a.apply_to(left);
        b.map(a).apply_to(left);
        std::u16string right = text;
        b.apply_to(right);
        a.map(b, true).apply_to(right);
        std::u16string composed = text;
        b.compose(a.map(b, true)).apply_to(composed);
        differences += left != right || composed != right;
    }
    CHECK(differences == 0);
}

TEST_CASE("a position follows the text around it", "[rooms]") {
    const ChangeSet set = changes("[2,[3,\"xy\"],1,[0,\"new\"],4]");
    CHECK(set.map_position(1) == 1);
    CHECK(set.map_position(2, Side::before) == 2);
    CHECK(set.map_position(3, Side::before) == 2);
    CHECK(set.map_position(3, Side::after) == 4);
    CHECK(set.map_position(5) == 4);
    CHECK(set.map_position(6, Side::before) == 5);
    CHECK(set.map_position(6, Side::after) == 8);
    CHECK(set.map_position(10) == 12);
    CHECK(set.map_position(1000) == 12);
}
