// `cloister docker-image`: the images of the Docker executor, made from what is installed on this
// host; no registry and no network is asked.
#pragma once

#include <string>
#include <vector>

namespace cloister::cli {

/// `words`: what stands behind `docker-image`. Returns the exit status; throws a sentence.
int make_docker_images(const std::vector<std::string>& words);

} // namespace cloister::cli
