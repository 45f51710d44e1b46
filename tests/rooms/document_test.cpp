// Promises of a document's authority: order, nothing twice, nothing lost, all or nothing, bounds;
// and of the texts of base clients.
#include "daemon/front/rooms/base_view.h"
#include "daemon/front/rooms/document.h"
#include "tests/rooms/changes.h"

#include <catch2/catch.hpp>

using namespace cloister::rooms;

namespace {

const std::string kEpoch = "0123456789abcdef";

Document document_of(std::string_view text, const DocumentLimits& limits = {}) {
    return {kEpoch, ingest(text), limits};
}

std::variant<Pushed, Refusal> push(
    Document& document, const char* client, std::uint64_t version,
    const std::vector<std::pair<std::uint64_t, std::string>>& updates) {
    std::vector<Sent> sent;
    sent.reserve(updates.size());
    for (const auto& [seq, json] : updates) sent.push_back({seq, changes(json)});
    return document.push(client, kEpoch, version, std::move(sent), Time{1});
}

Pushed accepted(std::variant<Pushed, Refusal> result) {
    if (const auto* refusal = std::get_if<Refusal>(&result)) FAIL(refusal->message);
    return std::get<Pushed>(std::move(result));
}

std::string code(const std::variant<Pushed, Refusal>& result) {
    const auto* refusal = std::get_if<Refusal>(&result);
    return refusal == nullptr ? "" : refusal->code;
}

std::string text_of(const Document& document) { return to_utf8(document.text()); }

/// What `client` sends as a whole text is merged; the document's text afterwards.
std::string merged(Document& document, BaseView& view, std::string_view content) {
    auto result = view.merge(document, "base~", content, {}, Time{1});
    if (const auto* refusal = std::get_if<Refusal>(&result)) FAIL(refusal->message);
    return text_of(document);
}

} // namespace

TEST_CASE("updates made to one version keep both intentions", "[rooms]") {
    Document document = document_of("hello");
    CHECK(accepted(push(document, "a", 0, {{1, "[5,[0,\" world\"]]"}})).version == 1);
    const Pushed second =
        accepted(push(document, "b", 0, {{1, "[[1,\"J\"],4]"}, {2, "[5,[0,\"!\"]]"}}));
    CHECK(text_of(document) == "Jello world!");
    CHECK(second.version == 3);
    CHECK(second.count == 2);
    CHECK(second.last_seq == 2);
    CHECK(second.first_version() == 1);
    CHECK(json_of(second.updates[1]->changes) == "[11,[0,\"!\"]]");
}

TEST_CASE("an update that is sent again is not done again", "[rooms]") {
    Document document = document_of("");
    (void)accepted(push(document, "a", 0, {{1, "[[0,\"x\"]]"}}));
    (void)accepted(push(document, "b", 1, {{1, "[[0,\"-\"],1]"}}));
    SECTION("alone") {
        const Pushed again = accepted(push(document, "a", 0, {{1, "[[0,\"x\"]]"}}));
        CHECK(again.updates.empty());
        CHECK(again.count == 1);
        CHECK(again.version == 2);
        CHECK(text_of(document) == "-x");
    }
    SECTION("with a new one behind it, made before the other's was known") {
        const Pushed again =
            accepted(push(document, "a", 0, {{1, "[[0,\"x\"]]"}, {2, "[1,[0,\"y\"]]"}}));
        CHECK(again.updates.size() == 1);
        CHECK(again.last_seq == 2);
        CHECK(text_of(document) == "-xy");
    }
    SECTION("against a version that has it") {
        const Pushed again =
            accepted(push(document, "a", 2, {{1, "[[0,\"x\"]]"}, {2, "[2,[0,\"y\"]]"}}));
        CHECK(again.updates.size() == 1);
        CHECK(text_of(document) == "-xy");
    }
}

TEST_CASE("what does not fit is refused by its name and changes nothing", "[rooms]") {
    DocumentLimits limits;
    limits.doc_bytes = 12;
    limits.push_updates = 2;
    limits.push_bytes = 8;
    Document document = document_of("a😀b", limits);
    const auto refused = [&](std::uint64_t version,
                             const std::vector<std::pair<std::uint64_t, std::string>>& updates) {
        const auto result = push(document, "a", version, updates);
        CHECK(text_of(document) == "a😀b");
        CHECK(document.version() == 0);
        CHECK(document.bytes() == 6);
        return code(result);
    };
    CHECK(code(document.push("a", "fedcba9876543210", 0, {{1, changes("[4,[0,\"x\"]]")}},
                             Time{})) == "stale_epoch");
    CHECK(refused(1, {{1, "[4,[0,\"x\"]]"}}) == "version_ahead");
    CHECK(refused(0, {}) == "bad_update");
    CHECK(refused(0, {{1, "[5,[0,\"x\"]]"}}) == "bad_update");
    CHECK(refused(0, {{2, "[4,[0,\"x\"]]"}}) == "bad_update");
    CHECK(refused(0, {{0, "[4,[0,\"x\"]]"}}) == "bad_update");
    CHECK(refused(0, {{1, "[4,[0,\"x\"]]"}, {3, "[5,[0,\"x\"]]"}}) == "bad_update");
    CHECK(refused(0, {{1, "[4,[0,\"x\"]]"}, {2, "[4,[0,\"x\"]]"}}) == "bad_update");
    CHECK(refused(0, {{1, "[2,[0,\"x\"],2]"}}) == "split_surrogate");
    CHECK(refused(0, {{1, "[4,[0,\"1234567\"]]"}}) == "doc_too_large");
    CHECK(refused(0, {{1, "[4,[0,\"123456789\"]]"}}) == "too_large");
    CHECK(refused(0, {{1, "[4,[1]]"}}) == "bad_update");
    CHECK(refused(0, {{1, "[4]"}, {2, "[4]"}, {3, "[4]"}}) == "too_many_updates");
    // The first would do, the second would not: neither is done.
    CHECK(refused(0, {{1, "[[1,\"q\"],3]"}, {2, "[2,[1],1]"}}) == "split_surrogate");
}

