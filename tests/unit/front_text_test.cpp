// Promises of the small texts: UTF-8 repair and validation, base64, JSON writing, the token bucket.
#include "daemon/front/rate.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <catch2/catch.hpp>

using namespace cloister::front;

namespace {

/// Repairs `bytes` fed in pieces of `size`.
std::string in_pieces(const std::string& bytes, std::size_t size) {
    Utf8Repair repair;
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += size)
        repair.feed(std::string_view(bytes).substr(i, size), out);
    repair.finish(out);
    return out;
}

const std::string kBad = "\xEF\xBF\xBD";

} // namespace

TEST_CASE("well-formed text passes validation and ill-formed text does not", "[front]") {
    for (const char* good : {"", "abc", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                             "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        CHECK(is_utf8(good));
    }
    for (const char* bad :
         {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xEF\xBF",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3z"}) {
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("repair replaces each ill-formed part once, as browsers do", "[front]") {
    CHECK(repaired("\xFF") == kBad);
    CHECK(repaired("a\xC3z") == "a" + kBad + "z");
    CHECK(repaired("\xE2\x82") == kBad);
    CHECK(repaired("\xF0\x9F\x98") == kBad);
    CHECK(repaired("\xC0\xAF") == kBad + kBad);
    CHECK(repaired("\xED\xA0\x80") == kBad + kBad + kBad);
    CHECK(repaired("\xF0\x9F\x98X") == kBad + "X");
    CHECK(repaired("\xE2\x82\xE2\x82\xAC") == kBad + "\xE2\x82\xAC");
    CHECK(repaired(std::string_view("\0a", 2)) == std::string_view("\0a", 2));
}

TEST_CASE("repair does not depend on where reads cut the stream", "[front]") {
    std::string bytes = "plain \xED\x95\x9C\xEA\xB8\x80 \xF0\x9F\x98\x80 \xFF\xC3 \xE2\x82 "
                        "\xF4\x90\x80\x80 end\xF0\x9F";
    // Every pair and triple of interesting bytes as well.
    for (const char a : {'\x41', '\x80', '\xC3', '\xE0', '\xED', '\xF0', '\xF4', '\xFF'}) {
        for (const char b : {'\x41', '\x80', '\x90', '\xA0', '\xBF', '\xC3'}) {
            bytes += a;
            bytes += b;
            bytes += '\x82';
        }
    }
    const std::string whole = repaired(bytes);
    CHECK(is_utf8(whole));
    for (std::size_t size = 1; size < 9; ++size) CHECK(in_pieces(bytes, size) == whole);
}

TEST_CASE("a character cut off by the stream's end is one replacement", "[front]") {
    Utf8Repair repair;
    std::string out;
    repair.feed("ok\xE2\x82", out);
    CHECK(out == "ok");
    repair.finish(out);
    CHECK(out == "ok" + kBad);
    repair.finish(out);
    CHECK(out == "ok" + kBad);
}

TEST_CASE("base64 goes there and back, and one value has one spelling", "[front]") {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes.push_back(static_cast<char>(i));
        CHECK(from_base64(to_base64(bytes)) == bytes);
    }
    CHECK(to_base64("") == "");
    CHECK(to_base64("f") == "Zg==");
    CHECK(to_base64("foobar") == "Zm9vYmFy");
    for (const char* bad :
         {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-"}) {
        CHECK_FALSE(from_base64(bad).has_value());
    }
}

TEST_CASE("JSON texts escape what they must and keep the order of fields", "[front]") {
    JsonObject object;
    object.text("a", "q\" b\\ n\n t\t c\x01 \xED\x95\x9C")
        .number("b", -3)
        .flag("c", true)
        .none("d");
    CHECK(object.seconds("e", std::chrono::milliseconds(50)).close() ==
          R"({"a":"q\" b\\ n\n t\t c\u0001 )"
          "\xED\x95\x9C"
          R"(","b":-3,"c":true,"d":null,"e":0.05})");
    CHECK(JsonObject().seconds("s", std::chrono::seconds(3)).close() == R"({"s":3.0})");
    CHECK(JsonObject().seconds("s", std::chrono::nanoseconds(-5)).close() == R"({"s":0.0})");
    CHECK(JsonObject().close() == "{}");
}

TEST_CASE("sizes and times read well", "[front]") {
    CHECK(readable_bytes(128 * 1024 * 1024) == "128 MiB");
    CHECK(readable_bytes(1000) == "1000 bytes");
    CHECK(readable_bytes(64 * 1024) == "64 KiB");
    CHECK(readable_seconds(std::chrono::milliseconds(250)) == "0.25 s");
    CHECK(readable_seconds(std::chrono::seconds(10)) == "10 s");
}

TEST_CASE("fresh ids differ and time stamps are UTC", "[front]") {
    CHECK(fresh_uuid() != fresh_uuid());
    CHECK(fresh_uuid().size() == 36);
    CHECK(fresh_uuid()[14] == '4');
    CHECK(timestamp().size() == 24);
    CHECK(timestamp().back() == 'Z');
}

TEST_CASE("a bucket gives its burst at once and then its rate", "[front]") {
    using namespace std::chrono_literals;
    Bucket::Time now{};
    Bucket bucket(10, 5, now);
    for (int i = 0; i < 5; ++i) CHECK(bucket.take(now));
    CHECK_FALSE(bucket.take(now));
    CHECK_FALSE(bucket.take(now + 90ms));
    CHECK(bucket.take(now + 110ms));
    CHECK_FALSE(bucket.take(now + 110ms));
    int taken = 0;
    while (bucket.take(now + 1h)) ++taken; // a long rest saves up one burst, no more
    CHECK(taken == 5);
}
