// No code, no names of clients: numbers, stages and languages.
#include "daemon/front/status_text.h"

#include "daemon/front/text.h"

#include <array>

namespace cloister::front {

std::string status_text(const Metrics::Now& now,
                        const std::vector<Executions::UnderWay>& under_way) {
    constexpr std::array kStages = {"version", "compile", "run", "check"};
    static_assert(kStages.size() == wire::kStages);
    std::string runs;
    for (const Executions::UnderWay& run : under_way) {
        JsonObject one;
        one.text("run_id", run.run_id).text("language", run.language);
        one.text("stage", kStages.at(static_cast<std::size_t>(run.stage)));
        one.seconds("age", run.age);
        one.text("start", wire::kLevelNames.at(static_cast<std::size_t>(run.level)));
        runs += (runs.empty() ? "" : ",") + one.close();
    }
    JsonObject out;
    out.text("version", CLOISTER_VERSION).flag("ready", now.ready);
    out.count("queue", now.waiting).count("connections", now.connections);
    out.count("sessions", now.sessions).count("rooms", now.rooms);
    if (const auto& boxes = now.boxes) {
        JsonObject held;
        held.count("total", boxes->boxes).count("running", boxes->running);
        held.count("prepared", boxes->prepared).count("warm", boxes->warm);
        held.count("quarantined", boxes->quarantined).count("artifacts", boxes->artifacts);
        held.count("begun", boxes->runs);
        out.raw("boxes", held.close());
    }
    return out.raw("runs", "[" + runs + "]").close();
}

} // namespace cloister::front
