#include "arch/config_document.h"

#include <algorithm>
#include <cmath>

#include "arch/config_parts.h"
#include "arch/config_source.h"
#include "arch/nearest.h"
#include "base/json.h"

namespace heft::arch {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kTurn = 6.283185307179586;

// A number as GGUF's float was meant: 0.1, not 0.10000000149.
double shortest(double value) {
    constexpr int kDigits = 7;
    const double scale = std::pow(10.0, kDigits - 1 - std::floor(std::log10(std::abs(value))));
    const double rounded = std::round(value * scale) / scale;
    return value != 0 && static_cast<float>(rounded) == static_cast<float>(value) ? rounded : value;
}

Json list_of(const std::vector<float>& numbers) {
    Json out = Json::array();
    for (const float number : numbers) out.push_back(shortest(number));
    return out;
}

// Whether a scaling makes the same frequencies.
bool makes(const Rope& guess, const std::vector<double>& wanted, std::int64_t n_ctx) {
    constexpr double kRounding = 2e-6;
    const auto made = rope_table(guess, n_ctx, false).frequency;
    return std::equal(made.begin(), made.end(), wanted.begin(), wanted.end(),
                      [](double a, double b) { return std::abs(a / b - 1) < kRounding; });
}

// llama3's scaling, of which GGUF has the divisors that it makes. Between its two bounds they tell
// s = (original / wavelength - low) / (high - low), a line through the waves; low is 1, for only
// the ratio of the three matters. Where too few lie between, the published bounds are tried. Null
// where the divisors are of no such scaling.
Json llama3_scaling(const Rope& rope, std::int64_t n_ctx) {
    Rope guess = rope;
    guess.divisors.clear();
    guess.scaling = Scaling::none;
    const auto plain = rope_table(guess, n_ctx, false).frequency;
    const auto wanted = rope_table(rope, n_ctx, false).frequency;
    guess.scaling = Scaling::llama3;
    guess.low_freq_factor = 1;
    guess.factor = shortest(plain.back() / wanted.back());
    std::vector<std::pair<double, double>> line;  // 1 / wavelength, s
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const double part = (wanted[i] / plain[i] - 1 / guess.factor) / (1 - 1 / guess.factor);
        if (part > 1e-4 && part < 1 - 1e-4) line.emplace_back(plain[i] / kTurn, part);
    }
    const auto found = [&] {
        return Json{{"rope_type", "llama3"},
                    {"factor", guess.factor},
                    {"low_freq_factor", guess.low_freq_factor},
                    {"high_freq_factor", guess.high_freq_factor},
                    {"original_max_position_embeddings", guess.original_ctx}};
    };
    if (line.size() > 1) {
        const double slope =
            (line.front().second - line.back().second) / (line.front().first - line.back().first);
        const double width = 1 / (slope * line.front().first - line.front().second);
        guess.high_freq_factor = std::round((1 + width) * 1e3) / 1e3;
        guess.original_ctx = std::llround(slope * width);
        if (makes(guess, wanted, n_ctx)) return found();
    }
    guess.high_freq_factor = 4;
    for (guess.original_ctx = 16; guess.original_ctx <= n_ctx; guess.original_ctx *= 2)
        if (makes(guess, wanted, n_ctx)) return found();
    return nullptr;
}

Json yarn_scaling(const Rope& rope) {
    Json out{{"rope_type", "yarn"},
             {"factor", shortest(rope.factor)},
             {"original_max_position_embeddings", rope.original_ctx},
             {"beta_fast", shortest(rope.beta_fast)},
             {"beta_slow", shortest(rope.beta_slow)}};
    if (rope.magnitude > 0) out["attention_factor"] = shortest(rope.magnitude);
    if (rope.mscale_all != 0) out["mscale_all_dim"] = shortest(rope.mscale_all);
    if (!rope.whole_bounds) out["truncate"] = false;
    return out;
}

