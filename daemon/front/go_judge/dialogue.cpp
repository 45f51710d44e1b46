// Frames in, runs' events out. A run may end while it is being started, and its client may leave
// while it is told: what events are for is held by them, and looked at before anything is said.
#include "daemon/front/go_judge/dialogue.h"

#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <limits>

#include <nlohmann/json.hpp>

namespace cloister::front::go_judge {

using nlohmann::json;

namespace {

// The first byte of a frame of /stream.
constexpr char kRequest = 1;
constexpr char kResize = 2;
constexpr char kInput = 3;
constexpr char kCancel = 4;
constexpr char kFinal = 1;
constexpr char kOutput = 2;

constexpr unsigned kNormal = 1000;

Bucket bucket_of(const Service& service, Bucket::Time now) {
    const config::Config& config = service.settings->config;
    return Bucket(config.messages_per_second, config.message_burst, now);
}

std::string response_text(const std::string& id, const Ended& ended) {
    JsonObject out;
    out.text("requestId", repaired(id));
    if (ended.error.empty()) return out.raw("results", to_text(ended.results)).close();
    return out.none("results").text("error", repaired(ended.error)).close();
}

std::string text_of(const json& message, const char* key) {
    const auto found = message.find(key);
    return found != message.end() && found->is_string() ? found->get<std::string>() : "";
}

} // namespace

// ---- /ws

RequestsDialogue::RequestsDialogue(Service& service, Line line, Bucket::Time now)
    : service_(service), line_(std::move(line)), bucket_(bucket_of(service, now)),
      asker_("go-judge " + fresh_word()) {}

void RequestsDialogue::end() {
    const auto open = std::exchange(open_, std::make_shared<Open>());
    const Open all = std::exchange(*open, {}); // ends come meanwhile, and find nobody
    for (const auto& [id, handle] : all) {
        if (handle.cancel) handle.cancel();
    }
}

void RequestsDialogue::say(const std::string& id, const Ended& ended) {
    line_.send(message_of(response_text(id, ended)), false);
}

void RequestsDialogue::refuse(const std::string& id, const std::string& why) {
    Ended ended;
    ended.error = why;
    say(id, ended);
}

unsigned RequestsDialogue::receive(std::string_view text, bool, Bucket::Time now) {
    if (!bucket_.take(now)) return kTooFast;
    const auto read = read_body(text, service_.settings->config);
    if (const auto* fault = std::get_if<Fault>(&read)) refuse("", fault->message);
    else act(std::get<json>(read));
    return kGoOn;
}

void RequestsDialogue::act(const json& message) {
    if (const std::string cancelled = text_of(message, "cancelRequestId"); !cancelled.empty()) {
        const auto found = open_->find(cancelled);
        if (found == open_->end() || !found->second.cancel) return;
        const Commands::Cancel cancel = found->second.cancel; // its entry goes meanwhile
        return cancel();
    }
    const std::string id = text_of(message, "requestId");
    auto read = read_request(message, service_.settings->config, false);
    if (const auto* fault = std::get_if<Fault>(&read)) return refuse(id, fault->message);
    if (id.empty()) return refuse(id, "empty request id");
    if (open_->contains(id)) return refuse(id, "duplicated request id: " + id);
    if (open_->size() >= kMostRequests) return refuse(id, "worker queue is full");
    (*open_)[id] = {};
    auto done = [this, id, weak = std::weak_ptr<Open>(open_)](const Ended& ended) {
        const auto open = weak.lock();
        if (open && open->erase(id) > 0) say(id, ended);
    };
    Commands::Handle handle =
        service_.commands->start(asker_, std::get<Request>(std::move(read)), std::move(done));
    if (const auto found = open_->find(id); found != open_->end())
        found->second = std::move(handle);
}

// ---- /stream

struct StreamDialogue::Ear {
    explicit Ear(Line to) : line(std::move(to)) {}
    Line line;
    bool over = false;

