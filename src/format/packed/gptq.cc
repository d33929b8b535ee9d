// GPTQ: integers of 2, 3, 4 or 8 bits with a zero point per group of inputs, w = scale * (q -
// zero).
//   qweight I32 [in * bits / 32, out]: each column a stream of codes along the inputs
//   qzeros  I32 [groups, out * bits / 32]: each row a stream of zero points along the outputs
//   scales  [groups, out]
//   g_idx   I32 [in], the group of each input; absent: input / group_size
// With act-order, g_idx is no longer ascending: inputs are then sorted by group, so that groups are
// contiguous, and the view carries the order. Zero points are stored minus one unless
// checkpoint_format is gptq_v2. Source: AutoGPTQ's and GPTQModel's QuantLinear.
#include <string>

#include "format/names.h"
#include "format/packed/input_groups.h"
#include "format/packed/methods.h"
#include "format/packed/words.h"

namespace heft::format::packed {

namespace {

struct Layer {
    const std::byte* qweight = nullptr;
    const std::byte* qzeros = nullptr;  // nullptr: zero points in the middle
    Floats scales;
    std::int64_t out = 0;
    InputGroups groups{0, 1};
    int bits = 0;
    int zero_offset = 0;
};

class GptqCodes final : public Codes {
  public:
    explicit GptqCodes(Layer layer) : Codes(integer_levels()), layer_(std::move(layer)) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        const std::byte* column = layer_.qweight + first * kWord;
        const std::int64_t in = layer_.groups.inputs();
        for (std::int64_t k = 0; k < in; ++k) {
            const BitPlace place = bit_place(k, layer_.bits);
            for (std::int64_t r = 0; r < count; ++r)
                to[r * in + k] = bits_at(column + r * kWord, place, layer_.bits, layer_.out);
        }
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        const std::int64_t g = layer_.groups.of(column);
        return {layer_.scales[g * layer_.out + row], zero(g, row)};
    }

  private:
    static constexpr std::int64_t kWord = sizeof(std::uint32_t);

    std::int32_t zero(std::int64_t g, std::int64_t row) const {
        if (layer_.qzeros == nullptr) return 1 << (layer_.bits - 1);
        const std::byte* words = layer_.qzeros + g * words_for(layer_.out, layer_.bits) * kWord;
        const int stored = bits_at(words, bit_place(row, layer_.bits), layer_.bits, 1);
        // A zero point of 0 was stored as the greatest code.
        return (stored + layer_.zero_offset) & ((1 << layer_.bits) - 1);
    }

