// Makes a model of a given shape with random weights, as a GGUF file: for measuring speed and
// memory where no real model is at hand. The text that it makes is noise.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "base/rng.h"
#include "convert/gguf_keys.h"
#include "format/gguf_writer.h"
#include "tensor/quant/quant.h"
#include "text/byte_level.h"

namespace heft {
namespace {

struct ShapeOf {
    const char* name;
    const char* family;
    int d_model, n_layer, n_head, n_kv, d_head, d_ff, n_vocab;
    arch::Experts experts = {};
    int n_dense = 0;  // layers without experts, at the beginning
    arch::Latent latent = {};
    int d_value = 0;  // 0: d_head
};

constexpr int kVocabulary = 128256;

std::vector<ShapeOf> shapes() {
    arch::Experts mixtral;
    mixtral.n = 8;
    mixtral.n_used = 2;
    mixtral.d_ff = 3584;
    mixtral.normalise = true;
    arch::Experts deepseek;
    deepseek.n = 32;
    deepseek.n_used = 4;
    deepseek.d_ff = 512;
    deepseek.d_shared = 512;
    deepseek.score = arch::Score::sigmoid;
    deepseek.normalise = true;
    deepseek.scale = 2.5;
    const arch::Latent latent{.q_rank = 512, .kv_rank = 512, .d_rope = 64};
    return {
        {"tiny", "llama", 256, 2, 8, 4, 32, 768, 2048},
        {"1b", "llama", 2048, 16, 32, 8, 64, 8192, kVocabulary},    // Llama 3.2 1B
        {"8b", "llama", 4096, 32, 32, 8, 128, 14336, kVocabulary},  // Llama 3.1 8B
        // Mixtral and DeepSeek-V3 with fewer and narrower layers.
        {"mixtral", "mixtral", 1024, 8, 16, 4, 64, 3584, 32000, mixtral},
        {"deepseek", "deepseek_v3", 1024, 10, 16, 16, 192, 4096, 32000, deepseek, 1, latent, 128},
    };
}

// What the files that people download mix, by role.
struct Mix {
    const char* name;
    DType most, down_and_v, output;
};
constexpr Mix kMixes[] = {
    {"Q4_K_M", DType::q4_k, DType::q6_k, DType::q6_k},
    {"Q4_0", DType::q4_0, DType::q4_0, DType::q4_0},
    {"Q6_K", DType::q6_k, DType::q6_k, DType::q6_k},
    {"Q8_0", DType::q8_0, DType::q8_0, DType::q8_0},
    {"BF16", DType::bf16, DType::bf16, DType::bf16},
    {"F16", DType::f16, DType::f16, DType::f16},
};

DType type_for(const Mix& mix, const arch::Tensor& tensor, int layer) {
    if (tensor.cols == arch::Dim::none) return DType::f32;
    switch (tensor.role) {
        case arch::Role::output:
        case arch::Role::token_embd: return mix.output;
        case arch::Role::router: return DType::f32;
        // Half of the layers get the better type, as llama.cpp's recipe has it.
        case arch::Role::ffn_down:
        case arch::Role::expert_down:
        case arch::Role::attn_v: return layer % 2 == 0 ? mix.down_and_v : mix.most;
        default: return mix.most;
    }
}

double uniform(Rng& rng) {
    return (rng.uniform() - 0.5) * 0.05;
}

double normal(Rng& rng) {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - rng.uniform()));
    return radius * std::cos(2 * std::numbers::pi * rng.uniform());
}

double gaussian(Rng& rng) {
    return 0.02 * normal(rng);
}

// Student's t with three degrees of freedom: one in a hundred is beyond 5.8 units, not 2.6.
double heavy(Rng& rng) {
    double squares = 0;
    for (int i = 0; i < 3; ++i) squares += std::pow(normal(rng), 2);
    return 0.02 * normal(rng) / std::sqrt(squares / 3);
}

// How weights are spread, which decides what quantising loses. Those of trained models are between
// the second and the third.
struct Spread {
    const char* name;
    double (*draw)(Rng& rng);
};
constexpr Spread kSpreads[] = {{"uniform", uniform}, {"gaussian", gaussian}, {"heavy", heavy}};

