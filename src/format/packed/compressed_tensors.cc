// compressed-tensors (llm-compressor). Of a module X, by the format in quantization_config:
//   int-quantized, float-quantized, naive-quantized: X.weight of type I8 or F8_E4M3
//   pack-quantized: X.weight_packed I32 [out, in * bits / 32], codes along the inputs, plus
//     2^(bits-1); X.weight_shape, its [out, in]
//   all: X.weight_scale, one number per matrix, row, group of inputs or block; X.weight_zero_point,
//     of type I8 like the scales, or I32 packed along the outputs; X.weight_g_idx with act-order
// w = scale * (q - zero). A module's scheme is the one of config_groups that its shapes fit;
// targets and ignore lists say no more than which modules have such tensors. Source: the
// compressed-tensors library.
#include <algorithm>
#include <limits>
#include <string>

#include "format/names.h"
#include "format/packed/byte_codes.h"
#include "format/packed/input_groups.h"
#include "format/packed/methods.h"
#include "format/packed/words.h"

namespace heft::format::packed {

namespace {

constexpr std::string_view kPacked = ".weight_packed";
constexpr std::string_view kScale = ".weight_scale";
constexpr std::string_view kFormats[] = {"int-quantized",  "float-quantized", "naive-quantized",
                                         "pack-quantized", "mixed-precision", "dense"};
// Of activations and caches, which heft does not quantise by them.
constexpr const char* kUnused[] = {
    ".input_scale", ".input_zero_point", ".output_scale", ".output_zero_point",
    ".q_scale",     ".k_scale",          ".v_scale"};

struct Scheme {
    int bits = 8;
    Tile tile;
};

Result<Tile> block_of(JsonElement weights) {
    const auto declared = json_find(weights, "block_structure");
    JsonArray pair;
    Tile out;
    const bool good = declared && declared->get_array().get(pair) == simdjson::SUCCESS
                      && pair.size() == 2
                      && pair.at(0).get_int64().get(out.rows) == simdjson::SUCCESS
                      && pair.at(1).get_int64().get(out.cols) == simdjson::SUCCESS && out.rows > 0
                      && out.cols > 0;
    if (!good)
        return Error{Code::unsupported,
                     "compressed-tensors with a block_structure other than a "
                     "pair of positive whole numbers is not read"};
    return out;
}

Result<Tile> tile_of(JsonElement weights) {
    const std::int64_t group = json_int(weights, "group_size").value_or(-1);
    const std::string strategy(
        json_string(weights, "strategy").value_or(group > 0 ? "group" : "tensor"));
    if (strategy == "tensor") return Tile{0, 0};
    if (strategy == "channel" || (strategy == "group" && group == -1)) return Tile{1, 0};
    if (strategy == "block") return block_of(weights);
    if (strategy == "group" && group > 0) return Tile{1, group};
    HEFT_OK(check_name("a strategy of compressed-tensors", strategy, 64));
    return Error{Code::unsupported, "compressed-tensors with the strategy " + in_quotes(strategy)
                                        + " and groups of " + std::to_string(group)
                                        + " is not read"};
}

Result<std::vector<Scheme>> schemes_of(const Settings& settings) {
    std::vector<Scheme> out;
    JsonObject groups;
    const auto declared = settings.find("config_groups");
    if (!declared || declared->get_object().get(groups) != simdjson::SUCCESS) return out;
    for (const auto group : groups) {
        const auto weights = json_find(group.value, "weights");
        if (!weights) continue;
        const std::int64_t bits = json_int(*weights, "num_bits").value_or(8);
        if (bits < 2 || bits > 8)
            return Error{Code::unsupported,
                         "compressed-tensors with " + std::to_string(bits) + " bits is not read"};
        HEFT_TRY(const Tile tile, tile_of(*weights));
        out.push_back({static_cast<int>(bits), tile});
    }
    return out;
}

Status check_format(std::string_view format) {
    if (std::find(std::begin(kFormats), std::end(kFormats), format) != std::end(kFormats))
        return {};
    HEFT_OK(check_name("the format of compressed-tensors", format, 64));
    return Error{Code::unsupported, "its weights are quantised by compressed-tensors in the format "
                                        + in_quotes(format)
                                        + ", which is not read; use the unquantised model"};
}

Status check_formats(const Settings& settings) {
    if (const auto format = settings.string("format")) HEFT_OK(check_format(*format));
    if (const auto sparse = settings.find("sparsity_config"))
        HEFT_OK(check_format(json_string(*sparse, "format").value_or("dense")));
    return {};
}

struct Zeros {
    const std::byte* signs = nullptr;  // int8, like the scales
    const std::byte* words = nullptr;  // packed along the outputs
    std::int64_t stride = 0;           // words between the two of one column

