// One map of what is here, the archive behind it. Results reach the archive when they come; one
// that could not be kept stays in memory and is tried again.
#include "daemon/front/submissions.h"

#include "daemon/front/text.h"

#include <algorithm>
#include <cstdio>

namespace cloister::front {
namespace {

constexpr Submissions::Time kTidyEvery = std::chrono::seconds(60);
constexpr std::chrono::milliseconds kRetryAfter{500};

bool has_ended(const store::SavedSubmission& submission) { return submission.ended.count() > 0; }

Refusal refusal(const char* code, std::string message) {
    Refusal made;
    made.code = code;
    made.message = std::move(message);
    if (made.code == "busy") made.retry_after = kRetryAfter;
    return made;
}

} // namespace

std::string error_object(const Refusal& refusal) {
    JsonObject out;
    out.text("code", refusal.code).text("message", refusal.message);
    if (refusal.retry_after.count() > 0) out.number("retry_after_ms", refusal.retry_after.count());
    return out.close();
}

std::string to_text(const store::SavedSubmission& submission) {
    JsonObject out;
    out.text("id", submission.id).text("kind", submission.kind).text("state", submission.state);
    out.text("created", timestamp(submission.created));
    if (has_ended(submission)) {
        out.text("ended", timestamp(submission.ended));
        out.text("expires", timestamp(submission.expires));
        out.raw(submission.state == "done" ? "result" : "error", submission.text);
    }
    return out.close();
}

Submissions::Submissions(SubmissionArchive* archive, const Bounds& bounds,
                         std::function<Time()> now)
    : archive_(archive), bounds_(bounds), now_(std::move(now)) {
    if (archive_ == nullptr) return;
    const std::string text = error_object(
        refusal("interrupted", "The server was restarted before this submission had ended."));
    archive_->end_interrupted(text, now_(), now_() + bounds_.keep);
}

std::variant<Submissions::Opened, Refusal> Submissions::open(const Order& order) {
    if (order.key) {
        std::optional<store::SavedSubmission> known;
        if (const auto here = keys_.find(*order.key); here != keys_.end())
            known = here_.at(here->second).saved;
        else if (archive_ != nullptr) known = archive_->find_key(*order.key);
        if (known && known->digest != order.digest)
            return refusal("key_reused", "This Idempotency-Key came with another request before.");
        if (known) return Opened{known->id, false};
    }
    if (under_way_ >= bounds_.under_way)
        return refusal("busy", "As many submissions as there may be are under way.");
    Live live;
    live.saved.id = fresh_uuid();
    live.saved.kind = order.kind;
    live.saved.key = order.key;
    live.saved.digest = order.digest;
    live.saved.request = order.request;
    live.saved.state = "queued";
    live.saved.created = now_();
    if (!keep(live)) return refusal("busy", "The submission could not be kept; nothing was run.");
    const std::string id = live.saved.id;
    if (order.key) keys_.emplace(*order.key, id);
    here_.emplace(id, std::move(live));
    ++under_way_;
    return Opened{id, true};
}

void Submissions::on_cancel(const std::string& id, std::function<void()> cancel) {
    const auto found = here_.find(id);
    if (found != here_.end() && !has_ended(found->second.saved))
        found->second.cancel = std::move(cancel);
}

void Submissions::withdraw(const std::string& id) {
    const auto found = here_.find(id);
    if (found == here_.end()) return;
    store::SavedSubmission& saved = found->second.saved;
    if (has_ended(saved)) return;
    // Kept as expired, so that its row goes and its key is free again with the next tidying.
    saved.state = "failed";
    saved.text = "{}";
    saved.ended = now_();
    saved.expires = saved.ended;
    if (saved.key) keys_.erase(*saved.key);
    saved.key.reset();
    (void)keep(found->second); // what stays behind ends as interrupted
    here_.erase(found);
    --under_way_;
}

void Submissions::add(const std::string& id, std::string_view name, std::string data, bool output) {
    const auto found = here_.find(id);
    if (found == here_.end() || has_ended(found->second.saved)) return;
    found->second.saved.state = "running";
    append(found->second, name, std::move(data), output);
    notify(found->second);
}

void Submissions::append(Live& live, std::string_view name, std::string data, bool output) {
    Event event{++live.saved.last_event, std::string(name), std::move(data), output};
    live.log_bytes += event.data.size();
    live.log.push_back(std::move(event));
    while (live.log_bytes > bounds_.log_bytes) {
        const auto oldest = std::ranges::find_if(live.log, &Event::output);
        if (oldest == live.log.end()) return;
        live.log_bytes -= oldest->data.size();
        live.forgotten = oldest->number;
        live.log.erase(oldest);
    }
}

void Submissions::finish(const std::string& id, std::string result) {
    end(id, "result", std::move(result), "done");
}

void Submissions::fail(const std::string& id, const Refusal& why) {
    end(id, "error", error_object(why), "failed");
}

void Submissions::end(const std::string& id, std::string_view name, std::string text,
                      const char* state) {
    const auto found = here_.find(id);
    if (found == here_.end() || has_ended(found->second.saved)) return;
    Live& live = found->second;
    append(live, name, text, false);
    live.saved.state = state;
    live.saved.text = std::move(text);
    live.saved.ended = std::max(now_(), Time(1));
    live.saved.expires = live.saved.ended + bounds_.keep;
    live.cancel = nullptr;
    live.is_kept = keep(live);
    --under_way_;
    ended_.push_back(id);
    ended_bytes_ += live.log_bytes + live.saved.text.size();
    notify(live);
    trim();
}

void Submissions::notify(Live& live) {
    for (auto it = live.watchers.begin(); it != live.watchers.end();) {
        if (const auto watcher = it->lock()) {
            (*watcher)();
            ++it;
        } else {
            it = live.watchers.erase(it);
        }
    }
}

/// False when the archive could not take it.
bool Submissions::keep(Live& live) {
    if (archive_ == nullptr) return true;
    try {
        if (live.saved.text.size() <= bounds_.kept_bytes) {
            archive_->keep(live.saved);
            return true;
        }
        store::SavedSubmission smaller = live.saved;
        smaller.state = "failed";
        smaller.text = error_object(refusal(
            "too_large", "The result was larger than what is kept; it was there for a minute."));
        archive_->keep(smaller);
        return true;
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: a submission could not be kept: %s\n", error.what());
        return false;
    }
}

std::optional<store::SavedSubmission> Submissions::find(const std::string& id) {
    if (const auto here = here_.find(id); here != here_.end()) return here->second.saved;
    auto kept = archive_ == nullptr ? std::nullopt : archive_->find_submission(id);
    if (kept && has_ended(*kept) && kept->expires <= now_()) return std::nullopt;
    return kept;
}

bool Submissions::cancel(const std::string& id) {
    const auto here = here_.find(id);
    if (here == here_.end()) return find(id).has_value();
    if (here->second.cancel) {
        const auto cancel = here->second.cancel; // a copy: the end empties the member
        cancel();
    }
    return true;
}

bool Submissions::forget(const std::string& id) {
    const auto kept = find(id);
    if (!kept || !has_ended(*kept)) return false;
    if (archive_ != nullptr) archive_->forget(id);
    if (const auto here = here_.find(id); here != here_.end()) {
        ended_bytes_ -= here->second.log_bytes + here->second.saved.text.size();
        if (here->second.saved.key) keys_.erase(*here->second.saved.key);
        std::erase(ended_, id);
        here_.erase(here);
    }
    return true;
}

std::size_t Submissions::count_kind(std::string_view kind) {
    return archive_ == nullptr ? 0 : archive_->count_kind(kind);
}

std::vector<std::string> Submissions::list_kind(std::string_view kind, std::uint64_t skip,
                                                std::uint64_t count) {
    return archive_ == nullptr ? std::vector<std::string>()
                               : archive_->list_kind(kind, skip, count);
}

std::optional<Submissions::Events> Submissions::events_after(const std::string& id,
                                                             std::uint64_t after,
                                                             std::size_t bytes) {
    Events out;
    const auto here = here_.find(id);
    if (here == here_.end()) {
        const auto kept = find(id);
        if (!kept) return std::nullopt;
        out.over = true;
        if (after >= kept->last_event) return out;
        out.forgotten = kept->last_event - after - 1;
        out.events.push_back(
            {kept->last_event, kept->state == "done" ? "result" : "error", kept->text, false});
        return out;
    }
    const Live& live = here->second;
    std::size_t taken = 0;
    std::uint64_t expected = after + 1;
    auto next = std::ranges::upper_bound(live.log, after, {}, &Event::number);
    for (; next != live.log.end() && taken < bytes; ++next) {
        out.forgotten += next->number - expected;
        expected = next->number + 1;
        taken += next->data.size();
        out.events.push_back(*next);
    }
    out.over = has_ended(live.saved) && next == live.log.end();
    return out;
}

Submissions::Watch Submissions::watch(const std::string& id, std::function<void()> changed) {
    auto watch = std::make_shared<std::function<void()>>(std::move(changed));
    if (const auto here = here_.find(id); here != here_.end())
        here->second.watchers.push_back(watch);
    return watch;
}

/// Lets go of the oldest ended ones that are kept and of which there are too many.
void Submissions::trim() {
    for (auto it = ended_.begin(); it != ended_.end();) {
        const bool too_many =
            ended_.size() > bounds_.lingering || ended_bytes_ > bounds_.lingering_bytes;
        const auto here = here_.find(*it);
        Live& live = here->second;
        const bool stale = live.saved.ended + bounds_.linger <= now_();
        if (!too_many && !stale) return;
        // Beyond twice the bounds, what cannot be kept is lost.
        const bool far_too_many =
            ended_.size() > 2 * bounds_.lingering || ended_bytes_ > 2 * bounds_.lingering_bytes;
        if (!live.is_kept && !far_too_many) live.is_kept = keep(live);
        if (!live.is_kept && !far_too_many) {
            ++it;
            continue;
        }
        ended_bytes_ -= live.log_bytes + live.saved.text.size();
        if (live.saved.key) keys_.erase(*live.saved.key);
        here_.erase(here);
        it = ended_.erase(it);
    }
}

void Submissions::tick() {
    trim();
    const Time now = now_();
    if (archive_ == nullptr || now - tidied_ < kTidyEvery) return;
    tidied_ = now;
    try {
        archive_->tidy_submissions(now);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: submissions could not be tidied: %s\n", error.what());
    }
}

} // namespace cloister::front
