// The encoders: those that round against bytes made elsewhere, those that search against the errors
// that llama.cpp's make on the same weights.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/round_vectors.h"

namespace heft {
namespace {

constexpr int kRow = 256;
constexpr int kRows = 64;
constexpr int kN = kRow * kRows;

std::vector<std::uint8_t> encoded(DType type, const std::vector<float>& x,
                                  const float* importance = nullptr) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(x.size());
    const std::int64_t row = importance != nullptr ? kRow : n;
    const std::int64_t bytes = row / info.block * info.block_bytes;
    std::vector<std::uint8_t> out(static_cast<std::size_t>(n / row * bytes));
    for (std::int64_t r = 0; r < n / row; ++r)
        encode(type, x.data() + r * row, {importance}, row, out.data() + r * bytes);
    return out;
}

std::vector<float> decoded(DType type, const std::vector<std::uint8_t>& bytes) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(bytes.size()) / info.block_bytes * info.block;
    std::vector<float> out(static_cast<std::size_t>(n));
    codec(type)->dequantise(bytes.data(), n, out.data());
    return out;
}

TEST(Encode, RoundingTypesGiveTheBytesOfTheirFormulas) {
    const std::vector<float> x(std::begin(test::kRoundWeights), std::end(test::kRoundWeights));
    for (const auto& [type, bytes, size] : test::kRoundVectors) {
        const auto got = encoded(type, x);
        ASSERT_EQ(static_cast<int>(got.size()), size) << dtype_info(type).name;
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_EQ(got[i], bytes[i]) << dtype_info(type).name << " byte " << i;
    }
}

struct Weights {
    std::vector<float> gaussian, heavy, importance, even;
};

double normal(Rng& rng) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += rng.uniform();
    return sum;
}

Weights make_weights() {
    Rng rng(11);
    Weights out;
    for (int i = 0; i < kN; ++i) out.gaussian.push_back(static_cast<float>(normal(rng) * 0.02));
    for (int i = 0; i < kN; ++i) {
        const double a = normal(rng);
        out.heavy.push_back(static_cast<float>(a * a * a * 0.02));
    }
    for (int i = 0; i < kRow; ++i) {
        const double u = rng.uniform();
        out.importance.push_back(static_cast<float>(0.05 + u * u * u * 4));
    }
    for (int i = 0; i < kRow; ++i) out.even.push_back(static_cast<float>(0.5 + rng.uniform()));
    return out;
}

// The weighted error in parts of the weighted norm.
double relative_error(DType type, const std::vector<float>& x, const float* importance) {
    const auto y = decoded(type, encoded(type, x, importance));
    double error = 0;
    double all = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double w = importance != nullptr ? importance[i % kRow] : 1.0;
        const double off = static_cast<double>(x[i]) - y[i];
        error += w * off * off;
        all += w * static_cast<double>(x[i]) * x[i];
    }
    return std::sqrt(error / all);
}

// What ggml_quantize_chunk of llama.cpp (October 2026) reaches on the same weights: Gaussian and
// heavy-tailed, all alike, by importance and by importances that differ little. (Types that it does
// not quantise without importances were given equal ones.)
struct Peer {
    DType type;
    double error[6];
};
constexpr Peer kPeers[] = {
    {DType::q4_0, {0.08457, 0.10869, 0.07612, 0.10301, 0.08002, 0.10799}},
    {DType::q4_1, {0.07732, 0.11485, 0.06215, 0.08030, 0.06884, 0.08577}},
    {DType::q5_0, {0.04215, 0.05921, 0.03759, 0.05610, 0.03988, 0.05850}},
    {DType::q5_1, {0.03740, 0.05453, 0.03013, 0.04136, 0.03332, 0.04444}},
    {DType::q2_k, {0.29867, 0.41342, 0.23008, 0.24273, 0.26576, 0.26790}},
    {DType::q3_k, {0.14998, 0.15564, 0.13053, 0.14106, 0.14266, 0.15355}},
    {DType::q4_k, {0.07083, 0.08970, 0.06316, 0.08465, 0.06983, 0.08967}},
    {DType::q5_k, {0.03569, 0.04975, 0.03243, 0.04673, 0.03476, 0.04920}},
    {DType::q6_k, {0.01754, 0.02430, 0.01585, 0.02346, 0.01705, 0.02415}},
    {DType::iq2_xxs, {0.34173, 0.62652, 0.27565, 0.54377, 0.33678, 0.62753}},
    {DType::iq2_xs, {0.29888, 0.51256, 0.24255, 0.45721, 0.29458, 0.51408}},
    {DType::iq2_s, {0.26435, 0.55724, 0.21586, 0.43724, 0.24547, 0.49344}},
    {DType::iq3_xxs, {0.21187, 0.38937, 0.14083, 0.25300, 0.17809, 0.28309}},
    {DType::iq3_s, {0.16575, 0.31660, 0.11339, 0.22751, 0.13436, 0.24481}},
    {DType::iq1_s, {0.48419, 0.60582, 0.42989, 0.51794, 0.47973, 0.61011}},
    {DType::iq1_m, {0.45034, 0.47315, 0.36951, 0.40578, 0.44331, 0.47456}},
    {DType::iq4_nl, {0.07591, 0.09045, 0.06863, 0.08366, 0.07431, 0.08904}},
    {DType::iq4_xs, {0.07657, 0.09157, 0.06955, 0.08579, 0.07504, 0.09051}},
};

