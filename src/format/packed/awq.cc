// AWQ: integers of 4 bits with a zero point per group, w = scale * (q - zero). Two layouts, of
// AutoAWQ's GEMM and GEMV kernels (quantization_config.version).
//   gemm: qweight I32 [in, out / 8], qzeros I32 [groups, out / 8], scales [groups, out]; the eight
//         nibbles of a word, lowest first, are outputs 0 2 4 6 1 3 5 7 of the word's eight.
//   gemv: qweight I32 [out, in / 8], qzeros I32 [out, z], scales [out, 8 z]; nibbles in order, and
//         z a little more than groups / 8 needs.
// Source: AutoAWQ's WQLinear_GEMM and WQLinear_GEMV.
#include <algorithm>
#include <string>

#include "format/names.h"
#include "format/packed/input_groups.h"
#include "format/packed/methods.h"
#include "format/packed/words.h"

namespace heft::format::packed {

namespace {

constexpr int kBits = 4;
constexpr std::int64_t kPerWord = 8;

// The nibble of a word that holds output i of its eight.
constexpr int kNibbleOf[] = {0, 4, 1, 5, 2, 6, 3, 7};

struct Layer {
    const std::byte* qweight = nullptr;
    const std::byte* qzeros = nullptr;
    Floats scales;
    std::int64_t in = 0;
    std::int64_t out = 0;
    std::int64_t group_size = 0;
    std::int64_t zero_words = 0;  // gemv: z
};

class GemmCodes final : public Codes {
  public:
    explicit GemmCodes(const Layer& layer) : Codes(integer_levels()), layer_(layer) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        for (std::int64_t k = 0; k < layer_.in; ++k)
            for (std::int64_t r = 0; r < count; ++r)
                to[r * layer_.in + k] = nibble(layer_.qweight, k, first + r);
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        const std::int64_t g = column / layer_.group_size;
        return {layer_.scales[g * layer_.out + row], nibble(layer_.qzeros, g, row)};
    }

  private:
    std::uint8_t nibble(const std::byte* words, std::int64_t row, std::int64_t output) const {
        const std::int64_t word = (row * layer_.out + output) / kPerWord;
        return bits_at(words, bit_place(word * kPerWord + kNibbleOf[output % kPerWord], kBits),
                       kBits, 1);
    }

    Layer layer_;
};

class GemvCodes final : public Codes {
  public:
    explicit GemvCodes(const Layer& layer) : Codes(integer_levels()), layer_(layer) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        const std::int64_t end = (first + count) * layer_.in;
        for (std::int64_t i = first * layer_.in; i < end; ++i)
            *to++ = bits_at(layer_.qweight, bit_place(i, kBits), kBits, 1);
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        const std::int64_t g = row * layer_.zero_words * kPerWord + column / layer_.group_size;
        return {layer_.scales[g], bits_at(layer_.qzeros, bit_place(g, kBits), kBits, 1)};
    }

  private:
    Layer layer_;
};

struct Files {
    const TensorView* qweight;
    const TensorView* qzeros;
    const TensorView* scales;
};

std::int64_t groups_of(const Layer& layer) {
    return (layer.in - 1) / layer.group_size + 1;
}

Status check_gemm(Layer& layer, const Files& files, std::int64_t group_size) {
    layer.in = files.qweight->shape[0];
    layer.out = files.qweight->shape[1] * kPerWord;
    layer.group_size = group_size < 0 ? layer.in : group_size;
    HEFT_OK(expect_shape(*files.qzeros, {groups_of(layer), files.qweight->shape[1]}));
    return expect_shape(*files.scales, {groups_of(layer), layer.out});
}

Status check_gemv(Layer& layer, const Files& files, std::int64_t group_size) {
    layer.out = files.qweight->shape[0];
    layer.in = files.qweight->shape[1] * kPerWord;
    layer.group_size = group_size < 0 ? layer.in : group_size;
    layer.zero_words = std::max((groups_of(layer) - 1) / kPerWord + 1, files.qzeros->shape.back());
    HEFT_OK(expect_shape(*files.qzeros, {layer.out, layer.zero_words}));
    return expect_shape(*files.scales, {layer.out, layer.zero_words * kPerWord});
}