Json scaling_of(const Rope& rope, std::int64_t n_ctx) {
    switch (rope.scaling) {
        case Scaling::none: return rope.divisors.empty() ? Json() : llama3_scaling(rope, n_ctx);
        case Scaling::linear: return {{"rope_type", "linear"}, {"factor", shortest(rope.factor)}};
        case Scaling::llama3: return llama3_scaling(rope, n_ctx);
        case Scaling::yarn: return yarn_scaling(rope);
        case Scaling::longrope: {
            Json out{{"rope_type", "longrope"},
                     {"short_factor", list_of(rope.short_factors)},
                     {"long_factor", list_of(rope.long_factors)}};
            if (rope.magnitude > 0) out["attention_factor"] = shortest(rope.magnitude);
            return out;
        }
    }
    return nullptr;
}

Json layer_types(const Config& c) {
    if (c.window == 0) return nullptr;
    Json out = Json::array();
    for (int i = 0; i < c.n_layer; ++i)
        out.push_back(!c.is_sliding(i) ? "full_attention"
                      : c.chunked      ? "chunked_attention"
                                       : "sliding_attention");
    return out;
}

Json rotating_layers(const Config& c) {
    if (c.rotates.empty()) return nullptr;
    Json out = Json::array();
    for (const bool rotates : c.rotates) out.push_back(rotates ? 1 : 0);
    return out;
}

Json first_sliding(const Config& c) {
    if (c.window == 0) return nullptr;
    return std::find(c.sliding.begin(), c.sliding.end(), true) - c.sliding.begin();
}

Json part_that_rotates(const Config& c) {
    const int whole = c.latent.kv_rank > 0 ? c.latent.d_rope : c.d_head;
    return c.rope.dim == whole ? Json() : Json(static_cast<double>(c.rope.dim) / whole);
}

bool is_alone(const Config& c) {
    return c.n_kv == 1;
}

// Keys that GGUF says in other words. They are set where the family asks for them; null: left out.
struct Derived {
    const char* key;
    Json (*value)(const Config& c);
};
const Derived kDerived[] = {
    {"rope_theta", [](const Config& c) -> Json { return shortest(c.rope.theta); }},
    {"rope_scaling", [](const Config& c) { return scaling_of(c.rope, c.n_ctx); }},
    {"rope_local_base_freq",
     [](const Config& c) {
         return c.local_rope.dim > 0 ? Json(shortest(c.local_rope.theta)) : Json();
     }},
    {"original_max_position_embeddings",
     [](const Config& c) {
         return c.rope.scaling == Scaling::longrope ? Json(c.rope.original_ctx) : Json();
     }},
    {"partial_rotary_factor", part_that_rotates},
    {"rotary_pct", part_that_rotates},
    {"sliding_window",
     [](const Config& c) { return c.window > 0 && !c.chunked ? Json(c.window) : Json(); }},
    {"attention_chunk_size", [](const Config& c) { return c.chunked ? Json(c.window) : Json(); }},
    {"layer_types", layer_types},
    {"use_sliding_window", [](const Config& c) -> Json { return c.window > 0; }},
    {"max_window_layers", first_sliding},
    {"no_rope_layers", rotating_layers},
    {"query_pre_attn_scalar",
     [](const Config& c) -> Json {
         return shortest(static_cast<float>(std::pow(c.attn_scale, -2.0)));
     }},
    {"qk_nope_head_dim", [](const Config& c) -> Json { return c.d_head - c.latent.d_rope; }},
    {"v_head_dim", [](const Config& c) -> Json { return c.d_value; }},
    {"scoring_func",
     [](const Config& c) -> Json {
         return c.experts.score == Score::sigmoid ? "sigmoid" : "softmax";
     }},
    {"topk_method",
     [](const Config& c) -> Json {
         return c.experts.n_group > 1 ? "group_limited_greedy" : "greedy";
     }},
    {"embedding_multiplier", [](const Config& c) -> Json { return shortest(c.embedding_scale); }},
    {"attention_multiplier", [](const Config& c) -> Json { return shortest(c.attn_scale); }},
    {"residual_multiplier", [](const Config& c) -> Json { return shortest(c.residual_scale); }},
    {"logits_scaling", [](const Config& c) -> Json { return shortest(1 / c.logit_scale); }},
    {"scale_emb", [](const Config& c) -> Json { return shortest(c.embedding_scale); }},
    {"scale_depth",
     [](const Config& c) -> Json { return c.residual_scale * std::sqrt(c.n_layer); }},
    {"dim_model_base",
     [](const Config& c) -> Json { return c.logit_scale * static_cast<float>(c.d_model); }},
    {"new_decoder_architecture",
     [](const Config& c) -> Json { return !is_alone(c) && c.n_kv < c.n_head; }},
    {"multi_query", [](const Config& c) -> Json { return is_alone(c); }},
    {"parallel_attn",
     [](const Config& c) -> Json { return c.block.residual == Residual::parallel; }},
    {"use_parallel_residual",
     [](const Config& c) -> Json { return c.block.residual == Residual::parallel; }},
    {"alibi", [](const Config& c) -> Json { return c.block.position == Position::alibi; }},
    {"attn_temperature_tuning", [](const Config& c) -> Json { return c.tune > 0; }},
    {"swiglu_limit",
     [](const Config& c) { return c.act_limit > 0 ? Json(shortest(c.act_limit)) : Json(); }},
    {"tie_word_embeddings", [](const Config& c) -> Json { return c.tied; }},
};