    Layer layer_;
};

// What config.json says of all layers.
struct Scheme {
    std::int64_t bits = 4;
    std::int64_t group_size = 128;
    int zero_offset = 1;
    bool per_module = false;  // "dynamic": modules may have bits and groups of their own
};

bool is_width(std::int64_t bits) {
    return bits == 2 || bits == 3 || bits == 4 || bits == 8;
}

Result<Scheme> scheme_of(const Settings& settings) {
    Scheme out;
    out.bits = settings.integer("bits").value_or(out.bits);
    if (!is_width(out.bits))
        return Error{Code::unsupported, "GPTQ with " + std::to_string(out.bits)
                                            + " bits is not read; 2, 3, 4 and 8 bits are"};
    out.group_size = settings.integer("group_size").value_or(out.group_size);
    if (out.group_size != -1 && out.group_size < 1)
        return Error{Code::corrupt, "GPTQ's group_size is " + std::to_string(out.group_size)};
    const std::string format(
        settings.string("checkpoint_format").value_or(settings.string("format").value_or("gptq")));
    if (settings.flag("is_marlin_format") || (format != "gptq" && format != "gptq_v2")) {
        HEFT_OK(check_name("GPTQ's checkpoint_format", format, 64));
        return Error{Code::unsupported, "its weights are quantised by GPTQ in the layout "
                                            + in_quotes(format == "gptq" ? "marlin" : format)
                                            + ", which is not read; gptq and gptq_v2 are"};
    }
    out.zero_offset = format == "gptq_v2" ? 0 : 1;
    const auto dynamic = settings.find("dynamic");
    out.per_module = dynamic && dynamic->is_object();
    return out;
}

struct Files {
    const TensorView* qweight = nullptr;
    const TensorView* qzeros = nullptr;  // may be absent
    const TensorView* scales = nullptr;
    const TensorView* g_idx = nullptr;  // may be absent
};

Result<Files> files_of(const Parts& parts, const TensorView& qweight, const std::string& stem) {
    Files out;
    out.qweight = &qweight;
    HEFT_TRY(out.scales, parts.need(qweight, stem + ".scales"));
    out.qzeros = parts.find(stem + ".qzeros");
    out.g_idx = parts.find(stem + ".g_idx");
    HEFT_OK(expect_type(qweight, {DType::i32}));
    if (qweight.shape.size() != 2) return wrong(qweight, "is no matrix");
    if (out.scales->shape.size() != 2) return wrong(*out.scales, "is no matrix");
    if (out.qzeros != nullptr) HEFT_OK(expect_type(*out.qzeros, {DType::i32}));
    if (out.g_idx != nullptr && out.g_idx->shape == Shape{0}) out.g_idx = nullptr;
    if (out.g_idx != nullptr) HEFT_OK(expect_type(*out.g_idx, {DType::i32, DType::i64}));
    return out;
}

// Bits of one code; modules with settings of their own show them in their shapes.
Result<int> bits_of(const Files& files, const Scheme& scheme) {
    if (files.g_idx == nullptr || !scheme.per_module) return static_cast<int>(scheme.bits);
    const std::int64_t bits = files.qweight->shape[0] * 32 / files.g_idx->shape[0];
    if (!is_width(bits))
        return wrong(*files.qweight, "has " + std::to_string(bits) + " bits for each input");
    return static_cast<int>(bits);
}

Result<Layer> layer_of(const Files& files, const Scheme& scheme) {
    Layer out;
    HEFT_TRY(out.bits, bits_of(files, scheme));
    const std::int64_t in =
        files.g_idx != nullptr ? files.g_idx->shape[0] : files.qweight->shape[0] * 32 / out.bits;
    if (in < 1) return wrong(*files.qweight, "holds less than one input");
    out.out = files.qweight->shape[1];
    HEFT_OK(expect_shape(*files.qweight, {words_for(in, out.bits), out.out}));
    const std::int64_t group_size = scheme.group_size < 0 ? in : scheme.group_size;
    const bool listed = files.g_idx != nullptr;
    const std::int64_t groups =
        scheme.per_module && listed ? files.scales->shape[0] : (in - 1) / group_size + 1;
    HEFT_OK(expect_shape(*files.scales, {groups, out.out}));
    HEFT_TRY(out.scales, floats_of(*files.scales));
    if (files.qzeros != nullptr) {
        HEFT_OK(expect_shape(*files.qzeros, {groups, words_for(out.out, out.bits)}));
        out.qzeros = files.qzeros->data.data();
    }
    out.zero_offset = scheme.zero_offset;
    out.qweight = files.qweight->data.data();
    out.groups = InputGroups(in, group_size);
    if (!listed) return out;
    HEFT_TRY(out.groups, InputGroups::listed(*files.g_idx, groups));
    return out;
}

struct Builder {
    Parts& parts;
    Scheme scheme;
    InputOrders orders = {};

    Status build(const TensorView& qweight) {
        const std::string stem = stem_of(qweight, ".qweight");
        HEFT_TRY(const Files files, files_of(parts, qweight, stem));
        HEFT_TRY(Layer layer, layer_of(files, scheme));
        Grouped whole;
        whole.name = stem + ".weight";
        whole.shape = {layer.out, layer.groups.inputs()};
        whole.type = layer.bits == 8 ? DType::gi8 : DType::gi4;
        orders.arrange(layer.groups, whole);
        whole.codes = std::make_unique<GptqCodes>(std::move(layer));
        HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
        parts.use(*files.scales);
        parts.use_if_present(stem + ".qzeros");
        parts.use_if_present(stem + ".g_idx");
        parts.replace(qweight, std::move(view));
        return {};
    }
};

}  // namespace

Status build_gptq(Parts& parts, const Settings& settings) {
    HEFT_TRY(const Scheme scheme, scheme_of(settings));
    Builder builder{parts, scheme};
    for (const TensorView& qweight : parts.all())
        if (qweight.name.ends_with(".qweight")) HEFT_OK(builder.build(qweight));
    return {};
}

}  // namespace heft::format::packed
