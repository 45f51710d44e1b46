// Owners of kernel objects and the one way in which our own failures are reported.
#pragma once

#include <cerrno>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cloister::isolate {

/// Something went wrong for us (not for the user's program). `what()` starts with the action.
class SysError : public std::system_error {
public:
    SysError(int error, const char* action)
        : std::system_error(error, std::generic_category(), action) {}
    SysError(int error, const std::string& action)
        : std::system_error(error, std::generic_category(), action) {}
};

/// Returns `result`, or throws SysError with errno when it is negative.
template <typename Result, typename Action>
Result check(Result result, const Action& action) {
    if (result < 0) throw SysError(errno, action);
    return result;
}

/// A file descriptor and its life. Open with O_CLOEXEC: nothing of ours may reach a program by
/// accident.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset() {
        if (fd_ >= 0)
            (void)::close(std::exchange(fd_, -1)); // nothing can be done about a failed close
    }

private:
    int fd_ = -1;
};

} // namespace cloister::isolate
