// Makes a model of a given shape with random weights, as a GGUF file: for measuring speed and
// memory where no real model is at hand. The text that it makes is noise.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "base/rng.h"
#include "convert/gguf_keys.h"
#include "format/gguf_writer.h"
#include "tensor/quant/quant.h"

namespace heft {
namespace {

struct ShapeOf {
    const char* name;
    int d_model, n_layer, n_head, n_kv, d_head, d_ff, n_vocab;
};
constexpr ShapeOf kShapes[] = {
    {"tiny", 256, 2, 8, 4, 32, 768, 2048},
    {"1b", 2048, 16, 32, 8, 64, 8192, 128256},    // Llama 3.2 1B
    {"8b", 4096, 32, 32, 8, 128, 14336, 128256},  // Llama 3.1 8B
};

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
        case arch::Role::token_embd: return mix.output;
        // Half of the layers get the better type, as llama.cpp's recipe has it.
        case arch::Role::ffn_down:
        case arch::Role::attn_v: return layer % 2 == 0 ? mix.down_and_v : mix.most;
        default: return mix.most;
    }
}

// Random rows are quantised once and handed out again and again: speed does not depend on values.
Status fill(DType type, std::int64_t rows, std::int64_t cols, std::uint64_t seed,
            const format::ByteSink& sink) {
    constexpr std::int64_t kDistinct = 61;
    Rng rng(seed);
    HEFT_TRY(const std::uint64_t bytes, row_bytes(type, static_cast<std::uint64_t>(cols)));
    std::vector<std::vector<std::byte>> made;
    std::vector<float> values(static_cast<std::size_t>(cols));
    for (std::int64_t r = 0; r < std::min(rows, kDistinct); ++r) {
        for (float& value : values) value = static_cast<float>((rng.uniform() - 0.5) * 0.05);
        made.emplace_back(bytes);
        codec(type)->quantise(values.data(), cols, made.back().data());
    }
    for (std::int64_t r = 0; r < rows; ++r)
        HEFT_OK(sink(made[static_cast<std::size_t>(r % kDistinct)]));
    return {};
}

arch::Config config_of(const ShapeOf& shape) {
    arch::Config config;
    config.family = arch::families().front();
    config.d_model = shape.d_model;
    config.n_layer = shape.n_layer;
    config.n_head = shape.n_head;
    config.n_kv = shape.n_kv;
    config.d_head = shape.d_head;
    config.d_ff = shape.d_ff;
    config.n_vocab = shape.n_vocab;
    config.n_ctx = 131072;
    config.tied = true;
    config.rope.theta = 500000;
    config.rope.dim = shape.d_head;
    return config;
}

Status make(const ShapeOf& shape, const Mix& mix, const std::string& path) {
    const arch::Config config = config_of(shape);
    format::GgufWriter writer;
    HEFT_OK(convert::set_config(writer, config));
    writer.set_string("general.name", std::string("random ") + shape.name + " " + mix.name);
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.optional || tensor.role == arch::Role::output) continue;
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer) {
            const std::int64_t rows = arch::extent(tensor.rows, config);
            const std::int64_t cols = arch::extent(tensor.cols, config);
            const bool vector = tensor.cols == arch::Dim::none;
            format::TensorSource source;
            source.name = arch::tensor_name(tensor.gguf, layer);
            source.type = type_for(mix, tensor, layer);
            source.shape = vector ? Shape{rows} : Shape{rows, cols};
            const auto seed =
                static_cast<std::uint64_t>(tensor.role) * 1000 + static_cast<std::uint64_t>(layer);
            source.produce = [=, type = source.type](const format::ByteSink& sink) {
                return vector ? fill(type, 1, rows, seed, sink)
                              : fill(type, rows, cols, seed, sink);
            };
            writer.add(std::move(source));
        }
    }
    return writer.write(path);
}

int usage() {
    std::fputs("usage: heft-random-model SHAPE MIX OUT.gguf\nshapes:", stderr);
    for (const ShapeOf& shape : kShapes) std::fprintf(stderr, " %s", shape.name);
    std::fputs("\nmixes:", stderr);
    for (const Mix& mix : kMixes) std::fprintf(stderr, " %s", mix.name);
    std::fputs("\n", stderr);
    return 2;
}

}  // namespace
}  // namespace heft

int main(int argc, char** argv) {
    if (argc != 4) return heft::usage();
    for (const heft::ShapeOf& shape : heft::kShapes)
        for (const heft::Mix& mix : heft::kMixes)
            if (std::string(argv[1]) == shape.name && std::string(argv[2]) == mix.name) {
                const auto made = heft::make(shape, mix, argv[3]);
                if (!made) std::fprintf(stderr, "%s\n", made.error().what.c_str());
                return made ? 0 : 1;
            }
    return heft::usage();
}
