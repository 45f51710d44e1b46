// The archive that lies in the state directory: SQLite, behind store/.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/archive.h"
#include "daemon/front/store/store.h"
#include "daemon/front/submission_archive.h"

namespace cloister::front {

/// The name of the store in the state directory.
inline constexpr const char* kStoreFile = "store.db";

store::Limits store_limits(const config::Config& config);

class StoreArchive final : public Archive, public SubmissionArchive {
public:
    /// Opens the store, or makes it; says on stderr what the operator must know. Throws
    /// store::StoreError. To be constructed as the front's user, before the front locks itself in.
    explicit StoreArchive(const config::Config& config);

    std::optional<Saved> open(const std::string& room_id, rooms::Time now) override;
    void close(const std::string& room_id, rooms::Time now) override;
    void keep(const rooms::Room& room, rooms::Time now) override;
    void keep(const rooms::Room& room, std::string_view path, rooms::Time now) override;
    std::optional<History> history(const std::string& room_id, std::string_view path,
                                   std::uint64_t from, std::uint64_t to) override;
    void tidy(rooms::Time now) override;

    void keep(const store::SavedSubmission& submission) override { store_.keep(submission); }
    std::optional<store::SavedSubmission> find_submission(std::string_view id) override {
        return store_.find_submission(id);
    }
    std::optional<store::SavedSubmission> find_key(std::string_view key) override {
        return store_.find_submission_by_key(key);
    }
    void end_interrupted(std::string_view text, rooms::Time now, rooms::Time expires) override {
        store_.end_interrupted(text, now, expires);
    }
    void tidy_submissions(rooms::Time now) override { store_.expire_submissions(now); }
    std::size_t submission_count() override { return store_.submission_count(); }
    std::size_t count_kind(std::string_view kind) override { return store_.submission_count(kind); }
    std::vector<std::string> list_kind(std::string_view kind, std::uint64_t skip,
                                       std::uint64_t count) override {
        return store_.list_submissions(kind, skip, count);
    }
    void forget(const std::string& id) override { store_.forget_submission(id); }

private:
    store::Store store_;
};

} // namespace cloister::front
