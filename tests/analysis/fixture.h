// What the engine's tests share: the languages of this tree, loaded once.
#pragma once

#include "daemon/analyst/engine/analysis.h"
#include "daemon/analyst/engine/language.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

inline const cloister::analyst::Languages& all_languages() {
    static const cloister::analyst::Languages kLanguages =
        cloister::analyst::load_languages_of_runtimes(CLOISTER_SOURCE "/runtimes");
    return kLanguages;
}

inline std::string samples_path(const std::string& language) {
    return CLOISTER_SOURCE "/tests/analysis/samples/" + language + ".txt";
}
