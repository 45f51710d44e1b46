// analysis_subscribe: the analysis of a document that somebody has open, again whenever the
// document has changed and rests for a moment. One analysis serves all who subscribed, for each
// language of messages; of one document one is under way at a time, and always of the newest text.
// Knows no socket and no clock: it says when it wants to be called.
#pragma once

#include "daemon/front/analyses.h"
#include "daemon/front/hub.h"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace cloister::front {

class PushedAnalyses : public DocumentWatcher {
public:
    using Connection = Hub::Connection;
    using Time = Analyses::Time;

    struct Bounds {
        std::size_t per_connection = 8;            ///< documents that one may subscribe to
        std::uint64_t source_bytes = 256 * 1024;   ///< larger ones are not analysed
        std::chrono::milliseconds pause{120};      ///< after a change, so that more may come
        std::chrono::milliseconds retry{500};      ///< when there was no answer
        std::chrono::milliseconds patience{1'000}; ///< after so long an old answer is better than
                                                   ///< none
    };

    /// `wake`: on_time() is to be called then, or soon after. All outlive this.
    PushedAnalyses(Hub& hub, Analyses& analyses, const Bounds& bounds, std::function<Time()> now,
                   std::function<void(Time)> wake);
    ~PushedAnalyses() override;

    std::optional<rooms::Refusal> subscribe(Connection connection, const RoomDocument& document,
                                            bool korean) override;
    void unsubscribe(Connection connection, const RoomDocument& document) override;
    void on_left(Connection connection) override;
    void on_changed(const RoomDocument& document) override;
    void on_files(const std::string& room_id) override;

    void on_time();
    std::size_t size() const { return watches_.size(); }

private:
    struct Watch {
        std::map<Connection, bool> korean{}; ///< by who subscribed
        Analyses::Client client = 0;
        std::optional<Time> due{};
        /// What was asked about last; none: everybody has to be told anew.
        std::optional<std::pair<std::string, std::uint64_t>> asked{};
        std::size_t under_way = 0;
        std::array<Time, 2> told{}; ///< in English, in Korean
    };
    using Map = std::map<RoomDocument, Watch>;

    void set_due(Map::iterator which, Time at);
    void begin(Map::iterator which);
    void ask(Map::iterator which, const Hub::Text& text, bool korean);
    void take(const RoomDocument& document, const DocumentVersion& version, bool korean,
              std::string text);
    void remove(Map::iterator which);

    Hub& hub_;
    Analyses& analyses_;
    Bounds bounds_;
    std::function<Time()> now_;
    std::function<void(Time)> wake_;
    Map watches_{};
    std::set<std::pair<Time, RoomDocument>> due_{};
    std::map<Connection, std::set<RoomDocument>> documents_{}; ///< by who subscribed
};

} // namespace cloister::front
