// Key/value metadata of a GGUF file, kept as views into the mapped file. Values were bounds-checked
// when the file was read, so accessors cannot fail other than by "absent or of another type".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace heft::format {

// Ids as in the GGUF specification.
enum class MetaType : std::uint32_t {
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    f32,
    boolean,
    string,
    array,
    u64,
    i64,
    f64,
};

const char* meta_type_name(MetaType type);   // as the specification writes it: "uint32"
std::size_t meta_type_bytes(MetaType type);  // of a number or a boolean; 0 for string and array

struct MetaValue {
    MetaType type = MetaType::u8;
    MetaType item_type = MetaType::u8;  // of an array
    std::uint64_t count = 1;            // items of an array
    Bytes data;                         // the value's bytes; of a string, its characters; of an
                                        // array, all items as they stand in the file
};

struct MetaEntry {
    std::string_view key;
    MetaValue value;
};

class Metadata {
  public:
    // In file order. Duplicate keys are refused by the reader.
    const std::vector<MetaEntry>& entries() const { return entries_; }
    void add(std::string_view key, MetaValue value);

    const MetaValue* find(std::string_view key) const;
    std::optional<std::string_view> string(std::string_view key) const;
    std::optional<std::int64_t> integer(std::string_view key) const;  // any integer type that fits
    std::optional<double> number(std::string_view key) const;         // any number type
    std::optional<bool> flag(std::string_view key) const;

    // Arrays, converted. Empty when absent or of another type.
    std::vector<std::string_view> strings(std::string_view key) const;
    std::vector<float> floats(std::string_view key) const;
    std::vector<std::int64_t> integers(std::string_view key) const;

  private:
    std::vector<MetaEntry> entries_;
};

}  // namespace heft::format
