// Promises of kept submissions: what was written comes back, is bounded, expires, and what another
// process left under way is ended.
#include "tests/unit/store_fixture.h"

#include <sqlite3.h>

using namespace store_test;
using store::Limits;
using store::SavedSubmission;

namespace {

SavedSubmission made(const std::string& id, std::int64_t at) {
    SavedSubmission one;
    one.id = id;
    one.kind = "execute";
    one.digest = "digest of " + id;
    one.state = "done";
    one.text = R"({"output":")" + std::string(100, 'x') + "\"}";
    one.last_event = 7;
    one.created = Time(at);
    one.ended = Time(at + 5);
    one.expires = Time(at + 1'000);
    return one;
}

} // namespace

TEST_CASE("a submission comes back as it was written, after a restart, too", "[store]") {
    Folder folder;
    SavedSubmission one = made("one", 1'000);
    one.key = "";
    const SavedSubmission two = made("two", 2'000);
    {
        Store store(folder.file(), {});
        store.keep(one);
        store.keep(two);
        one.state = "failed";
        one.text = "{}";
        store.keep(one);
        CHECK(store.submission_count() == 2);
    }
    Store store(folder.file(), {});
    CHECK(store.find_submission("one") == one);
    CHECK(store.find_submission("two") == two);
    CHECK(store.find_submission_by_key("") == one);
    CHECK_FALSE(store.find_submission("three"));
    CHECK_FALSE(store.find_submission_by_key("key"));
    CHECK(store.submission_count() == 2);
}

TEST_CASE("the oldest ended submissions make room, those under way do not", "[store]") {
    Folder folder;
    Limits limits;
    limits.submissions = 3;
    limits.submissions_bytes = 1'000;
    Store store(folder.file(), limits);
    SavedSubmission open = made("open", 1);
    open.ended = open.expires = {};
    open.text.clear();
    store.keep(open);
    for (int i = 0; i < 10; ++i) store.keep(made("n" + std::to_string(i), 10 + i));
    CHECK(store.submission_count() == 3);
    CHECK(store.find_submission("open"));
    CHECK(store.find_submission("n9"));
    CHECK(store.find_submission("n8"));
    CHECK_FALSE(store.find_submission("n7"));
    SavedSubmission large = made("large", 30);
    large.text = std::string(950, 'y');
    store.keep(large);
    CHECK(store.submission_count() == 2);
    large.text = std::string(1'001, 'y');
    large.id = "larger";
    CHECK_THROWS_AS(store.keep(large), StoreError);
    CHECK(store.submission_count() == 2); // as if nothing had been tried
    CHECK(store.find_submission("large"));
}

TEST_CASE("submissions expire, and those under way end with the process", "[store]") {
    Folder folder;
    Store store(folder.file(), {});
    store.keep(made("old", 1'000));
    store.keep(made("young", 5'000));
    SavedSubmission open = made("open", 1'000);
    open.ended = open.expires = {};
    store.keep(open);
    store.expire_submissions(Time(2'000));
    CHECK_FALSE(store.find_submission("old"));
    CHECK(store.find_submission("young"));
    store.end_interrupted("gone", Time(3'000), Time(4'000));
    CHECK(store.find_submission("open")->state == "failed");
    CHECK(store.find_submission("open")->text == "gone");
    CHECK(store.find_submission("open")->last_event == 8);
    store.expire_submissions(Time(4'000));
    CHECK(store.submission_count() == 1);
}

TEST_CASE("a submission that is not as it was written is gone, and hurts nobody", "[store]") {
    Folder folder;
    SavedSubmission one = made("one", 1'000);
    one.key = "key";
    {
        Store store(folder.file(), {});
        store.keep(one);
        store.keep(made("two", 1'000));
    }
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
    CHECK(sqlite3_exec(raw, "UPDATE submissions SET text = '{\"forged\":1}' WHERE id = 'one'",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    Store store(folder.file(), {});
    CHECK_FALSE(store.find_submission_by_key("key"));
    CHECK(store.find_submission("two"));
    store.keep(one);
    CHECK(store.find_submission("one") == one);
}