    // Of the number at `place` of the grid.
    std::int32_t at(std::int64_t place, int bits) const {
        if (signs != nullptr) return load<std::int8_t>(signs + place);
        if (words == nullptr) return 0;
        const std::byte* column = words + place % stride * 4;
        return bits_at(column, bit_place(place / stride, bits), bits, stride) - (1 << (bits - 1));
    }
};

// A module's numbers, wherever its codes are.
struct Numbers {
    Grid grid;
    InputGroups inputs{0, 1};
    std::int64_t group_size = 0;  // columns of the grid's tiles
    Floats scales;
    Zeros zeros = {};
    int bits = 8;
    bool integers = true;

    Group group(std::int64_t row, std::int64_t column) const {
        const std::int64_t place = grid.place(row, inputs.of(column) * group_size);
        const float scale = scales[place];
        if (!integers) return {scale, 0};
        return {scale, (1 << (bits - 1)) + zeros.at(place, bits)};
    }
};

class PlainCodes final : public ByteCodes {
  public:
    PlainCodes(const TensorView& weight, Numbers numbers)
        : ByteCodes(weight, numbers.grid, numbers.scales), numbers_(std::move(numbers)) {}

    Group group(std::int64_t row, std::int64_t column) const override {
        return numbers_.group(row, column);
    }

  private:
    Numbers numbers_;
};

class PackedCodes final : public Codes {
  public:
    PackedCodes(const TensorView& packed, Numbers numbers)
        : Codes(integer_levels()),
          words_(packed.data.data()),
          row_bytes_(packed.shape[1] * 4),
          numbers_(std::move(numbers)) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        for (std::int64_t r = first; r < first + count; ++r)
            for (std::int64_t k = 0; k < numbers_.inputs.inputs(); ++k)
                *to++ =
                    bits_at(words_ + r * row_bytes_, bit_place(k, numbers_.bits), numbers_.bits, 1);
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        return numbers_.group(row, column);
    }

  private:
    const std::byte* words_;
    std::int64_t row_bytes_;
    Numbers numbers_;
};

// The [out, in] that a tensor beside the packed words says.
Result<Shape> read_shape(const TensorView& part) {
    HEFT_OK(expect_type(part, {DType::i64, DType::i32}));
    HEFT_OK(expect_shape(part, {2}));
    Shape out(2);
    for (std::size_t i = 0; i < 2; ++i) {
        out[i] = part.type == DType::i64 ? load<std::int64_t>(part.data.data() + i * 8)
                                         : load<std::int32_t>(part.data.data() + i * 4);
        if (out[i] < 1 || out[i] > std::numeric_limits<std::int32_t>::max())
            return wrong(part, "holds the extent " + std::to_string(out[i]));
    }
    return out;
}

// Modules without act-order in a checkpoint with it: a list of -1.
bool is_list(const TensorView& g_idx) {
    return g_idx.type != DType::i32 || g_idx.data.size() < 4
           || load<std::int32_t>(g_idx.data.data()) != -1;
}

struct Module {
    std::string stem;
    const TensorView* weight = nullptr;
    const TensorView* scale = nullptr;
    Shape shape = {};
    bool packed = false;

    bool fits(const Scheme& scheme) const {
        const bool bits = packed ? words_for(shape.back(), scheme.bits) == weight->shape.back()
                                 : scheme.bits == 8;
        return bits && Grid(shape, scheme.tile).fits(scale->shape);
    }
};

struct Builder {
    Parts& parts;
    std::vector<Scheme> schemes;
    InputOrders orders = {};

    Status build(const TensorView& scale) {
        HEFT_TRY(const Module module, module_of(scale));
        HEFT_TRY(Numbers numbers, numbers_of(module));
        Grouped whole;
        whole.name = module.stem + ".weight";
        whole.shape = module.shape;
        whole.type = !numbers.integers ? DType::gf8 : numbers.bits > 4 ? DType::gi8 : DType::gi4;
        orders.arrange(numbers.inputs, whole);
        if (module.packed)
            whole.codes = std::make_unique<PackedCodes>(*module.weight, std::move(numbers));
        else
            whole.codes = std::make_unique<PlainCodes>(*module.weight, std::move(numbers));
        HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
        for (const char* part : {".weight_zero_point", ".weight_g_idx", ".weight_shape"})
            parts.use_if_present(module.stem + part);
        for (const char* part : kUnused) parts.use_if_present(module.stem + part);
        parts.use(scale);
        parts.replace(*module.weight, std::move(view));
        return {};
    }

