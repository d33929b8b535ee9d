#include <algorithm>
#include <cmath>

#include "arch/arch.h"
#include "arch/config_document.h"
#include "arch/config_parts.h"
#include "arch/config_source.h"
#include "arch/nearest.h"

namespace heft::arch {

namespace {

constexpr std::int64_t kMostGroup = 1024;  // query heads per key/value head

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

const Family* family_named(std::string_view name, bool gguf) {
    for (const Family* family : families())
        if (name == (gguf ? family->gguf : family->name)) return family;
    return nullptr;
}

// Of a config.json, which belongs to the checkpoint.
Result<FoundFamily> family_in(JsonElement config, const format::Checkpoint& checkpoint) {
    const std::string name(json_string(config, "model_type").value_or(""));
    const auto inner = json_find(config, "text_config");
    const std::string inner_name(inner ? json_string(*inner, "model_type").value_or("") : "");
    if (const Family* family = family_named(name, false); family != nullptr && !inner)
        return FoundFamily{family, {}};
    if (const Family* family = family_named(inner_name.empty() ? name : inner_name, false))
        return FoundFamily{family, "text_config"};
    if (name.empty() && inner_name.empty())
        return Error{Code::corrupt, "model_type is missing: the architecture is unknown"};
    return unknown_family(checkpoint, inner_name.empty() ? name : inner_name,
                          inner ? "text_config" : "");
}

Status read_heads(const ConfigSource& source, Config& c) {
    HEFT_TRY(const auto n_head,
             size_of(source, "num_attention_heads|n_head", "attention.head_count", kMostWidth));
    HEFT_TRY(const auto n_kv, size_of(source, "num_key_value_heads|num_kv_heads|n_head_kv",
                                      "attention.head_count_kv", kMostWidth, n_head));
    if (n_head % n_kv != 0)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head)
                                        + " query heads, not a multiple of its "
                                        + std::to_string(n_kv) + " key/value heads"};
    if (n_head / n_kv > kMostGroup)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head / n_kv)
                                        + " query heads per key/value head"};
    const auto explicit_head = source.integer("head_dim", "attention.key_length");
    if (!explicit_head && c.d_model % n_head != 0)
        return Error{Code::corrupt, "configuration has a width of " + std::to_string(c.d_model)
                                        + " that " + std::to_string(n_head)
                                        + " heads do not divide"};
    HEFT_TRY(const auto d_head, size_of(source, "head_dim", "attention.key_length", 1 << 14,
                                        std::max<std::int64_t>(1, c.d_model / n_head)));
    HEFT_TRY(const auto d_value, size_of(source, "", "attention.value_length", 1 << 14, d_head));
    if (n_head * std::max(d_head, d_value) > kMostWidth)
        return Error{Code::corrupt, "configuration has " + std::to_string(n_head) + " heads of "
                                        + std::to_string(d_head) + ", more than can be meant"};
    c.n_head = static_cast<int>(n_head);
    c.n_kv = static_cast<int>(n_kv);
    c.d_head = static_cast<int>(d_head);
    c.d_value = static_cast<int>(d_value);
    return {};
}

Status read_sizes(const ConfigSource& source, Config& c) {
    const Family& family = *c.family;
    HEFT_TRY(const auto d_model,
             size_of(source, "hidden_size|n_embd|n_embed", "embedding_length", kMostWidth));
    HEFT_TRY(const auto n_layer,
             size_of(source, "num_hidden_layers|n_layer", "block_count", kMostLayers));
    const std::int64_t usual_ff = family.ff_factor > 0 ? d_model * family.ff_factor : -1;
    HEFT_TRY(const auto d_ff,
             size_of(source, "intermediate_size_mlp|intermediate_size|ffn_hidden_size|n_inner",
                     "feed_forward_length", kMostWidth, std::min(usual_ff, kMostWidth)));
    HEFT_TRY(c.n_ctx,
             size_of(source, "max_position_embeddings|n_positions|seq_length|model_max_length",
                     "context_length", kMostContext));
    c.d_model = static_cast<int>(d_model);
    c.n_layer = static_cast<int>(n_layer);
    c.d_ff = static_cast<int>(d_ff);
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
        c.tied = source.flag("tie_word_embeddings", "").value_or(false);
    }
    HEFT_TRY(const auto n_vocab, size_of(source, "vocab_size", "vocab_size", kMostWidth, fallback));
    c.n_vocab = static_cast<int>(n_vocab);
    return {};
}

Status read_activation(const ConfigSource& source, Config& c) {
    const auto name =
        source.string("hidden_activation|hidden_act|activation_function|activation", "");
    if (!name || c.block.act == Act::swiglu_clamped) return {};
    for (const ActName& known : kActs)
        if (*name == known.name) {
            c.block.act = known.act;
            return {};
        }
    return Error{Code::unsupported, "activation \"" + name->substr(0, 40) + "\" is not supported"};
}

Status read_norm(const ConfigSource& source, Config& c) {
    const auto eps = c.block.norm == NormKind::rms
                         ? source.number("rms_norm_eps|layer_norm_eps|norm_eps",
                                         "attention.layer_norm_rms_epsilon")
                         : source.number("layer_norm_eps|layer_norm_epsilon|norm_epsilon|norm_eps",
                                         "attention.layer_norm_epsilon");
    c.norm_eps = static_cast<float>(eps.value_or(1e-5));
    if (!(c.norm_eps >= 0 && c.norm_eps < 1))
        return Error{Code::corrupt, "norm epsilon is out of range"};
    return {};
}

