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

} // namespace

std::vector<std::string> unprotected(isolate::Means means) {
    if (means == isolate::Means::root) return {};
    return {kUnprotected.begin(), kUnprotected.end()};
}

void become_local(config::Settings& settings) {
    if (::geteuid() == 0)
        throw std::runtime_error("executor: 'local' is for an ordinary user; root has 'native', "
                                 "which protects more");
    const isolate::FoundMeans found = isolate::find_means();
    if (found.means != isolate::Means::user_namespace)
        throw std::runtime_error("executor: 'local' needs user namespaces, which this host does "
                                 "not give to ordinary users: " +
                                 found.missing);
    isolate::enter_user_namespace();
    settings.method = "local";
    settings.unprotected = unprotected(found.means);
    std::string words;
    for (const std::string& word : settings.unprotected)
        words += (words.empty() ? "" : ", ") + word;
    std::fprintf(stderr,
                 "cloisterd: WARNING: the executor 'local' does not protect this user's account as "
                 "the native one protects a host. Not protected: %s\n",
                 words.c_str());
    wire::JournalLine("executor")
        .text("method", settings.method)
        .text("unprotected", words)
        .write();
}

std::unique_ptr<isolate::Instance> make_instance(const config::Settings& settings) {
    if (settings.method != "local") return std::make_unique<isolate::Instance>();
    return std::make_unique<isolate::Instance>(isolate::Means::user_namespace,
                                               settings.config.state_dir);
}

} // namespace cloister::keeper
