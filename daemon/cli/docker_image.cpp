// An image shows what a box of our own would show: the files that the runtime's steps list, the
// symbolic links on the way to them, a generated /etc, the loader's cache, and the empty places
// that a container mounts something at. Files that lie in the image where they lie on the host are
// read by tar there; the rest is laid out in a folder of ours first.
#include "daemon/cli/docker_image.h"

#include "daemon/config/settings.h"
#include "daemon/keeper/docker.h"
#include "isolate/instance.h"
#include "isolate/loader_cache.h"
#include "isolate/mount_plan.h"
#include "isolate/root_template.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cloister::cli {
namespace {

using isolate::check;
using isolate::Fd;

constexpr const char* kUsage = "usage: cloister docker-image [--config FILE] [LANGUAGE...]";
constexpr unsigned kNamedUsers = 64; ///< slots of the first instance, whose users have a name

struct Asked {
    std::string config_file{};
    std::vector<std::string> languages{};
};

Asked read(const std::vector<std::string>& words) {
    Asked asked;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--config") {
            if (i + 1 == words.size()) throw std::runtime_error(word + " needs a value");
            asked.config_file = words[++i];
        } else if (word.starts_with("--")) {
            throw std::runtime_error("unknown option '" + word + "'\n" + kUsage);
        } else {
            asked.languages.push_back(word);
        }
    }
    return asked;
}

/// Removed with everything in it.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / "cloister-image-XXXXXX") {
        std::string name = path_.string();
        if (::mkdtemp(name.data()) == nullptr) throw isolate::SysError(errno, "make " + name);
        path_ = name;
    }
    ~Folder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    /// Where `place` of the image lies here; its parents are made.
    std::filesystem::path at(const std::string& place) const {
        const std::filesystem::path inside = path_ / "root" / place.substr(1);
        std::filesystem::create_directories(inside.parent_path());
        return inside;
    }

private:
    std::filesystem::path path_;
};

void write(const std::filesystem::path& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// What tar is to take from the host itself, relative to its root.
std::vector<std::string> lay_out(const isolate::MountPlan& plan, const Folder& folder) {
    namespace fs = std::filesystem;
    for (const char* place :
         {"/box", "/app", "/kit", "/tmp", "/proc", "/dev", "/sys", "/etc", "/run/cloister"})
        fs::create_directories(folder.at(std::string(place) + "/x").parent_path());
    write(folder.at(keeper::kContainerInit), "");
    for (const isolate::MountPlan::Link& link : plan.links)
        fs::create_symlink(link.target, folder.at(link.path));
    for (const isolate::MountPlan::File& file : plan.files)
        write(folder.at(file.path), file.content);
    std::vector<std::string> of_host;
    for (const isolate::MountPlan::Bind& bind : plan.binds) {
        const fs::path inside = folder.at(bind.target);
        if (bind.source == bind.target) of_host.push_back(bind.source.substr(1));
        else
            fs::copy(bind.source, inside,
                     fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    }
    return of_host;
}

/// Starts `words` with these two descriptors as its stdin and stdout.
pid_t start(const std::vector<std::string>& words, int in, int out) {
    std::vector<std::string> copy = words;
    std::vector<char*> pointers;
    for (std::string& word : copy) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t pid = check(::fork(), "start " + words.front());
    if (pid != 0) return pid;
    if (in >= 0) (void)::dup2(in, 0);
    if (out >= 0) (void)::dup2(out, 1);
    (void)::execvp(pointers[0], pointers.data());
    ::_exit(127);
}

bool ended_well(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void import(const Folder& folder, const std::string& image, const std::string& docker_host) {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe");
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    const std::string root = (folder.path() / "root").string();
    const std::string list = (folder.path() / "list").string();
    // Nobody's files but root's, and none that gives a privilege.
    const pid_t tar =
        start({"tar", "--create", "--numeric-owner", "--owner=0", "--group=0", "--mode=ug-s,go-w",
               "--sort=name", "--directory=" + root, ".", "--directory=/", "--null",
               "--verbatim-files-from", "--files-from=" + list},
              -1, write_end.get());
    write_end.reset();
    std::vector<std::string> docker = {"docker"};
    if (!docker_host.empty()) docker.insert(docker.end(), {"--host", docker_host});
    docker.insert(docker.end(), {"import", "--message", "cloister docker-image", "-", image});
    const pid_t engine = start(docker, read_end.get(), -1);
    read_end.reset();
    const bool packed = ended_well(tar);
    const bool imported = ended_well(engine);
    if (!packed || !imported)
        throw std::runtime_error(std::string(packed ? "docker" : "tar") + " failed for " + image);
}

/// The steps whose files belong into the image.
std::vector<const runtimes::StepPlan*> steps_of(const runtimes::Runtime& runtime,
                                                const std::string& image) {
    std::vector<const runtimes::StepPlan*> steps;
    const bool compiles = runtime.compile.has_value();
    const bool runs = image.ends_with(":run");
    if (runs) steps.push_back(&runtime.run);
    if (runs && compiles) return steps; // where a program runs there is no compiler
    steps.push_back(&runtime.version);
    if (compiles) steps.push_back(&*runtime.compile);
    if (runtime.check) steps.push_back(&*runtime.check);
    return steps;
}

void make_image(const runtimes::Runtime& runtime, const std::string& image,
                const std::string& docker_host) {
    std::set<std::string> mounts;
    for (const runtimes::StepPlan* step : steps_of(runtime, image))
        mounts.insert(step->mounts.begin(), step->mounts.end());
    isolate::MountPlan plan = isolate::plan_mounts({mounts.begin(), mounts.end()});
    plan.files = isolate::generated_etc(isolate::kFirstId, kNamedUsers);
    if (std::string cache = isolate::loader_cache(plan); !cache.empty())
        plan.files.push_back({.path = "/etc/ld.so.cache", .content = std::move(cache)});
    const Folder folder;
    std::string list;
    for (const std::string& path : lay_out(plan, folder)) list += path + '\0';
    write(folder.path() / "list", list);
    import(folder, image, docker_host);
}

} // namespace

int make_docker_images(const std::vector<std::string>& words) {
    const Asked asked = read(words);
    config::Sources sources;
    sources.config_file = asked.config_file;
    const config::Settings settings = config::load(sources);
    std::vector<const runtimes::Runtime*> wanted;
    for (const std::string& name : asked.languages) {
        const auto by_id = settings.runtimes.find(name); // a hidden one, too
        const runtimes::Runtime* runtime = by_id != settings.runtimes.end()
                                               ? &by_id->second
                                               : runtimes::find(settings.runtimes, name);
        if (runtime == nullptr) throw std::runtime_error("no runtime is called '" + name + "'");
        wanted.push_back(runtime);
    }
    if (asked.languages.empty()) {
        for (const auto& [id, runtime] : settings.runtimes) {
            if (!runtime.hidden) wanted.push_back(&runtime); // a hidden one's is large: by its name
        }
    }
    (void)::umask(022);
    bool all = true;
    for (const runtimes::Runtime* runtime : wanted) {
        for (const std::string& image : keeper::images_of(*runtime)) {
            std::cout << image << ": " << std::flush;
            try {
                make_image(*runtime, image, settings.config.docker_host);
            } catch (const isolate::SysError& error) {
                std::cout << "not made: " << error.what() << "; Debian packages:";
                for (const std::string& package : runtime->packages) std::cout << " " << package;
                std::cout << "\n";
                all = false;
            }
        }
    }
    return all ? 0 : 1;
}

} // namespace cloister::cli
