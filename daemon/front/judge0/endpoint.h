// Judge0 CE's HTTP interface, version 1.13.1, on our engine: /submissions and what goes with them,
// in the words that its clients know. docs/compatible.md tells where we differ.
#pragma once

#include "daemon/front/endpoint.h"
#include "daemon/front/judge0/facts.h"
#include "daemon/front/judge0/work.h"

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::judge0 {

class HttpInterface final : public Endpoint {
public:
    /// Tells a callback's address of a submission, by the text that its clients get.
    using Tell =
        std::function<void(const std::string& id, const std::string& url, const std::string& body)>;
    struct Parts {
        const config::Settings& settings;
        const Catalog& catalog;
        const Access& access;
        Executions& executions;
        Submissions& submissions;
        Machine machine{};
        std::function<std::size_t()> boxes{};
        Tell tell{}; ///< none: callbacks are not allowed
    };
    explicit HttpInterface(Parts parts);

    bool serves(const RequestHead& head) const override;
    std::optional<Reply> check(const RequestHead& head) const override;
    Answer answer(const RequestHead& head, std::string_view body,
                  const std::string& submitter) override;
    Reply complaint(unsigned status, std::string_view code,
                    std::string_view message) const override;

private:
    struct Created {
        std::string id{};
        Errors errors{};                  ///< instead, when there are any
        std::optional<Refusal> refusal{}; ///< likewise
    };
    Created create(const nlohmann::json& body, bool base64, const std::string& submitter);
    Answer post_one(const RequestHead& head, std::string_view body, const std::string& submitter);
    Answer post_batch(const RequestHead& head, std::string_view body, const std::string& submitter);
    Reply show_one(const RequestHead& head, const std::string& id);
    Reply show_batch(const RequestHead& head);
    Reply list(const RequestHead& head);
    Reply remove(const RequestHead& head, const std::string& id);
    Reply show_language(std::string_view id) const;
    Reply show_fact(std::string_view path);
    /// The submission's object; nothing when a text of it is not UTF-8.
    std::optional<std::string> shown(const store::SavedSubmission& saved, const Fields& fields,
                                     bool base64) const;
    std::optional<store::SavedSubmission> find(const std::string& id);
    void on_ended(const std::string& id, const std::string& url);

    Parts parts_;
    Work work_;
    Statistics statistics_{};
};

} // namespace cloister::front::judge0
