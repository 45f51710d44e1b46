// Promises of what waits for a client that reads slowly.
#include "daemon/front/send_queue.h"

#include <catch2/catch.hpp>

using namespace cloister::front;

namespace {

MessagePtr sized(std::size_t bytes, const std::string& topic = {}) {
    return std::make_shared<const Message>(Message{std::string(bytes, 'x'), topic});
}

} // namespace

TEST_CASE("a full queue first loses what is out of date, then its reader", "[front][rooms]") {
    SendQueue queue(1'000'000, 10);
    CHECK(queue.push(sized(1), false)); // under way
    const MessagePtr newest = sized(3, "cursor of ann");
    CHECK(queue.push(sized(2, "cursor of ann"), false));
    CHECK(queue.push(sized(2, "cursor of bob"), false));
    CHECK(queue.push(newest, false));
    for (int i = 0; i < 6; ++i) CHECK(queue.push(sized(10), false));
    CHECK(queue.size() == 10);
    CHECK(queue.push(sized(11), false)); // in the place of Ann's old cursor
    CHECK(queue.size() == 10);
    CHECK(queue.push(sized(5, "cursor of cay"), false)); // lost, and nobody is closed for it
    CHECK(queue.size() == 10);
    CHECK_FALSE(queue.push(sized(12), false));
    queue.pop();
    CHECK(queue.front().size() == 2);
    queue.pop();
    CHECK(queue.front() == newest->text);
}

TEST_CASE("bytes bound a queue, but one message always fits", "[front][rooms]") {
    SendQueue queue(1'000, 100);
    CHECK(queue.push(sized(5'000), false));
    CHECK_FALSE(queue.push(sized(1), false));
    queue.pop();
    CHECK(queue.is_empty());
    CHECK(queue.is_light());
    CHECK(queue.push(sized(600), false));
    CHECK(queue.is_heavy());
}

TEST_CASE("a large answer does not count against the one who asked", "[front][rooms]") {
    SendQueue queue(1'000, 3);
    for (int i = 0; i < 64; ++i) CHECK(queue.push(sized(60'000), true));
    CHECK(queue.is_stuffed());
    CHECK_FALSE(queue.is_heavy());
    CHECK(queue.push(sized(100), false));
    queue.drop_rest();
    CHECK(queue.size() == 1);
    queue.pop();
    CHECK_FALSE(queue.is_stuffed());
}

TEST_CASE("what is under way stays in its place", "[front][rooms]") {
    SendQueue queue(1'000, 2);
    CHECK(queue.push(sized(1, "cursor"), false));
    CHECK(queue.push(sized(2, "cursor"), false));
    CHECK(queue.push(sized(3, "cursor"), false)); // of the waiting ones, the newest is kept
    CHECK(queue.front().size() == 1);
    CHECK(queue.size() == 2);
}
