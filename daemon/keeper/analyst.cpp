// Made, begun, watched, made again. An analyst that ends at once is made again ever more slowly.
#include "daemon/keeper/analyst.h"

#include "isolate/bundle.h"
#include "isolate/mount_plan.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

constexpr const char* kPolicy = "analyst";
constexpr const char* kProgram = "/usr/libexec/cloister/cloister-analyst";
constexpr const char* kData = "/usr/share/cloister/analysis";
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{5'000};
constexpr std::chrono::seconds kGoodLife{30}; ///< one that lived so long was no failure
constexpr std::chrono::duration<int, std::milli> kCleanRetry{2};
/// Where no group bounds it; all that runs in it is ours.
constexpr std::chrono::milliseconds kLookAtAnalyst{200};

/// The data of each language that has some, and what they share, all under one folder.
std::vector<std::string> mounts(const config::Settings& settings, const std::string& program) {
    std::vector<std::string> shown = {program + " => " + kProgram};
    for (const auto& [folder, text] : settings.runtime_texts) {
        const std::filesystem::path path(folder);
        if (!std::filesystem::is_directory(path / "analysis")) continue;
        if (shown.size() == 1) {
            const auto common = path.parent_path() / "grammars" / "common.jsonc";
            shown.push_back(common.string() + " => " + kData + "/common.jsonc");
        }
        shown.push_back((path / "analysis").string() + " => " + kData + "/" +
                        path.filename().string());
    }
    return shown;
}

/// A box unpacks what its order brings; the analyst's brings nothing.
Fd empty_bundle() {
    const std::string bytes = isolate::pack({});
    Fd memory(
        check(::memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memory of a bundle"));
    if (::write(memory.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        throw isolate::SysError(errno, "write a bundle");
    return memory;
}

isolate::Word word(const char* text) {
    isolate::Word made;
    made.text = text;
    return made;
}

} // namespace

Analyst::Analyst(isolate::Instance& instance, const config::Settings& settings,
                 const std::string& program, std::function<void(Fd)> begun)
    : instance_(instance), begun_(std::move(begun)) {
    if (program.empty()) return;
    try {
        if (instance_.means() == isolate::Means::fence)
            throw std::runtime_error("the analyst is in a box, which cannot be made here");
        const auto policy = settings.policies.find(kPolicy);
        if (policy == settings.policies.end())
            throw std::runtime_error(std::string("there is no policy '") + kPolicy + "'");
        const std::vector<std::string> shown = mounts(settings, program);
        if (shown.size() == 1) throw std::runtime_error("no language has data for it");
        limits_ = policy->second.limits;
        filter_.emplace(policy->second.syscalls);
        root_.emplace(isolate::plan_mounts(shown));
        if (instance_.means() == isolate::Means::root) network_ = isolate::Network::make();
        command_ = {word(kProgram), word(kData)};
        environment_ = {"LANG=C.UTF-8"};
        next_ = Clock::now();
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}

Analyst::~Analyst() {
    if (!box_) return;
    // What is not over in time is met by the next start's sweep.
    box_->kill();
    const auto patience = Clock::now() + std::chrono::seconds(1);
    pollfd watched{.fd = box_->init_fd(), .events = POLLIN, .revents = 0};
    (void)::poll(&watched, 1, 1000);
    bool gone = box_->reap();
    while (!(gone && box_->is_over() && box_->remove()) && Clock::now() < patience) {
        (void)::poll(nullptr, 0, kCleanRetry.count());
        gone = gone || box_->reap();
    }
}

void Analyst::give_up(const std::string& why) {
    next_.reset();
    std::fprintf(stderr, "cloisterd: serving without analysis: %s\n", why.c_str());
}

void Analyst::begin() {
    next_.reset();
    try {
        int ends[2];
        check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "pair of the analyst");
        Fd front_end(ends[0]);
        const Fd own_end(ends[1]);
        const Fd nowhere(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
        const Fd bundle = empty_bundle();
        const isolate::BoxSpec spec{.name = "analyst-" + std::to_string(++count_),
                                    .means = instance_.means(),
                                    .user_id = instance_.analyst_id(),
                                    .owner = instance_.analyst_owner(),
                                    .limits = limits_,
                                    .root_namespace = root_->mount_namespace(),
                                    .network_namespace = network_.fd(),
                                    .filter = &*filter_,
                                    .command = command_,
                                    .environment = environment_};
        box_ = isolate::Box::make(instance_.cgroups(), spec);
        init_gone_ = emptied_ = false;
        began_ = Clock::now();
        const isolate::BoxOrder order{.limits = limits_,
                                      .streams = {own_end.get(), nowhere.get(), nowhere.get()},
                                      .bundle_fd = bundle.get()};
        box_->begin(order);
        begun_(std::move(front_end));
    } catch (const isolate::SysError& error) {
        std::fprintf(stderr, "cloisterd: the analyst's box: %s\n", error.what());
        if (box_) box_->kill(); // its end is seen like any other
        else next_ = Clock::now() + kLongestPause;
    }
}

void Analyst::read_reports() {
    while (const auto report = box_->next_report()) {
        if (report->kind != isolate::Report::Kind::failed) continue;
        const auto step = static_cast<isolate::Step>(report->value);
        const std::string why = std::generic_category().message(report->detail);
        std::fprintf(stderr, "cloisterd: the analyst's box: %s: %s\n",
                     std::string(isolate::name_of(step)).c_str(), why.c_str());
    }
}

void Analyst::clean() {
    emptied_ = emptied_ || box_->is_over();
    if (!emptied_ || !box_->remove()) {
        next_ = Clock::now() + kCleanRetry;
        return;
    }
    box_.reset();
    const bool lived = Clock::now() - began_ >= kGoodLife;
    pause_ = lived ? kFirstPause : std::clamp(2 * pause_, kFirstPause, kLongestPause);
    next_ = Clock::now() + pause_;
}

/// v1 kills one process for memory; what is left of the box is of no use. (v2 kills the box.)
void Analyst::take_memory_event() {
    pollfd event{.fd = box_->oom_event(), .events = POLLIN, .revents = 0};
    if (event.fd < 0 || ::poll(&event, 1, 0) <= 0) return;
    std::uint64_t count = 0;
    (void)!::read(event.fd, &count, sizeof count); // resets it
    if (const auto counters = box_->counters(); counters && counters->oom_kills == 0) return;
    box_->kill();
}

void Analyst::dispatch() {
    const bool due = next_ && Clock::now() >= *next_;
    if (!box_) {
        if (due) begin();
        return;
    }
    read_reports();
    if (!init_gone_ && box_->reap()) {
        read_reports();
        init_gone_ = true;
        next_.reset();
    }
    if (init_gone_ && (!next_ || due)) clean();
    if (!init_gone_) take_memory_event();
    if (!init_gone_ && box_->is_watched() && (!next_ || due)) {
        if (box_->look()) box_->kill();
        next_ = Clock::now() + kLookAtAnalyst;
    }
}

} // namespace cloister::keeper
