// A thousand at most, so that looking at all of them now and then is nothing.
#include "daemon/front/mcp/sessions.h"

#include "daemon/front/text.h"

#include <utility>

namespace cloister::front::mcp {

const Session* Sessions::open(std::string version, std::string owner) {
    if (sessions_.size() >= bounds_.sessions && !make_room()) return nullptr;
    Session session;
    session.id = fresh_uuid();
    session.version = std::move(version);
    session.owner = std::move(owner);
    use(session);
    const std::string id = session.id;
    return &sessions_.emplace(id, std::move(session)).first->second;
}

void Sessions::use(Session& session) {
    session.used = now_();
    session.turn = ++last_turn_;
}

bool Sessions::make_room() {
    std::map<std::string_view, std::size_t> owned;
    for (const auto& [id, session] : sessions_) ++owned[session.owner];
    const Session* chosen = nullptr;
    for (const auto& [id, session] : sessions_) {
        if (is_busy_(id)) continue;
        const auto rank = [&](const Session& one) {
            return std::pair(owned[one.owner], last_turn_ - one.turn);
        };
        if (chosen == nullptr || rank(session) > rank(*chosen)) chosen = &session;
    }
    if (chosen == nullptr) return false;
    close(std::string(chosen->id));
    return true;
}

const Session* Sessions::find(std::string_view id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return nullptr;
    use(found->second);
    return &found->second;
}

void Sessions::close(std::string_view id) {
    if (const auto found = sessions_.find(id); found != sessions_.end()) sessions_.erase(found);
}

void Sessions::tick() {
    const Time oldest = now_() - bounds_.keep;
    std::erase_if(sessions_, [&](const auto& pair) {
        return pair.second.used <= oldest && !is_busy_(pair.first);
    });
}

} // namespace cloister::front::mcp
