// One request is open at a time, so that nothing but the tests of one piece runs beside another.
#include "daemon/cli/judge_pieces.h"

#include "daemon/cli/daemon_link.h"
#include "daemon/package/text.h"
#include "daemon/wire/base64.h"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

namespace cloister::cli {
namespace {

using nlohmann::json;
using package::TestCase;
using package::TestResult;
using package::Verdict;

constexpr std::size_t kPieceTests = 500;
constexpr std::uint64_t kPieceBytes = 4 * 1024 * 1024; ///< of a message, where one test is not more
constexpr std::uint64_t kRoom = 16 * 1024;             ///< of a message, for what else is in it
/// What a checker is given travels in one parcel of 16 MiB, its own files included.
constexpr std::uint64_t kCheckedBytes = 15 * 1024 * 1024;
constexpr std::uint64_t kMib = 1024 * 1024;
constexpr int kBusyTries = 60;

/// A message of the daemon's that refuses a request.
struct Refused {
    std::string code{};
    std::string message{};
    std::chrono::milliseconds retry_after{1'000};
};

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
double number_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

Verdict verdict_of(const std::string& word) {
    if (word == "AC") return Verdict::AC;
    if (word == "WA" || word == "PE") return Verdict::WA;
    if (word == "TLE") return Verdict::TLE;
    if (word == "RTE" || word == "MLE" || word == "OLE") return Verdict::RTE;
    if (word == "CE") return Verdict::CE;
    return Verdict::JE;
}

std::optional<double> maybe_number(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

TestResult result_of(const json& verdict) {
    TestResult out;
    out.ran = true;
    out.word = text_of(verdict, "verdict");
    out.verdict = verdict_of(out.word);
    out.cause = text_of(verdict, "cause");
    out.exit_code = static_cast<int>(maybe_number(verdict, "exit_code").value_or(-1));
    out.cpu_time = number_of(verdict, "cpu_time");
    out.wall_time = number_of(verdict, "wall_time");
    out.memory_bytes = static_cast<std::uint64_t>(number_of(verdict, "memory_peak"));
    out.score = maybe_number(verdict, "score");
    out.multiplier = maybe_number(verdict, "score_multiplier");
    out.reason = text_of(verdict, "reason");
    if (out.reason.empty()) out.reason = text_of(verdict, "stderr");
    const auto checker = verdict.find("checker");
    if (checker != verdict.end() && checker->is_object()) {
        out.message = text_of(*checker, "message");
        out.team_message = text_of(*checker, "team_message");
        if (!out.score) out.score = maybe_number(*checker, "score");
        if (!out.multiplier) out.multiplier = maybe_number(*checker, "score_multiplier");
    }
    if (const auto team = text_of(verdict, "team_message"); !team.empty()) out.team_message = team;
    const auto difference = verdict.find("difference");
    if (difference != verdict.end() && difference->is_object()) {
        const bool ends = difference->value("printed_ends", false);
        const bool more = difference->value("expected_ends", false);
        out.reason = "line " + std::to_string(difference->value("line", 0U)) + ": ";
        if (ends)
            out.reason += "expected '" + text_of(*difference, "expected") + "', found the end";
        else if (more)
            out.reason += "expected the end, found '" + text_of(*difference, "printed") + "'";
        else
            out.reason += "expected '" + text_of(*difference, "expected") + "', found '" +
                          text_of(*difference, "printed") + "'";
    }
    return out;
}

} // namespace

std::string Pieces::test_json(const Order& order, const TestCase& test) const {
    const std::string input = folder_.read(test.input, package::kMaxTestBytes);
    std::string answer;
    if (order.needs_answer && !test.answer.empty())
        answer = folder_.read(test.answer, package::kMaxTestBytes);
    json out{{"name", test.name.substr(0, 255)}};
    if (package::is_utf8(input) && package::is_utf8(answer)) {
        out["stdin"] = input;
        out["expected"] = answer;
    } else {
        out["encoding"] = "base64";
        out["stdin"] = wire::to_base64(input);
        out["expected"] = wire::to_base64(answer);
    }
    return out.dump();
}

/// The next request, of as many items as it may hold.
std::string Pieces::piece(const Order& order, const std::vector<Item>& items,
                          std::size_t& next) const {
    std::string text = R"({"type":"judge","id":")" + std::to_string(requests_) + "\"," +
                       order.base.substr(1, order.base.size() - 2) + R"(,"tests":[)";
    const std::uint64_t most = judge_.message_bytes - std::min(judge_.message_bytes / 2, kRoom);
    const std::size_t first = next;
    for (; next < items.size() && next - first < kPieceTests; ++next) {
        const TestCase& test = *items[next].test;
        if (order.checked && test.bytes > kCheckedBytes)
            throw CannotJudge(test.name + ": input and answer are larger than the " +
                              std::to_string(kCheckedBytes / kMib) +
                              " MiB that a validator can be given");
        if (next > first && text.size() + test.bytes > most) break; // not worth reading
        const std::string one = test_json(order, test);
        const std::uint64_t size = text.size() + one.size();
        if (next > first && size > std::min(most, kPieceBytes)) break;
        if (size > most)
            throw CannotJudge(test.name + ": a message of " + std::to_string(size) +
                              " bytes is larger than the " + std::to_string(judge_.message_bytes) +
                              " that the daemon takes (message_bytes)");
        text += (next > first ? "," : "") + one;
    }
    return text + "]}";
}

Answer Pieces::judge(const Order& order, const std::vector<Item>& items, const Take& take) {
    Answer answer;
    for (std::size_t next = 0; next < items.size() && answer.compiled;) {
        const std::size_t first = next;
        ++requests_;
        const std::string text = piece(order, items, next);
        const std::vector<Item> sent(items.begin() + static_cast<std::ptrdiff_t>(first),
                                     items.begin() + static_cast<std::ptrdiff_t>(next));
        answer = exchange(order, text, sent, take);
    }
    return answer;
}

Answer Pieces::exchange(const Order& order, const std::string& text, const std::vector<Item>& items,
                        const Take& take) {
    for (int tries = 0;; ++tries) {
        judge_.link->send(text);
        try {
            return read_answer(order, std::to_string(requests_), items, take);
        } catch (const Refused& refused) {
            if (refused.code != "busy" || tries >= kBusyTries) {
                if (refused.code == "limit_too_high")
                    throw TooHigh("the daemon's policy does not allow it: " + refused.message);
                throw CannotJudge("the daemon refuses: " + refused.message);
            }
            judge_.link->wait(refused.retry_after);
        }
    }
}

Answer Pieces::read_answer(const Order& order, const std::string& id,
                           const std::vector<Item>& items, const Take& take) {
    Answer answer;
    for (;;) {
        const json message = json::parse(judge_.link->receive(), nullptr, false);
        if (!message.is_object() || text_of(message, "id") != id) continue;
        const std::string type = text_of(message, "type");
        if (type == "error") {
            Refused refused;
            refused.code = text_of(message, "code");
            refused.message = package::shown(text_of(message, "message"));
            const double wait = number_of(message, "retry_after_ms");
            if (wait > 0 && wait < 60'000)
                refused.retry_after = std::chrono::milliseconds(static_cast<int>(wait));
            throw refused;
        }
        if (type == "judge_verdict" && message.contains("test")) {
            const json& verdict = message.at("test");
            const auto test = static_cast<std::size_t>(number_of(verdict, "test"));
            if (order.passes && !verdict.contains("passes"))
                throw CannotJudge("this daemon knows no problems of several passes");
            if (test < items.size()) take(items[test].index, result_of(verdict));
        }
        if (type != "judge_result" || !message.contains("result")) continue;
        const json& result = message.at("result");
        answer.compiled = text_of(result, "verdict") != "CE";
        const auto compile = result.find("compile");
        if (!answer.compiled && compile != result.end())
            answer.compile_error = text_of(*compile, "error") + text_of(*compile, "output");
        return answer;
    }
}

Judge greet(DaemonLink& link, std::vector<std::string> languages, bool is_own) {
    Judge judge;
    judge.link = &link;
    judge.languages = std::move(languages);
    judge.is_own = is_own;
    const json hello = json::parse(link.receive(), nullptr, false);
    if (text_of(hello.is_object() ? hello : json::object(), "type") != "connection_established")
        throw std::runtime_error("what answers there is no daemon of Cloister");
    const auto limits = hello.find("limits");
    if (limits != hello.end() && limits->is_object() && number_of(*limits, "message_bytes") > 0)
        judge.message_bytes = static_cast<std::uint64_t>(number_of(*limits, "message_bytes"));
    return judge;
}

} // namespace cloister::cli