    Result<Module> module_of(const TensorView& scale) const {
        Module out;
        out.stem = stem_of(scale, kScale);
        out.scale = &scale;
        const TensorView* words = parts.find(out.stem + std::string(kPacked));
        out.packed = words != nullptr;
        out.weight = out.packed ? words : parts.find(out.stem + ".weight");
        if (out.weight == nullptr)
            return wrong(scale, "has no weights beside it; was the download complete?");
        if (!out.packed) {
            HEFT_OK(expect_type(*out.weight, {DType::i8, DType::f8_e4m3}));
            out.shape = out.weight->shape;
            if (out.shape.size() < 2) return wrong(*out.weight, "has scales, and is no matrix");
            return out;
        }
        HEFT_OK(expect_type(*words, {DType::i32}));
        HEFT_TRY(const TensorView* shape, parts.need(*words, out.stem + ".weight_shape"));
        HEFT_TRY(out.shape, read_shape(*shape));
        if (words->shape.size() != 2 || words->shape[0] != out.shape[0])
            return wrong(*words, "has the shape " + shape_text(words->shape)
                                     + ", which does not fit the weights' "
                                     + shape_text(out.shape));
        return out;
    }

    Result<Numbers> numbers_of(const Module& module) const {
        const auto fits = [&module](const Scheme& scheme) { return module.fits(scheme); };
        const auto scheme = std::find_if(schemes.begin(), schemes.end(), fits);
        if (scheme == schemes.end())
            return wrong(*module.scale, "with the shape " + shape_text(module.scale->shape)
                                            + " fits none of config.json's config_groups for "
                                              "weights of shape "
                                            + shape_text(module.shape));
        Numbers out;
        out.bits = scheme->bits;
        out.integers = module.packed || module.weight->type == DType::i8;
        out.grid = Grid(module.shape, scheme->tile);
        out.group_size = scheme->tile.cols == 0 ? module.shape.back() : scheme->tile.cols;
        HEFT_TRY(out.scales, floats_of(*module.scale));
        HEFT_TRY(out.inputs, inputs_of(module, out));
        if (!out.integers) return out;
        HEFT_TRY(out.zeros, zeros_of(module, out));
        return out;
    }

    Result<InputGroups> inputs_of(const Module& module, const Numbers& numbers) const {
        const TensorView* list = parts.find(module.stem + ".weight_g_idx");
        if (list == nullptr || !is_list(*list))
            return InputGroups(module.shape.back(), numbers.group_size);
        HEFT_OK(expect_shape(*list, {module.shape.back()}));
        return InputGroups::listed(*list, numbers.grid.shape().back());
    }

    Result<Zeros> zeros_of(const Module& module, const Numbers& numbers) const {
        const TensorView* zeros = parts.find(module.stem + ".weight_zero_point");
        Zeros out;
        if (zeros == nullptr) return out;
        HEFT_OK(expect_type(*zeros, {DType::i8, DType::i32}));
        if (zeros->type == DType::i8) {
            out.signs = zeros->data.data();
            if (!numbers.grid.fits(zeros->shape))
                return wrong(*zeros, "has the shape " + shape_text(zeros->shape)
                                         + ", where the scales have "
                                         + shape_text(module.scale->shape));
            return out;
        }
        if (module.shape.size() != 2) return wrong(*zeros, "is packed, beside no matrix");
        Shape wanted = numbers.grid.shape();
        wanted.front() = words_for(wanted.front(), numbers.bits);
        HEFT_OK(expect_shape(*zeros, wanted));
        out.words = zeros->data.data();
        out.stride = wanted.back();
        return out;
    }
};

}  // namespace

Status build_compressed_tensors(Parts& parts, const Settings& settings) {
    HEFT_OK(check_formats(settings));
    HEFT_TRY(std::vector<Scheme> schemes, schemes_of(settings));
    for (const Tile& tile : {Tile{0, 0}, Tile{1, 0}}) schemes.push_back({8, tile});
    Builder builder{parts, std::move(schemes)};
    for (const TensorView& scale : parts.all())
        if (scale.name.ends_with(kScale)) HEFT_OK(builder.build(scale));
    return {};
}

}  // namespace heft::format::packed
