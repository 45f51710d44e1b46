// go-judge's HTTP interface on our engine: /run, /file, /version and /config, at the root as there
// and below /go-judge. docs/compatible.md tells where we differ.
#pragma once

#include "daemon/front/endpoint.h"
#include "daemon/front/go_judge/commands.h"

namespace cloister::front::go_judge {

class HttpInterface final : public Endpoint {
public:
    HttpInterface(const config::Settings& settings, const Access& access, Commands& commands);

    bool serves(const RequestHead& head) const override;
    std::optional<Reply> check(const RequestHead& head) const override;
    Answer answer(const RequestHead& head, std::string_view body,
                  const std::string& submitter) override;
    Reply complaint(unsigned status, std::string_view code,
                    std::string_view message) const override;

private:
    Answer run(std::string_view body, const std::string& submitter);
    Reply file(const RequestHead& head, std::string_view path, std::string_view body);

    const config::Settings& settings_;
    const Access& access_;
    Commands& commands_;
    Submissions waiting_; ///< those whose clients wait; nothing of them is kept
};

} // namespace cloister::front::go_judge
