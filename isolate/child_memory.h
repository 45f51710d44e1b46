// What a box's processes get of this process's memory. A clone copies the whole map, and every
// process of the box has to give it back before its program can begin or end; but all that the
// inside uses is code, libc, a stack, and the arrays that were made ready for it. So those arrays
// are put in one place, and while init is cloned everything else is set not to be copied. It also
// keeps what the keeper knows of other runs out of the box.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace cloister::isolate {

class ChildMemory {
public:
    /// Throws SysError. One thread uses it.
    ChildMemory();
    ~ChildMemory();
    ChildMemory(const ChildMemory&) = delete;
    ChildMemory& operator=(const ChildMemory&) = delete;

    /// Forgets what was put; for the next child.
    void clear() { used_ = 0; }
    /// A copy that the next child sees. Throws SysError when there is too much of it.
    template <typename Value>
    std::span<Value> put(std::span<const Value> values) {
        static_assert(std::is_trivially_copyable_v<Value>);
        void* const place = take(values.size_bytes(), alignof(Value), values.data());
        return {static_cast<Value*>(place), values.size()};
    }
    const char* put(const char* text);
    const char* put(const std::string& text) { return put(text.c_str()); }

    /// While one lives, a new process of this one gets what was put, code, libc and stack alone.
    class Alone {
    public:
        explicit Alone(const ChildMemory& memory);
        ~Alone(); ///< in this process; the child never comes here
        Alone(const Alone&) = delete;
        Alone& operator=(const Alone&) = delete;

    private:
        const ChildMemory& memory_;
        bool active_;
    };

private:
    struct Range {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
    };
    void* take(std::size_t size, std::size_t alignment, const void* content);
    void find_ranges();
    void keep(Range range);
    bool keeps(const void* address) const;
    bool advise_others(int advice) const;

    std::byte* place_ = nullptr;
    std::size_t used_ = 0;
    std::vector<Range> kept_;
    std::vector<Range> others_; ///< between what is kept
};

} // namespace cloister::isolate
