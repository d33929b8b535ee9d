// bitsandbytes, as transformers saves it.
// 4 bits: X U8 [n / 2, 1], all of a matrix's codes end to end, the upper nibble first;
//   X.quant_state.bitsandbytes__nf4 (or fp4): JSON in a U8 tensor, with shape and blocksize
//   X.quant_map F32 [16], the levels
//   X.absmax: F32 [n / blocksize]; or, quantised once more, U8, and then
//   X.nested_quant_map F32 [256], X.nested_absmax F32 [blocks / nested_blocksize]:
//     absmax = nested_quant_map[code] * nested_absmax + nested_offset
//   w = quant_map[code] * absmax
// 8 bits: X.weight I8 [out, in] and X.SCB F32 [out]; w = q * (SCB / 127).
// Source: bitsandbytes' functional.QuantState and nn.Linear8bitLt.
#include <algorithm>
#include <array>
#include <string>

#include "format/names.h"
#include "format/packed/byte_codes.h"
#include "format/packed/methods.h"
#include "tensor/quant/gfp4.h"
#include "tensor/quant/gnf4.h"

namespace heft::format::packed {

namespace {

constexpr std::string_view kAbsmax = ".weight.absmax";
constexpr std::string_view kScb = ".SCB";
constexpr std::size_t kMaxState = 1U << 16;
constexpr std::int64_t kMaxBlock = 1 << 20;
constexpr std::size_t kMaxRank = 8;

struct Kind {
    const char* state;  // the end of the state's name
    DType type;
    const float* levels;
};
constexpr Kind kKinds[] = {
    {".quant_state.bitsandbytes__nf4", DType::gnf4, quant::gnf4::kLevels},
    {".quant_state.bitsandbytes__fp4", DType::gfp4, quant::gfp4::kLevels},
};

struct State {
    Shape shape;
    std::int64_t block = 64;
    std::int64_t nested_block = 256;
    float nested_offset = 0;
};

// absmax of every block.
struct Peaks {
    Floats plain;                      // of F32
    const std::byte* codes = nullptr;  // or these, of U8
    Floats map = {};
    Floats nested = {};
    std::int64_t nested_block = 256;
    float offset = 0;

    float operator[](std::int64_t block) const {
        if (codes == nullptr) return plain[block];
        const float level = map[load<std::uint8_t>(codes + block)];
        return level * nested[block / nested_block] + offset;
    }
};

using Levels = std::array<float, 16>;

struct OwnLevels {
    Levels own;
};

class NibbleCodes final : private OwnLevels, public Codes {
  public:
    NibbleCodes(const TensorView& weight, const State& state, const Levels& levels, Peaks peaks)
        : OwnLevels{levels},
          Codes(own.data()),
          pairs_(weight.data.data()),
          columns_(state.shape.back()),
          block_(state.block),
          peaks_(peaks) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        const std::int64_t end = (first + count) * columns_;
        for (std::int64_t i = first * columns_; i < end; ++i) {
            const auto pair = static_cast<unsigned>(pairs_[i / 2]);
            *to++ = static_cast<std::uint8_t>(i % 2 == 0 ? pair >> 4 : pair & 15U);
        }
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        return {peaks_[(row * columns_ + column) / block_], 0};
    }

  private:
    const std::byte* pairs_;
    std::int64_t columns_;
    std::int64_t block_;
    Peaks peaks_;
};

class Int8Codes final : public ByteCodes {
  public:
    using ByteCodes::ByteCodes;

