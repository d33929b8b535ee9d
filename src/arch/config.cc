#include <algorithm>
#include <cmath>
#include <limits>

#include "arch/arch.h"
#include "arch/config_source.h"
#include "arch/tensors.h"

namespace heft::arch {

namespace {

// Larger than any published model by far; small enough that no product of two overflows.
constexpr std::int64_t kMostWidth = 1 << 22;
constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kMostGroup = 1024;  // query heads per key/value head
constexpr std::int64_t kMostContext = std::int64_t{1} << 30;

struct ActName {
    const char* name;
    Act act;
};
constexpr ActName kActs[] = {
    {"silu", Act::silu},
    {"swish", Act::silu},
    {"gelu", Act::gelu_erf},
    {"gelu_python", Act::gelu_erf},
    {"gelu_pytorch_tanh", Act::gelu_tanh},
    {"gelu_new", Act::gelu_tanh},
    {"gelu_fast", Act::gelu_tanh},
};

struct ScalingName {
    const char* name;
    Scaling scaling;
};
constexpr ScalingName kScalings[] = {
    {"none", Scaling::none},     {"default", Scaling::none}, {"linear", Scaling::linear},
    {"llama3", Scaling::llama3}, {"yarn", Scaling::yarn},    {"longrope", Scaling::longrope},
    {"su", Scaling::longrope},
};

std::string known_families(bool gguf) {
    std::string list;
    for (const Family* family : families()) {
        const std::string name = gguf ? family->gguf : family->name;
        if (list.ends_with(name)) continue;
        list += (list.empty() ? "" : ", ") + name;
    }
    return list;
}

Result<const Family*> find_family(const format::Checkpoint& checkpoint) {
    const bool gguf = checkpoint.kind() == format::Kind::gguf;
    std::string name;
    if (gguf) {
        name = checkpoint.metadata().string("general.architecture").value_or("");
    } else if (const auto config = checkpoint.config()) {
        name = json_string(*config, "model_type").value_or("");
    }
    for (const Family* family : families())
        if (name == (gguf ? family->gguf : family->name)) return family;
    const std::string key = gguf ? "general.architecture" : "model_type";
    if (name.empty()) return Error{Code::corrupt, key + " is missing: the architecture is unknown"};
    return Error{Code::unsupported, "architecture \"" + name.substr(0, 80)
                                        + "\" is not supported; heft knows "
                                        + known_families(gguf)};
}

// Reads a size that must be there (fallback < 0) or may be, within 1 … most.
Result<std::int64_t> size_of(const ConfigSource& source, std::string_view hf, std::string_view gguf,
                             std::int64_t most, std::int64_t fallback = -1) {
    const auto found = source.integer(hf, gguf);
    const std::int64_t value = found.value_or(fallback);
    const std::string key(source.is_gguf() ? gguf : hf.substr(0, hf.find('|')));
    if (!found && fallback < 0) return Error{Code::corrupt, "configuration lacks " + key};
    if (value < 1 || value > most)
        return Error{Code::corrupt, "configuration has " + key + " = " + std::to_string(value)
                                        + ", outside 1 to " + std::to_string(most)};
    return value;
}

Status read_sizes(const ConfigSource& source, Config& c) {
    const auto to_int = [](std::int64_t value) { return static_cast<int>(value); };
    HEFT_TRY(const auto d_model, size_of(source, "hidden_size", "embedding_length", kMostWidth));
    HEFT_TRY(const auto n_layer, size_of(source, "num_hidden_layers", "block_count", kMostLayers));
    HEFT_TRY(const auto n_head,
             size_of(source, "num_attention_heads", "attention.head_count", kMostWidth));
    HEFT_TRY(const auto n_kv,
             size_of(source, "num_key_value_heads", "attention.head_count_kv", kMostWidth, n_head));
    HEFT_TRY(const auto d_ff,
             size_of(source, "intermediate_size", "feed_forward_length", kMostWidth));
    HEFT_TRY(c.n_ctx, size_of(source, "max_position_embeddings", "context_length", kMostContext));
    if (n_head % n_kv != 0)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head)
                                        + " query heads, not a multiple of its "
                                        + std::to_string(n_kv) + " key/value heads"};
    if (n_head / n_kv > kMostGroup)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head / n_kv)
                                        + " query heads per key/value head"};
    const auto explicit_head = source.integer("head_dim", "attention.key_length");
    if (!explicit_head && d_model % n_head != 0)
        return Error{Code::corrupt, "configuration has a width of " + std::to_string(d_model)
                                        + " that " + std::to_string(n_head)
                                        + " heads do not divide"};
    HEFT_TRY(const auto d_head, size_of(source, "head_dim", "attention.key_length", 1 << 14,
                                        std::max<std::int64_t>(1, d_model / n_head)));
    if (source.integer("", "attention.value_length").value_or(d_head) != d_head)
        return Error{Code::unsupported, "keys and values of different widths"};
    if (n_head * d_head > kMostWidth)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head) + " heads of "
                                        + std::to_string(d_head) + ", more than can be meant"};
    c.d_model = to_int(d_model);
    c.n_layer = to_int(n_layer);
    c.n_head = to_int(n_head);
    c.n_kv = to_int(n_kv);
    c.d_ff = to_int(d_ff);
    c.d_head = to_int(d_head);
    return {};
}