TEST_CASE("a push may do in one what it may not do in two", "[rooms]") {
    Document document = document_of("a😀b");
    CHECK(accepted(push(document, "a", 0, {{1, "[1,[2,\"🏳\"],1]"}})).version == 1);
    CHECK(text_of(document) == "a🏳b");
}

TEST_CASE("the log is bounded, and who comes from before it is told so", "[rooms]") {
    DocumentLimits limits;
    limits.log_updates = 10;
    limits.clients = 3;
    Document document = document_of("", limits);
    for (std::uint64_t i = 0; i < 30; ++i)
        (void)accepted(
            push(document, "a", i,
                 {{i + 1, "[" + (i == 0 ? "" : std::to_string(i) + ",") + "[0,\"x\"]]"}}));
    CHECK(document.first_version() == 20);
    CHECK_FALSE(document.updates_since(19));
    CHECK_FALSE(document.updates_since(31));
    CHECK(document.updates_since(20)->size() == 10);
    CHECK(document.updates_since(30)->empty());
    CHECK(code(push(document, "b", 19, {{1, "[19]"}})) == "stale_epoch");
    CHECK(document.text_at(25) == std::u16string(25, u'x'));
    for (const char* client : {"b", "c", "d", "e"})
        (void)accepted(push(document, client, document.version(),
                            {{1, "[30,[0,\"\",\"\"]]"}, {2, "[30,[1]]"}}));
    CHECK(document.last_seq("e") == 2);
    CHECK(document.last_seq("a") == 0);
    // Whose count was forgotten cannot begin in the middle.
    CHECK(code(push(document, "a", document.version(), {{31, "[30,[0,\"x\"]]"}})) == "bad_update");
}

TEST_CASE("the log is bounded in bytes", "[rooms]") {
    DocumentLimits limits;
    limits.log_bytes = 20'000;
    Document document = document_of("", limits);
    std::size_t length = 0;
    for (std::uint64_t i = 0; i < 20; ++i, length += 1000) {
        const std::string keep = length == 0 ? "" : std::to_string(length) + ",";
        (void)accepted(push(document, "a", i,
                            {{i + 1, "[" + keep + "[0,\"" + std::string(1000, 'x') + "\"]]"}}));
    }
    CHECK(document.first_version() > 5);
    CHECK(document.version() == 20);
}

TEST_CASE("work for one push is bounded", "[rooms]") {
    DocumentLimits limits;
    limits.rebase_work = 50;
    Document document = document_of("x", limits);
    for (std::uint64_t i = 0; i < 20; ++i)
        (void)accepted(
            push(document, "a", i, {{i + 1, "[" + std::to_string(i + 1) + ",[0,\"x\"]]"}}));
    CHECK(code(push(document, "b", 0, {{1, "[1,[0,\"y\"]]"}})) == "stale_epoch");
    std::vector<std::size_t> positions(10);
    CHECK_FALSE(document.map_positions(0, positions));
    positions.resize(1);
    CHECK(document.map_positions(15, positions));
    CHECK(code(push(document, "b", 15, {{1, "[16,[0,\"y\"]]"}})).empty());
}

TEST_CASE("every so many versions the text is hashed", "[rooms]") {
    DocumentLimits limits;
    limits.hash_every = 4;
    Document document = document_of("", limits);
    for (std::uint64_t i = 0; i < 8; ++i) {
        const Pushed pushed =
            accepted(push(document, "a", i,
                          {{i + 1, "[" + (i == 0 ? "" : std::to_string(i) + ",") + "[0,\"x\"]]"}}));
        CHECK(pushed.hash.has_value() == (i % 4 == 3));
        if (pushed.hash) CHECK(*pushed.hash == crc32c(text_of(document)));
    }
}