    Group group(std::int64_t row, std::int64_t column) const override {
        Group out = ByteCodes::group(row, column);
        out.scale /= 127;
        return out;
    }
};

Result<Shape> shape_of(JsonElement json, const TensorView& part) {
    JsonArray extents;
    const auto declared = json_find(json, "shape");
    if (!declared || declared->get_array().get(extents) != simdjson::SUCCESS)
        return wrong(part, "does not say the weights' shape");
    Shape out;
    for (const JsonElement extent : extents) {
        std::int64_t value = 0;
        if (out.size() == kMaxRank || extent.get_int64().get(value) != simdjson::SUCCESS
            || value < 1)
            return wrong(part, "says a shape that no tensor has");
        out.push_back(value);
    }
    if (out.empty()) return wrong(part, "says a shape that no tensor has");
    return out;
}

Result<State> state_of(const TensorView& part) {
    HEFT_OK(expect_type(part, {DType::u8}));
    if (part.data.size() > kMaxState)
        return wrong(part, "is longer than " + std::to_string(kMaxState) + " bytes");
    const auto json = JsonDoc::parse(as_text(part.data));
    if (!json) return wrong(part, "is " + json.error().what);
    State out;
    HEFT_TRY(out.shape, shape_of(json->root(), part));
    out.block = json_int(json->root(), "blocksize").value_or(0);
    out.nested_block = json_int(json->root(), "nested_blocksize").value_or(256);
    for (const std::int64_t block : {out.block, out.nested_block})
        if (block < 1 || block > kMaxBlock)
            return wrong(part, "says blocks of " + std::to_string(block) + " weights");
    out.nested_offset =
        static_cast<float>(json_number(json->root(), "nested_offset").value_or(0.0));
    return out;
}

Status expect_count(const TensorView& part, std::uint64_t wanted) {
    HEFT_TRY(const std::uint64_t bytes, tensor_bytes(part.type, part.shape));
    const auto count = bytes / static_cast<std::uint64_t>(dtype_info(part.type).block_bytes);
    if (count == wanted) return {};
    return wrong(part, "has " + std::to_string(count) + " numbers, where " + std::to_string(wanted)
                           + " are needed");
}

std::uint64_t blocks_of(std::uint64_t count, std::int64_t block) {
    return (count - 1) / static_cast<std::uint64_t>(block) + 1;
}

Result<Peaks> peaks_of(const Parts& parts, const TensorView& absmax, const std::string& name,
                       const State& state) {
    Peaks out;
    HEFT_OK(expect_type(absmax, {DType::f32, DType::u8}));
    if (absmax.type == DType::f32) {
        HEFT_TRY(out.plain, floats_of(absmax));
        return out;
    }
    HEFT_TRY(const TensorView* map, parts.need(absmax, name + ".nested_quant_map"));
    HEFT_TRY(const TensorView* nested, parts.need(absmax, name + ".nested_absmax"));
    HEFT_TRY(out.map, floats_of(*map));
    HEFT_TRY(out.nested, floats_of(*nested));
    HEFT_OK(expect_count(*map, 256));
    HEFT_OK(expect_count(*nested, blocks_of(absmax.data.size(), state.nested_block)));
    out.codes = absmax.data.data();
    out.nested_block = state.nested_block;
    out.offset = state.nested_offset;
    return out;
}

Result<Levels> levels_of(const Parts& parts, const TensorView& weight) {
    HEFT_TRY(const TensorView* map, parts.need(weight, weight.name + ".quant_map"));
    HEFT_TRY(const Floats floats, floats_of(*map));
    HEFT_OK(expect_count(*map, 16));
    Levels out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = floats[static_cast<std::int64_t>(i)];
    return out;
}

Status build_4bit(Parts& parts, const TensorView& absmax) {
    const std::string name = stem_of(absmax, ".absmax");
    HEFT_TRY(const TensorView* weight, parts.need(absmax, name));
    const auto has_state = [&](const Kind& kind) { return parts.find(name + kind.state); };
    const Kind* kind = std::find_if(std::begin(kKinds), std::end(kKinds), has_state);
    if (kind == std::end(kKinds)) kind = kKinds;  // the sentence names NF4's
    HEFT_TRY(const TensorView* saved, parts.need(absmax, name + kind->state));
    HEFT_TRY(const State state, state_of(*saved));
    HEFT_TRY(const std::uint64_t count, tensor_bytes(DType::u8, state.shape));
    // The type is that of bnb_4bit_quant_storage; the bytes are the same.
    HEFT_OK(expect_type(*weight, {DType::u8, DType::i8, DType::bf16, DType::f16, DType::f32}));
    if (weight->data.size() != (count - 1) / 2 + 1)
        return wrong(*weight, "has " + std::to_string(weight->data.size()) + " bytes, where "
                                  + std::to_string((count - 1) / 2 + 1) + " are needed");
    HEFT_OK(expect_count(absmax, blocks_of(count, state.block)));
    HEFT_TRY(const Peaks peaks, peaks_of(parts, absmax, name, state));
    HEFT_TRY(const Levels levels, levels_of(parts, *weight));
    Grouped whole;
    whole.name = name;
    whole.shape = state.shape;
    whole.type = kind->type;
    const bool known = std::equal(levels.begin(), levels.end(), kind->levels);
    whole.in_blocks = known && state.shape.back() % quant::kGroupedWeights == 0
                      && state.block % quant::kGroupedWeights == 0;
    whole.codes = std::make_unique<NibbleCodes>(*weight, state, levels, peaks);
    HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
    for (const char* part : {".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"})
        parts.use_if_present(name + part);
    parts.use(*saved);
    parts.replace(*weight, std::move(view));
    return {};
}

// Other formats than by rows were for the tensor cores of one generation of cards.
Status check_8bit_format(Parts& parts, const std::string& name) {
    const TensorView* format = parts.find(name + "_format");
    if (format == nullptr) return {};
    HEFT_OK(expect_type(*format, {DType::u8}));
    if (load<std::uint8_t>(format->data.data()) != 0)
        return Error{Code::unsupported,
                     "tensor " + in_quotes(name)
                         + " is in a layout of bitsandbytes other than rows, which is not read"};
    parts.use(*format);
    return {};
}

Status build_8bit(Parts& parts, const TensorView& scb) {
    const std::string name = stem_of(scb, kScb) + ".weight";
    HEFT_TRY(const TensorView* weight, parts.need(scb, name));
    HEFT_OK(check_8bit_format(parts, name));
    HEFT_OK(expect_type(*weight, {DType::i8}));
    if (weight->shape.size() != 2) return wrong(*weight, "is no matrix");
    HEFT_TRY(const Floats scales, floats_of(scb));
    HEFT_OK(expect_count(scb, static_cast<std::uint64_t>(weight->shape[0])));
    const Grid grid(weight->shape, {1, 0});
    Grouped whole;
    whole.name = name;
    whole.shape = weight->shape;
    whole.type = DType::gi8;
    whole.in_blocks = grid.in_blocks();
    whole.codes = std::make_unique<Int8Codes>(*weight, grid, scales);
    HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
    parts.use(scb);
    parts.replace(*weight, std::move(view));
    return {};
}

}  // namespace

Status build_bitsandbytes(Parts& parts, const Settings& /*settings*/) {
    for (const TensorView& part : parts.all()) {
        if (part.name.ends_with(kAbsmax)) HEFT_OK(build_4bit(parts, part));
        if (part.name.ends_with(kScb)) HEFT_OK(build_8bit(parts, part));
    }
    return {};
}

}  // namespace heft::format::packed
