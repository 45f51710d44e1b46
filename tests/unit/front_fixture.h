// What the front's tests share: settings made by hand, a keeper that only writes down what it is
// asked, and a listener that keeps what it hears.
#pragma once

#include "daemon/front/conversation.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace cloister::front {

inline Executions::Bounds bounds_with(std::size_t boxes) {
    Executions::Bounds bounds;
    bounds.boxes = boxes;
    return bounds;
}

inline bool accepted(const std::variant<std::string, Refusal>& answer) {
    return std::holds_alternative<std::string>(answer);
}

inline config::Settings made_settings() {
    config::Settings settings;
    policies::Policy standard;
    standard.name = "default";
    policies::Policy compile;
    compile.name = "compile";
    compile.limits.memory_bytes = 512 * isolate::kMiB;
    policies::Policy judge = standard;
    judge.name = "judge";
    judge.limits.cpu_percent = 100;
    settings.policies = {{"compile", compile}, {"default", standard}, {"judge", judge}};

    runtimes::Runtime python;
    python.id = "python";
    python.name = "Python";
    python.aliases = {"py"};
    python.default_file = "main.py";
    python.extensions = {".py"};
    python.main_from = "file_stem";
    python.packages = {"python3"};
    runtimes::Runtime java;
    java.id = "java";
    java.name = "Java";
    java.default_file = "Main.java";
    java.extensions = {".java"};
    java.main_from = "java_class";
    java.packages = {"default-jdk-headless"};
    java.compile.emplace();
    java.compile->policy = "compile";
    java.compile->command = {"/usr/bin/compiler", "{options}", "{sources}"};
    runtimes::Runtime c = java;
    c.id = "c";
    c.name = "C";
    c.default_file = "main.c";
    c.extensions = {".c"};
    c.main_from = "file_stem";
    c.packages = {"gcc", "libc6-dev"};
    settings.runtimes = {{"c", c}, {"java", java}, {"python", python}};
    return settings;
}

inline Catalog made_catalog(const config::Settings& settings) {
    Catalog catalog(settings);
    for (Catalog::Entry& entry : catalog.entries) entry.version = "3.11.2";
    return catalog;
}

/// The stream by which a box passes on its files; absent: there is none such.
inline std::string collection_of(const std::vector<std::optional<std::string>>& files) {
    std::string stream;
    isolate::CollectionPart part;
    const auto add = [&] { stream.append(reinterpret_cast<const char*>(&part), sizeof part); };
    for (const auto& file : files) {
        if (file && !file->empty()) {
            part.kind = isolate::CollectionPart::kContent;
            part.size = static_cast<std::uint32_t>(file->size());
            add();
            stream += *file;
        }
        const auto state = file ? isolate::Collected::whole : isolate::Collected::missing;
        part.kind = isolate::CollectionPart::kEnd + static_cast<std::uint32_t>(state);
        part.size = 0;
        add();
        ++part.file;
    }
    return stream;
}

/// A keeper on paper. `log` holds one line for each thing asked.
class PaperBoxes : public Boxes {
public:
    struct Box {
        Start start{};
        std::string bundle{};
        std::string input{};
        bool input_closed = false;
        bool paused = false;
        bool killed = false;
    };

    void start(const Start& asked) override {
        if (fail_next_start) {
            fail_next_start = false;
            if (fails_as_a_library) throw std::runtime_error("epoll_ctl");
            throw isolate::SysError(EMFILE, "make a pipe");
        }
        Box box;
        box.start = asked;
        box.bundle = asked.bundle;
        box.start.bundle = {};
        boxes[asked.frame.run_id] = box;
        order.push_back(asked.frame.run_id);
        most = std::max(most, boxes.size());
    }
    void kill(std::uint64_t box, isolate::Verdict reason) override {
        boxes.at(box).killed = true;
        log.push_back("kill " + std::to_string(box) + " " + std::string(isolate::name_of(reason)));
    }
    void signal(std::uint64_t box, int number) override {
        log.push_back("signal " + std::to_string(box) + " " + std::to_string(number));
    }
    void release(std::uint64_t artifact) override {
        log.push_back("release " + std::to_string(artifact));
    }
    void write(std::uint64_t box, std::string_view bytes) override { boxes.at(box).input += bytes; }
    void connect(std::uint64_t from, std::size_t stream, std::uint64_t to) override {
        log.push_back("connect " + std::to_string(from) + " " + std::to_string(to) +
                      (stream == 0 ? "" : " of stderr"));
    }
    void close_input(std::uint64_t box) override { boxes.at(box).input_closed = true; }
    std::size_t unread_input(std::uint64_t box) override { return boxes.at(box).input.size(); }
    void resize(std::uint64_t box, std::uint16_t columns, std::uint16_t rows) override {
        log.push_back("resize " + std::to_string(box) + " " + std::to_string(columns) + "x" +
                      std::to_string(rows));
    }
    void pause(std::uint64_t box, bool paused) override { boxes.at(box).paused = paused; }
    void forget(std::uint64_t box) override { boxes.erase(box); }

