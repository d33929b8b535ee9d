#include <algorithm>
#include <cmath>
#include <numbers>

#include "arch/arch.h"

namespace heft::arch {

namespace {

// Llama 3.1: long waves are divided by the factor, short ones kept, those between blended.
double llama3_frequency(const Rope& rope, double frequency) {
    const double wave = 2 * std::numbers::pi / frequency;
    const auto original = static_cast<double>(rope.original_ctx);
    if (wave < original / rope.high_freq_factor) return frequency;
    if (wave > original / rope.low_freq_factor || rope.high_freq_factor == rope.low_freq_factor)
        return frequency / rope.factor;
    const double smooth =
        (original / wave - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
    return (1 - smooth) * frequency / rope.factor + smooth * frequency;
}

// The index of the frequency that turns `rotations` times within the trained length (YaRN, Peng et
// al. 2023, section 3.2).
double yarn_index(const Rope& rope, double rotations) {
    return rope.dim
           * std::log(static_cast<double>(rope.original_ctx) / (rotations * 2 * std::numbers::pi))
           / (2 * std::log(rope.theta));
}

void scale_yarn(const Rope& rope, std::vector<double>& frequency) {
    const double begin = yarn_index(rope, rope.beta_fast);
    const double end = yarn_index(rope, rope.beta_slow);
    const double low = std::max(rope.whole_bounds ? std::floor(begin) : begin, 0.0);
    const double high = std::min(rope.whole_bounds ? std::ceil(end) : end, rope.dim - 1.0);
    const double width = std::max(high - low, 0.001);
    for (std::size_t i = 0; i < frequency.size(); ++i) {
        const double ramp = std::clamp((static_cast<double>(i) - low) / width, 0.0, 1.0);
        frequency[i] = frequency[i] / rope.factor * ramp + frequency[i] * (1 - ramp);
    }
}

void divide(std::vector<double>& frequency, const std::vector<float>& by) {
    for (std::size_t i = 0; i < frequency.size() && i < by.size(); ++i) frequency[i] /= by[i];
}

double default_magnitude(const Rope& rope, std::int64_t n_ctx) {
    if (rope.scaling == Scaling::yarn && rope.factor > 1) return 0.1 * std::log(rope.factor) + 1;
    if (rope.scaling == Scaling::longrope && rope.original_ctx > 1 && n_ctx > rope.original_ctx) {
        const auto original = static_cast<double>(rope.original_ctx);
        return std::sqrt(1 + std::log(static_cast<double>(n_ctx) / original) / std::log(original));
    }
    return 1;
}

}  // namespace

RopeTable rope_table(const Rope& rope, std::int64_t n_ctx, bool long_context) {
    RopeTable table;
    table.frequency.resize(static_cast<std::size_t>(rope.pairs_count()));
    for (std::size_t i = 0; i < table.frequency.size(); ++i)
        table.frequency[i] = std::pow(rope.theta, -2.0 * static_cast<double>(i) / rope.dim);
    switch (rope.scaling) {
        case Scaling::none: break;
        case Scaling::linear:
            for (double& f : table.frequency) f /= rope.factor;
            break;
        case Scaling::llama3:
            for (double& f : table.frequency) f = llama3_frequency(rope, f);
            break;
        case Scaling::yarn: scale_yarn(rope, table.frequency); break;
        case Scaling::longrope:
            divide(table.frequency, long_context ? rope.long_factors : rope.short_factors);
            break;
    }
    divide(table.frequency, rope.divisors);
    table.magnitude = rope.magnitude > 0 ? rope.magnitude : default_magnitude(rope, n_ctx);
    return table;
}

double gguf_yarn_magnitude(const Rope& rope, const Family& family) {
    if (rope.factor <= 1) return 1;
    const double step = 0.1 * std::log(rope.factor);
    if (rope.mscale_all == 0) return step + 1;
    // The file holds one of the two weights: DeepSeek's are equal, others have 1 above.
    const double above = family.gguf_tenth_mscale ? rope.mscale_all : 1;
    return (step * above + 1) / (step * rope.mscale_all + 1);
}

}  // namespace heft::arch