// What the file answers, as config.json writes it.
Json answered(const ConfigSource& source, const Config& config) {
    Json out{{"model_type", config.family->name}};
    for (const ConfigSource::Answer& answer : source.answers()) {
        if (answer.hf.find('.') != std::string::npos) continue;  // of rope_scaling
        std::visit([&](auto value) { out[answer.hf] = value; }, answer.value);
        if (out[answer.hf].is_number_float())
            out[answer.hf] = shortest(out[answer.hf].get<double>());
    }
    out["vocab_size"] = config.n_vocab;
    // Newer GGUF files count the one head of the absorbed form; Hugging Face has those of kv_b.
    if (config.latent.kv_rank > 0) out["num_key_value_heads"] = config.n_head;
    return out;
}

bool is_derived(const std::string& key) {
    return std::any_of(std::begin(kDerived), std::end(kDerived),
                       [&key](const Derived& row) { return key == row.key; });
}

// What the family asks for besides shows when it is read; what it asks for at last may depend on
// what it was told before.
Status add_derived(const format::Checkpoint& gguf, const Family& family, const Config& told,
                   Json& document) {
    constexpr int kRounds = 3;
    for (int round = 0; round < kRounds; ++round) {
        HEFT_TRY(const JsonDoc draft, JsonDoc::parse(document.dump()));
        ConfigSource asking(gguf, family.gguf, {}, family.defaults);
        asking.use_document(draft.root());
        const auto read = read_config_as(asking, family);
        for (const Derived& row : kDerived) {
            if (!asking.was_asked(row.key)) continue;
            Json value = row.value(told);
            // Null is a word, too, where leaving a key out would stand for something.
            const bool has_default =
                std::any_of(family.defaults.begin(), family.defaults.end(),
                            [&row](const Default& usual) { return usual.key == row.key; });
            if (has_default || !value.is_null()) document[row.key] = std::move(value);
        }
        if (read) break;
    }
    return {};
}

// As a member of a family that has the name in GGUF files.
Result<ConfigDocument> document_as(const format::Checkpoint& gguf, const Family& family) {
    const ConfigSource file(gguf, family.gguf, {}, family.defaults);
    HEFT_TRY(const Config told, read_config_as(file, family));
    ConfigDocument out;
    Json plain = answered(file, told);
    for (auto it = plain.begin(); it != plain.end(); ++it)
        if (!is_derived(it.key())) out.document[it.key()] = it.value();
    HEFT_OK(add_derived(gguf, family, told, out.document));
    HEFT_TRY(out.config, read_config_document(gguf, out.document.dump()));
    const std::string_view differs = difference(told, out.config);
    if (differs.empty()) return out;
    return Error{Code::unsupported, std::string("config.json of a ") + family.name
                                        + " model has no words for what this file says of "
                                        + std::string(differs)};
}

}  // namespace

Result<ConfigDocument> config_document(const format::Checkpoint& gguf) {
    HEFT_TRY(const FoundFamily found, find_family(gguf));
    auto out = document_as(gguf, *found.family);
    if (out) return out;
    const std::string_view shared_name = found.family->gguf;
    for (const Family* family : families()) {
        if (family == found.family || shared_name.compare(family->gguf) != 0) continue;
        if (auto other = document_as(gguf, *family)) return other;
    }
    return out;
}

}  // namespace heft::arch
