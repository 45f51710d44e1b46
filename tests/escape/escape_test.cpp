// One promise per attack. The same table makes two programs: one against the box as it is, where
// every attack must be contained; one against a box that lacks the attack's layers
// (CLOISTER_WEAKEN), where every attack must succeed, because a test that cannot fail proves
// nothing.
#include "tests/escape/harness.h"

#include <catch2/catch.hpp>

namespace cloister::escape {
namespace {

const char* name_of(Finding finding) {
    switch (finding) {
    case Finding::contained: return "contained";
    case Finding::escaped: return "escaped";
    case Finding::inconclusive: return "inconclusive";
    }
    return "";
}

Evidence attempt(const Attack& attack) {
#ifdef CLOISTER_WEAKEN
    if (attack.layers.empty()) return attack_the_host(attack);
    for (const Layer layer : attack.layers) isolate::weakened_layers |= isolate::bit_of(layer);
    struct Restore {
        ~Restore() { isolate::weakened_layers = 0; }
    } restore;
#endif
    return attack.program == "linger.c" ? attack_after_keeper_died(attack) : attack_a_box(attack);
}

class Promise final : public Catch::ITestInvoker {
public:
    explicit Promise(const Attack& attack) : attack_(attack) {}

    void invoke() const override {
#ifdef CLOISTER_WEAKEN
        const char* const expected = "escaped";
        if (attack_.needs_a_route && !host_has_a_route()) {
            WARN("this host has no network, so nothing can be reached from it");
            return;
        }
#else
        const char* const expected = "contained";
#endif
        const Evidence evidence = attempt(attack_);
        const std::string finding =
            name_of(attack_.judge ? attack_.judge(evidence) : by_report(evidence));
        clean_up(attack_);
        INFO(describe(evidence));
        CHECK(finding == expected);
        for (const LocalResult& result : evidence.results) {
            if (result.verdict != isolate::Verdict::internal_error && result.run_id != 0)
                CHECK(result.level >= level_of(attack_));
        }
    }

private:
    const Attack& attack_;
};

[[maybe_unused]] const int kRegistered = [] {
    for (const Attack& attack : all_attacks()) {
        const std::string topic = attack.program.substr(0, attack.program.find('.'));
        Catch::AutoReg(new Promise(attack), CATCH_INTERNAL_LINEINFO, Catch::StringRef(),
                       Catch::NameAndTags(attack.promise, "[escape][root][" + topic + "]"));
    }
    return 0;
}();

} // namespace
} // namespace cloister::escape
