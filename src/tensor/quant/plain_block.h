// Encoders of small blocks with one float16 scale (Q4_0, Q5_0), or a scale and a minimum (Q4_1,
// Q5_1). `store` makes a block of weights, its numbers, and the inverse of its scale.
#pragma once

#include <algorithm>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace heft::quant {

// w = scale * q, q of low … -low - 1.
template <class Block, int weights, class Store>
void encode_symmetric(const float* from, const Encoding& how, std::int64_t n, void* to, int low,
                      Store store) {
    make_blocks<Block, weights>(from, n, to, [&](const float* x, std::int64_t i) {
        if (how.importance == nullptr) {
            // The weight of greatest magnitude becomes the level that has no positive twin.
            const float scale = peak_of(x, weights) / static_cast<float>(low);
            return store(x, scale, inverse(scale));
        }
        float w[weights];
        weigh(x, how.importance + i, weights, w);
        const float scale = fit_symmetric(x, w, weights, low, how.sum_levels).scale;
        return store(x, scale, inverse(from_f16(to_f16(scale))));
    });
}

// w = scale * q + minimum, q of 0 … top.
template <class Block, int weights, class Store>
void encode_affine(const float* from, const Encoding& how, std::int64_t n, void* to, int top,
                   Store store) {
    make_blocks<Block, weights>(from, n, to, [&](const float* x, std::int64_t i) {
        if (how.importance == nullptr) {
            const auto [least, most] = std::minmax_element(x, x + weights);
            const float scale = (*most - *least) / static_cast<float>(top);
            return store(x, scale, *least, inverse(scale));
        }
        float w[weights];
        weigh(x, how.importance + i, weights, w);
        const AffineFit fit = fit_affine(x, w, weights, top, how.sum_levels);
        return store(x, fit.scale, -fit.minimum, inverse(from_f16(to_f16(fit.scale))));
    });
}

}  // namespace heft::quant
