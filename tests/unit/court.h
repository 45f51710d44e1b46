// A judging on paper: the tests of judgings.h play the boxes of its runs.
#pragma once

#include "daemon/front/judging.h"
#include "tests/unit/front_fixture.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace cloister::front {

using nlohmann::json;

struct Court : JudgeListener {
    explicit Court(std::size_t parallel = 2, std::size_t boxes = 4)
        : stage(bounds_with(boxes)), settings(made_settings()), catalog(made_catalog(settings)),
          judgings(stage.executions, catalog, settings, bounds(parallel)),
          client(judgings.open_client(*this)) {}

    static Judgings::Bounds bounds(std::size_t parallel) {
        Judgings::Bounds made;
        made.parallel = parallel;
        return made;
    }
    void on_judge_event(const JudgeEvent& event) override {
        events.push_back(event);
        if (react) react(event);
    }

    static json request(std::size_t tests, const std::string& language = "python") {
        json made = {{"type", "judge"}, {"language", language}, {"code", "x"}, {"id", "mine"}};
        for (std::size_t i = 0; i < tests; ++i)
            made["tests"].push_back({{"stdin", std::to_string(i)}, {"expected", "yes"}});
        return made;
    }
    std::variant<std::string, Refusal> submit(const json& request) {
        auto parsed = parse(request.dump(), settings.config);
        if (const auto* why = std::get_if<Refusal>(&parsed)) return *why;
        return judgings.submit(client, std::get<JudgeRequest>(std::get<Request>(parsed)));
    }
    std::string refused(const json& request) {
        const auto answer = submit(request);
        return accepted(answer) ? "" : std::get<Refusal>(answer).code;
    }
    void say(std::uint64_t box, const std::string& text) {
        stage.executions.on_output(box, 0, text);
    }
    void finish(std::uint64_t box, const std::string& output, int exit_code = 0) {
        say(box, output);
        stage.end(box, exit_code);
    }
    std::uint64_t oldest() const { return stage.boxes.boxes.begin()->first; }
    std::string input(std::uint64_t box) const { return stage.boxes.boxes.at(box).input; }
    std::vector<json> told(std::string_view name) const {
        std::vector<json> out;
        for (const JudgeEvent& event : events)
            if (event.name == name) out.push_back(json::parse(event.data));
        return out;
    }
    std::string verdicts() const {
        std::string out;
        for (const json& one : told("verdict"))
            out += (out.empty() ? "" : " ") + one["verdict"].get<std::string>();
        return out;
    }
    json result() const {
        const auto all = told("result");
        REQUIRE(all.size() == 1);
        return all[0];
    }

    Stage stage;
    cloister::config::Settings settings;
    Catalog catalog;
    std::vector<JudgeEvent> events{};
    std::function<void(const JudgeEvent&)> react{};
    Judgings judgings;
    Judgings::ClientNumber client;
};

} // namespace cloister::front