Status read_vocabulary(const ConfigSource& source, Config& c) {
    const format::Checkpoint& checkpoint = source.checkpoint();
    std::int64_t fallback = -1;
    if (source.is_gguf()) {
        if (const TensorView* embedding = checkpoint.find("token_embd.weight");
            embedding != nullptr && embedding->shape.size() == 2)
            fallback = embedding->shape[0];
        c.tied = checkpoint.find("output.weight") == nullptr;
        // The matrix is what counts: some files announce a vocabulary before padding.
        if (fallback > 0) {
            if (fallback > kMostWidth)
                return Error{Code::corrupt, "token_embd.weight has too many rows"};
            c.n_vocab = static_cast<int>(fallback);
            return {};
        }
    } else {
        c.tied = source.flag("tie_word_embeddings", "").value_or(c.family->tied_by_default);
    }
    HEFT_TRY(const auto n_vocab, size_of(source, "vocab_size", "vocab_size", kMostWidth, fallback));
    c.n_vocab = static_cast<int>(n_vocab);
    return {};
}

Status read_activation(const ConfigSource& source, Config& c) {
    c.act = c.family->act;
    const auto name = source.string("hidden_act", "");
    if (!name) return {};
    for (const ActName& known : kActs)
        if (*name == known.name) {
            c.act = known.act;
            return {};
        }
    return Error{Code::unsupported, "activation \"" + name->substr(0, 40) + "\" is not supported"};
}

Status read_windows(const ConfigSource& source, Config& c) {
    const auto window = source.integer("sliding_window", "attention.sliding_window");
    Window rule = c.family->window;
    // A GGUF file names a window only when its layers slide.
    if (source.is_gguf() && window && rule == Window::none) rule = Window::every;
    if (!window || *window < 1 || rule == Window::none) return {};
    std::vector<bool> sliding(static_cast<std::size_t>(c.n_layer), rule == Window::every);
    if (rule == Window::upper_layers && source.flag("use_sliding_window", "").value_or(false)) {
        const auto first = source.integer("max_window_layers", "").value_or(0);
        for (std::size_t i = 0; i < sliding.size(); ++i)
            sliding[i] = static_cast<std::int64_t>(i) >= first;
    }
    if (const auto types = source.strings("layer_types"); types.size() == sliding.size())
        for (std::size_t i = 0; i < sliding.size(); ++i)
            sliding[i] = types[i] == "sliding_attention";
    if (std::find(sliding.begin(), sliding.end(), true) == sliding.end()) return {};
    c.window = static_cast<int>(std::min<std::int64_t>(*window, std::numeric_limits<int>::max()));
    c.sliding = std::move(sliding);
    return {};
}

// A GGUF tensor of floats that belongs to the configuration.
Result<std::vector<float>> rope_tensor(const ConfigSource& source, const Config& c, Role role) {
    std::vector<float> out;
    for (const Tensor& tensor : c.family->tensors) {
        if (tensor.role != role) continue;
        HEFT_TRY(const Located at, locate(source.checkpoint(), c, tensor, 0));
        if (at.view == nullptr) continue;
        if (at.view->type != DType::f32)
            return Error{Code::corrupt, "tensor " + at.view->name + " is not of type F32"};
        out.resize(at.view->data.size() / sizeof(float));
        std::copy_n(at.view->data.data(), out.size() * sizeof(float),
                    reinterpret_cast<std::byte*>(out.data()));
    }
    return out;
}

bool usable(const std::vector<float>& factors, const Rope& rope) {
    return factors.size() == static_cast<std::size_t>(rope.pairs_count())
           && std::all_of(factors.begin(), factors.end(),
                          [](float f) { return f > 0 && f < 1e9F; });
}

Status check_scaling(const Rope& rope) {
    const bool needs_length = rope.scaling == Scaling::llama3 || rope.scaling == Scaling::yarn;
    if (!(rope.theta > 1 && rope.theta < 1e18 && rope.factor > 0 && rope.factor < 1e9))
        return Error{Code::corrupt, "rope base or scaling factor is out of range"};
    if (needs_length && rope.original_ctx < 1)
        return Error{Code::corrupt, "rope scaling lacks original_max_position_embeddings"};
    if (rope.scaling == Scaling::llama3 && !(rope.high_freq_factor > rope.low_freq_factor))
        return Error{Code::corrupt, "rope scaling has high_freq_factor <= low_freq_factor"};
    if (rope.scaling == Scaling::longrope
        && (!usable(rope.short_factors, rope) || !usable(rope.long_factors, rope)))
        return Error{Code::corrupt, "longrope needs " + std::to_string(rope.pairs_count())
                                        + " positive short and long factors"};
    if (!rope.divisors.empty() && !usable(rope.divisors, rope))
        return Error{Code::corrupt, "rope_freqs.weight holds values out of range"};
    return {};
}

