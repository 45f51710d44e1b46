// An agent's message at /mcp: any bytes give an answer that is JSON, or none where none is due, and
// what was started by them ends and is forgotten.
#include "daemon/front/mcp/endpoint.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/front_fixture.h"

#include <nlohmann/json.hpp>

using namespace cloister;
using namespace cloister::front;

namespace {

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}})";

/// A service on paper, with one session that takes batches.
struct Entrance {
    Entrance()
        : mcp(house.settings, house.catalog, access, house.stage.executions, house.judgings,
              [this] { return now += mcp::Sessions::Time(50); }) {
        const Answer answer = mcp.answer(head(""), kInitialize, "agent");
        for (const auto& [name, value] : answer.reply.fields)
            if (name == "Mcp-Session-Id") session = value;
    }
    RequestHead head(const std::string& id) const {
        RequestHead made;
        made.method = "POST";
        made.target = "/mcp";
        made.http_1_1 = true;
        made.local = {"127.0.0.1", 8000, true};
        made.fields = {{"Host", "127.0.0.1:8000"}, {"Content-Type", "application/json"}};
        if (!id.empty()) made.fields.emplace_back("Mcp-Session-Id", id);
        return made;
    }
    void end_all() {
        while (!house.stage.boxes.boxes.empty())
            house.stage.end(house.stage.boxes.boxes.begin()->first);
    }

    House house;
    Access access{};
    mcp::Sessions::Time now{1'700'000'000'000};
    mcp::McpEndpoint mcp;
    std::string session{};
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Entrance entrance;
    Answer answer =
        entrance.mcp.answer(entrance.head(entrance.session), fuzz::as_text(data, size), "agent");
    fuzz::require(answer.kind != Answer::Kind::events); // which nobody here asks for
    entrance.end_all();
    if (answer.kind == Answer::Kind::wait) answer.reply = answer.finish();
    const std::string_view text = answer.reply.content();
    const unsigned status = answer.reply.status;
    fuzz::require(status == 200 || status == 202 || status == 400);
    fuzz::require(text.empty() == (status == 202));
    fuzz::require(text.empty() || nlohmann::json::accept(text));
    entrance.mcp.tick();
    fuzz::require(entrance.mcp.sessions() == 1);
    return 0;
}
