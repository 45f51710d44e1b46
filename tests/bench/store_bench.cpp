// How long the store takes to keep edits: one a batch, 64 a batch (the most that one push holds),
// 64 documents of 64 rooms in turn; and what opening costs afterwards. One line for each:
// microseconds an edit, the slowest batch, and bytes written for one edit.
//
//   store_bench [EDITS] [FOLDER]      FOLDER: on the disk to be measured; default: that of tests
#include "daemon/front/rooms/room.h"
#include "daemon/front/store/store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace cloister;

namespace {

using Clock = std::chrono::steady_clock;

struct Work {
    const char* name;
    std::size_t rooms;
    std::size_t length; ///< of each text, in units
    std::size_t batch;  ///< edits committed at once
};

double micro(Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
}

/// That the kernel was asked to write so far.
std::uint64_t bytes_written() {
    std::ifstream file("/proc/self/io");
    std::string word;
    std::uint64_t value = 0;
    while (file >> word >> value)
        if (word == "wchar:") return value;
    return 0;
}

std::unique_ptr<rooms::Room> room_of(const std::string& name, std::size_t length) {
    static int epochs = 0;
    auto room = std::make_unique<rooms::Room>(
        name, rooms::RoomLimits{}, [] { return std::to_string(1'000'000'000'000'000 + ++epochs); });
    room->join(1, {"connection", "0123456789abcdef", "user", "name", 0, rooms::Role::owner}, true,
               {});
    room->change_code(1, "main.py", std::string(length, 'x'), 0, {});
    room->open(1, "main.py");
    return room;
}

void type(rooms::Room& room) {
    const rooms::Document& document = *room.document("main.py");
    const std::size_t length = document.text().size();
    std::vector<rooms::Sent> sent;
    sent.push_back(
        {document.last_seq("0123456789abcdef") + 1,
         rooms::ChangeSet::replacing(length, length / 2, length / 2 + document.version() % 2,
                                     document.version() % 2 == 0 ? u"한" : u"")});
    room.push(1, "main.py", document.epoch(), document.version(), std::move(sent), {});
}

void measure(const Work& work, std::size_t edits, const std::string& folder) {
    const std::string path = folder + "/bench.db";
    for (const char* suffix : {"", "-wal"}) std::filesystem::remove(path + suffix);
    std::vector<std::unique_ptr<rooms::Room>> rooms;
    std::vector<double> batches;
    std::uint64_t written = 0;
    {
        store::Store store(path, {});
        for (std::size_t i = 0; i < work.rooms; ++i) {
            rooms.push_back(room_of("room" + std::to_string(i), work.length));
            store.keep(*rooms.back(), {});
        }
        const std::uint64_t before = bytes_written();
        for (std::size_t done = 0; done < edits; done += work.batch) {
            rooms::Room& room = *rooms[done / work.batch % rooms.size()];
            for (std::size_t i = 0; i < work.batch; ++i) type(room);
            const Clock::time_point begin = Clock::now();
            store.keep(room, "main.py", {});
            batches.push_back(micro(Clock::now() - begin));
        }
        written = bytes_written() - before;
    }
    double sum = 0;
    for (const double each : batches) sum += each;
    std::sort(batches.begin(), batches.end());
    const auto at = [&](double part) {
        return batches[static_cast<std::size_t>(part * static_cast<double>(batches.size() - 1))];
    };
    const Clock::time_point begin = Clock::now();
    const store::Store store(path, {});
    const double opened = micro(Clock::now() - begin);
    std::printf("%-46s %7.2f us an edit; batches: p50 %.1f p99 %.1f most %.0f us; %.0f bytes an "
                "edit; opened in %.1f ms, %.1f MB\n",
                work.name, sum / static_cast<double>(edits), at(0.5), at(0.99), at(1),
                static_cast<double>(written) / static_cast<double>(edits), opened / 1e3,
                static_cast<double>(std::filesystem::file_size(path)) / 1e6);
}

} // namespace

int main(int count, char** words) {
    const std::size_t edits = count > 1 ? std::strtoul(words[1], nullptr, 10) : 64'000;
    std::string folder = count > 2 ? words[2] : std::filesystem::temp_directory_path().string();
    folder += "/cloister-store-bench-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
        std::perror(folder.c_str());
        return 1;
    }
    for (const Work& work : {Work{"one document, every edit committed", 1, 1'000, 1},
                             Work{"one document, 64 edits committed at once", 1, 1'000, 64},
                             Work{"64 rooms in turn, every edit committed", 64, 1'000, 1},
                             Work{"a text of 300,000, every edit committed", 1, 300'000, 1}})
        measure(work, edits, folder);
    std::filesystem::remove_all(folder);
}
