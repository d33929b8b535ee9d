// Bounded reading of foreign bytes. Every number of a file passes through here; all are little
// endian. A reader is a cursor over memory that it does not own.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace heft {

using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "file formats are read in place");

// Reads a value at a place that need not be aligned.
template <class T>
T load(const void* at) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    std::memcpy(&value, at, sizeof value);
    return value;
}

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteReader {
  public:
    explicit ByteReader(Bytes all) : all_(all) {}

    std::size_t position() const { return at_; }
    std::size_t left() const { return all_.size() - at_; }

    template <class T>
    Result<T> take() {
        if (left() < sizeof(T)) return ends(sizeof(T));
        const T value = load<T>(all_.data() + at_);
        at_ += sizeof(T);
        return value;
    }

    Result<Bytes> take_bytes(std::uint64_t count) {
        if (count > left()) return ends(count);
        const Bytes out = all_.subspan(at_, static_cast<std::size_t>(count));
        at_ += out.size();
        return out;
    }

    // An array of `count` items of `size` bytes. Divides, so that a hostile count cannot wrap.
    Result<Bytes> take_array(std::uint64_t count, std::size_t size) {
        if (size != 0 && count > left() / size) return ends(count);
        return take_bytes(count * size);
    }

  private:
    Error ends(std::uint64_t wanted) const {
        return {Code::corrupt, "ends at byte " + std::to_string(all_.size()) + ", where "
                                   + std::to_string(wanted) + " more items or bytes from byte "
                                   + std::to_string(at_) + " on are announced"};
    }

    Bytes all_;
    std::size_t at_ = 0;
};

}  // namespace heft
