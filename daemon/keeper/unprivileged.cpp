// Found out, entered, and said.
#include "daemon/keeper/unprivileged.h"

#include "daemon/wire/journal.h"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>

namespace cloister::keeper {
namespace {

/// Explained in docs/executors.md.
constexpr std::array kUnprotected = {"memory_tree", "processor_share", "user_identity"};
constexpr std::array kUnprotectedInFence = {"written_programs", "file_total", "host_view"};

/// What this process became, once.
isolate::Means means_of_local = isolate::Means::none;

} // namespace

std::vector<std::string> unprotected(isolate::Means means) {
    if (means == isolate::Means::root) return {};
    std::vector<std::string> all = {kUnprotected.begin(), kUnprotected.end()};
    if (means == isolate::Means::fence)
        all.insert(all.end(), kUnprotectedInFence.begin(), kUnprotectedInFence.end());
    return all;
}

void become_local(config::Settings& settings) {
    if (::geteuid() == 0)
        throw std::runtime_error("executor: 'local' is for an ordinary user; root has 'native', "
                                 "which protects more");
    const isolate::FoundMeans found = isolate::find_means();
    if (found.means == isolate::Means::none)
        throw std::runtime_error("executor: 'local' needs user namespaces, or file rules in their "
                                 "place, and this host gives neither to ordinary users: " +
                                 found.missing);
    if (found.means == isolate::Means::user_namespace) isolate::enter_user_namespace();
    means_of_local = found.means;
    settings.method = "local";
    settings.unprotected = unprotected(found.means);
    std::string words;
    for (const std::string& word : settings.unprotected)
        words += (words.empty() ? "" : ", ") + word;
    std::fprintf(stderr,
                 "cloisterd: WARNING: the executor 'local' does not protect this user's account as "
                 "the native one protects a host. Not protected: %s\n",
                 words.c_str());
    if (found.means == isolate::Means::fence)
        std::fprintf(stderr,
                     "cloisterd: WARNING: programs are kept by file rules and filters alone, "
                     "because ordinary users get no namespaces here: %s\n",
                     found.missing.c_str());
    wire::JournalLine("executor")
        .text("method", settings.method)
        .text("unprotected", words)
        .write();
}

bool is_fenced() { return means_of_local == isolate::Means::fence; }

std::unique_ptr<isolate::Instance> make_instance(const config::Settings& settings) {
    if (settings.method != "local") return std::make_unique<isolate::Instance>();
    return std::make_unique<isolate::Instance>(means_of_local, settings.config.state_dir);
}

} // namespace cloister::keeper