struct Draw {
    const Spread& spread;
    std::uint64_t seed;
};

// Random rows are quantised once and handed out again and again: speed does not depend on values.
Status fill(DType type, std::int64_t rows, std::int64_t cols, const Draw& draw,
            const format::ByteSink& sink) {
    constexpr std::int64_t kDistinct = 61;
    Rng rng(draw.seed);
    HEFT_TRY(const std::uint64_t bytes, row_bytes(type, static_cast<std::uint64_t>(cols)));
    std::vector<std::vector<std::byte>> made;
    std::vector<float> values(static_cast<std::size_t>(cols));
    for (std::int64_t r = 0; r < std::min(rows, kDistinct); ++r) {
        for (float& value : values) value = static_cast<float>(draw.spread.draw(rng));
        made.emplace_back(bytes);
        codec(type)->quantise(values.data(), cols, made.back().data());
    }
    for (std::int64_t r = 0; r < rows; ++r)
        HEFT_OK(sink(made[static_cast<std::size_t>(r % kDistinct)]));
    return {};
}

arch::Config config_of(const ShapeOf& shape) {
    arch::Config config;
    for (const arch::Family* family : arch::families())
        if (std::string(family->name) == shape.family) config.family = family;
    config.block = config.family->block;
    config.d_model = shape.d_model;
    config.n_layer = shape.n_layer;
    config.n_head = shape.n_head;
    config.n_kv = shape.n_kv;
    config.d_head = shape.d_head;
    config.d_value = shape.d_value > 0 ? shape.d_value : shape.d_head;
    config.d_ff = shape.d_ff;
    config.n_vocab = shape.n_vocab;
    config.n_ctx = 131072;
    config.tied = true;
    config.experts = shape.experts;
    if (shape.experts.n > 0)
        for (int layer = 0; layer < shape.n_layer; ++layer)
            config.experts.sparse.push_back(layer >= shape.n_dense);
    config.latent = shape.latent;
    config.rope.theta = 500000;
    config.rope.dim = shape.latent.kv_rank > 0 ? shape.latent.d_rope : shape.d_head;
    return config;
}

// What files have: of the ways to store a tensor, the one that llama.cpp writes today.
bool is_written(const arch::Tensor& tensor, const arch::Config& config) {
    if (tensor.gguf == nullptr || tensor.role == arch::Role::output) return false;
    switch (tensor.role) {
        case arch::Role::latent_q_a:
        case arch::Role::latent_q_norm:
        case arch::Role::latent_q_b:
        case arch::Role::latent_k_b_turned:
        case arch::Role::router_choice_bias: return true;
        case arch::Role::latent_v_b: return tensor.split == arch::Dim::heads;
        case arch::Role::attn_q: return config.latent.kv_rank == 0;
        default: return !tensor.optional;
    }
}

Shape shape_of(const arch::Tensor& tensor, const arch::Config& config) {
    const std::int64_t rows = arch::extent(tensor.rows, config);
    if (tensor.cols == arch::Dim::none) return {rows};
    const std::int64_t cols = arch::extent(tensor.cols, config);
    if (tensor.per_expert) return {config.experts.n, rows, cols};
    if (tensor.split == arch::Dim::none) return {rows, cols};
    const std::int64_t parts = arch::extent(tensor.split, config);
    return {parts, rows / parts, cols};
}

void add_tensor(format::GgufWriter& writer, const Mix& mix, const arch::Tensor& tensor,
                const arch::Config& config, int layer, const Draw& model) {
    format::TensorSource source;
    source.name = arch::tensor_name(tensor.gguf, layer);
    source.type = type_for(mix, tensor, layer);
    source.shape = shape_of(tensor, config);
    const std::int64_t cols = source.shape.back();
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < source.shape.size(); ++i) rows *= source.shape[i];
    const DTypeInfo& info = dtype_info(source.type);
    if (cols % info.block != 0) source.type = DType::q8_0;  // as llama.cpp falls back
    const auto seed = (model.seed * 1000 + static_cast<std::uint64_t>(tensor.role)) * 1000
                      + static_cast<std::uint64_t>(layer);
    const Draw draw{model.spread, seed};
    source.produce = [=, type = source.type](const format::ByteSink& sink) {
        return fill(type, rows, cols, draw, sink);
    };
    writer.add(std::move(source));
}

