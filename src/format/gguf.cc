#include "format/gguf.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "format/names.h"

namespace heft::format {

namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint32_t kOldMagics[] = {0x67676d6c, 0x67676d66, 0x67676a74, 0x67676c61};
constexpr std::size_t kHeaderBytes = 24;
// Far above any real file (about 100 keys, 100 000 tensors); they bound what a hostile file costs.
constexpr std::uint64_t kMaxKeys = 1U << 16;
constexpr std::uint64_t kMaxTensors = 1U << 18;
constexpr std::size_t kMaxKey = 65535;  // the specification's limit
constexpr std::uint32_t kMaxRank = 4;   // ggml's
constexpr int kMaxDepth = 4;            // of arrays of arrays
constexpr std::size_t kReserve = 4096;  // more is paid for as it is read

// Where a tensor's data stands, until the alignment of the whole file is known.
struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

class Parser {
  public:
    explicit Parser(Bytes bytes) : bytes_(bytes), in_(bytes) {}

    Result<Gguf> parse();

  private:
    Status read_version();
    Status read_keys(std::uint64_t count);
    Status read_alignment();
    Status read_tensors(std::uint64_t count);
    Status read_tensor(std::uint64_t index);
    Status place_tensors();
    Status check_overlaps() const;

    Result<std::string_view> take_string();
    Result<MetaType> take_meta_type();
    Result<MetaValue> take_value();
    Status skip_items(MetaType type, std::uint64_t count, int depth);
    Status skip_strings(std::uint64_t count);
    Status skip_arrays(std::uint64_t count, int depth);

    Bytes bytes_;
    ByteReader in_;
    Gguf out_;
    std::vector<Place> places_;  // as out_.tensors
};

Status Parser::read_version() {
    if (bytes_.size() < sizeof kMagic)
        return Error{Code::corrupt,
                     "has " + std::to_string(bytes_.size()) + " bytes, too few for a GGUF file"};
    HEFT_TRY(const auto magic, in_.take<std::uint32_t>());
    if (std::find(std::begin(kOldMagics), std::end(kOldMagics), magic) != std::end(kOldMagics))
        return Error{
            Code::unsupported,
            "is in the GGML format of before August 2023; convert the model to GGUF again"};
    if (magic != kMagic)
        return Error{Code::corrupt, "is not a GGUF file (it does not begin with 'GGUF')"};
    HEFT_TRY(out_.version, in_.take<std::uint32_t>());
    if (out_.version == 2 || out_.version == 3) return {};
    if (out_.version == 1)
        return Error{Code::unsupported,
                     "is GGUF version 1, which is not read; convert the model again with a tool of "
                     "after October 2023"};
    if ((out_.version & 0xffffU) == 0 && out_.version != 0)
        return Error{Code::unsupported,
                     "is a big-endian GGUF file, which is not read; convert it to little-endian"};
    return Error{Code::unsupported, "is GGUF version " + std::to_string(out_.version)
                                        + ", and only versions 2 and 3 are known"};
}

Result<std::string_view> Parser::take_string() {
    HEFT_TRY(const auto length, in_.take<std::uint64_t>());
    HEFT_TRY(const Bytes text, in_.take_bytes(length));
    return as_text(text);
}

Result<MetaType> Parser::take_meta_type() {
    HEFT_TRY(const auto id, in_.take<std::uint32_t>());
    if (id > static_cast<std::uint32_t>(MetaType::f64))
        return Error{Code::corrupt, "has the unknown value type " + std::to_string(id)};
    return static_cast<MetaType>(id);
}

// Only the lengths are looked at. This is the loop over a vocabulary, so it works on plain numbers.
Status Parser::skip_strings(std::uint64_t count) {
    const Bytes rest = bytes_.subspan(in_.position());
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t length = 0;
        if (rest.size() - at < sizeof length
            || (length = load<std::uint64_t>(rest.data() + at)) > rest.size() - at - sizeof length)
            return Error{Code::corrupt, "string " + std::to_string(i) + " of "
                                            + std::to_string(count)
                                            + " runs past the end of the file"};
        at += sizeof length + static_cast<std::size_t>(length);
    }
    HEFT_TRY([[maybe_unused]] const Bytes all, in_.take_bytes(at));
    return {};
}

