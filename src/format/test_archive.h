// For tests: zip archives and pickles, written byte by byte. Not part of the library.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace heft::format::test {

inline void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) & 0xff : 0);
}

struct ZipFile {
    std::string name;
    std::string data;
    int method = 0;
    int flags = 0;
    std::string local_name = {};  // empty: the same
    std::size_t align = 1;        // of the data, as PyTorch does with an extra field
};

struct ZipOptions {
    bool zip64 = false;
    std::string comment = {};
};

// As APPNOTE.TXT describes it. With zip64 all sizes and places are in the extensions.
inline std::string zip_of(const std::vector<ZipFile>& files, const ZipOptions& options = {}) {
    std::string out;
    std::string directory;
    for (const ZipFile& file : files) {
        const std::size_t offset = out.size();
        const std::string& local = file.local_name.empty() ? file.name : file.local_name;
        const std::size_t begin = offset + 30 + local.size();
        const std::size_t padding = (file.align - begin % file.align) % file.align;
        put(out, 0x04034b50, 4);
        put(out, 20, 2);
        put(out, static_cast<std::uint64_t>(file.flags), 2);
        put(out, static_cast<std::uint64_t>(file.method), 2);
        put(out, 0, 8);  // time, date, checksum
        put(out, file.data.size(), 4);
        put(out, file.data.size(), 4);
        put(out, local.size(), 2);
        put(out, padding, 2);
        out += local + std::string(padding, 'Z') + file.data;

        std::string extra;
        if (options.zip64) {
            put(extra, 0x7075, 2);  // another extension first
            put(extra, 1, 2);
            put(extra, 0, 1);
            put(extra, 1, 2);
            put(extra, 24, 2);
            put(extra, file.data.size(), 8);
            put(extra, file.data.size(), 8);
            put(extra, offset, 8);
        }
        const auto in32 = [&](std::size_t value) { return options.zip64 ? 0xffffffffU : value; };
        put(directory, 0x02014b50, 4);
        put(directory, 20, 2);
        put(directory, 20, 2);
        put(directory, static_cast<std::uint64_t>(file.flags), 2);
        put(directory, static_cast<std::uint64_t>(file.method), 2);
        put(directory, 0, 8);
        put(directory, in32(file.data.size()), 4);
        put(directory, in32(file.data.size()), 4);
        put(directory, file.name.size(), 2);
        put(directory, extra.size(), 2);
        put(directory, 0, 10);  // comment, disk, attributes
        put(directory, in32(offset), 4);
        directory += file.name + extra;
    }
    const std::size_t at = out.size();
    out += directory;
    if (options.zip64) {
        const std::size_t end = out.size();
        put(out, 0x06064b50, 4);
        put(out, 44, 8);
        put(out, 0, 12);
        put(out, files.size(), 8);
        put(out, files.size(), 8);
        put(out, directory.size(), 8);
        put(out, at, 8);
        put(out, 0x07064b50, 4);
        put(out, 0, 4);
        put(out, end, 8);
        put(out, 1, 4);
    }
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, options.zip64 ? 0xffff : files.size(), 2);
    put(out, options.zip64 ? 0xffff : files.size(), 2);
    put(out, options.zip64 ? 0xffffffff : directory.size(), 4);
    put(out, options.zip64 ? 0xffffffff : at, 4);
    put(out, options.comment.size(), 2);
    return out + options.comment;
}

// A pickle, instruction by instruction.
class Pickle {
  public:
    explicit Pickle(int protocol = 2) {
        op('\x80');
        put(bytes_, static_cast<std::uint64_t>(protocol), 1);
    }

    Pickle& op(char code) {
        bytes_ += code;
        return *this;
    }
    Pickle& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    Pickle& text(std::string_view value) {  // BINUNICODE
        put(op('X').bytes_, value.size(), 4);
        return raw(value);
    }
    Pickle& integer(std::int64_t value) {
        if (value >= 0 && value < 256) {
            put(op('K').bytes_, static_cast<std::uint64_t>(value), 1);
        } else if (value >= INT32_MIN && value <= INT32_MAX) {
            put(op('J').bytes_, static_cast<std::uint64_t>(value), 4);
        } else {
            put(op('\x8a').bytes_, 8, 1);
            put(bytes_, static_cast<std::uint64_t>(value), 8);
        }
        return *this;
    }
    Pickle& global(const std::string& module, const std::string& name) {
        return op('c').raw(module + "\n" + name + "\n");
    }
    Pickle& tuple(const std::vector<std::int64_t>& values) {
        op('(');
        for (const std::int64_t value : values) integer(value);
        return op('t');
    }

    struct Tensor {
        std::string storage = "FloatStorage";  // of torch
        std::string key = "0";
        std::int64_t count = 0;
        std::int64_t offset = 0;
        std::vector<std::int64_t> shape = {};
        std::vector<std::int64_t> strides = {};
        std::string dtype = {};  // not empty: of a storage of bytes
    };
    Pickle& tensor(const Tensor& t) {
        global("torch._utils", t.dtype.empty() ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
        op('(').op('(').text("storage");
        global(t.dtype.empty() ? "torch" : "torch.storage", t.storage);
        text(t.key).text("cpu").integer(t.count).op('t').op('Q');
        integer(t.offset).tuple(t.shape).tuple(t.strides).op('\x89');
        global("collections", "OrderedDict").op(')').op('R');
        if (!t.dtype.empty()) global("torch", t.dtype);
        return op('t').op('R');
    }

    std::string stop() const { return bytes_ + '.'; }

  private:
    std::string bytes_;
};

// What torch.save makes of a dictionary: the pickle, and data/KEY for each storage.
inline std::vector<ZipFile> checkpoint_of(const std::string& pickle,
                                          const std::vector<std::string>& storages,
                                          const std::string& byte_order = "little") {
    std::vector<ZipFile> out = {{"archive/data.pkl", pickle}, {"archive/byteorder", byte_order}};
    for (std::size_t i = 0; i < storages.size(); ++i) {
        out.push_back({"archive/data/" + std::to_string(i), storages[i]});
        out.back().align = 64;
    }
    out.push_back({"archive/version", "3\n"});
    return out;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    std::string out(values.size() * sizeof(T), '\0');
    if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
    return out;
}

}  // namespace heft::format::test
