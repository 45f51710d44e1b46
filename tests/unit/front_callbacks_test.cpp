// Promises of callbacks: which addresses they may be sent to, in whatever form they come, and how
// an URL is read.
#include "daemon/front/callbacks/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

using namespace cloister::front::callbacks;

namespace {

bool may(const char* text) {
    sockaddr_storage storage{};
    auto& four = reinterpret_cast<sockaddr_in&>(storage);
    auto& six = reinterpret_cast<sockaddr_in6&>(storage);
    if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        storage.ss_family = AF_INET;
    } else {
        REQUIRE(::inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
        storage.ss_family = AF_INET6;
    }
    return is_public(reinterpret_cast<const sockaddr&>(storage));
}

} // namespace

TEST_CASE("callbacks enter no network but the internet", "[front]") {
    for (const char* address :
         {"8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255",
          "100.128.0.0", "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
          "2001:200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
        INFO(address);
        CHECK(may(address));
    }
    for (const char* address : {"0.0.0.0",
                                "0.1.2.3",
                                "10.0.0.1",
                                "10.255.255.255",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.0.0.1",
                                "127.255.255.254",
                                "169.254.169.254",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.0.0.1",
                                "192.0.2.1",
                                "192.88.99.1",
                                "192.168.1.1",
                                "198.18.0.1",
                                "198.19.255.255",
                                "198.51.100.1",
                                "203.0.113.1",
                                "224.0.0.1",
                                "239.1.1.1",
                                "240.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "::127.0.0.1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "::ffff:169.254.169.254",
                                "64:ff9b::7f00:1",
                                "64:ff9b::a00:1",
                                "64:ff9b:1::1",
                                "2002:7f00:1::1",
                                "2002:a00:1::1",
                                "fc00::1",
                                "fd12:3456::1",
                                "fe80::1",
                                "fec0::1",
                                "ff02::1",
                                "100::1",
                                "2001::1",
                                "2001:db8::1",
                                "3fff::1",
                                "4000::1"}) {
        INFO(address);
        CHECK_FALSE(may(address));
    }
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    CHECK_FALSE(is_public(reinterpret_cast<const sockaddr&>(other)));
}

TEST_CASE("a callback's URL is read in one way", "[front]") {
    const auto in_short = [](const char* text) {
        const Url url = read_url(text);
        return url.is_valid ? url.host + " " + url.port + " " + url.path + " " + url.authority
                            : std::string("no");
    };
    CHECK(in_short("http://example.org") == "example.org 80 / example.org");
    CHECK(in_short("http://example.org:8080/a/b?c=d#e") ==
          "example.org 8080 /a/b?c=d example.org:8080");
    CHECK(in_short("http://example.org?c") == "example.org 80 /?c example.org");
    CHECK(in_short("http://[2606:4700::1]:81/x") == "2606:4700::1 81 /x [2606:4700::1]:81");
    for (const char* bad : {"", "https://example.org/", "http://", "http:///x", "http://a@b/",
                            "http://a:b/", "http://a:/", "http://a:123456/", "http://[::1",
                            "http://[::1]x/", "http://a b/", "http://a/\r\nX: y"})
        CHECK(in_short(bad) == "no");
}
