// Turns go round the clients; within one the order is kept.
#include "daemon/front/analyses.h"

#include <algorithm>

namespace cloister::front {
namespace {

constexpr std::chrono::milliseconds kRetry{500};

Refusal refusal_of(const AskAnalyst& ask, const char* code, const std::string& message) {
    Refusal refusal;
    refusal.code = code;
    refusal.message = message;
    refusal.id = ask.id;
    return refusal;
}

Refusal busy(const AskAnalyst& ask, const char* message) {
    Refusal refusal = refusal_of(ask, "busy", message);
    refusal.retry_after = kRetry;
    return refusal;
}

std::string listed(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

std::optional<std::string> Analyses::language_of(const AskAnalyst& ask, Refusal& refusal) const {
    const runtimes::Runtime* found = nullptr;
    if (!ask.language.empty()) {
        found = runtimes::find(runtimes_, ask.language);
    } else {
        for (const auto& [id, runtime] : runtimes_) {
            const bool fits = std::ranges::any_of(runtime.extensions, [&](const std::string& end) {
                return ask.file_path.ends_with(end);
            });
            if (fits && found == nullptr) found = &runtime;
        }
    }
    // An analyst that just starts has not said yet what it knows.
    const bool known = found != nullptr && (languages_.empty() || languages_.contains(found->id));
    if (known) return found->id;
    const std::string what = found != nullptr ? found->name
                             : ask.language.empty()
                                 ? "files such as '" + ask.file_path.substr(0, 64) + "'"
                                 : "'" + ask.language.substr(0, 64) + "'";
    refusal =
        refusal_of(ask, "unknown_language",
                   "There is no analysis for " + what + ". Known: " + listed(languages_) + ".");
    return std::nullopt;
}

std::optional<Refusal> Analyses::ask(Client client, AskAnalyst ask, Reply reply, Time now) {
    if (state_ == State::absent)
        return refusal_of(ask, "runtime_unavailable", "This server runs without analysis.");
    Refusal refusal;
    const auto language = language_of(ask, refusal);
    if (!language) return refusal;
    std::deque<Job>& queue = queues_[client];
    const bool full = queue.size() >= bounds_.per_client || waiting_ >= bounds_.all ||
                      waiting_bytes_ + ask.content.size() > bounds_.bytes;
    if (full) {
        if (queue.empty()) queues_.erase(client);
        return busy(ask, "Too many analyses wait already.");
    }
    ++waiting_;
    waiting_bytes_ += ask.content.size();
    queue.push_back({client, std::move(ask), *language, std::move(reply), now});
    pump();
    return std::nullopt;
}

void Analyses::close_client(Client client) {
    if (const auto found = queues_.find(client); found != queues_.end()) {
        for (const Job& job : found->second) waiting_bytes_ -= job.ask.content.size();
        waiting_ -= found->second.size();
        queues_.erase(found);
    }
    for (auto& [number, job] : working_) {
        if (job.client == client) job.reply = {};
    }
}

void Analyses::on_begun() { state_ = State::coming; }

void Analyses::on_ready(std::set<std::string> languages) {
    state_ = State::ready;
    languages_ = std::move(languages);
    pump();
}

void Analyses::on_gone() { state_ = State::coming; }

void Analyses::on_failed() {
    state_ = State::absent;
    expire(Time::max());
}

/// The first of a queue, which goes when it is empty.
Analyses::Job Analyses::take(std::map<Client, std::deque<Job>>::iterator queue) {
    Job job = std::move(queue->second.front());
    queue->second.pop_front();
    if (queue->second.empty()) queues_.erase(queue);
    --waiting_;
    waiting_bytes_ -= job.ask.content.size();
    return job;
}

void Analyses::pump() {
    while (state_ == State::ready && waiting_ > 0 && working_.size() < bounds_.busy) {
        auto next = queues_.upper_bound(last_served_);
        if (next == queues_.end()) next = queues_.begin();
        Job& job = next->second.front();
        Refusal refusal;
        if (!language_of(job.ask, refusal)) {
            const Job unknown = take(next);
            unknown.reply(to_text(refusal));
            continue;
        }
        const std::uint64_t number = last_job_ + 1;
        if (!give_(number, to_analyst(job.ask, job.language))) return;
        last_job_ = number;
        last_served_ = next->first;
        working_.emplace(number, take(next));
    }
}

void Analyses::on_answer(std::uint64_t number, const std::optional<std::string>& answer,
                         bool late) {
    const auto found = working_.find(number);
    if (found == working_.end()) return;
    const Job job = std::move(found->second);
    working_.erase(found);
    if (job.reply) {
        std::optional<std::string> text;
        if (answer) text = to_client(job.ask, *answer);
        if (!text)
            text = without_analyst(job.ask, job.language,
                                   late ? "analysis_timeout" : "analysis_failed");
        job.reply(*std::move(text));
    }
    pump();
}

void Analyses::expire(Time now) {
    std::vector<Job> old;
    for (auto queue = queues_.begin(); queue != queues_.end();) {
        std::deque<Job>& jobs = queue->second;
        while (!jobs.empty() &&
               (now == Time::max() || jobs.front().since + bounds_.patience <= now)) {
            --waiting_;
            waiting_bytes_ -= jobs.front().ask.content.size();
            old.push_back(std::move(jobs.front()));
            jobs.pop_front();
        }
        queue = jobs.empty() ? queues_.erase(queue) : std::next(queue);
    }
    for (const Job& job : old)
        job.reply(to_text(busy(job.ask, "The analysis took too long to come.")));
}

} // namespace cloister::front
