// Packing and checked reading of the bundle. Layout, native byte order (it never leaves the host):
// Header, Record[file_count], u32 offsets[argument_count + collect_count + option_count +
// environment_count], then strings and contents. The last byte is NUL, so every string offset
// inside the bytes ends inside them.
#include "isolate/bundle.h"

#include <cstring>
#include <stdexcept>

namespace cloister::isolate {
namespace {

constexpr std::uint32_t kMagic = 0x33424c43; // "CLB3"

struct Header {
    std::uint32_t magic = kMagic;
    std::uint32_t file_count = 0;
    std::uint32_t argument_count = 0;
    std::uint32_t entry = 0;
    std::uint32_t main_name = 0;
    std::uint32_t collect_count = 0;
    std::uint32_t collect_bytes = 0;
    std::uint32_t option_count = 0;
    std::uint32_t environment_count = 0;
    std::uint32_t has_environment = 0;
    std::uint32_t size = 0;
};

struct Record {
    static constexpr std::uint32_t kSource = 1;
    static constexpr std::uint32_t kExecutable = 2;
    static constexpr std::uint32_t kLink = 4;
    std::uint32_t path = 0;
    std::uint32_t flags = 0;
    std::uint32_t data = 0;
    std::uint32_t size = 0;
};

template <typename Value>
void append(std::string& bytes, const Value& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename Value>
Value read_at(std::span<const std::byte> bytes, std::size_t offset) {
    Value value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

} // namespace

std::string pack(const Bundle& bundle) {
    if (bundle.files.size() > kMaxBundleFiles) throw std::length_error("too many files");
    if (bundle.arguments.size() > kMaxBundleArguments)
        throw std::length_error("too many arguments");
    if (bundle.options.size() > kMaxBundleOptions)
        throw std::length_error("too many options of the compiler");
    if (bundle.collect.size() > kMaxBundleCollect)
        throw std::length_error("too many files to collect");
    const std::vector<std::string> none;
    const std::vector<std::string>& environment = bundle.environment ? *bundle.environment : none;
    if (environment.size() > kMaxBundleEnvironment) throw std::length_error("too many variables");
    std::string head;
    std::string tail;
    const std::size_t tail_start = sizeof(Header) + bundle.files.size() * sizeof(Record) +
                                   bundle.arguments.size() * sizeof(std::uint32_t) +
                                   bundle.collect.size() * sizeof(std::uint32_t) +
                                   bundle.options.size() * sizeof(std::uint32_t) +
                                   environment.size() * sizeof(std::uint32_t);
    const auto place = [&](std::string_view text) {
        const std::size_t offset = tail_start + tail.size();
        if (offset + text.size() + 1 > kMaxBundleBytes)
            throw std::length_error("the files are too large");
        tail.append(text);
        tail.push_back('\0');
        return static_cast<std::uint32_t>(offset);
    };

    Header header;
    header.file_count = static_cast<std::uint32_t>(bundle.files.size());
    header.argument_count = static_cast<std::uint32_t>(bundle.arguments.size());
    header.entry = place(bundle.entry);
    header.main_name = place(bundle.main_name);
    for (const BundleFile& file : bundle.files) {
        if (file.path.size() > kMaxBundlePath) throw std::length_error("a path is too long");
        Record record;
        record.path = place(file.path);
        record.flags = (file.source ? Record::kSource : 0) |
                       (file.executable ? Record::kExecutable : 0) |
                       (file.link ? Record::kLink : 0);
        record.data = place(file.content);
        record.size = static_cast<std::uint32_t>(file.content.size());
        append(head, record);
    }
    header.collect_count = static_cast<std::uint32_t>(bundle.collect.size());
    header.collect_bytes = bundle.collect_bytes;
    header.option_count = static_cast<std::uint32_t>(bundle.options.size());
    header.has_environment = bundle.environment ? 1 : 0;
    header.environment_count = static_cast<std::uint32_t>(environment.size());
    for (const std::string& argument : bundle.arguments) append(head, place(argument));
    for (const std::string& path : bundle.collect) {
        if (path.size() > kMaxBundlePath) throw std::length_error("a path is too long");
        append(head, place(path));
    }
    for (const std::string& option : bundle.options) append(head, place(option));
    for (const std::string& variable : environment) append(head, place(variable));

    header.size = static_cast<std::uint32_t>(tail_start + tail.size());
    std::string bytes;
    bytes.reserve(header.size);
    append(bytes, header);
    return bytes + head + tail;
}

bool BundleView::open(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(Header) || bytes.size() > kMaxBundleBytes) return false;
    const auto header = read_at<Header>(bytes, 0);
    if (header.magic != kMagic || header.size != bytes.size()) return false;
    if (header.file_count > kMaxBundleFiles || header.argument_count > kMaxBundleArguments ||
        header.collect_count > kMaxBundleCollect || header.option_count > kMaxBundleOptions ||
        header.environment_count > kMaxBundleEnvironment)
        return false;
    const std::size_t texts = std::size_t{header.argument_count} + header.collect_count +
                              header.option_count + header.environment_count;
    const std::size_t tail_start =
        sizeof(Header) + header.file_count * sizeof(Record) + texts * sizeof(std::uint32_t);
    if (tail_start >= bytes.size() || bytes.back() != std::byte{0}) return false;
    const auto is_string = [&](std::uint32_t offset) {
        return offset >= tail_start && offset < bytes.size();
    };
    if (!is_string(header.entry) || !is_string(header.main_name)) return false;
    for (std::size_t i = 0; i < header.file_count; ++i) {
        const auto record = read_at<Record>(bytes, sizeof(Header) + i * sizeof(Record));
        if (!is_string(record.path) || !is_string(record.data)) return false;
        if (record.size > bytes.size() - record.data) return false;
    }
    const std::size_t table = sizeof(Header) + header.file_count * sizeof(Record);
    for (std::size_t i = 0; i < texts; ++i) {
        if (!is_string(read_at<std::uint32_t>(bytes, table + i * sizeof(std::uint32_t))))
            return false;
    }
    bytes_ = bytes;
    file_count_ = header.file_count;
    argument_count_ = header.argument_count;
    option_count_ = header.option_count;
    collect_count_ = header.collect_count;
    collect_bytes_ = header.collect_bytes;
    environment_count_ = header.environment_count;
    has_environment_ = header.has_environment != 0;
    entry_ = reinterpret_cast<const char*>(bytes.data()) + header.entry;
    main_name_ = reinterpret_cast<const char*>(bytes.data()) + header.main_name;
    return true;
}

BundleView::File BundleView::file(std::size_t index) const {
    const auto record = read_at<Record>(bytes_, sizeof(Header) + index * sizeof(Record));
    return {.path = reinterpret_cast<const char*>(bytes_.data()) + record.path,
            .content = bytes_.subspan(record.data, record.size),
            .source = (record.flags & Record::kSource) != 0,
            .executable = (record.flags & Record::kExecutable) != 0,
            .link = (record.flags & Record::kLink) != 0};
}

const char* BundleView::argument(std::size_t index) const { return text_at(index); }

const char* BundleView::collect(std::size_t index) const {
    return text_at(argument_count_ + index);
}

const char* BundleView::option(std::size_t index) const {
    return text_at(argument_count_ + collect_count_ + index);
}

const char* BundleView::environment(std::size_t index) const {
    return text_at(argument_count_ + collect_count_ + option_count_ + index);
}

const char* BundleView::text_at(std::size_t index) const {
    const std::size_t table = sizeof(Header) + file_count_ * sizeof(Record);
    const auto offset = read_at<std::uint32_t>(bytes_, table + index * sizeof(std::uint32_t));
    return reinterpret_cast<const char*>(bytes_.data()) + offset;
}

} // namespace cloister::isolate
