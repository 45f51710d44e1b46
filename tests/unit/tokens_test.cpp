// Promises of what is signed, and of the secret behind it.
#include "daemon/tokens/tokens.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <catch2/catch.hpp>

using namespace cloister::tokens;
namespace fs = std::filesystem;

namespace {

const Secret kOurs{1, 2, 3};

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "cloister-tokens-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

} // namespace

TEST_CASE("a token says what was signed, and nothing else does", "[tokens]") {
    const std::string token = sign(kOurs, Identity{"c1", "user_1"});
    const auto identity = read_identity(kOurs, token);
    REQUIRE(identity);
    CHECK(identity->client_id == "c1");
    CHECK(identity->user_id == "user_1");
    CHECK_FALSE(read_identity(Secret{9}, token));
    CHECK_FALSE(read_room_pass(kOurs, token)); // another kind
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(read_identity(kOurs, changed));
    }
    for (const std::string& bad : {std::string(), std::string("."), token + "A", token + "=",
                                   token.substr(1), std::string(5'000, 'A')})
        CHECK_FALSE(read_identity(kOurs, bad));
}

TEST_CASE("a room's token names room, role and end", "[tokens]") {
    const auto pass = read_room_pass(kOurs, sign(kOurs, RoomPass{"방 1", "viewer", 1'700'000'000}));
    REQUIRE(pass);
    CHECK(pass->room_id == "방 1");
    CHECK(pass->role == "viewer");
    CHECK(pass->expires == 1'700'000'000);
}

TEST_CASE("HMAC-SHA256 as others compute it", "[tokens]") {
    // python3: hmac.new(bytes([1,2,3]+[0]*29), b"client\nc1\nuser_1", "sha256")
    CHECK(sign(kOurs, Identity{"c1", "user_1"}) ==
          "Y2xpZW50CmMxCnVzZXJfMQ.lSGRaW8PGYH6zcIlP6AMmBKCzCvxp4v6Q8Wmhk_RSy8");
}

TEST_CASE("the secret is made once and kept to its owner", "[tokens]") {
    const Folder folder;
    const Secret made = load_secret(folder.path);
    CHECK(load_secret(folder.path) == made);
    CHECK(made != Secret{});
    struct stat info {};
    REQUIRE(::stat((folder.path / "room.key").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("what is no secret is refused, not followed", "[tokens]") {
    const Folder folder;
    const fs::path key = folder.path / "room.key";
    fs::create_symlink("/etc/passwd", key);
    CHECK_THROWS(load_secret(folder.path));
    fs::remove(key);
    std::ofstream(key) << "short";
    fs::permissions(key, fs::perms::owner_read);
    CHECK_THROWS(load_secret(folder.path));
    fs::remove(key);
    std::ofstream(key) << std::string(32, 'k');
    fs::permissions(key, fs::perms::owner_read | fs::perms::others_read);
    CHECK_THROWS(load_secret(folder.path));
}
