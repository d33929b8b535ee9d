// FP8 with scales: X of type F8_E4M3 and "X_scale_inv", one number per block of 128 x 128 (or
// quantization_config.weight_block_size); or "X.weight" and "X.weight_scale", one number per matrix
// or per row. Either way w = scale * f. Source: DeepSeek-V3's model card and inference code;
// transformers' FineGrainedFP8Config and FbgemmFp8Config.
#include "format/packed/byte_codes.h"
#include "format/packed/methods.h"

namespace heft::format::packed {

namespace {

constexpr std::string_view kBlockScale = "_scale_inv";
constexpr std::string_view kScale = ".weight_scale";
// Of activations and caches, which heft does not quantise by them.
constexpr const char* kUnused[] = {".input_scale", ".input_scale_ub", ".activation_scale"};

constexpr std::int64_t kMaxBlock = 1 << 20;

Result<Tile> block_size(const Settings& settings) {
    const auto declared = settings.find("weight_block_size");
    if (!declared) return Tile{128, 128};
    JsonArray pair;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    const bool good = declared->get_array().get(pair) == simdjson::SUCCESS && pair.size() == 2
                      && pair.at(0).get_int64().get(rows) == simdjson::SUCCESS
                      && pair.at(1).get_int64().get(cols) == simdjson::SUCCESS && rows > 0
                      && cols > 0 && rows <= kMaxBlock && cols <= kMaxBlock;
    if (!good)
        return Error{Code::corrupt,
                     "weight_block_size in config.json is not a pair of positive "
                     "whole numbers"};
    return Tile{rows, cols};
}

Status build(Parts& parts, const TensorView& scale, const TensorView& weight, Tile block) {
    HEFT_OK(expect_type(weight, {DType::f8_e4m3}));
    HEFT_TRY(const Floats scales, floats_of(scale));
    if (weight.shape.size() < 2) return wrong(weight, "has scales, and is no matrix");
    const bool blocks = scale.name.ends_with(kBlockScale);
    const auto grid = blocks ? grid_for(scale, weight.shape, {block, Tile{0, 0}})
                             : grid_for(scale, weight.shape, {Tile{0, 0}, Tile{1, 0}, block});
    if (!grid)
        return wrong(scale, "has the shape " + shape_text(scale.shape)
                                + ", which does not fit the weights' " + shape_text(weight.shape));
    Grouped whole;
    whole.name = weight.name;
    whole.shape = weight.shape;
    whole.type = DType::gf8;
    whole.in_blocks = grid->in_blocks();
    whole.codes = std::make_unique<ByteCodes>(weight, *grid, scales);
    HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
    parts.use(scale);
    parts.replace(weight, std::move(view));
    return {};
}

}  // namespace

Status build_fp8(Parts& parts, const Settings& settings) {
    HEFT_TRY(const Tile block, block_size(settings));
    for (const TensorView& scale : parts.all()) {
        const bool blocks = scale.name.ends_with(kBlockScale);
        if (!blocks && !scale.name.ends_with(kScale)) continue;
        const std::string name = stem_of(scale, blocks ? kBlockScale : "_scale");
        HEFT_TRY(const TensorView* weight, parts.need(scale, name));
        HEFT_OK(build(parts, scale, *weight, block));
        for (const char* unused : kUnused) {
            const std::size_t stem = name.rfind('.');
            parts.use_if_present(name.substr(0, stem) + unused);
        }
    }
    return {};
}

}  // namespace heft::format::packed
