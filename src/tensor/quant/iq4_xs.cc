#include "tensor/quant/iq4_xs.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"
#include "tensor/quant/iq4_fit.h"
#include "tensor/quant/iq4_nl.h"

namespace heft::quant::iq4_xs {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const auto high = load<std::uint16_t>(b.scales_h);
        for (int g = 0; g < 8; ++g, y += 32) {
            const int sc = (b.scales_l[g / 2] >> (g % 2 * 4) & 15) | (high >> (2 * g) & 3) << 4;
            const float scale = d * static_cast<float>(sc - 32);
            const std::uint8_t* q = b.qs + 16 * g;
            for (int j = 0; j < 16; ++j) {
                y[j] = scale * static_cast<float>(iq4_nl::kLevels[q[j] & 15]);
                y[j + 16] = scale * static_cast<float>(iq4_nl::kLevels[q[j] >> 4]);
            }
        }
    });
}

namespace {

constexpr int kGroup = 32;

// The numbers of a block and how far it is from the weights.
struct Found {
    std::uint16_t d = 0;
    int scale[8] = {};
    std::uint8_t level[kWeights] = {};
    float error = 0;
    float xy = 0, yy = 0;  // for the best d: sums of w x y and w y y, y = scale * level
};

void put_levels(const float* x, const float* w, Found& found) {
    const float d = from_f16(found.d);
    found.error = found.xy = found.yy = 0;
    for (int i = 0; i < kWeights; ++i) {
        const int group = i / kGroup;
        const auto scale = static_cast<float>(found.scale[group]);
        const int level = iq4_level(x[i] * inverse(d * scale));
        found.level[i] = static_cast<std::uint8_t>(level);
        const float y = scale * static_cast<float>(iq4_nl::kLevels[level]);
        const float off = x[i] - d * y;
        found.error += w[i] * off * off;
        found.xy += w[i] * x[i] * y;
        found.yy += w[i] * y * y;
    }
}

Found find(const float* x, const float* importance) {
    float w[kWeights];
    float fits[8];
    float peak = 0;
    for (int g = 0; g < 8; ++g) {
        const int at = kGroup * g;
        weigh(x + at, importance_at(importance, at), kGroup, w + at);
        fits[g] = fit_iq4(x + at, w + at, kGroup);
        if (std::fabs(fits[g]) > std::fabs(peak)) peak = fits[g];
    }
    Found found;
    found.d = to_f16(peak / -32);
    const float inv = inverse(from_f16(found.d));
    for (int g = 0; g < 8; ++g) found.scale[g] = nearest(fits[g] * inv, -32, 31);
    put_levels(x, w, found);
    Found again = found;
    again.d = to_f16(factor_or(from_f16(found.d), found.xy, found.yy));
    put_levels(x, w, again);
    return again.error < found.error ? again : found;
}

}  // namespace

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        const Found found = find(x, importance_at(how.importance, i));
        Block block{};
        put_field(block.d, found.d);
        unsigned high = 0;
        for (int g = 0; g < 8; ++g) {
            const int stored = found.scale[g] + 32;
            std::uint8_t& low = block.scales_l[g / 2];
            low = static_cast<std::uint8_t>(low | (stored & 15) << (g % 2 * 4));
            high |= static_cast<unsigned>(stored >> 4) << (2 * g);
            for (int j = 0; j < 16; ++j)
                block.qs[16 * g + j] = static_cast<std::uint8_t>(
                    found.level[kGroup * g + j] | found.level[kGroup * g + j + 16] << 4);
        }
        put_field(block.scales_h, static_cast<std::uint16_t>(high));
        return block;
    });
}

}  // namespace heft::quant::iq4_xs
