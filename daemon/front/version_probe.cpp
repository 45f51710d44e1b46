// The next is asked when an answer makes room; whoever listens to the journal hears of those that
// fail.
#include "daemon/front/version_probe.h"

#include <cstdio>
#include <string>

namespace cloister::front {

void VersionProbe::start() {
    client_ = executions_.open_client(*this);
    ask();
}

void VersionProbe::on_event(const Event& event) {
    if (const auto* finished = std::get_if<Finished>(&event)) {
        const Result& result = finished->result;
        if (result.verdict == isolate::Verdict::ok)
            entry(finished->run).version = version_in(result.output + "\n" + result.error);
        if (result.verdict == isolate::Verdict::internal_error) {
            (void)std::fprintf(stderr, "cloister: %s is not offered: %s\n",
                               finished->language.c_str(), result.reason.c_str());
        }
        answered();
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
        (void)std::fprintf(stderr, "cloister: a version could not be asked for: %s\n",
                           refused->refusal.message.c_str());
        whole_ = false;
        answered();
    }
}

void VersionProbe::ask() {
    for (; next_ < catalog_.entries.size(); ++next_) {
        Job job = version_job(catalog_, catalog_.entries[next_]);
        job.id = std::to_string(next_);
        ++pending_; // the answer may come before submit() returns
        if (!std::holds_alternative<Refusal>(executions_.submit(client_, std::move(job)))) continue;
        --pending_;
        if (pending_ > 0) return; // after the next answer
        whole_ = false;
        (void)std::fprintf(stderr, "cloister: %s: its version could not be asked for\n",
                           catalog_.entries[next_].runtime->id.c_str());
    }
    if (pending_ == 0) done_();
}

void VersionProbe::answered() {
    --pending_;
    ask();
}

Catalog::Entry& VersionProbe::entry(const RunTag& run) {
    return catalog_.entries.at(std::stoul(run.id.value_or("0")));
}

} // namespace cloister::front