constexpr std::size_t kBytes = 256;

// A vocabulary that other engines open too: the bytes, what the one merge makes, and then as many
// words as are needed.
void set_vocabulary(format::GgufWriter& writer, const arch::Config& config) {
    const auto n_vocab = static_cast<std::size_t>(config.n_vocab);
    constexpr std::int32_t normal = 1;
    constexpr std::int32_t control = 3;
    std::vector<std::string> tokens;
    std::vector<std::int32_t> types(n_vocab, normal);
    for (std::size_t i = 0; i < n_vocab; ++i)
        tokens.push_back(i < kBytes ? text::byte_level_spell(std::string(1, static_cast<char>(i)))
                                    : "w" + std::to_string(i));
    types.back() = control;
    tokens[kBytes] = tokens[0] + tokens[1];
    writer.set_string("tokenizer.ggml.model", "gpt2");
    writer.set_string("tokenizer.ggml.pre", "default");
    writer.set_strings("tokenizer.ggml.tokens", tokens);
    writer.set_array<std::int32_t>("tokenizer.ggml.token_type", types);
    writer.set_strings("tokenizer.ggml.merges",
                       std::vector<std::string>{tokens[0] + " " + tokens[1]});
    writer.set<std::uint32_t>("tokenizer.ggml.bos_token_id",
                              static_cast<std::uint32_t>(n_vocab - 1));
    writer.set<std::uint32_t>("tokenizer.ggml.eos_token_id",
                              static_cast<std::uint32_t>(n_vocab - 1));
}

Status make(const ShapeOf& shape, const Mix& mix, const std::string& path, const Draw& model) {
    const arch::Config config = config_of(shape);
    format::GgufWriter writer;
    HEFT_OK(convert::set_config(writer, config));
    writer.set_string("general.name", std::string("random ") + shape.name + " " + mix.name);
    set_vocabulary(writer, config);
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (!is_written(tensor, config)) continue;
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer)
            if (arch::in_layer(tensor, config, layer))
                add_tensor(writer, mix, tensor, config, layer, model);
    }
    return writer.write(path);
}

template <class Row, std::size_t n>
const Row* named(const Row (&rows)[n], const std::string& name) {
    for (const Row& row : rows)
        if (row.name == name) return &row;
    return nullptr;
}

int usage() {
    std::fputs("usage: heft-random-model SHAPE MIX OUT.gguf [SEED [WEIGHTS]]\nshapes:", stderr);
    for (const ShapeOf& shape : shapes()) std::fprintf(stderr, " %s", shape.name);
    std::fputs("\nmixes:", stderr);
    for (const Mix& mix : kMixes) std::fprintf(stderr, " %s", mix.name);
    std::fputs("\nweights:", stderr);
    for (const Spread& spread : kSpreads) std::fprintf(stderr, " %s", spread.name);
    std::fputs("\n", stderr);
    return 2;
}

}  // namespace
}  // namespace heft

int main(int argc, char** argv) {
    if (argc < 4 || argc > 6) return heft::usage();
    const std::uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
    const heft::Mix* mix = heft::named(heft::kMixes, argv[2]);
    const heft::Spread* spread = heft::named(heft::kSpreads, argc > 5 ? argv[5] : "uniform");
    if (mix == nullptr || spread == nullptr) return heft::usage();
    for (const heft::ShapeOf& shape : heft::shapes()) {
        if (std::string(argv[1]) != shape.name) continue;
        const auto made = heft::make(shape, *mix, argv[3], {*spread, seed});
        if (!made) std::fprintf(stderr, "%s\n", made.error().what.c_str());
        return made ? 0 : 1;
    }
    return heft::usage();
}
