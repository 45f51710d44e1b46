// Promises of text in UTF-16 units: what is no text is repaired, line breaks are one, hashes are
// CRC-32C of the text in UTF-8.
#include "daemon/front/rooms/text16.h"

#include <catch2/catch.hpp>

using namespace cloister::rooms;

TEST_CASE("text goes to UTF-16 and back unchanged", "[rooms]") {
    const std::string text = std::string("plain é 한글 \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF\n\t") +
                             std::string(1, '\0') + "end";
    CHECK(to_utf8(from_utf8(text)) == text);
    CHECK(utf8_size(from_utf8(text)) == text.size());
    CHECK(from_utf8("\xF0\x9F\x98\x80") == u"😀");
    CHECK(from_utf8("\xF0\x9F\x98\x80").size() == 2);
}

TEST_CASE("each ill-formed part becomes one replacement character", "[rooms]") {
    CHECK(from_utf8("a\xFF"
                    "b") == u"a\uFFFDb");
    CHECK(from_utf8("\xE2\x82") == u"\uFFFD");
    CHECK(from_utf8("\xED\xA0\x80") == u"\uFFFD\uFFFD\uFFFD");
    CHECK(from_utf8("\xF0\x9F\x98"
                    "x") == u"\uFFFDx");
    CHECK(from_utf8("\xC0\xAF") == u"\uFFFD\uFFFD");
    const std::u16string lone{u'a', char16_t{0xD83D}, u'b', char16_t{0xDE00}};
    CHECK(to_utf8(lone) == "a\xEF\xBF\xBD"
                           "b\xEF\xBF\xBD");
    CHECK(utf8_size(lone) == 8);
}

TEST_CASE("every line break becomes one, and the file's own is remembered", "[rooms]") {
    CHECK(ingest("a\r\nb\rc\nd\r\n").text == u"a\nb\nc\nd\n");
    CHECK(ingest("a\r\nb\n").eol == "\r\n");
    CHECK(ingest("a\nb\r\n").eol == "\n");
    CHECK(ingest("a\rb\r\n").eol == "\n");
    CHECK(ingest("no break").eol == "\n");
    CHECK(ingest("\r\r\n\r").text == u"\n\n\n");
}

TEST_CASE("the middle of a pair is no place between characters", "[rooms]") {
    const std::u16string text = u"a😀b";
    CHECK_FALSE(is_inside_pair(text, 0));
    CHECK_FALSE(is_inside_pair(text, 1));
    CHECK(is_inside_pair(text, 2));
    CHECK_FALSE(is_inside_pair(text, 3));
    CHECK_FALSE(is_inside_pair(text, 4));
}

TEST_CASE("hashes are CRC-32C of the text in UTF-8", "[rooms]") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xE3069283); // the check value of the polynomial's definition
    CHECK(crc32c("6789", crc32c("12345")) == crc32c("123456789"));
    CHECK(hash_name(hash_of(u"123456789")) == "crc32c:e3069283");
    // Longer than a piece, with a character across every border that a piece could have.
    std::u16string text = u"x";
    for (int i = 0; i < 5000; ++i) text += u"😀한";
    CHECK(hash_of(text) == crc32c(to_utf8(text)));
}