    void say(char kind, std::string_view first, std::string_view rest) const {
        std::string frame(1, kind);
        frame.append(first).append(rest);
        line.send(message_of(std::move(frame)), false);
    }
    void hear_output(std::size_t index, std::size_t fd, std::string_view data) const {
        if (over || data.empty()) return;
        const char place = static_cast<char>(index << 4U | fd);
        say(kOutput, {&place, 1}, data);
    }
    void hear_end(const Ended& ended) {
        if (std::exchange(over, true)) return;
        say(kFinal, response_text("", ended), {});
        line.leave(kNormal, "");
    }
};

StreamDialogue::StreamDialogue(Service& service, Line line, Bucket::Time now)
    : service_(service), line_(std::move(line)), bucket_(bucket_of(service, now)),
      asker_("go-judge " + fresh_word()), ear_(std::make_shared<Ear>(line_)) {}

void StreamDialogue::end() {
    ear_->over = true;
    const Commands::Cancel cancel = std::exchange(handle_, {}).cancel;
    if (cancel) cancel();
}

void StreamDialogue::set_congested(bool congested) {
    service_.commands->set_congested(asker_, congested);
}

/// What is wrong is the last thing that is said.
void StreamDialogue::leave(const std::string& why) {
    Ended ended;
    ended.error = why;
    left_ = true;
    ear_->hear_end(ended);
}

unsigned StreamDialogue::receive(std::string_view frame, bool, Bucket::Time now) {
    if (left_ || ear_->over) return kGoOn;
    if (!bucket_.take(now)) return kTooFast;
    const char kind = frame.empty() ? '\0' : frame.front();
    if (!frame.empty()) frame.remove_prefix(1);
    if (begun_ == (kind == kRequest)) {
        leave(begun_ ? "there is a request already"
                     : "the first stream request must be exec request");
    } else if (kind == kRequest) {
        begin_request(frame);
    } else if (kind == kInput) {
        feed(frame);
    } else if (kind == kResize) {
        resize(frame);
    } else if (kind == kCancel) {
        const Commands::Cancel cancel = handle_.cancel;
        if (cancel) cancel();
    } else {
        leave("invalid type code");
    }
    return kGoOn;
}

void StreamDialogue::begin_request(std::string_view text) {
    const auto body = read_body(text, service_.settings->config);
    if (const auto* fault = std::get_if<Fault>(&body)) return leave(fault->message);
    auto read = read_request(std::get<json>(body), service_.settings->config, true);
    if (const auto* fault = std::get_if<Fault>(&read)) return leave(fault->message);
    begun_ = true;
    const std::weak_ptr<Ear> weak = ear_;
    Commands::Heard heard = [weak](std::size_t index, std::size_t fd, std::string_view data) {
        if (const auto ear = weak.lock()) ear->hear_output(index, fd, data);
    };
    Commands::Done done = [weak](const Ended& ended) {
        if (const auto ear = weak.lock()) ear->hear_end(ended);
    };
    Commands::Handle handle = service_.commands->start(asker_, std::get<Request>(std::move(read)),
                                                       std::move(done), std::move(heard));
    if (!ear_->over) handle_ = std::move(handle);
}

void StreamDialogue::feed(std::string_view frame) {
    if (frame.empty()) return leave("an input without its descriptor");
    const auto place = static_cast<unsigned char>(frame.front());
    frame.remove_prefix(1);
    if ((place & 0xfU) != 0) return leave("input does not exist");
    if (!handle_.input) return;
    const auto refusal = handle_.input(place >> 4U, frame);
    if (refusal) leave(*refusal);
}

void StreamDialogue::resize(std::string_view text) {
    const auto body = read_body(text, service_.settings->config);
    if (const auto* fault = std::get_if<Fault>(&body)) return leave(fault->message);
    const auto number = [&](const char* key) -> std::uint64_t {
        const auto found = std::get<json>(body).find(key);
        const bool whole = found != std::get<json>(body).end() && found->is_number_unsigned();
        return whole ? found->get<std::uint64_t>() : 0;
    };
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint16_t>::max();
    const std::uint64_t columns = number("cols");
    const std::uint64_t rows = number("rows");
    if (columns > kMost || rows > kMost) return leave("no terminal is that large");
    if (!handle_.resize) return;
    const auto refusal = handle_.resize(number("index"), static_cast<std::uint16_t>(columns),
                                        static_cast<std::uint16_t>(rows));
    if (refusal) leave(*refusal);
}

} // namespace cloister::front::go_judge