Status Parser::skip_arrays(std::uint64_t count, int depth) {
    if (depth == kMaxDepth)
        return Error{Code::unsupported,
                     "nests arrays more than " + std::to_string(kMaxDepth) + " levels deep"};
    for (std::uint64_t i = 0; i < count; ++i) {
        HEFT_TRY(const MetaType type, take_meta_type());
        HEFT_TRY(const auto inner, in_.take<std::uint64_t>());
        HEFT_OK(skip_items(type, inner, depth + 1));
    }
    return {};
}

Status Parser::skip_items(MetaType type, std::uint64_t count, int depth) {
    if (type == MetaType::string) return skip_strings(count);
    if (type == MetaType::array) return skip_arrays(count, depth);
    HEFT_TRY(const Bytes items, in_.take_array(count, meta_type_bytes(type)));
    const auto above_one = [](std::byte b) { return b > std::byte{1}; };
    if (type == MetaType::boolean && std::any_of(items.begin(), items.end(), above_one))
        return Error{Code::corrupt, "has a bool that is neither 0 nor 1"};
    return {};
}

Result<MetaValue> Parser::take_value() {
    MetaValue value;
    HEFT_TRY(value.type, take_meta_type());
    if (value.type == MetaType::string) {
        HEFT_TRY(const std::string_view text, take_string());
        value.data = as_bytes(text);
        return value;
    }
    if (value.type == MetaType::array) {
        HEFT_TRY(value.item_type, take_meta_type());
        HEFT_TRY(value.count, in_.take<std::uint64_t>());
    }
    const std::size_t begin = in_.position();
    const bool array = value.type == MetaType::array;
    HEFT_OK(skip_items(array ? value.item_type : value.type, value.count, 1));
    value.data = bytes_.subspan(begin, in_.position() - begin);
    return value;
}

Status Parser::read_keys(std::uint64_t count) {
    std::vector<std::string_view> keys;
    keys.reserve(std::min<std::uint64_t>(count, kReserve));
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string what = "metadata key " + std::to_string(i);
        auto key = take_string();
        if (!key) return within(what, std::move(key.error()));
        HEFT_OK(check_name(what, *key, kMaxKey));
        auto value = take_value();
        if (!value) return within("metadata key " + in_quotes(*key), std::move(value.error()));
        out_.metadata.add(*key, *value);
        keys.push_back(*key);
    }
    return check_unique("metadata key", std::move(keys));
}

Status Parser::read_alignment() {
    const MetaValue* value = out_.metadata.find("general.alignment");
    if (value == nullptr) return {};
    const auto alignment = out_.metadata.integer("general.alignment");
    if (value->type != MetaType::u32 || !alignment)
        return Error{Code::corrupt, std::string("general.alignment is of type ")
                                        + meta_type_name(value->type) + ", not uint32"};
    out_.alignment = static_cast<std::uint64_t>(*alignment);
    if (!std::has_single_bit(out_.alignment))
        return Error{Code::corrupt, "general.alignment is " + std::to_string(out_.alignment)
                                        + ", not a power of two"};
    return {};
}

Status Parser::read_tensor(std::uint64_t index) {
    HEFT_TRY(const std::string_view name, take_string());
    HEFT_OK(check_name("the name of tensor " + std::to_string(index), name, kMaxTensorName));
    HEFT_TRY(const auto rank, in_.take<std::uint32_t>());
    if (rank > kMaxRank)
        return Error{Code::corrupt, "tensor " + in_quotes(name) + " has " + std::to_string(rank)
                                        + " dimensions, more than " + std::to_string(kMaxRank)};
    Shape shape(rank);
    for (std::uint32_t i = rank; i-- > 0;) {  // innermost first in the file
        HEFT_TRY(const auto extent, in_.take<std::uint64_t>());
        if (extent == 0 || extent > static_cast<std::uint64_t>(INT64_MAX))
            return Error{Code::corrupt, "tensor " + in_quotes(name) + " has a dimension of "
                                            + std::to_string(extent)};
        shape[i] = static_cast<std::int64_t>(extent);
    }
    HEFT_TRY(const auto id, in_.take<std::uint32_t>());
    HEFT_TRY(const auto offset, in_.take<std::uint64_t>());
    const auto type = dtype_from_gguf(id);
    if (!type)
        return Error{Code::unsupported,
                     "tensor " + in_quotes(name) + " has the type " + std::to_string(id) + " ("
                         + std::string(refused_gguf_type(id)) + "), which is not read"};
    auto bytes = tensor_bytes(*type, shape);
    if (!bytes) return within("tensor " + in_quotes(name), std::move(bytes.error()));
    places_.push_back({offset, *bytes});
    out_.tensors.push_back({std::string(name), *type, std::move(shape), {}});
    return {};
}