TEST(Encode, SearchingTypesAreNoFartherOffThanLlamaCpp) {
    const Weights weights = make_weights();
    constexpr double kRounding = 1.0005;  // the peers' numbers have five digits
    for (const auto& [type, error] : kPeers) {
        int at = 0;
        for (const float* importance :
             {static_cast<const float*>(nullptr), weights.importance.data(), weights.even.data()})
            for (const auto* x : {&weights.gaussian, &weights.heavy}) {
                const double got = relative_error(type, *x, importance);
                EXPECT_LE(got, error[at] * kRounding)
                    << dtype_info(type).name << (at % 2 == 0 ? " gaussian" : " heavy")
                    << (at < 2   ? ""
                        : at < 4 ? " by importance"
                                 : " by even importance");
                ++at;
            }
    }
}

TEST(Encode, ImportancesDecideWhatIsKept) {
    const Weights weights = make_weights();
    for (const auto& [type, error] : kPeers) {
        const double with = relative_error(type, weights.gaussian, weights.importance.data());
        const auto y = decoded(type, encoded(type, weights.gaussian));
        double off = 0;
        double all = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double w = weights.importance[i % kRow];
            off += w * std::pow(static_cast<double>(weights.gaussian[i]) - y[i], 2);
            all += w * std::pow(static_cast<double>(weights.gaussian[i]), 2);
        }
        EXPECT_LT(with, std::sqrt(off / all)) << dtype_info(type).name;
    }
}

TEST(Encode, WhatIsEncodedTwiceStaysAsItIs) {
    // Levels are where they were, so nothing is lost by encoding what was encoded.
    const Weights weights = make_weights();
    for (const DType type : {DType::q8_0, DType::q4_0, DType::q5_0, DType::mxfp4}) {
        const auto once = decoded(type, encoded(type, weights.gaussian));
        double error = 0;
        double all = 0;
        const auto twice = decoded(type, encoded(type, once));
        for (std::size_t i = 0; i < once.size(); ++i) {
            error += std::pow(static_cast<double>(once[i]) - twice[i], 2);
            all += std::pow(static_cast<double>(once[i]), 2);
        }
        EXPECT_LT(std::sqrt(error / all), 1e-3) << dtype_info(type).name;
    }
}

TEST(Encode, StrangeWeightsTrapNothing) {
    const std::vector<float> zero_importance(kRow, 0.0F);
    std::vector<float> spike(kRow, 0.0F);
    spike[17] = -1;
    for (const DTypeInfo& info : dtypes()) {
        const Codec* by = codec(info.type);
        if (by == nullptr || by->quantise == nullptr) continue;
        for (const float value : {0.0F, NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 1e-42F, -1e-30F})
            for (const float* importance :
                 {static_cast<const float*>(nullptr), zero_importance.data()}) {
                std::vector<float> x(kRow, value);
                encoded(info.type, x, importance);
                x[3] = 1;
                x[200] = -0.5F;
                encoded(info.type, x, importance);
            }
        for (const float x : decoded(info.type, encoded(info.type, std::vector<float>(kRow, 0.0F))))
            EXPECT_EQ(x, 0.0F) << info.name;
        const auto kept = decoded(info.type, encoded(info.type, spike));
        EXPECT_LT(kept[17], -0.4F) << info.name;
    }
}

}  // namespace
}  // namespace heft
