// Piston's HTTP interface, version 2, on our engine: /api/v2/runtimes, /api/v2/packages and
// /api/v2/execute, in the words that its clients know. docs/compatible.md tells where we differ.
#pragma once

#include "daemon/front/endpoint.h"
#include "daemon/front/heard_runs.h"

namespace cloister::front::piston {

class HttpInterface final : public Endpoint {
public:
    HttpInterface(const config::Settings& settings, const Catalog& catalog, const Access& access,
                  Executions& executions);

    bool serves(const RequestHead& head) const override;
    std::optional<Reply> check(const RequestHead& head) const override;
    Answer answer(const RequestHead& head, std::string_view body,
                  const std::string& submitter) override;
    Reply complaint(unsigned status, std::string_view code,
                    std::string_view message) const override;

private:
    Answer execute(std::string_view body, const std::string& submitter);

    const config::Settings& settings_;
    const Catalog& catalog_;
    const Access& access_;
    Submissions waiting_; ///< those whose clients wait; nothing of them is kept
    HeardRuns runs_;
};

} // namespace cloister::front::piston
