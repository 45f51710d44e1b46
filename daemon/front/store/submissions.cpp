// Submissions and their results. A row that is not as it was written is treated as if it had
// expired: what it told is the outcome of one run, which can be had again.
#include "daemon/front/store/part.h"
#include "daemon/front/store/records.h"
#include "daemon/front/store/statements.h"

#include <algorithm>
#include <vector>

namespace cloister::store {
namespace {

constexpr int kExpiredAtOnce = 256;

std::uint32_t check_of_submission(const SavedSubmission& one) {
    const std::string key = one.key ? "k" + *one.key : std::string();
    // Rows of before there was a request have none.
    const std::uint32_t request = one.request.empty() ? 0 : check_of(std::string_view(one.request));
    return request ^ check_of(std::string_view(one.id), std::string_view(key),
                              std::string_view(one.kind), std::string_view(one.digest),
                              std::string_view(one.state), std::string_view(one.text),
                              one.last_event, std::int64_t{one.created.count()},
                              std::int64_t{one.ended.count()}, std::int64_t{one.expires.count()});
}

/// The row as it says; its checksum is in the last column.
SavedSubmission read_row(const Query& query) {
    SavedSubmission one;
    one.id = query.text(0);
    if (!query.is_null(1)) one.key = query.text(1);
    one.kind = query.text(2);
    one.digest = query.text(3);
    one.state = query.text(4);
    one.text = query.text(5);
    one.last_event = query.count(6);
    one.created = Time(query.number(7));
    one.ended = Time(query.number(8));
    one.expires = Time(query.number(9));
    one.request = query.text(11);
    return one;
}

std::uint64_t bytes_of(const SavedSubmission& one) { return one.text.size() + one.request.size(); }

std::optional<std::string> first_id(Query query) {
    if (!query.step()) return std::nullopt;
    return std::string(query.text(0));
}

} // namespace

Store::Held& Store::held() {
    if (!held_) {
        Query query(sql_->count_submissions);
        query.step();
        held_ = {.count = static_cast<std::size_t>(query.count(0)), .bytes = query.count(1)};
    }
    return *held_;
}

void Store::drop_submission(const std::string& id) {
    Held& all = held();
    std::uint64_t bytes = 0;
    {
        Query query(sql_->submission_bytes, id);
        if (!query.step()) return;
        bytes = query.count(0);
    }
    run(sql_->drop_submission, id);
    --all.count;
    all.bytes -= std::min(all.bytes, bytes);
}

/// The oldest ended ones go first, but never the one that is to be kept.
void Store::make_room_for(const SavedSubmission& one) {
    while (held().count >= limits_.submissions ||
           held().bytes + bytes_of(one) > limits_.submissions_bytes) {
        const auto oldest = first_id(Query(sql_->oldest_submission));
        if (!oldest)
            throw StoreError(Trouble::limit, "The store " + database_->path() +
                                                 " holds as many submissions as it may.");
        drop_submission(*oldest);
    }
}

void Store::keep(const SavedSubmission& one) {
    Part part(*this);
    // What it was before makes room for what it is now.
    drop_submission(one.id);
    make_room_for(one);
    run(sql_->put_submission, one.id, one.key, one.kind, one.digest, one.state, one.text,
        bytes_of(one), one.last_event, std::int64_t{one.created.count()},
        std::int64_t{one.ended.count()}, std::int64_t{one.expires.count()},
        check_of_submission(one), one.request);
    ++held().count;
    held().bytes += bytes_of(one);
    part.done();
}

std::optional<SavedSubmission> Store::found(Statement& statement, std::string_view value) {
    SavedSubmission one;
    {
        Query query(statement, value);
        if (!query.step()) return std::nullopt;
        one = read_row(query);
        if (query.number(10) == check_of_submission(one)) return one;
    }
    Part part(*this);
    drop_submission(one.id);
    part.done();
    return std::nullopt;
}

std::optional<SavedSubmission> Store::find_submission(std::string_view id) {
    return found(sql_->submission_by_id, id);
}

std::optional<SavedSubmission> Store::find_submission_by_key(std::string_view key) {
    return found(sql_->submission_by_key, key);
}

void Store::end_interrupted(std::string_view text, Time now, Time expires) {
    std::vector<std::string> ids;
    {
        Query query(sql_->open_submissions);
        while (query.step()) ids.emplace_back(query.text(0));
    }
    Part part(*this);
    for (const std::string& id : ids) {
        auto one = find_submission(id);
        if (!one) continue;
        one->state = "failed";
        one->text = text;
        one->ended = now;
        one->expires = expires;
        ++one->last_event;
        keep(*one);
    }
    part.done();
}

void Store::expire_submissions(Time now) {
    Part part(*this);
    for (int i = 0; i < kExpiredAtOnce; ++i) {
        const auto id = first_id(Query(sql_->expired_submission, now.count()));
        if (!id) break;
        drop_submission(*id);
    }
    part.done();
}

std::size_t Store::submission_count() { return held().count; }

std::size_t Store::submission_count(std::string_view kind) {
    Query query(sql_->count_kind, kind);
    query.step();
    return static_cast<std::size_t>(query.count(0));
}

std::vector<std::string> Store::list_submissions(std::string_view kind, std::uint64_t skip,
                                                 std::uint64_t count) {
    std::vector<std::string> ids;
    Query query(sql_->list_kind, kind, count, skip);
    while (query.step()) ids.emplace_back(query.text(0));
    return ids;
}

void Store::forget_submission(const std::string& id) {
    Part part(*this);
    drop_submission(id);
    part.done();
}

} // namespace cloister::store
