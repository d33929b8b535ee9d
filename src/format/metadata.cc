#include "format/metadata.h"

#include <iterator>

#include "base/check.h"

namespace heft::format {

namespace {

struct TypeInfo {
    const char* name;
    std::size_t bytes;
};

constexpr TypeInfo kTypes[] = {
    {"uint8", 1},  {"int8", 1},    {"uint16", 2},  {"int16", 2},  {"uint32", 4},
    {"int32", 4},  {"float32", 4}, {"bool", 1},    {"string", 0}, {"array", 0},
    {"uint64", 8}, {"int64", 8},   {"float64", 8},
};

const TypeInfo& type_info(MetaType type) {
    const auto index = static_cast<std::size_t>(type);
    HEFT_CHECK(index < std::size(kTypes));
    return kTypes[index];
}

// The integer of `type` that stands at `at`, if it is an integer that fits.
std::optional<std::int64_t> integer_at(MetaType type, const std::byte* at) {
    switch (type) {
        case MetaType::u8: return load<std::uint8_t>(at);
        case MetaType::i8: return load<std::int8_t>(at);
        case MetaType::u16: return load<std::uint16_t>(at);
        case MetaType::i16: return load<std::int16_t>(at);
        case MetaType::u32: return load<std::uint32_t>(at);
        case MetaType::i32: return load<std::int32_t>(at);
        case MetaType::i64: return load<std::int64_t>(at);
        case MetaType::u64: {
            const auto value = load<std::uint64_t>(at);
            if (value > static_cast<std::uint64_t>(INT64_MAX)) return {};
            return static_cast<std::int64_t>(value);
        }
        case MetaType::f32:
        case MetaType::f64:
        case MetaType::boolean:
        case MetaType::string:
        case MetaType::array: return {};
    }
    return {};
}

std::optional<double> number_at(MetaType type, const std::byte* at) {
    if (type == MetaType::f32) return load<float>(at);
    if (type == MetaType::f64) return load<double>(at);
    if (type == MetaType::u64) return static_cast<double>(load<std::uint64_t>(at));
    if (const auto integer = integer_at(type, at)) return static_cast<double>(*integer);
    return {};
}

// The items of an array of numbers, converted by `convert`; all or none.
template <class T, class Convert>
std::vector<T> numbers(const MetaValue* value, Convert convert) {
    std::vector<T> out;
    if (value == nullptr || value->type != MetaType::array) return out;
    const std::size_t size = meta_type_bytes(value->item_type);
    if (size == 0 || value->data.size() / size != value->count) return out;
    out.reserve(value->data.size() / size);
    for (std::size_t at = 0; at + size <= value->data.size(); at += size) {
        const auto item = convert(value->item_type, value->data.data() + at);
        if (!item) return {};
        out.push_back(static_cast<T>(*item));
    }
    return out;
}

// The bytes of a single number or boolean, or null.
const std::byte* scalar(const MetaValue* value) {
    if (value == nullptr) return nullptr;
    const std::size_t size = meta_type_bytes(value->type);
    return size != 0 && value->data.size() == size ? value->data.data() : nullptr;
}

}  // namespace

const char* meta_type_name(MetaType type) {
    return type_info(type).name;
}

std::size_t meta_type_bytes(MetaType type) {
    return type_info(type).bytes;
}

void Metadata::add(std::string_view key, MetaValue value) {
    entries_.push_back({key, value});
}

const MetaValue* Metadata::find(std::string_view key) const {
    for (const MetaEntry& entry : entries_)
        if (entry.key == key) return &entry.value;
    return nullptr;
}

std::optional<std::string_view> Metadata::string(std::string_view key) const {
    const MetaValue* value = find(key);
    if (value == nullptr || value->type != MetaType::string) return {};
    return as_text(value->data);
}

std::optional<std::int64_t> Metadata::integer(std::string_view key) const {
    const MetaValue* value = find(key);
    const std::byte* at = scalar(value);
    return at == nullptr ? std::nullopt : integer_at(value->type, at);
}

std::optional<double> Metadata::number(std::string_view key) const {
    const MetaValue* value = find(key);
    const std::byte* at = scalar(value);
    return at == nullptr ? std::nullopt : number_at(value->type, at);
}

std::optional<bool> Metadata::flag(std::string_view key) const {
    const MetaValue* value = find(key);
    const std::byte* at = scalar(value);
    if (at == nullptr || value->type != MetaType::boolean) return {};
    return *at != std::byte{0};
}

std::vector<std::string_view> Metadata::strings(std::string_view key) const {
    std::vector<std::string_view> out;
    const MetaValue* value = find(key);
    if (value == nullptr || value->type != MetaType::array || value->item_type != MetaType::string)
        return out;
    const std::string_view all = as_text(value->data);
    if (value->count > all.size() / sizeof(std::uint64_t)) return out;
    out.reserve(value->count);
    for (std::size_t at = 0; out.size() < value->count;) {
        if (all.size() - at < sizeof(std::uint64_t)) return {};
        const auto length = load<std::uint64_t>(all.data() + at);
        at += sizeof length;
        if (length > all.size() - at) return {};
        out.push_back(all.substr(at, length));
        at += length;
    }
    return out;
}

std::vector<float> Metadata::floats(std::string_view key) const {
    return numbers<float>(find(key), number_at);
}

std::vector<std::int64_t> Metadata::integers(std::string_view key) const {
    return numbers<std::int64_t>(find(key), integer_at);
}

}  // namespace heft::format
