// What is said of a judging. Evidence is cut: it is for people, and there may be thousands.
#include "daemon/front/judging.h"
#include "daemon/front/replies.h"
#include "daemon/front/text.h"

namespace cloister::front {
namespace {

constexpr std::size_t kMaxEvidence = 4 * isolate::kKiB;

std::string number_text(double number) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.12g", number);
    return text;
}

/// How it ended, and what was used for that.
void add_facts(JsonObject& out, const judge::Facts& facts, const isolate::Usage& used) {
    if (facts.exit_code >= 0) out.number("exit_code", facts.exit_code);
    if (facts.exit_code < 0) out.none("exit_code");
    if (facts.signal > 0) out.text("signal", signal_name(facts.signal));
    if (facts.signal <= 0) out.none("signal");
    out.seconds("cpu_time", used.cpu_time).seconds("wall_time", used.wall_time);
    out.count("memory_peak", used.memory_peak_bytes);
}

std::string difference_text(const judge::Difference& found) {
    JsonObject out;
    out.count("line", found.line).count("offset", found.offset);
    if (found.token > 0) out.count("token", found.token);
    out.bytes("expected", found.expected, false).bytes("printed", found.printed, false);
    out.flag("expected_ends", found.expected_ends).flag("printed_ends", found.printed_ends);
    return out.flag("space_only", found.space_only).close();
}

} // namespace

std::string compile_text(const CompileResult& compile) {
    JsonObject out;
    out.flag("success", compile.success).flag("cached", compile.cached);
    out.bytes("output", compile.output, false).bytes("error", compile.error, false);
    return out.seconds("wall_time", compile.wall_time).close();
}

std::string verdict_text(const JudgeRequest& request, std::size_t test, const Judged& judged) {
    const TestAsked& asked = request.tests.at(test);
    JsonObject out;
    out.count("test", test).text("name", asked.name);
    if (asked.group) out.text("group", request.groups.at(*asked.group).name);
    out.text("verdict", judge::name_of(judged.ruling.word));
    if (!judged.ruling.cause.empty()) out.text("cause", judged.ruling.cause);
    add_facts(out, judged.facts, judged.most);
    if (request.passes > 1) out.count("passes", judged.pass);
    if (!judged.reason.empty()) out.text("reason", judged.reason);
    if (judged.difference) out.raw("difference", difference_text(*judged.difference));
    if (!judged.error.empty())
        out.bytes("stderr", std::string_view(judged.error).substr(0, kMaxEvidence), false);
    if (judged.checker) {
        JsonObject checker;
        add_facts(checker, *judged.checker, judged.checker->usage);
        checker.bytes("message", std::string_view(judged.message).substr(0, kMaxEvidence), false);
        out.raw("checker", checker.close());
    }
    if (!judged.team_message.empty())
        out.bytes("team_message", std::string_view(judged.team_message).substr(0, kMaxEvidence),
                  false);
    if (judged.score) out.raw("score", number_text(*judged.score));
    if (judged.multiplier) out.raw("score_multiplier", number_text(*judged.multiplier));
    return out.close();
}

std::string summary_text(const Summary& summary) {
    const judge::Score& score = *summary.score;
    JsonObject out;
    const judge::Word word = summary.compile_failed ? judge::Word::CE
                             : summary.cancelled    ? judge::Word::JE
                                                    : score.word();
    out.text("verdict", judge::name_of(word));
    if (summary.cancelled) out.text("cause", "cancelled");
    if (score.decisive()) out.count("decided_by", *score.decisive());
    out.text("language", summary.language);
    out.count("tests", score.tests()).count("judged", score.judged());
    out.count("skipped", summary.skipped);
    JsonObject counts;
    for (std::size_t i = 0; i < judge::kWords.size(); ++i) {
        const auto each = static_cast<judge::Word>(i);
        if (score.count(each) > 0) counts.count(judge::name_of(each), score.count(each));
    }
    out.raw("verdicts", counts.close());
    std::string groups;
    for (const auto& group : score.groups()) {
        JsonObject one;
        one.text("name", group.name).raw("points", number_text(group.points));
        one.raw("max_points", number_text(group.max_points)).count("tests", group.tests);
        one.count("judged", group.judged).count("passed", group.passed);
        groups += (groups.empty() ? "" : ",") + one.close();
    }
    out.raw("points", number_text(score.points()));
    out.raw("max_points", number_text(score.max_points())).raw("groups", "[" + groups + "]");
    out.seconds("cpu_time", score.most().cpu_time).seconds("wall_time", score.most().wall_time);
    out.count("memory_peak", score.most().memory_bytes);
    if (summary.compile != nullptr) out.raw("compile", compile_text(*summary.compile));
    return out.close();
}

std::string judge_text(const JudgeEvent& event) {
    if (event.name == "error") return to_text(event.refusal);
    JsonObject out;
    out.text("type", "judge_" + std::string(event.name)).text("run_id", event.run.run_id);
    out.maybe("id", event.run.id);
    const std::string_view key = event.name == "started"    ? "judging"
                                 : event.name == "compiled" ? "compile"
                                 : event.name == "verdict"  ? "test"
                                                            : "result";
    return out.raw(key, event.data).text("timestamp", timestamp()).close();
}

} // namespace cloister::front