struct Layout {
    std::string_view version;
    Status (*check)(Layer& layer, const Files& files, std::int64_t group_size);
    std::unique_ptr<const Codes> (*codes)(const Layer& layer);
};

template <class Kind>
std::unique_ptr<const Codes> make_codes(const Layer& layer) {
    return std::make_unique<Kind>(layer);
}

// "exllama" and "ipex" name kernels; their files are as gemm's.
constexpr Layout kLayouts[] = {
    {"gemm", check_gemm, make_codes<GemmCodes>},
    {"gemv", check_gemv, make_codes<GemvCodes>},
    {"exllama", check_gemm, make_codes<GemmCodes>},
    {"ipex", check_gemm, make_codes<GemmCodes>},
};

Result<const Layout*> layout_of(const Settings& settings) {
    std::string version(settings.string("version").value_or("gemm"));
    for (char& c : version)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    for (const Layout& layout : kLayouts)
        if (layout.version == version) return &layout;
    HEFT_OK(check_name("the version of AWQ", version, 64));
    return Error{Code::unsupported, "its weights are quantised by AWQ in the layout "
                                        + in_quotes(version)
                                        + ", which is not read; gemm and gemv are"};
}

Result<std::int64_t> group_size_of(const Settings& settings) {
    const std::int64_t bits =
        settings.integer("bits").value_or(settings.integer("w_bit").value_or(kBits));
    if (bits != kBits)
        return Error{Code::unsupported,
                     "AWQ with " + std::to_string(bits) + " bits is not read; 4 bits are"};
    const std::int64_t size =
        settings.integer("group_size").value_or(settings.integer("q_group_size").value_or(128));
    if (size != -1 && size < 1)
        return Error{Code::corrupt, "AWQ's group_size is " + std::to_string(size)};
    return size;
}

Status build(Parts& parts, const TensorView& qweight, const Layout& layout,
             std::int64_t group_size) {
    const std::string stem = stem_of(qweight, ".qweight");
    Files files{&qweight, nullptr, nullptr};
    HEFT_TRY(files.qzeros, parts.need(qweight, stem + ".qzeros"));
    HEFT_TRY(files.scales, parts.need(qweight, stem + ".scales"));
    HEFT_OK(expect_type(qweight, {DType::i32}));
    HEFT_OK(expect_type(*files.qzeros, {DType::i32}));
    if (qweight.shape.size() != 2) return wrong(qweight, "is no matrix");
    if (files.qzeros->shape.size() != 2) return wrong(*files.qzeros, "is no matrix");
    Layer layer;
    HEFT_TRY(layer.scales, floats_of(*files.scales));
    HEFT_OK(layout.check(layer, files, group_size));
    layer.qweight = qweight.data.data();
    layer.qzeros = files.qzeros->data.data();
    Grouped whole;
    whole.name = stem + ".weight";
    whole.shape = {layer.out, layer.in};
    whole.type = DType::gi4;
    whole.in_blocks = InputGroups(layer.in, layer.group_size).in_blocks();
    whole.codes = layout.codes(layer);
    HEFT_TRY(TensorView view, grouped_view(std::move(whole)));
    parts.use(*files.qzeros);
    parts.use(*files.scales);
    parts.replace(qweight, std::move(view));
    return {};
}

}  // namespace

Status build_awq(Parts& parts, const Settings& settings) {
    HEFT_TRY(const Layout* layout, layout_of(settings));
    HEFT_TRY(const std::int64_t group_size, group_size_of(settings));
    for (const TensorView& qweight : parts.all())
        if (qweight.name.ends_with(".qweight")) HEFT_OK(build(parts, qweight, *layout, group_size));
    return {};
}

}  // namespace heft::format::packed
