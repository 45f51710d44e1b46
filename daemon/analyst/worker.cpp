// The worker's locks are beside those of its box, which it has already: no files, no network, a
// user of its own, no privilege. They end with it, and so does whatever a source did to it.
#include "daemon/analyst/worker.h"

#include "daemon/analyst/engine/requests.h"
#include "daemon/wire/analyst.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cloister::analyst {
namespace {

/// What it was started with included; two that take it all leave the box some of its memory.
constexpr rlim_t kAddressSpace = 144 * rlim_t{1024} * 1024;
/// Of the processor: for one source, and in all its life for one that holds a document. The first
/// process may let it have up to the second one.
constexpr rlim_t kSeconds = 2;
/// Of the heap that a source of usual length needs: there before anybody waits for it.
constexpr std::size_t kWarm = 3 * std::size_t{1024} * 1024;
/// What the heap keeps rather than to give it back and ask for it again.
constexpr int kKept = 32 * 1024 * 1024;
/// Pages that a process has for itself beside its heap.
constexpr std::size_t kLeastHeld = std::size_t{1024} * 1024;

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the analyst's filter does not know this architecture"
#endif

/// Reading its request, writing its answer, memory, the clock, the end. mmap is beside: without
/// PROT_EXEC. Not tgkill: a worker that aborts is killed by the filter instead.
constexpr std::uint32_t kAllowed[] = {SYS_read, SYS_write,      SYS_munmap,      SYS_mremap,
                                      SYS_brk,  SYS_madvise,    SYS_futex,       SYS_clock_gettime,
                                      SYS_exit, SYS_exit_group, SYS_rt_sigreturn};

constexpr sock_filter statement(unsigned code, std::uint32_t value) {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}
constexpr sock_filter jump(unsigned code, std::uint32_t value, unsigned yes, unsigned no) {
    return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes),
            static_cast<std::uint8_t>(no), value};
}

constexpr unsigned kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr unsigned kEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr unsigned kReturn = BPF_RET | BPF_K;

constexpr auto make_filter() {
    constexpr std::size_t kCalls = std::size(kAllowed);
    std::array<sock_filter, 9 + 2 * kCalls> program{};
    std::size_t at = 0;
    program[at++] = statement(kLoad, offsetof(seccomp_data, arch));
    program[at++] = jump(kEqual, kArchitecture, 1, 0);
    program[at++] = statement(kReturn, SECCOMP_RET_KILL_PROCESS);
    program[at++] = statement(kLoad, offsetof(seccomp_data, nr));
    for (const std::uint32_t call : kAllowed) {
        program[at++] = jump(kEqual, call, 0, 1);
        program[at++] = statement(kReturn, SECCOMP_RET_ALLOW);
    }
    program[at++] = jump(kEqual, SYS_mmap, 0, 3);
    program[at++] = statement(kLoad, offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t));
    program[at++] = jump(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
    program[at++] = statement(kReturn, SECCOMP_RET_ALLOW);
    program[at++] = statement(kReturn, SECCOMP_RET_KILL_PROCESS);
    return program;
}

void lock_in() {
    const rlimit space{kAddressSpace, kAddressSpace};
    const rlimit seconds{kSeconds, kHoldingSeconds};
    const rlimit none{0, 0};
    static constexpr auto kFilter = make_filter();
    const sock_fprog program{.len = kFilter.size(),
                             .filter = const_cast<sock_filter*>(kFilter.data())};
    const bool locked =
        ::setrlimit(RLIMIT_AS, &space) == 0 && ::setrlimit(RLIMIT_CPU, &seconds) == 0 &&
        ::setrlimit(RLIMIT_NPROC, &none) == 0 && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
    if (!locked) ::_exit(1);
}

bool read_whole(int fd, char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t got = ::read(fd, bytes, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        bytes += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_whole(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t done = ::write(fd, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

/// Taken from the kernel for the heap.
std::size_t heap_bytes() {
    const struct mallinfo2 heap = ::mallinfo2();
    return heap.arena + heap.hblkhd;
}

/// Pages are made while the worker waits for its request, not while somebody waits for it.
void warm_heap() {
    (void)::mallopt(M_MMAP_THRESHOLD, kKept);
    (void)::mallopt(M_TRIM_THRESHOLD, kKept);
    (void)::mallopt(M_TOP_PAD, static_cast<int>(kWarm / 4));
    void* const block = std::malloc(kWarm);
    if (block == nullptr) return;
    ::explicit_bzero(block, kWarm);
    std::free(block);
}

/// One head of either kind, as it lies in memory.
template <typename Head>
bool read_head(int fd, Head& head) {
    return read_whole(fd, reinterpret_cast<char*>(&head), sizeof head);
}
template <typename Head>
bool write_head(int fd, const Head& head) {
    return write_whole(fd, reinterpret_cast<const char*>(&head), sizeof head);
}

/// Whether the text is the one that the request is about; a worker with another one is of no use.
bool is_meant(const wire::AnalystRequest& asked, std::string_view text) {
    return text.size() == asked.text_bytes && wire::mark_of(text) == asked.text_mark;
}

/// What its document costs, or 0 when it cannot be held.
std::uint32_t held_kib(const wire::AnalystRequest& asked, const Reader& reader, std::size_t began) {
    if (asked.kind == wire::AnalystRequest::Kind::once || !reader.can_follow()) return 0;
    const std::size_t now = heap_bytes();
    const std::size_t bytes = (now > began ? now - began : 0) + kLeastHeld;
    return bytes > wire::kAnalystHeldBytes ? 0 : static_cast<std::uint32_t>(bytes / 1024);
}

} // namespace

void be_worker(const Languages& languages, int socket) {
    lock_in();
    const std::size_t began = heap_bytes();
    warm_heap();
    Reader reader(languages);
    for (bool first = true;; first = false) {
        wire::AnalystRequest asked;
        if (!read_head(socket, asked)) ::_exit(0);
        const bool follows = asked.kind == wire::AnalystRequest::Kind::follow;
        if (asked.size > wire::kMaxAnalystRequest || follows == first) ::_exit(1);
        std::string request(asked.size, '\0');
        if (!read_whole(socket, request.data(), request.size())) ::_exit(1);
        const bool taken = reader.take(request);
        if (taken && !is_meant(asked, reader.text())) ::_exit(1);
        std::string reply = reader.answer();
        if (reply.size() > wire::kMaxAnalystAnswer) reply = R"({"error":"too_large"})";
        wire::AnalystAnswer answer;
        answer.size = static_cast<std::uint32_t>(reply.size());
        answer.text_mark = asked.text_mark;
        answer.held_kib = taken ? held_kib(asked, reader, began) : 0;
        const bool told =
            write_head(socket, answer) && write_whole(socket, reply.data(), reply.size());
        if (answer.held_kib == 0) ::_exit(told ? 0 : 1);
    }
}

} // namespace cloister::analyst