Status read_scaling(const ConfigSource& source, Rope& rope) {
    const auto name = source.string(
        "rope_scaling.rope_type|rope_scaling.type|rope_parameters.rope_type", "rope.scaling.type");
    if (!name) return {};
    const auto* known =
        std::find_if(std::begin(kScalings), std::end(kScalings),
                     [&](const ScalingName& candidate) { return *name == candidate.name; });
    if (known == std::end(kScalings))
        return Error{Code::unsupported,
                     "rope scaling \"" + name->substr(0, 40) + "\" is not supported"};
    rope.scaling = known->scaling;
    return {};
}

Status read_rope(const ConfigSource& source, Config& c) {
    Rope& rope = c.rope;
    rope.theta = source.number("rope_theta|rope_parameters.rope_theta", "rope.freq_base")
                     .value_or(rope.theta);
    const double part =
        source.number("partial_rotary_factor|rope_parameters.partial_rotary_factor", "")
            .value_or(1);
    if (!(part > 0 && part <= 1))
        return Error{Code::corrupt, "partial_rotary_factor is outside 0 to 1"};
    const auto dim = source.integer("", "rope.dimension_count")
                         .value_or(static_cast<std::int64_t>(c.d_head * part));
    if (dim < 2 || dim > c.d_head || dim % 2 != 0)
        return Error{Code::corrupt, "rotates " + std::to_string(dim) + " of "
                                        + std::to_string(c.d_head) + " entries of a head"};
    rope.dim = static_cast<int>(dim);
    rope.pairs = source.is_gguf() && c.family->gguf_interleaves_qk ? Pairs::neighbour : Pairs::half;
    HEFT_OK(read_scaling(source, rope));

    const auto scaled = [&](std::string_view key, std::string_view gguf, double fallback) {
        const std::string hf =
            "rope_scaling." + std::string(key) + "|rope_parameters." + std::string(key);
        return source.number(hf, gguf).value_or(fallback);
    };
    rope.factor = scaled("factor", "rope.scaling.factor", 1);
    rope.low_freq_factor = scaled("low_freq_factor", "", 1);
    rope.high_freq_factor = scaled("high_freq_factor", "", 4);
    rope.beta_fast = scaled("beta_fast", "rope.scaling.yarn_beta_fast", 32);
    rope.beta_slow = scaled("beta_slow", "rope.scaling.yarn_beta_slow", 1);
    rope.magnitude = scaled("attention_factor", "rope.scaling.attn_factor", 0);
    const auto original = source.integer(
        "original_max_position_embeddings|"
        "rope_scaling.original_max_position_embeddings|"
        "rope_parameters.original_max_position_embeddings",
        "rope.scaling.original_context_length");
    rope.original_ctx = std::clamp<std::int64_t>(original.value_or(c.n_ctx), 0, kMostContext);
    if (source.is_gguf()) {
        HEFT_TRY(rope.divisors, rope_tensor(source, c, Role::rope_divisors));
        HEFT_TRY(rope.long_factors, rope_tensor(source, c, Role::rope_long));
        HEFT_TRY(rope.short_factors, rope_tensor(source, c, Role::rope_short));
        if (!rope.long_factors.empty()) rope.scaling = Scaling::longrope;
    } else {
        rope.long_factors =
            source.floats("rope_scaling.long_factor|rope_parameters.long_factor", "");
        rope.short_factors =
            source.floats("rope_scaling.short_factor|rope_parameters.short_factor", "");
    }
    // GGUF's factor comes on top of yarn's own; Hugging Face's replaces it.
    if (source.is_gguf() && rope.scaling == Scaling::yarn && rope.magnitude > 0 && rope.factor > 1)
        rope.magnitude *= 0.1 * std::log(rope.factor) + 1;
    return check_scaling(rope);
}

}  // namespace

Result<Config> read_config(const format::Checkpoint& checkpoint) {
    Config c;
    HEFT_TRY(c.family, find_family(checkpoint));
    const ConfigSource source(checkpoint, c.family->gguf);
    HEFT_OK(read_sizes(source, c));
    HEFT_OK(read_vocabulary(source, c));
    HEFT_OK(read_activation(source, c));
    HEFT_OK(read_windows(source, c));
    const auto eps = source.number("rms_norm_eps", "attention.layer_norm_rms_epsilon");
    c.norm_eps = static_cast<float>(eps.value_or(1e-5));
    if (!(c.norm_eps >= 0 && c.norm_eps < 1))
        return Error{Code::corrupt, "norm epsilon is out of range"};
    c.attn_scale = 1.0F / std::sqrt(static_cast<float>(c.d_head));
    if (c.family->scale_embedding) c.embedding_scale = std::sqrt(static_cast<float>(c.d_model));
    HEFT_OK(read_rope(source, c));
    if (c.family->refine != nullptr) HEFT_OK(c.family->refine(source, c));
    return c;
}

std::int64_t parameter_count(const format::Checkpoint& checkpoint) {
    std::int64_t total = 0;
    for (const TensorView& tensor : checkpoint.tensors()) {
        std::int64_t count = 1;
        for (const std::int64_t extent : tensor.shape) count *= extent;
        total += count;
    }
    return total;
}

}  // namespace heft::arch