    bool logged(const std::string& line) const { return std::ranges::find(log, line) != log.end(); }
    std::uint64_t last() const { return order.back(); }

    std::map<std::uint64_t, Box> boxes{};
    std::vector<std::uint64_t> order{};
    std::vector<std::string> log{};
    std::size_t most = 0;
    bool fail_next_start = false;
    bool fails_as_a_library = false;
};

class Ears : public Listener {
public:
    void on_event(const Event& event) override {
        events.push_back(event);
        if (react) react(event);
    }
    template <typename Kind>
    std::vector<Kind> all() const {
        std::vector<Kind> found;
        for (const Event& event : events) {
            if (const auto* one = std::get_if<Kind>(&event)) found.push_back(*one);
        }
        return found;
    }
    std::vector<Event> events{};
    std::function<void(const Event&)> react{};
};

/// Executions over paper boxes, with a clock that the test moves.
struct Stage {
    explicit Stage(const Executions::Bounds& bounds = {})
        : executions(
              boxes, bounds, [](int) { return std::string("ptrace"); }, [this] { return now; }) {}

    Job job(const std::string& id = "x", bool stream = false) {
        Job made;
        made.id = id;
        made.language = "python";
        made.version = "3.11.2";
        made.bundle = "bundle of " + id;
        made.stream = stream;
        made.steps.resize(1);
        made.steps.back().limits.output_bytes = 1000;
        return made;
    }
    Job compiled_job(const std::string& id = "x", bool stream = false) {
        Job made = job(id, stream);
        JobStep compile = made.steps.front();
        compile.stage = wire::Stage::compile;
        made.steps.insert(made.steps.begin(), compile);
        return made;
    }
    /// The box ends by itself with `exit_code`, its streams with it.
    void end(std::uint64_t box, int exit_code = 0) {
        isolate::Outcome outcome;
        outcome.ending.exit_code = exit_code;
        end_as(box, outcome);
    }
    void end_as(std::uint64_t box, const isolate::Outcome& outcome) {
        const bool terminal = boxes.boxes.at(box).start.terminal;
        const bool collects = (boxes.boxes.at(box).start.frame.flags & wire::kFlagCollect) != 0;
        executions.on_ended(box, outcome);
        executions.on_stream_end(box, 0);
        if (!terminal) executions.on_stream_end(box, 1);
        if (collects) executions.on_stream_end(box, Executions::kFiles);
    }

    Clock::time_point now{};
    PaperBoxes boxes{};
    Executions executions;
};

/// A whole service on paper; its clock stands still until the test moves it.
struct House {
    House() : House(made_settings()) {}
    explicit House(config::Settings given, Archive* archive = nullptr)
        : settings(std::move(given)), catalog(made_catalog(settings)),
          hub(
              settings.config, tokens::Secret{1, 2, 3}, archive,
              [](std::string_view path) {
                  return std::string(path.ends_with(".py") ? "python" : "");
              },
              [this] { return time; }),
          judgings(stage.executions, catalog, settings, {}) {
        service.settings = &settings;
        service.catalog = &catalog;
        service.executions = &stage.executions;
        service.hub = &hub;
        service.judgings = &judgings;
    }
    void wait(std::chrono::milliseconds passed) {
        time += passed;
        stage.now += passed;
    }

    config::Settings settings;
    Catalog catalog;
    Stage stage;
    rooms::Time time{1'700'000'000'000};
    Hub hub;
    Judgings judgings;
    Service service;
};

} // namespace cloister::front
