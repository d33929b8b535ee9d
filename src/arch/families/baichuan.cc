#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr Tensor part(Role role, const char* gguf, Dim rows, int index) {
    Tensor tensor{.role = role,
                  .hf = "model.layers.{}.self_attn.W_pack.weight",
                  .gguf = gguf,
                  .rows = rows,
                  .cols = Dim::model};
    tensor.fused = {{Dim::q, Dim::kv, Dim::kv_value}, index};
    return tensor;
}

constexpr std::array<Tensor, 4> kPacked = {{
    part(Role::attn_q, "blk.{}.attn_q.weight", Dim::q, 0),
    part(Role::attn_k, "blk.{}.attn_k.weight", Dim::kv, 1),
    part(Role::attn_v, "blk.{}.attn_v.weight", Dim::kv_value, 2),
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
}};

constexpr auto kTensors = join(kEnds, kBlockNorms, kPacked, kGatedFfn);

// The larger of the two published sizes, known by its layers, has ALiBi.
constexpr int kLayersWithAlibi = 40;

// The second generation, known by its vocabulary, brings the rows of the output matrix to length 1.
constexpr int kVocabularyOfSecond = 125696;

Status refine(const ConfigSource& source, Config& config) {
    if (!source.is_gguf() && config.n_vocab == kVocabularyOfSecond)
        return Error{Code::unsupported,
                     "Baichuan 2 normalises the rows of its output matrix, which heft does not"};
    if (config.n_layer == kLayersWithAlibi) config.block.position = Position::alibi;
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 64000},        {"hidden_size", 4096},
                                 {"intermediate_size", 11008}, {"num_hidden_layers", 32},
                                 {"num_attention_heads", 32},  {"max_position_embeddings", 4096},
                                 {"rms_norm_eps", 1e-6}};

constexpr Family kBaichuan{.name = "baichuan",
                           .gguf = "baichuan",
                           .tensors = kTensors,
                           .gguf_interleaves_qk = true,
                           .defaults = kDefaults,
                           .refine = refine};

}  // namespace

std::span<const Family* const> baichuan_families() {
    static constexpr const Family* kAll[] = {&kBaichuan};
    return kAll;
}

}  // namespace heft::arch
