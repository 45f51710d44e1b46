// Promises about who may connect, and about the shape of a handshake.
#include "daemon/front/routes.h"

#include <catch2/catch.hpp>

using namespace cloister::front;

namespace {

const LocalAddress kLoopback{"127.0.0.1", 8000, true};
const LocalAddress kPublic{"192.0.2.7", 8000, false};

RequestHead good_head() {
    RequestHead head;
    head.method = "GET";
    head.target = "/api/v1/ws/demo";
    head.http_1_1 = true;
    head.local = kLoopback;
    head.fields = {{"Host", "127.0.0.1:8000"},
                   {"Upgrade", "websocket"},
                   {"Connection", "Upgrade"},
                   {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                   {"Sec-WebSocket-Version", "13"}};
    return head;
}

RequestHead with(std::string_view name, std::string_view value) {
    RequestHead head = good_head();
    std::erase_if(head.fields, [&](const auto& field) { return field.first == name; });
    head.fields.emplace_back(name, value);
    return head;
}

} // namespace

TEST_CASE("only the address that was reached, localhost and the listed names are our Host",
          "[front]") {
    Access access;
    access.hosts = {"code.example.org"};
    for (const char* good : {"127.0.0.1:8000", "localhost:8000", "LocalHost:8000", "[::1]:8000",
                             "code.example.org", "CODE.example.org"}) {
        CHECK(host_allowed(access, good, kLoopback));
    }
    for (const char* bad :
         {"", "127.0.0.1", "127.0.0.1:80", "evil.example:8000", "127.0.0.1:8000.evil.example",
          "code.example.org:8000", "localhost", "127.0.0.1.evil.example:8000"}) {
        CHECK_FALSE(host_allowed(access, bad, kLoopback));
    }
    CHECK(host_allowed(access, "192.0.2.7:8000", kPublic));
    CHECK_FALSE(host_allowed(access, "localhost:8000", kPublic));
    CHECK(host_allowed(access, "127.0.0.1", {"127.0.0.1", 80, true}));
    CHECK(host_allowed(access, "[2001:db8::1]:8000", {"2001:db8::1", 8000, false}));
}

TEST_CASE("only our own pages and the listed ones are allowed Origins", "[front]") {
    Access access;
    access.origins = {"https://code.example.org"};
    for (const char* good :
         {"http://127.0.0.1:8000", "http://localhost:8000", "https://code.example.org"}) {
        CHECK(origin_allowed(access, good, kLoopback));
    }
    for (const char* bad : {"", "null", "http://", "http://evil.example", "https://127.0.0.1:8000",
                            "http://127.0.0.1:8001", "http://code.example.org",
                            "https://code.example.org.evil.example", "http://127.0.0.1:8000/"}) {
        CHECK_FALSE(origin_allowed(access, bad, kLoopback));
    }
}

TEST_CASE("a token matches as a whole or not at all", "[front]") {
    CHECK(token_matches("0123456789abcdef", "0123456789abcdef"));
    for (const char* bad : {"", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeX",
                            "0123456789abcdef0123456789abcdef"}) {
        CHECK_FALSE(token_matches("0123456789abcdef", bad));
    }
    CHECK_FALSE(token_matches("", ""));
    CHECK(bearer_token("Bearer abc") == "abc");
    CHECK(bearer_token("bearer  abc ") == "abc");
    CHECK(bearer_token("Basic abc").empty());
    CHECK(bearer_token("Bearer").empty());
    const Subprotocols offered = read_subprotocols("cloister.v2 , bearer.secret,bearer.other");
    CHECK(offered.cloister);
    CHECK(offered.token == "secret");
    CHECK_FALSE(read_subprotocols("cloister.v3").cloister);
}

TEST_CASE("a key is sixteen bytes in base64", "[front]") {
    CHECK(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
    for (const char* bad :
         {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "AAAAAAAAAAAAAAAAAAAAAAAA",
          "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j!Q=="}) {
        CHECK_FALSE(is_websocket_key(bad));
    }
}

TEST_CASE("connection ids are short and plain", "[front]") {
    CHECK(is_connection_id("aZ09_-"));
    CHECK(is_connection_id(std::string(64, 'a')));
    for (const std::string& bad :
         {std::string(), std::string(65, 'a'), std::string("a/b"), std::string("a b"),
          std::string("\xC3\xA4"), std::string("a%41")}) {
        CHECK_FALSE(is_connection_id(bad));
    }
}

TEST_CASE("each broken part of a handshake has its answer", "[front]") {
    Access access;
    CHECK(check_handshake(good_head(), access).granted);
    const auto status = [&](const RequestHead& head) {
        const Handshake handshake = check_handshake(head, access);
        return handshake.granted ? 101U : handshake.refusal.status;
    };
    CHECK(status(with("Host", "evil.example:8000")) == 403);
    CHECK(status(with("Origin", "http://evil.example")) == 403);
    CHECK(status(with("Origin", "http://127.0.0.1:8000")) == 101);
    CHECK(status(with("Connection", "close")) == 400);
    CHECK(status(with("Connection", "keep-alive, upgrade")) == 101);
    CHECK(status(with("Sec-WebSocket-Version", "8")) == 426);
    CHECK(status(with("Sec-WebSocket-Key", "short")) == 400);
    for (const char* twice : {"Host", "Sec-WebSocket-Key"}) {
        RequestHead head = good_head();
        head.fields.emplace_back(twice, head.only(twice));
        CHECK(status(head) == 400);
    }
    RequestHead head = good_head();
    head.http_1_1 = false;
    CHECK(status(head) == 400);
    head = good_head();
    head.method = "POST";
    CHECK(status(head) == 405);
    head = good_head();
    head.has_body = true;
    CHECK(status(head) == 400);
    head = good_head();
    head.fields.resize(kMaxHeaderFields + 1, {"X", "y"});
    CHECK(status(head) == 431);
    head = good_head();
    const std::string far = "/" + std::string(kMaxTarget, 'a');
    head.target = far;
    CHECK(status(head) == 414);
}

TEST_CASE("a token is asked for where one is set", "[front]") {
    Access access;
    access.token = "0123456789abcdef";
    CHECK(check_handshake(good_head(), access).refusal.status == 401);
    CHECK(
        check_handshake(with("Authorization", "Bearer 0123456789abcdeX"), access).refusal.status ==
        401);
    CHECK(check_handshake(with("Authorization", "Bearer 0123456789abcdef"), access).granted);
    const Handshake by_subprotocol = check_handshake(
        with("Sec-WebSocket-Protocol", "cloister.v2, bearer.0123456789abcdef"), access);
    CHECK(by_subprotocol.granted);
    CHECK(by_subprotocol.grant.subprotocol);
}

TEST_CASE("addresses of sockets", "[front]") {
    const Access access;
    const auto grant = [&](std::string_view target) {
        RequestHead head = good_head();
        head.target = target;
        return check_handshake(head, access);
    };
    CHECK(grant("/api/v1/ws/demo").grant.connection_id.empty());
    CHECK(grant("/api/v1/ws/mine?x=1").grant.connection_id == "mine");
    CHECK(grant("/api/v1/ws/room/r_1").grant.room_id == "r_1");
    for (const char* nowhere : {"/", "/api/v1/ws/", "/api/v1/ws/a/b", "/api/v1/ws/room/",
                                "/api/v1/ws/a%2Fb", "/api/v2/ws/demo"}) {
        CHECK(grant(nowhere).refusal.status == 404);
    }
}

TEST_CASE("HTTP answers: the page, health, languages, and nothing else", "[front]") {
    const Access access;
    Facts facts;
    facts.access = &access;
    facts.ready = true;
    facts.runtimes_json = "[]";
    const auto ask = [&](std::string_view target, std::string_view method = "GET") {
        RequestHead head = good_head();
        head.target = target;
        head.method = method;
        return route(head, facts);
    };
    CHECK(ask("/healthz").status == 200);
    CHECK(ask("/readyz").status == 200);
    CHECK(ask("/api/v1/runtimes").body == R"({"runtimes":[]})");
    facts.boxes = cloister::wire::StatusReply{.boxes = 8, .running = 1, .prepared = 4, .warm = 2};
    CHECK(ask("/api/v1/runtimes").body ==
          R"({"runtimes":[],"boxes":{"total":8,"running":1,"prepared":4,"warm":2}})");
    CHECK(ask("/api/v1/ws/demo").status == 200);
    CHECK(ask("/api/v1/ws/room/abc").status == 200);
    CHECK(ask("/api/v1/ws/abc").status == 404);
    CHECK(ask("/", "DELETE").status == 405);
    CHECK(ask("/other").status == 404);
    facts.health.unready = "No box can be made.";
    CHECK(ask("/readyz").status == 503);
    CHECK(ask("/healthz").status == 200);
    facts.health.unhealthy = "The keeper has not answered.";
    CHECK(ask("/healthz").status == 503);
    CHECK(ask("/healthz").body.find("keeper") != std::string::npos);
    facts.health = {};
    facts.ready = false;
    CHECK(ask("/readyz").status == 503);
    RequestHead head = good_head();
    head.fields.front().second = "evil.example:8000";
    CHECK(route(head, facts).status == 403);
}

TEST_CASE("metrics are for those who have the token, where there is one", "[front]") {
    Access access;
    Facts facts;
    facts.access = &access;
    facts.report = "cloister_ready 1\n";
    RequestHead head = good_head();
    head.target = "/metrics";
    CHECK(asks_for_boxes(head));
    CHECK(route(head, facts).body == "cloister_ready 1\n");
    CHECK(route(head, facts).type == "text/plain; version=0.0.4; charset=utf-8");
    access.token = "0123456789abcdef";
    CHECK(route(head, facts).status == 401);
    CHECK(route(head, facts).body.find("cloister_ready") == std::string::npos);
    head.fields.emplace_back("Authorization", "Bearer 0123456789abcdef");
    CHECK(route(head, facts).body == "cloister_ready 1\n");
}
