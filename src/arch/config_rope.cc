// What a configuration says of rotary embedding.
#include <algorithm>
#include <cmath>

#include "arch/config_parts.h"
#include "arch/tensors.h"

namespace heft::arch {

namespace {

struct ScalingName {
    const char* name;
    Scaling scaling;
};
// "dynamic" changes nothing up to the context that a model was made for, and a longer one is not
// stretched; the positions of "mrope" are the same in all its sections where there is only text.
constexpr ScalingName kScalings[] = {
    {"none", Scaling::none},  {"default", Scaling::none},      {"dynamic", Scaling::none},
    {"mrope", Scaling::none}, {"linear", Scaling::linear},     {"llama3", Scaling::llama3},
    {"yarn", Scaling::yarn},  {"longrope", Scaling::longrope}, {"su", Scaling::longrope},
};

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
    if (rope.scaling == Scaling::llama3 && !(rope.high_freq_factor >= rope.low_freq_factor))
        return Error{Code::corrupt, "rope scaling has high_freq_factor < low_freq_factor"};
    if (rope.scaling == Scaling::longrope
        && (!usable(rope.short_factors, rope) || !usable(rope.long_factors, rope)))
        return Error{Code::corrupt, "longrope needs " + std::to_string(rope.pairs_count())
                                        + " positive short and long factors"};
    if (!(rope.magnitude >= 0 && rope.magnitude < 1e6 && std::abs(rope.mscale_all) < 1e6))
        return Error{Code::corrupt, "rope scaling has an attention factor out of range"};
    if (!rope.divisors.empty() && !usable(rope.divisors, rope))
        return Error{Code::corrupt, "rope_freqs.weight holds values out of range"};
    return {};
}

// Asks for a key wherever configurations keep their rope settings.
class RopeSource {
  public:
    explicit RopeSource(const ConfigSource& source) : source_(source) {}

    static std::string places(std::string_view key) {
        std::string all;
        for (const char* object :
             {"rope_scaling.", "rope_parameters.", "rope_parameters.full_attention."})
            all += (all.empty() ? "" : "|") + std::string(object) + std::string(key);
        return all;
    }
    double number(std::string_view key, std::string_view gguf, double fallback) const {
        return source_.number(places(key), gguf).value_or(fallback);
    }
    std::optional<double> number(std::string_view key, std::string_view gguf) const {
        return source_.number(places(key), gguf);
    }