Status Parser::read_tensors(std::uint64_t count) {
    out_.tensors.reserve(std::min<std::uint64_t>(count, kReserve));
    places_.reserve(out_.tensors.capacity());
    for (std::uint64_t i = 0; i < count; ++i)
        if (auto status = read_tensor(i); !status)
            return within("tensor table, entry " + std::to_string(i), std::move(status.error()));
    std::vector<std::string_view> names;
    names.reserve(out_.tensors.size());
    for (const TensorView& tensor : out_.tensors) names.emplace_back(tensor.name);
    return check_unique("tensor", std::move(names));
}

Status Parser::place_tensors() {
    if (out_.tensors.empty()) return {};
    const std::uint64_t mask = out_.alignment - 1;
    const std::uint64_t begin = (in_.position() + mask) & ~mask;
    const std::uint64_t left = begin < bytes_.size() ? bytes_.size() - begin : 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const Place& place = places_[i];
        TensorView& tensor = out_.tensors[i];
        if ((place.offset & mask) != 0)
            return Error{Code::corrupt, "tensor " + in_quotes(tensor.name) + " is at offset "
                                            + std::to_string(place.offset)
                                            + ", which is not a multiple of the alignment "
                                            + std::to_string(out_.alignment)};
        if (place.offset > left || place.bytes > left - place.offset)
            return Error{Code::corrupt,
                         "tensor " + in_quotes(tensor.name) + " (" + std::to_string(place.bytes)
                             + " bytes at offset " + std::to_string(place.offset)
                             + ") runs past the end of the file, which has " + std::to_string(left)
                             + " bytes of tensor data; was the download complete?"};
        tensor.data = bytes_.subspan(begin + place.offset, place.bytes);
    }
    return check_overlaps();
}

Status Parser::check_overlaps() const {
    std::vector<std::size_t> order(places_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
        return places_[a].offset < places_[b].offset;
    });
    for (std::size_t i = 1; i < order.size(); ++i) {
        const Place& before = places_[order[i - 1]];
        if (places_[order[i]].offset - before.offset < before.bytes)
            return Error{Code::corrupt, "tensors " + in_quotes(out_.tensors[order[i - 1]].name)
                                            + " and " + in_quotes(out_.tensors[order[i]].name)
                                            + " overlap"};
    }
    return {};
}

Result<Gguf> Parser::parse() {
    HEFT_OK(read_version());
    if (bytes_.size() < kHeaderBytes)
        return Error{Code::corrupt, "ends inside its header of 24 bytes"};
    HEFT_TRY(const auto n_tensors, in_.take<std::uint64_t>());
    HEFT_TRY(const auto n_keys, in_.take<std::uint64_t>());
    if (n_tensors > kMaxTensors || n_keys > kMaxKeys)
        return Error{Code::corrupt, "announces " + std::to_string(n_tensors) + " tensors and "
                                        + std::to_string(n_keys) + " metadata keys; at most "
                                        + std::to_string(kMaxTensors) + " and "
                                        + std::to_string(kMaxKeys) + " are read"};
    HEFT_OK(read_keys(n_keys));
    HEFT_OK(read_alignment());
    HEFT_OK(read_tensors(n_tensors));
    HEFT_OK(place_tensors());
    return std::move(out_);
}

}  // namespace

Result<Gguf> parse_gguf(Bytes bytes) {
    return Parser(bytes).parse();
}

}  // namespace heft::format
