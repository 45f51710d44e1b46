// What is wrong with a package, or what of it cannot be honoured here.
#pragma once

#include <stdexcept>
#include <string>

namespace cloister::package {

/// A sentence that names the file and what is wrong with it.
class Wrong : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] inline void wrong(const std::string& where, const std::string& what) {
    throw Wrong(where + ": " + what);
}

} // namespace cloister::package
