// Linked into the daemon of a sanitizer build alone. The front starts with an empty environment, so
// it cannot be told by ASAN_OPTIONS; and the search for leaks at its exit wants to trace the
// process, which its filter refuses. Leaks are searched for in the tests' own processes.
#include <csignal>

extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0:quarantine_size_mb=4"; }

// Before an exec the sanitizer asks for the alternate stack, and gives up where it may not: the
// filter of the analyst's box allows few calls. It has none.
extern "C" int sigaltstack(const stack_t*, stack_t* old) noexcept {
    if (old != nullptr) *old = {nullptr, SS_DISABLE, 0};
    return 0;
}
