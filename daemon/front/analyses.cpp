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

bool Analyses::knows(const AskAnalyst& ask, Refusal& refusal) const {
    if (state_ != State::absent) return language_of(ask, refusal).has_value();
    refusal = refusal_of(ask, "runtime_unavailable", "This server runs without analysis.");
    return false;
}

std::optional<Refusal> Analyses::ask(Client client, AskAnalyst ask, Reply reply, Time now) {
    Refusal refusal;
    const auto language = knows(ask, refusal) ? language_of(ask, refusal) : std::nullopt;
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
    Job job;
    job.client = client;
    job.ask = std::move(ask);
    job.language = *language;
    job.reply = std::move(reply);
    job.since = now;
    queue.push_back(std::move(job));
    now_ = now;
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

void Analyses::on_gone() {
    state_ = State::coming;
    held_.forget_all();
}

void Analyses::on_failed() {
    state_ = State::absent;
    held_.forget_all();
    expire(Time::max());
}

/// The first of a queue, which goes when it is empty.
Analyses::Job Analyses::take(Queue queue) {
    Job job = std::move(queue->second.front());
    queue->second.pop_front();
    if (queue->second.empty()) queues_.erase(queue);
    --waiting_;
    waiting_bytes_ -= job.ask.content.size();
    return job;
}

void Analyses::refuse(const Job& job, const Refusal& refusal) {
    job.reply(job.ask.pushed ? std::string() : to_text(refusal));
}

/// Round the clients, until nobody can be served: no worker waits, or the one that holds the
/// document of the next request is at work.
void Analyses::pump() {
    Client from = last_served_;
    std::size_t passed = 0;
    while (state_ == State::ready && passed < queues_.size() && working_.size() < bounds_.busy) {
        auto next = queues_.upper_bound(from);
        if (next == queues_.end()) next = queues_.begin();
        from = next->first;
        if (serve(next, now_)) {
            last_served_ = from;
            passed = 0;
        } else {
            ++passed;
        }
    }
    drop_unneeded();
}

/// False when it cannot be now.
bool Analyses::serve(Queue queue, Time now) {
    Job& job = queue->second.front();
    if (Refusal refusal; !language_of(job.ask, refusal)) {
        refuse(take(queue), refusal);
        return true;
    }
    using Way = HeldDocuments::Way;
    const bool has_document = job.ask.document && !job.alone;
    const Way way =
        has_document ? held_.claim(*job.ask.document, job.language, job.ask.content, now) : Way();
    if (way.kind == Way::Kind::wait) return false;
    const bool follows = way.kind == Way::Kind::follow;
    Order order;
    order.job = last_job_ + 1;
    order.worker = way.worker;
    order.kind = follows                       ? wire::AnalystRequest::Kind::follow
                 : way.kind == Way::Kind::hold ? wire::AnalystRequest::Kind::hold
                                               : wire::AnalystRequest::Kind::once;
    order.text_bytes = job.ask.content.size();
    order.text_mark = wire::mark_of(job.ask.content);
    order.request = to_analyst(job.ask, job.language, follows ? &way.edit : nullptr);
    if (!carrier_.give(order)) {
        if (way.kind != Way::Kind::once) held_.let_go(*job.ask.document);
        job.alone = job.alone || follows;
        return follows && serve(queue, now);
    }
    job.kind = order.kind;
    job.text_mark = order.text_mark;
    last_job_ = order.job;
    working_.emplace(order.job, take(queue));
    return true;
}

/// What the answer means for the document. False: the worker that held it has failed, and the
/// request is to be made again, whole.
bool Analyses::settle_document(Job& job, const Answer& answer, Time now) {
    using Kind = wire::AnalystRequest::Kind;
    const bool is_held = answer.text && answer.held_bytes > 0 && job.kind != Kind::once;
    if (is_held)
        held_.keep(*job.ask.document, answer.worker, job.ask.content, answer.held_bytes, now);
    else if (answer.held_bytes > 0) carrier_.drop(answer.worker);
    if (!is_held && job.kind != Kind::once) held_.let_go(*job.ask.document);
    return job.kind != Kind::follow || answer.text.has_value();
}

void Analyses::on_answer(std::uint64_t number, const Answer& told, Time now) {
    const auto found = working_.find(number);
    if (found == working_.end()) return;
    Job job = std::move(found->second);
    working_.erase(found);
    now_ = now;
    Answer answer = told;
    std::optional<std::string> text;
    // One that says it is about another text, or says nothing that makes sense, holds nothing.
    if (answer.text && answer.text_mark == job.text_mark) text = to_client(job.ask, *answer.text);
    if (!text) answer.text.reset();
    if (!settle_document(job, answer, now) && job.reply) {
        job.alone = true;
        ++waiting_;
        waiting_bytes_ += job.ask.content.size();
        queues_[job.client].push_front(std::move(job));
    } else if (job.reply) {
        if (!text)
            text = without_analyst(job.ask, job.language,
                                   answer.late ? "analysis_timeout" : "analysis_failed");
        job.reply(*std::move(text));
    }
    pump();
}

void Analyses::on_lost(Worker worker) { held_.forget(worker); }

void Analyses::drop_unneeded() {
    for (const Worker worker : held_.take_dropped()) carrier_.drop(worker);
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
    for (const Job& job : old) refuse(job, busy(job.ask, "The analysis took too long to come."));
    if (now == Time::max()) return;
    held_.expire(now);
    drop_unneeded();
}

} // namespace cloister::front
