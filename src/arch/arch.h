// What a model is: one row of choices per family, and the numbers of one checkpoint. Data only; the
// planner, the converter and the trainer read the same description as the decoder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/checkpoint.h"

namespace heft::arch {

enum class Pairs : std::uint8_t { half, neighbour };  // which entries of a head rotate together
enum class Act : std::uint8_t {
    silu,
    gelu_tanh,
    gelu_erf,
    swiglu_clamped,  // (up + 1) * gate * sigmoid(1.702 gate), both clamped to act_limit (gpt-oss)
};
enum class NormKind : std::uint8_t { rms, layer };          // layer: the mean is taken off too
enum class Norms : std::uint8_t { before, after, around };  // where a block's norms stand
enum class QkNorm : std::uint8_t {
    none,
    head,   // each head of q and k, before it rotates
    whole,  // all heads of q, all heads of k
    unit,   // each head, without weights, after it has rotated
};
enum class Residual : std::uint8_t {
    sequential,  // the feed-forward block reads what attention left
    parallel,    // both read the same input and are added together
};
enum class Position : std::uint8_t { rope, alibi, learned };
enum class Scaling : std::uint8_t { none, linear, llama3, yarn, longrope };
enum class Window : std::uint8_t {
    none,
    every,
    upper_layers,  // from max_window_layers on
    periodic,      // all but every n-th layer
    chunked,       // keys of the same chunk only, in the layers that rotate
};
enum class Score : std::uint8_t {
    softmax,         // over all experts
    softmax_chosen,  // over the chosen ones
    sigmoid,
};
enum class GroupRank : std::uint8_t { best, best_two };  // what a group of experts is judged by

struct Tensor;  // arch/tensors.h
struct Config;
struct Default;      // arch/config_source.h
class ConfigSource;  // arch/config_source.h

// The choices of a decoder block. A family's row has its usual ones; a checkpoint's configuration
// may change them.
struct Block {
    NormKind norm = NormKind::rms;
    Norms norms = Norms::before;
    QkNorm qk_norm = QkNorm::none;
    Act act = Act::silu;
    bool gated = true;  // act(gate) * up; else act(up)
    Residual residual = Residual::sequential;
    Position position = Position::rope;
    Pairs pairs = Pairs::half;
};

// One model family, as data. A new family is a new table row; a new idea is a new enum value.
struct Family {
    const char* name;  // Hugging Face model_type
    const char* gguf;  // GGUF general.architecture
    std::span<const Tensor> tensors;
    Block block = {};
    Window window = Window::none;
    int window_period = 0;             // Window::periodic, when the config does not say
    int gguf_window = 0;               // when a GGUF file does not say
    bool scale_embedding = false;      // embeddings times sqrt(d_model)
    bool gguf_interleaves_qk = false;  // GGUF files store q and k rows for neighbouring pairs
    bool gguf_divides_logits = false;  // GGUF's logit_scale is a divisor
    bool gguf_wants_scales = false;    // a GGUF file without scales and caps has usual ones
    bool gguf_tenth_mscale = false;    // GGUF's yarn_log_multiplier is a tenth of mscale_all_dim
    int ff_factor = 0;                 // d_ff over d_model, when the config does not say
    // What keys that config.json leaves out stand for: what the makers' configuration class has.
    // Models inside larger ones (text_config) often say only what differs from it.
    std::span<const Default> defaults = {};
    // Reads what only this family's config has; may be nullptr.
    Status (*refine)(const ConfigSource& source, Config& config) = nullptr;
};

std::span<const Family* const> families();

// How a configuration may stretch the context of a model that rotates.
std::vector<std::string_view> scaling_names();

struct Rope {
    double theta = 10000;
    int dim = 0;  // how many entries of a head are rotated
    Pairs pairs = Pairs::half;
    Scaling scaling = Scaling::none;
    double factor = 1;
    double low_freq_factor = 1, high_freq_factor = 4;  // llama3
    double beta_fast = 32, beta_slow = 1;              // yarn
    bool whole_bounds = true;       // yarn: whether the ramp begins and ends at whole indices
    double mscale_all = 0;          // yarn: DeepSeek's mscale_all_dim, which scales the scores
    double magnitude = 0;           // cos and sin times this; 0: by the scaling's rule
    std::int64_t original_ctx = 0;  // trained length; 0: unknown
    std::vector<float> short_factors, long_factors;  // longrope, one per pair
    std::vector<float> divisors;                     // frequencies over these (GGUF rope_freqs)