TEST_CASE("a document that was kept goes on as if nothing had happened", "[rooms]") {
    Document document = document_of("one\r\ntwo");
    (void)accepted(push(document, "a", 0, {{1, "[7,[0,\"\",\"three\"]]"}}));
    (void)accepted(push(document, "b", 0, {{1, "[[3],4]"}}));
    auto again = Document::restore(document.saved(), DocumentLimits{});
    REQUIRE(again);
    CHECK(again->text() == document.text());
    CHECK(again->epoch() == kEpoch);
    CHECK(again->eol() == "\r\n");
    CHECK(again->version() == 2);
    CHECK(again->bytes() == document.bytes());
    CHECK(again->last_seq("a") == 1);
    CHECK(accepted(push(*again, "a", 0, {{1, "[7,[0,\"\",\"three\"]]"}, {2, "[13,[0,\"!\"]]"}}))
              .updates.size() == 1);
    CHECK(text_of(*again) == "\ntwo\nthree!");
    SavedDocument damaged = document.saved();
    damaged.text += u"x";
    CHECK_FALSE(Document::restore(damaged, DocumentLimits{}));
}

TEST_CASE("positions of an older version are found in the newest", "[rooms]") {
    Document document = document_of("hello");
    (void)accepted(push(document, "a", 0, {{1, "[[0,\">> \"],5]"}}));
    (void)accepted(push(document, "a", 1, {{2, "[3,[2],3]"}}));
    std::vector<std::size_t> positions{0, 1, 4, 99};
    CHECK(document.map_positions(0, positions));
    CHECK(positions == std::vector<std::size_t>{0, 3, 5, 6});
    CHECK_FALSE(document.map_positions(3, positions));
}

TEST_CASE("the difference of two texts is one replacement between characters", "[rooms]") {
    const auto between = [](std::u16string_view from, std::u16string_view to) {
        return json_of(difference(from, to));
    };
    CHECK(between(u"abc", u"abc") == "[3]");
    CHECK(between(u"abc", u"abXc") == "[2,[0,\"X\"],1]");
    CHECK(between(u"aaa", u"aa") == "[2,[1]]");
    CHECK(between(u"", u"x") == "[[0,\"x\"]]");
    CHECK(between(u"x", u"") == "[[1]]");
    CHECK(between(u"abab", u"ab") == "[2,[2]]");
    CHECK(between(u"😀", u"😁") == "[[2,\"😁\"]]");                            // the same first half
    CHECK(between(u"\U0001F600", u"\U0001F200") == "[[2,\"\U0001F200\"]]"); // the same second half
    CHECK(between(u"a😀b", u"a😀😀b") == "[3,[0,\"😀\"],1]");
}

TEST_CASE("a base client's text is merged with what others did meanwhile", "[rooms]") {
    Document document = document_of("hello world");
    BaseView view;
    view.sent(0, document.limits(), Time{1});
    (void)accepted(push(document, "a", 0, {{1, "[11,[0,\"!\"]]"}}));
    SECTION("that it had not seen") {
        view.sent(1, document.limits(), Time{1}); // is under way
        CHECK(merged(document, view, "Xhello world") == "Xhello world!");
    }
    SECTION("that it had seen") {
        view.sent(1, document.limits(), Time{1});
        CHECK(merged(document, view, "Xhello world!") == "Xhello world!");
        CHECK(merged(document, view, "Xhello world") == "Xhello world"); // now it is its own wish
    }
    SECTION("while it goes on typing without seeing it") {
        view.sent(1, document.limits(), Time{1});
        CHECK(merged(document, view, "ahello world") == "ahello world!");
        CHECK(merged(document, view, "abhello world") == "abhello world!");
        (void)accepted(push(document, "a", 3, {{2, "[13,[1,\"?\"]]"}}));
        view.sent(4, document.limits(), Time{1});
        CHECK(merged(document, view, "abchello world") == "abchello world?");
        // And when it has seen all of it.
        view.sent(document.version(), document.limits(), Time{1});
        CHECK(merged(document, view, "abchello world?.") == "abchello world?.");
    }
}

TEST_CASE("a base client that saw nothing replaces the text of now", "[rooms]") {
    Document document = document_of("old");
    BaseView view;
    CHECK(merged(document, view, "new\r\nlines") == "new\nlines");
    CHECK(document.version() == 1);
}

TEST_CASE("a base client may say which version it saw", "[rooms]") {
    Document document = document_of("ab");
    (void)accepted(push(document, "a", 0, {{1, "[2,[0,\"c\"]]"}}));
    BaseView view;
    CHECK(std::get<Merged>(view.merge(document, "b~", "xab", 0, Time{})).differs);
    CHECK(text_of(document) == "xabc");
    CHECK(std::get<Refusal>(view.merge(document, "b~", "x", 9, Time{})).code == "version_ahead");
}

TEST_CASE("what a base client may be looking at is bounded", "[rooms]") {
    Document document = document_of("");
    BaseView view;
    for (std::uint64_t i = 0; i < 100; ++i) {
        (void)document.append("a", ChangeSet::replacing(i, i, i, u"x"), Time{});
        view.sent(document.version(), document.limits(), Time{1});
    }
    CHECK(view.size() == document.limits().base_versions);
}
