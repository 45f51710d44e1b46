// The parcel as a hostile sender would make it: every number in it a lie. The reader must refuse
// it, or stay inside of it; what it hands out is read to the last byte here.
#include "isolate/bundle.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>

#include <catch2/catch.hpp>

namespace cloister::escape {
namespace {

using isolate::BundleView;

isolate::Bundle small_bundle() {
    isolate::Bundle bundle;
    bundle.files = {{.path = "main.py", .content = "print(1)\n", .source = true},
                    {.path = "a/b.txt", .content = ""}};
    bundle.arguments = {"one", ""};
    bundle.entry = "main.py";
    bundle.main_name = "Main";
    bundle.collect = {"out.txt", "a/b"};
    bundle.collect_bytes = 1000;
    bundle.options = {"-O3", "", "-Dx"};
    return bundle;
}

/// Opens and, when that goes well, walks everything. False when something points outside. The bytes
/// lie at the very end of an allocation, so that a sanitizer sees a single one too many.
bool stays_inside(const std::string& bytes) {
    const std::unique_ptr<std::byte[]> copy(new std::byte[bytes.size() + 1]);
    std::byte* const start = copy.get() + 1;
    std::memcpy(start, bytes.data(), bytes.size());
    BundleView view;
    if (!view.open({start, bytes.size()})) return true;
    const auto* first = reinterpret_cast<const char*>(start);
    const char* const end = first + bytes.size();
    const auto is_string_inside = [&](const char* text) {
        return text >= first && text < end &&
               ::strnlen(text, static_cast<std::size_t>(end - text)) <
                   static_cast<std::size_t>(end - text);
    };
    if (view.file_count() > isolate::kMaxBundleFiles ||
        view.argument_count() > isolate::kMaxBundleArguments ||
        view.option_count() > isolate::kMaxBundleOptions ||
        view.collect_count() > isolate::kMaxBundleCollect)
        return false;
    bool inside = is_string_inside(view.entry()) && is_string_inside(view.main_name());
    for (std::size_t i = 0; i < view.file_count(); ++i) {
        const BundleView::File file = view.file(i);
        const auto* content = reinterpret_cast<const char*>(file.content.data());
        inside = inside && is_string_inside(file.path) && content >= first && content <= end &&
                 file.content.size() <= static_cast<std::size_t>(end - content);
    }
    for (std::size_t i = 0; i < view.argument_count(); ++i)
        inside = inside && is_string_inside(view.argument(i));
    for (std::size_t i = 0; i < view.option_count(); ++i)
        inside = inside && is_string_inside(view.option(i));
    for (std::size_t i = 0; i < view.collect_count(); ++i)
        inside = inside && is_string_inside(view.collect(i));
    return inside;
}

} // namespace

TEST_CASE("an honest parcel is read as it was packed", "[escape][bundle]") {
    const std::string bytes = isolate::pack(small_bundle());
    BundleView view;
    REQUIRE(view.open(std::as_bytes(std::span(bytes))));
    CHECK(view.file_count() == 2);
    CHECK(std::string(view.file(0).path) == "main.py");
    CHECK(view.file(0).content.size() == 9);
    CHECK(std::string(view.argument(0)) == "one");
    CHECK(view.collect_count() == 2);
    CHECK(std::string(view.collect(1)) == "a/b");
    CHECK(view.collect_bytes() == 1000);
    CHECK(stays_inside(bytes));
}

TEST_CASE("a parcel with any number of it replaced never reaches outside itself",
          "[escape][bundle]") {
    const std::string honest = isolate::pack(small_bundle());
    const auto size = static_cast<std::uint32_t>(honest.size());
    const std::uint32_t lies[] = {0,          1,          2,         255,      256,
                                  257,        size - 1,   size,      size + 1, 0x7fffffff,
                                  0x80000000, 0xfffffff0, 0xffffffff};
    for (std::size_t at = 0; at + 4 <= honest.size(); ++at) {
        for (const std::uint32_t lie : lies) {
            std::string bytes = honest;
            std::memcpy(bytes.data() + at, &lie, sizeof lie);
            INFO(at << " " << lie);
            REQUIRE(stays_inside(bytes));
        }
    }
}

TEST_CASE("a parcel that is cut short or too long is refused", "[escape][bundle]") {
    const std::string honest = isolate::pack(small_bundle());
    BundleView view;
    for (std::size_t size = 0; size < honest.size(); ++size) {
        const std::string cut = honest.substr(0, size);
        REQUIRE_FALSE(view.open(std::as_bytes(std::span(cut))));
    }
    const std::string longer = honest + std::string(1, '\0');
    CHECK_FALSE(view.open(std::as_bytes(std::span(longer))));
    const std::string last_byte_set = honest.substr(0, honest.size() - 1) + "x";
    CHECK_FALSE(view.open(std::as_bytes(std::span(last_byte_set))));
}

TEST_CASE("thousands of random parcels stay inside themselves", "[escape][bundle]") {
    std::mt19937 random(20'240'601);
    const std::string honest = isolate::pack(small_bundle());
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = honest;
        for (auto changes = random() % 6; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        REQUIRE(stays_inside(bytes));
    }
}

TEST_CASE("a parcel beyond its bounds is not packed", "[escape][bundle]") {
    isolate::Bundle many = small_bundle();
    many.files.assign(isolate::kMaxBundleFiles + 1, {.path = "x", .content = ""});
    CHECK_THROWS(isolate::pack(many));
    isolate::Bundle talkative = small_bundle();
    talkative.arguments.assign(isolate::kMaxBundleArguments + 1, "x");
    CHECK_THROWS(isolate::pack(talkative));
    isolate::Bundle particular = small_bundle();
    particular.options.assign(isolate::kMaxBundleOptions + 1, "x");
    CHECK_THROWS(isolate::pack(particular));
    isolate::Bundle curious = small_bundle();
    curious.collect.assign(isolate::kMaxBundleCollect + 1, "x");
    CHECK_THROWS(isolate::pack(curious));
    isolate::Bundle heavy = small_bundle();
    heavy.files[0].content.assign(isolate::kMaxBundleBytes, 'x');
    CHECK_THROWS(isolate::pack(heavy));
    isolate::Bundle deep = small_bundle();
    deep.files[0].path.assign(isolate::kMaxBundlePath + 1, 'x');
    CHECK_THROWS(isolate::pack(deep));
}

} // namespace cloister::escape
