// The page's files: which form of one is sent, what is said of it, and what the page may do.
#include "daemon/front/content.h"
#include "daemon/front/page.h"
#include "daemon/front/routes.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <set>
#include <string>

#include <catch2/catch.hpp>

using namespace cloister::front;

namespace {

RequestHead head_for(std::string_view target) {
    RequestHead head;
    head.method = "GET";
    head.target = target;
    head.http_1_1 = true;
    head.fields = {{"Host", "127.0.0.1:8000"}};
    head.local = {.text = "127.0.0.1", .port = 8000, .loopback = true};
    return head;
}

Reply answer(const RequestHead& head, const std::string& nonce = "n0nce") {
    const Access access;
    Facts facts;
    facts.access = &access;
    facts.ready = true;
    facts.nonce = nonce;
    return route(head, facts);
}

std::string field(const Reply& reply, std::string_view name) {
    std::string value;
    for (const auto& [key, text] : reply.fields) {
        if (key == name) value += text;
    }
    return value;
}

/// The largest script: compressing it is worth it whatever the page is.
const page::Asset& script() {
    const auto assets = page::assets();
    return *std::ranges::max_element(assets, {}, [](const page::Asset& asset) {
        return asset.name.ends_with(".js") ? asset.plain.size() : 0;
    });
}

Reply ask_script(std::string_view accept_encoding, std::string_view if_none_match = {}) {
    const std::string target = "/assets/" + std::string(script().name);
    RequestHead head = head_for(target);
    if (!accept_encoding.empty()) head.fields.emplace_back("Accept-Encoding", accept_encoding);
    if (!if_none_match.empty()) head.fields.emplace_back("If-None-Match", if_none_match);
    return answer(head);
}

} // namespace

TEST_CASE("what a client accepts is read as RFC 9110 says", "[front]") {
    struct Example {
        const char* field;
        bool gzip;
        bool brotli;
    };
    for (const Example& one : {
             Example{"", false, false},
             Example{"gzip", true, false},
             Example{"gzip, deflate, br, zstd", true, true},
             Example{"GZIP;Q=1.0,BR;q=0.001", true, true},
             Example{"gzip;q=0, br;q=0.0", false, false},
             Example{"gzip ; q=0.000 , br", false, true},
             Example{"*", true, true},
             Example{"*;q=0", false, false},
             Example{"br;q=0, *", true, false},
             Example{"*, gzip;q=0", false, true},
             Example{"identity", false, false},
             Example{"x-gzip", true, false},
             Example{",,;;,q=1,gzipp,bro", false, false},
         }) {
        INFO(one.field);
        CHECK(accepts(one.field, Coding::gzip) == one.gzip);
        CHECK(accepts(one.field, Coding::brotli) == one.brotli);
        CHECK(accepts(one.field, Coding::identity));
    }
}

TEST_CASE("a tag that is known is found in the list", "[front]") {
    CHECK(is_known(R"("a")", R"("a")"));
    CHECK(is_known(R"("b", W/"a" ,"c")", R"("a")"));
    CHECK(is_known("*", R"("a")"));
    CHECK_FALSE(is_known("", R"("a")"));
    CHECK_FALSE(is_known(R"("a-br")", R"("a")"));
    CHECK_FALSE(is_known("a", R"("a")"));
}

TEST_CASE("every file of the page is found by its name, and nothing else is", "[front]") {
    REQUIRE_FALSE(page::assets().empty());
    CHECK(std::ranges::is_sorted(page::assets(), {}, &page::Asset::name));
    for (const page::Asset& asset : page::assets()) {
        INFO(asset.name);
        const std::string target = "/assets/" + std::string(asset.name);
        const Reply reply = answer(head_for(target));
        CHECK(reply.status == 200);
        CHECK(reply.type == asset.type);
        CHECK(reply.content() == asset.plain);
        CHECK(answer(head_for(target + "?x")).status == 200);
        CHECK(answer(head_for(target + "x")).status == 404);
        CHECK(answer(head_for(std::string_view(target).substr(0, target.size() - 1))).status ==
              404);
    }
    for (const char* nowhere :
         {"/assets", "/assets/", "/assets/../x", "/assets/%2e", "/index.html"})
        CHECK(answer(head_for(nowhere)).status == 404);
}

TEST_CASE("the smallest form is sent that the client takes, each with a tag of its own",
          "[front]") {
    REQUIRE(script().brotli.size() < script().gzip.size());
    REQUIRE(script().gzip.size() < script().plain.size());
    const Reply plain = ask_script("");
    CHECK(plain.content() == script().plain);
    CHECK(field(plain, "Content-Encoding").empty());
    const Reply gzip = ask_script("gzip, deflate");
    CHECK(gzip.content() == script().gzip);
    CHECK(field(gzip, "Content-Encoding") == "gzip");
    const Reply brotli = ask_script("gzip, deflate, br");
    CHECK(brotli.content() == script().brotli);
    CHECK(field(brotli, "Content-Encoding") == "br");
    CHECK(ask_script("gzip;q=0").content() == script().plain);

    std::set<std::string> tags;
    for (const Reply& reply : {plain, gzip, brotli}) {
        tags.insert(field(reply, "ETag"));
        CHECK(field(reply, "Cache-Control") == "public, max-age=31536000, immutable");
        CHECK(field(reply, "Vary") == "Accept-Encoding");
        CHECK(reply.type == "text/javascript; charset=utf-8");
    }
    CHECK(tags.size() == 3);
}

TEST_CASE("a file that is known is not sent again", "[front]") {
    const std::string tag = field(ask_script("br"), "ETag");
    CHECK(tag.starts_with('"'));
    const Reply known = ask_script("br", tag);
    CHECK(known.status == 304);
    CHECK(known.content().empty());
    CHECK(known.type.empty());
    CHECK(field(known, "ETag") == tag);
    CHECK(field(known, "Vary") == "Accept-Encoding");
    CHECK_FALSE(field(known, "Cache-Control").empty());
    // The same bytes in another form are another answer.
    CHECK(ask_script("gzip", tag).status == 200);
    CHECK(ask_script("br", "\"other\"").status == 200);
}

TEST_CASE("the page holds the nonce that its policy names, and is kept by nobody", "[front]") {
    const Reply reply = answer(head_for("/api/v1/ws/room/abc"), "AAAA+/==");
    const std::string policy = field(reply, "Content-Security-Policy");
    CHECK(policy.find("style-src 'self' 'nonce-AAAA+/=='") != std::string::npos);
    CHECK(policy.find("default-src 'none'; script-src 'self';") == 0);
    CHECK(policy.find("connect-src 'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000;") !=
          std::string::npos);
    CHECK(policy.find("unsafe-eval") == std::string::npos);
    CHECK(field(reply, "Permissions-Policy") ==
          "microphone=(self), camera=(self), display-capture=(self)");
    CHECK(field(reply, "ETag").empty());
    CHECK(field(reply, "Cache-Control").empty()); // "no-cache", as every other answer
    CHECK(reply.content().find("{{nonce}}") == std::string_view::npos);
    std::size_t places = 0;
    for (std::size_t at = reply.body.find("AAAA+/=="); at != std::string::npos;
         at = reply.body.find("AAAA+/==", at + 1))
        ++places;
    CHECK(places + 1 == page::index().size());
}

TEST_CASE("no two nonces are the same", "[front]") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(fresh_nonce());
    CHECK(seen.size() == 100);
    CHECK(seen.begin()->size() == 24);
}