// What scales and limits the numbers on their way, where a configuration names it.
Status read_factors(const ConfigSource& source, Config& c) {
    const auto scale = source.number("", "attention.scale");
    c.attn_scale = scale && *scale > 0 ? static_cast<float>(*scale)
                                       : 1.0F / std::sqrt(static_cast<float>(c.d_head));
    if (c.family->scale_embedding) c.embedding_scale = std::sqrt(static_cast<float>(c.d_model));
    const auto number = [&](float& to, std::string_view hf, std::string_view gguf) {
        if (const auto found = source.number(hf, gguf)) to = static_cast<float>(*found);
    };
    number(c.attn_cap, "attn_logit_softcapping", "attn_logit_softcapping");
    number(c.logit_cap, "final_logit_softcapping", "final_logit_softcapping");
    number(c.qkv_limit, "clip_qkv", "attention.clamp_kqv");
    number(c.act_limit, "swiglu_limit", "");
    number(c.logit_scale, "", "logit_scale");
    if (c.family->gguf_divides_logits && c.logit_scale > 0) c.logit_scale = 1 / c.logit_scale;
    number(c.residual_scale, "", "residual_scale");
    number(c.embedding_scale, "", "embedding_scale");
    for (const float value : {c.attn_cap, c.logit_cap, c.qkv_limit, c.act_limit, c.logit_scale,
                              c.residual_scale, c.embedding_scale, c.attn_scale})
        if (!(value >= 0 && value < 1e9F))
            return Error{Code::corrupt, "configuration has a scale or limit out of range"};
    return {};
}

}  // namespace

Result<FoundFamily> find_family(const format::Checkpoint& checkpoint) {
    if (checkpoint.kind() == format::Kind::gguf) {
        const std::string name(checkpoint.metadata().string("general.architecture").value_or(""));
        if (name.empty())
            return Error{Code::corrupt,
                         "general.architecture is missing: the architecture is unknown"};
        if (const Family* family = family_named(name, true)) return FoundFamily{family, {}};
        return unknown_family(checkpoint, name, {});
    }
    const auto config = checkpoint.config();
    if (!config) return Error{Code::corrupt, "has no configuration"};
    return family_in(*config, checkpoint);
}

Result<std::int64_t> size_of(const ConfigSource& source, std::string_view hf, std::string_view gguf,
                             std::int64_t most, std::int64_t fallback) {
    const auto found = source.integer(hf, gguf);
    const std::int64_t value = found.value_or(fallback);
    const std::string key(source.is_gguf() ? gguf : hf.substr(0, hf.find('|')));
    if (!found && source.in_gguf(gguf))
        return Error{Code::unsupported,
                     "configuration has " + key + " that is not one whole number for all layers"};
    if (!found && fallback < 0) return Error{Code::corrupt, "configuration lacks " + key};
    if (value < 1 || value > most)
        return Error{Code::corrupt, "configuration has " + key + " = " + std::to_string(value)
                                        + ", outside 1 to " + std::to_string(most)};
    return value;
}

bool Config::is_sliding(int layer) const {
    return window > 0 && sliding[static_cast<std::size_t>(layer)];
}

bool Config::is_rotating(int layer) const {
    return block.position == Position::rope
           && (rotates.empty() || rotates[static_cast<std::size_t>(layer)]);
}

bool Config::is_sparse(int layer) const {
    return !experts.sparse.empty() && experts.sparse[static_cast<std::size_t>(layer)];
}

std::int64_t Config::cache_row() const {
    if (latent.kv_rank > 0) return latent.kv_rank + latent.d_rope;
    return std::int64_t{n_kv} * (d_head + d_value);
}

Result<Config> read_config_as(const ConfigSource& source, const Family& family) {
    Config c;
    c.family = &family;
    c.block = family.block;
    HEFT_OK(read_sizes(source, c));
    HEFT_OK(read_heads(source, c));
    HEFT_OK(read_latent(source, c));
    HEFT_OK(read_vocabulary(source, c));
    HEFT_OK(read_activation(source, c));
    HEFT_OK(read_norm(source, c));
    HEFT_OK(read_factors(source, c));
    HEFT_OK(read_rope(source, c));
    HEFT_OK(read_windows(source, c));
    HEFT_OK(read_experts(source, c));
    if (family.refine != nullptr) HEFT_OK(family.refine(source, c));
    return c;
}

Result<Config> read_config(const format::Checkpoint& checkpoint) {
    HEFT_TRY(const FoundFamily found, find_family(checkpoint));
    const ConfigSource source(checkpoint, found.family->gguf, found.nested, found.family->defaults);
    return read_config_as(source, *found.family);
}

Result<Config> read_config_document(const format::Checkpoint& checkpoint, std::string_view text) {
    HEFT_TRY(const JsonDoc document, JsonDoc::parse(text));
    HEFT_TRY(const FoundFamily found, family_in(document.root(), checkpoint));
    ConfigSource source(checkpoint, found.family->gguf, found.nested, found.family->defaults);
    source.use_document(document.root());
    return read_config_as(source, *found.family);
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
