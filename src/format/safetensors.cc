#include "format/safetensors.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "format/names.h"

namespace heft::format {

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the official library's limit
constexpr std::size_t kMaxRank = 16;

struct Entry {
    TensorView tensor;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

Result<std::uint64_t> natural(JsonElement value, const char* what) {
    std::uint64_t number = 0;
    if (value.get_uint64().get(number) != simdjson::SUCCESS
        || number > static_cast<std::uint64_t>(INT64_MAX))
        return Error{Code::corrupt, std::string(what) + " has an entry that is not a whole number"};
    return number;
}

Result<DType> read_dtype(JsonElement value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS)
        return Error{Code::corrupt, "its dtype is not a string"};
    const auto type = dtype_from_safetensors(text);
    if (!type) {
        HEFT_OK(check_name("its dtype", text, 32));
        return Error{
            Code::unsupported,
            "its dtype " + std::string(text)
                + " is not read; F64, F32, F16, BF16, F8_E4M3, F8_E5M2, integers and BOOL are"};
    }
    return *type;
}

Result<Shape> read_shape(JsonElement value) {
    JsonArray extents;
    if (value.get_array().get(extents) != simdjson::SUCCESS)
        return Error{Code::corrupt, "its shape is not a list"};
    Shape shape;
    for (const JsonElement extent : extents) {
        if (shape.size() == kMaxRank)
            return Error{Code::corrupt,
                         "it has more than " + std::to_string(kMaxRank) + " dimensions"};
        HEFT_TRY(const std::uint64_t number, natural(extent, "its shape"));
        shape.push_back(static_cast<std::int64_t>(number));
    }
    return shape;
}

Status read_offsets(JsonElement value, Entry& entry) {
    JsonArray pair;
    if (value.get_array().get(pair) != simdjson::SUCCESS || pair.size() != 2)
        return Error{Code::corrupt, "its data_offsets are not a pair"};
    HEFT_TRY(entry.begin, natural(pair.at(0).value_unsafe(), "data_offsets"));
    HEFT_TRY(entry.end, natural(pair.at(1).value_unsafe(), "data_offsets"));
    if (entry.end < entry.begin)
        return Error{Code::corrupt, "its data_offsets end before they begin"};
    return {};
}

// The three fields of an entry, each exactly once; others are left alone, as the official library
// does.
struct Fields {
    std::optional<JsonElement> dtype, shape, offsets;
};

Result<Fields> read_fields(JsonElement value) {
    JsonObject object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
        return Error{Code::corrupt, "it is not described by an object"};
    Fields fields;
    for (const auto field : object) {
        std::optional<JsonElement>* place = nullptr;
        if (field.key == "dtype") place = &fields.dtype;
        if (field.key == "shape") place = &fields.shape;
        if (field.key == "data_offsets") place = &fields.offsets;
        if (place == nullptr) continue;
        if (*place) return Error{Code::corrupt, "its " + std::string(field.key) + " occurs twice"};
        *place = field.value;
    }
    if (!fields.dtype || !fields.shape || !fields.offsets)
        return Error{Code::corrupt, "it lacks dtype, shape or data_offsets"};
    return fields;
}

Result<Entry> read_entry(std::string_view name, JsonElement value) {
    HEFT_TRY(const Fields fields, read_fields(value));
    Entry entry;
    entry.tensor.name = name;
    HEFT_TRY(entry.tensor.type, read_dtype(*fields.dtype));
    HEFT_TRY(entry.tensor.shape, read_shape(*fields.shape));
    HEFT_OK(read_offsets(*fields.offsets, entry));
    HEFT_TRY(const std::uint64_t bytes, tensor_bytes(entry.tensor.type, entry.tensor.shape));
    if (entry.end - entry.begin != bytes)
        return Error{Code::corrupt, "its shape " + shape_text(entry.tensor.shape) + " needs "
                                        + std::to_string(bytes) + " bytes and data_offsets give it "
                                        + std::to_string(entry.end - entry.begin)};
    return entry;
}

Status read_metadata(JsonElement value, Safetensors& out) {
    JsonObject object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
        return Error{Code::corrupt, "__metadata__ is not an object"};
    for (const auto field : object) {
        std::string_view text;
        if (field.value.get_string().get(text) != simdjson::SUCCESS)
            return Error{Code::corrupt, "__metadata__ holds something other than strings"};
        out.metadata.emplace_back(field.key, text);
    }
    return {};
}

Status read_header(JsonElement root, std::vector<Entry>& entries, Safetensors& out) {
    JsonObject object;
    if (root.get_object().get(object) != simdjson::SUCCESS)
        return Error{Code::corrupt, "its header is not a JSON object"};
    std::vector<std::string_view> names;
    for (const auto field : object) {
        const std::string_view name = field.key;
        names.push_back(name);
        if (name == "__metadata__") {
            HEFT_OK(read_metadata(field.value, out));
            continue;
        }
        HEFT_OK(check_name("the name of tensor " + std::to_string(entries.size()), name,
                           kMaxTensorName));
        auto entry = read_entry(name, field.value);
        if (!entry) return within("tensor " + in_quotes(name), std::move(entry.error()));
        entries.push_back(std::move(*entry));
    }
    return check_unique("tensor", std::move(names));
}

// Tensors lie end to end and fill the data: no byte belongs to two, none to nobody.
Status place_tensors(Bytes data, std::vector<Entry>& entries, Safetensors& out) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t at = 0;
    out.tensors.reserve(entries.size());
    for (Entry& entry : entries) {
        const std::string who = "tensor " + in_quotes(entry.tensor.name) + "";
        if (entry.begin != at)
            return Error{Code::corrupt,
                         who + " begins at byte " + std::to_string(entry.begin)
                             + " of the data, where byte " + std::to_string(at) + " is next: "
                             + (entry.begin < at ? "it overlaps" : "there is a hole")};
        if (entry.end > data.size())
            return Error{Code::corrupt, who + " ends at byte " + std::to_string(entry.end)
                                            + " of the data, of which the file has "
                                            + std::to_string(data.size())
                                            + "; was the download complete?"};
        entry.tensor.data = data.subspan(entry.begin, entry.end - entry.begin);
        out.tensors.push_back(std::move(entry.tensor));
        at = entry.end;
    }
    if (at != data.size())
        return Error{Code::corrupt,
                     "has " + std::to_string(data.size() - at) + " bytes after its last tensor"};
    return {};
}

}  // namespace

Result<Safetensors> parse_safetensors(Bytes bytes) {
    ByteReader in(bytes);
    HEFT_TRY(const auto length, in.take<std::uint64_t>());
    if (length > kMaxHeader)
        return Error{Code::corrupt, "is not a safetensors file (its header would have "
                                        + std::to_string(length) + " bytes; at most "
                                        + std::to_string(kMaxHeader) + " are allowed)"};
    if (length > in.left())
        return Error{Code::corrupt, "ends inside its header of " + std::to_string(length)
                                        + " bytes; was the download complete?"};
    HEFT_TRY(const Bytes header, in.take_bytes(length));
    if (header.empty() || header[0] != std::byte{'{'})
        return Error{Code::corrupt,
                     "is not a safetensors file (its header does not begin with '{')"};
    auto json = JsonDoc::parse(as_text(header));
    if (!json) return within("header", std::move(json.error()));
    Safetensors out;
    std::vector<Entry> entries;
    HEFT_OK(read_header(json->root(), entries, out));
    HEFT_OK(place_tensors(bytes.subspan(in.position()), entries, out));
    return out;
}

}  // namespace heft::format
