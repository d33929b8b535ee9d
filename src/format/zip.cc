#include "format/zip.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "format/names.h"

namespace heft::format {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kMaxComment = 0xffff;
constexpr std::uint32_t kIn64 = 0xffffffff;  // the field is in the zip64 extension
constexpr std::uint16_t kEncrypted = 1;
constexpr std::size_t kMaxName = 4096;

Error corrupt(const std::string& what) {
    return {Code::corrupt, "is a zip archive that " + what + "; was the download complete?"};
}

template <class T>
T field(Bytes at, std::size_t offset) {
    return load<T>(at.data() + offset);
}

// Where the list of entries is.
struct Directory {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;
};

// The end record is the last thing in the file but for a comment, whose length it says.
std::optional<std::size_t> find_end(Bytes bytes) {
    if (bytes.size() < kEndBytes) return {};
    const std::size_t last = bytes.size() - kEndBytes;
    const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (std::size_t at = last + 1; at-- > first;) {
        const Bytes end = bytes.subspan(at);
        if (field<std::uint32_t>(end, 0) == kEnd
            && field<std::uint16_t>(end, 20) == end.size() - kEndBytes)
            return at;
    }
    return {};
}

// The end record of zip64, which says the same in 64 bits; absent in small archives.
Result<std::optional<Directory>> read_end64(Bytes bytes, std::size_t end) {
    using Found = std::optional<Directory>;
    if (end < kLocatorBytes) return Found();
    const Bytes locator = bytes.subspan(end - kLocatorBytes);
    if (field<std::uint32_t>(locator, 0) != kLocator64) return Found();
    const auto at = field<std::uint64_t>(locator, 8);
    if (bytes.size() < kEnd64Bytes || at > bytes.size() - kEnd64Bytes
        || load<std::uint32_t>(bytes.data() + at) != kEnd64)
        return corrupt("has no zip64 end record at byte " + std::to_string(at));
    const Bytes record = bytes.subspan(static_cast<std::size_t>(at));
    return Found(Directory{field<std::uint64_t>(record, 32), field<std::uint64_t>(record, 40),
                           field<std::uint64_t>(record, 48)});
}

Result<Directory> read_end(Bytes bytes) {
    const auto end = find_end(bytes);
    if (!end) return corrupt("has no end record");
    HEFT_TRY(const std::optional<Directory> large, read_end64(bytes, *end));
    if (large) return *large;
    const Bytes record = bytes.subspan(*end);
    if (field<std::uint16_t>(record, 4) != 0 || field<std::uint16_t>(record, 6) != 0)
        return Error{Code::unsupported, "is a zip archive over several disks, which is not read"};
    return Directory{field<std::uint16_t>(record, 10), field<std::uint32_t>(record, 12),
                     field<std::uint32_t>(record, 16)};
}

// One line of the directory.
struct Line {
    std::string_view name;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint64_t stored = 0;  // bytes in the archive
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  // of the local header
};

// Values that did not fit 32 bits stand in the extension with id 1, in this order.
Status read_extension(Bytes extra, Line& line) {
    ByteReader in(extra);
    while (in.left() >= 4) {
        HEFT_TRY(const auto id, in.take<std::uint16_t>());
        HEFT_TRY(const auto length, in.take<std::uint16_t>());
        HEFT_TRY(const Bytes body, in.take_bytes(length));
        if (id != 1) continue;
        ByteReader values(body);
        for (std::uint64_t* value : {&line.size, &line.stored, &line.offset}) {
            if (*value != kIn64) continue;
            HEFT_TRY(*value, values.take<std::uint64_t>());
        }
        return {};
    }
    return {};
}

Result<Line> read_line(ByteReader& in) {
    Line line;
    HEFT_TRY(const Bytes fixed, in.take_bytes(46));
    if (field<std::uint32_t>(fixed, 0) != kCentral) return corrupt("has a damaged directory");
    line.flags = field<std::uint16_t>(fixed, 8);
    line.method = field<std::uint16_t>(fixed, 10);
    line.stored = field<std::uint32_t>(fixed, 20);
    line.size = field<std::uint32_t>(fixed, 24);
    line.offset = field<std::uint32_t>(fixed, 42);
    HEFT_TRY(const Bytes name, in.take_bytes(field<std::uint16_t>(fixed, 28)));
    HEFT_TRY(const Bytes extra, in.take_bytes(field<std::uint16_t>(fixed, 30)));
    HEFT_TRY([[maybe_unused]] const Bytes comment, in.take_bytes(field<std::uint16_t>(fixed, 32)));
    line.name = as_text(name);
    HEFT_OK(check_name("a name in its zip archive", line.name, kMaxName));
    HEFT_OK(read_extension(extra, line));
    return line;
}

// The entry's bytes; its local header must agree with the directory.
Result<Bytes> locate(Bytes bytes, const Line& line) {
    const std::string who = "entry " + in_quotes(line.name);
    if ((line.flags & kEncrypted) != 0)
        return Error{Code::unsupported, who + " of the zip archive is encrypted"};
    if (line.method != 0)
        return Error{Code::unsupported,
                     who + " of the zip archive is compressed (method "
                         + std::to_string(line.method)
                         + "), and only stored entries can be read in place; save the checkpoint "
                           "again with torch.save"};
    if (line.stored != line.size) return corrupt("gives " + who + " two sizes");
    ByteReader in(bytes);
    HEFT_TRY([[maybe_unused]] const Bytes before, in.take_bytes(line.offset));
    HEFT_TRY(const Bytes fixed, in.take_bytes(kLocalBytes));
    HEFT_TRY(const Bytes name, in.take_bytes(field<std::uint16_t>(fixed, 26)));
    HEFT_TRY([[maybe_unused]] const Bytes extra, in.take_bytes(field<std::uint16_t>(fixed, 28)));
    if (field<std::uint32_t>(fixed, 0) != kLocal || as_text(name) != line.name)
        return corrupt("has no header of " + who + " where its directory says");
    return in.take_bytes(line.size);
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip(Bytes bytes) {
    HEFT_TRY(const Directory directory, read_end(bytes));
    ByteReader all(bytes);
    HEFT_TRY([[maybe_unused]] const Bytes before, all.take_bytes(directory.offset));
    HEFT_TRY(const Bytes listing, all.take_bytes(directory.bytes));
    ByteReader in(listing);
    std::vector<ZipEntry> out;
    std::vector<std::string_view> names;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
        HEFT_TRY(const Line line, read_line(in));
        names.push_back(line.name);
        if (line.name.ends_with('/')) continue;
        HEFT_TRY(const Bytes data, locate(bytes, line));
        out.push_back({line.name, data});
    }
    HEFT_OK(check_unique("zip entry", std::move(names)));
    std::sort(out.begin(), out.end(),
              [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
    return out;
}

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, std::string_view name) {
    const auto place =
        std::lower_bound(entries.begin(), entries.end(), name,
                         [](const ZipEntry& a, std::string_view b) { return a.name < b; });
    return place == entries.end() || place->name != name ? nullptr : &*place;
}

}  // namespace heft::format
