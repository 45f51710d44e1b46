// Found out, entered, and said.
#include "daemon/keeper/unprivileged.h"

#include "daemon/wire/journal.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace cloister::keeper {
namespace {

constexpr std::array kWords = {
    std::pair{"memory_tree", "memory is looked at a hundred times a second instead of bounded by "
                             "the kernel: a program may have more for a moment, and files in /tmp "
                             "and /box do not count as memory"},
    std::pair{"processor_share", "a program may use all processors until its time is over; time is "
                                 "counted by looks, and that of some short-lived processes not at "
                                 "all"},
    std::pair{"user_identity", "programs and daemon are one and the same user of this host; what "
                               "keeps them apart is namespaces and the system call filter alone"},
};

} // namespace

std::vector<std::string> unprotected(isolate::Means means) {
    std::vector<std::string> words;
    if (means == isolate::Means::root) return words;
    for (const auto& [word, sentence] : kWords) words.emplace_back(word);
    return words;
}

std::string explained(const std::string& word) {
    const auto* const found = std::find_if(kWords.begin(), kWords.end(),
                                           [&](const auto& entry) { return entry.first == word; });
    return found == kWords.end() ? std::string() : found->second;
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
    settings.unprotected = unprotected(found.means);
    std::string words;
    for (const std::string& word : settings.unprotected) words += (words.empty() ? "" : ", ") + word;
    std::fprintf(stderr,
                 "cloisterd: WARNING: the executor 'local' does not protect this user's account as "
                 "the native one protects a host. Not protected: %s\n",
                 words.c_str());
    wire::JournalLine("executor").text("method", settings.method).text("unprotected", words).write();
}

std::unique_ptr<isolate::Instance> make_instance(const config::Settings& settings) {
    if (settings.method != "local") return std::make_unique<isolate::Instance>();
    return std::make_unique<isolate::Instance>(isolate::Means::user_namespace,
                                               settings.config.state_dir);
}

} // namespace cloister::keeper