    int pairs_count() const { return dim / 2; }
};

// Latent attention (DeepSeek-V2, section 2.1): keys and values come from one vector per token.
struct Latent {
    int q_rank = 0;   // queries are compressed too; 0: not
    int kv_rank = 0;  // 0: no latent attention
    int d_rope = 0;   // entries of a head that rotate, its last ones; the key's are shared
};

// A mixture of experts, in the layers that `sparse` names.
struct Experts {
    int n = 0;
    int n_used = 0;    // per token
    int d_ff = 0;      // of one expert
    int d_shared = 0;  // of the expert that every token uses; 0: none
    Score score = Score::softmax;
    bool normalise = false;    // weights of the chosen are made to sum to 1
    bool weigh_input = false;  // the weight multiplies an expert's input, not its output
    float scale = 1;           // weights times this
    int n_group = 1;           // experts are chosen from the best groups only
    int n_group_used = 1;
    GroupRank group_rank = GroupRank::best;
    std::vector<bool> sparse;  // per layer: whether it has experts in place of one matrix
};

// The numbers of one checkpoint. Names: docs/names.md.
struct Config {
    const Family* family = nullptr;
    Block block;
    int d_model = 0;
    int n_layer = 0;
    int n_predict_layer = 0;  // further ones in the file, for multi-token prediction: unused
    int n_head = 0;
    int n_kv = 0;
    int d_head = 0;   // of queries and keys
    int d_value = 0;  // of values
    int d_ff = 0;
    int n_vocab = 0;
    std::int64_t n_ctx = 0;  // longest context the model was made for
    float norm_eps = 1e-5F;
    float latent_norm_eps = 1e-6F;
    float attn_scale = 0;   // scores times this
    float alibi_scale = 1;  // Position::alibi: what the slopes are multiplied by
    float attn_cap = 0;     // scores are kept within this by tanh; 0: no
    float logit_cap = 0;
    float logit_scale = 1;
    float residual_scale = 1;  // what a block adds, times this
    float qkv_limit = 0;       // q, k and v are clamped to it; 0: no
    float act_limit = 0;
    float embedding_scale = 1;
    int window = 0;             // keys that a sliding layer sees, its own included; 0: all
    std::vector<bool> sliding;  // per layer: whether `window` applies; empty when window is 0
    bool chunked = false;       // the window is the chunk of `window` tokens that holds the query
    bool attn_sinks = false;    // one more logit per head in the softmax
    std::vector<bool> rotates;  // per layer: whether it uses rope; empty: all do
    // Queries far into the text are sharpened, q times 1 + tune * ln(1 + floor(p / tune_length)):
    // by p = position + 1 in layers that do not rotate (Llama 4), or by p = position in all.
    float tune = 0;
    float tune_length = 1;
    bool tune_all = false;
    bool tied = false;  // the output matrix is the embedding matrix
    Rope rope;
    Rope local_rope;  // of sliding layers; dim 0: as `rope`
    Latent latent;
    Experts experts;

    bool is_sliding(int layer) const;
    bool is_rotating(int layer) const;
    bool is_sparse(int layer) const;
    // Numbers that the cache keeps of a token, per layer.
    std::int64_t cache_row() const;
};

// Reads config.json or GGUF metadata into the one description, and checks that the numbers make
// sense. Unknown architectures are Code::unsupported; the error names the nearest family.
Result<Config> read_config(const format::Checkpoint& checkpoint);

// How many weights all tensors of the checkpoint hold.
std::int64_t parameter_count(const format::Checkpoint& checkpoint);

// Rotation frequencies in radians per position, one per pair, and the factor on cos and sin.
// `long_context`: whether longrope's long factors apply.
struct RopeTable {
    std::vector<double> frequency;
    double magnitude = 1;
};
RopeTable rope_table(const Rope& rope, std::int64_t n_ctx, bool long_context);

// The factor on cos and sin that GGUF takes for granted under yarn; its attn_factor comes on top.
double gguf_yarn_magnitude(const Rope& rope, const Family& family);

}  // namespace heft::arch