  private:
    const ConfigSource& source_;
};

Status read_scaling(const ConfigSource& source, Rope& rope) {
    const auto name = source.string(
        RopeSource::places("rope_type") + "|" + RopeSource::places("type"), "rope.scaling.type");
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

// GGUF: a factor without a type is linear, and 0 says that there is none.
void read_factor(const ConfigSource& source, Rope& rope) {
    rope.factor = RopeSource(source).number("factor", "rope.scaling.factor", 1);
    if (!source.is_gguf()) return;
    if (!source.in_gguf("rope.scaling.factor"))
        rope.factor = source.number("", "rope.scale_linear").value_or(1);  // the key's first name
    if (rope.factor == 0) rope.factor = 1;
    if (!source.in_gguf("rope.scaling.type") && rope.factor != 1) rope.scaling = Scaling::linear;
}

double yarn_mscale(double factor, double weight) {
    return factor > 1 ? 0.1 * weight * std::log(factor) + 1 : 1;
}

// The factor on cos and sin, where it is not what the scaling's rule gives.
void read_magnitude(const ConfigSource& source, const Family& family, Rope& rope) {
    const RopeSource from(source);
    rope.magnitude = from.number("attention_factor", "rope.scaling.attn_factor", 0);
    if (rope.scaling != Scaling::yarn) return;
    if (source.is_gguf()) {
        const double multiplier = source.number("", "rope.scaling.yarn_log_multiplier").value_or(0);
        rope.mscale_all = family.gguf_tenth_mscale ? multiplier * 10 : multiplier;
        // GGUF's factor comes on top of yarn's own; Hugging Face's replaces it.
        const double usual = gguf_yarn_magnitude(rope, family);
        rope.magnitude = rope.magnitude > 0 ? rope.magnitude * usual : usual;
        return;
    }
    const auto mscale = from.number("mscale", "");
    const auto all = from.number("mscale_all_dim", "");
    if (all) rope.mscale_all = *all;
    if (mscale && all && *mscale != 0 && *all != 0 && rope.magnitude == 0)
        rope.magnitude = yarn_mscale(rope.factor, *mscale) / yarn_mscale(rope.factor, *all);
}

Status read_factors(const ConfigSource& source, Config& c) {
    Rope& rope = c.rope;
    if (source.is_gguf()) {
        HEFT_TRY(rope.divisors, rope_tensor(source, c, Role::rope_divisors));
        HEFT_TRY(rope.long_factors, rope_tensor(source, c, Role::rope_long));
        HEFT_TRY(rope.short_factors, rope_tensor(source, c, Role::rope_short));
        if (!rope.long_factors.empty()) rope.scaling = Scaling::longrope;
        return {};
    }
    rope.long_factors = source.floats(RopeSource::places("long_factor"), "");
    rope.short_factors = source.floats(RopeSource::places("short_factor"), "");
    return {};
}

}  // namespace

std::vector<std::string_view> scaling_names() {
    std::vector<std::string_view> out;
    Scaling last = Scaling::none;
    for (const ScalingName& known : kScalings) {  // aliases stand behind their name
        if (known.scaling != last) out.emplace_back(known.name);
        last = known.scaling;
    }
    return out;
}

Status read_rope(const ConfigSource& source, Config& c) {
    Rope& rope = c.rope;
    const RopeSource from(source);
    rope.theta = source
                     .number(
                         "rope_theta|rotary_emb_base|rope_parameters.rope_theta|"
                         "rope_parameters.full_attention.rope_theta",
                         "rope.freq_base")
                     .value_or(rope.theta);
    const double part = source
                            .number("partial_rotary_factor|rotary_pct|rope_pct|"
                                        + RopeSource::places("partial_rotary_factor"),
                                    "")
                            .value_or(1);
    if (!(part > 0 && part <= 1))
        return Error{Code::corrupt, "partial_rotary_factor is outside 0 to 1"};
    const std::int64_t whole = c.latent.kv_rank > 0 ? c.latent.d_rope : c.d_head;
    const auto dim = source.integer("", "rope.dimension_count")
                         .value_or(static_cast<std::int64_t>(static_cast<double>(whole) * part));
    if (c.block.position == Position::rope && (dim < 2 || dim > whole || dim % 2 != 0))
        return Error{Code::corrupt, "rotates " + std::to_string(dim) + " of "
                                        + std::to_string(c.d_head) + " entries of a head"};
    rope.dim = static_cast<int>(std::clamp<std::int64_t>(dim, 0, c.d_head) / 2 * 2);
    rope.pairs =
        source.is_gguf() && c.family->gguf_interleaves_qk ? Pairs::neighbour : c.block.pairs;
    HEFT_OK(read_scaling(source, rope));
    read_factor(source, rope);
    rope.low_freq_factor = from.number("low_freq_factor", "", 1);
    rope.high_freq_factor = from.number("high_freq_factor", "", 4);
    rope.beta_fast = from.number("beta_fast", "rope.scaling.yarn_beta_fast", 32);
    rope.beta_slow = from.number("beta_slow", "rope.scaling.yarn_beta_slow", 1);
    rope.whole_bounds = source.flag(RopeSource::places("truncate"), "").value_or(true);
    const auto original =
        source.integer("original_max_position_embeddings|"
                           + RopeSource::places("original_max_position_embeddings"),
                       "rope.scaling.original_context_length");
    rope.original_ctx = std::clamp<std::int64_t>(original.value_or(c.n_ctx), 0, kMostContext);
    read_magnitude(source, *c.family, rope);
    HEFT_OK(read_factors(source, c));
    return check_scaling(rope);
}

}  // namespace heft::arch
