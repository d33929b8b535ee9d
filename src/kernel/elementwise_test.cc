#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kernel/table.h"
#include "tensor/half.h"

namespace heft::kernel {
namespace {

constexpr double kActivationAbsolute = 1e-6;  // per unit of the greater of 1 and |gate|
constexpr double kNormRelative = 1e-6;

// Every size of rest, and a few long ones.
constexpr int kSizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 100, 1000};

std::vector<float> random_floats(int n, float scale, Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(rng.uniform() * 2 - 1) * scale;
    return out;
}

using Activation = void (*)(const float*, const float*, std::int64_t, float*) noexcept;

void expect_activation(const Table& table, Activation kernel, double (*want)(double)) {
    Rng rng(21);
    for (const int n : kSizes) {
        for (const float scale : {1.0F, 8.0F, 40.0F, 1000.0F}) {
            const auto gate = random_floats(n, scale, rng);
            const auto up = random_floats(n, 2, rng);
            std::vector<float> out(gate.size() + 1, 7.0F);
            kernel(gate.data(), up.data(), n, out.data());
            EXPECT_EQ(out.back(), 7.0F);
            for (std::size_t i = 0; i < gate.size(); ++i) {
                const double size = std::max(1.0, std::fabs(static_cast<double>(gate[i])));
                const double y = want(gate[i]) * static_cast<double>(up[i]);
                ASSERT_NEAR(out[i], y, kActivationAbsolute * size) << table.name << " " << gate[i];
            }
        }
    }
}

double silu(double x) {
    return x / (1 + std::exp(-x));
}
double gelu_tanh(double x) {
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double gelu_erf(double x) {
    return x / 2 * std::erfc(-x / std::sqrt(2.0));
}

TEST(Activations, AreAccurate) {
    for (const Table* table : usable()) {
        expect_activation(*table, table->silu_mul, silu);
        expect_activation(*table, table->gelu_tanh_mul, gelu_tanh);
        expect_activation(*table, table->gelu_erf_mul, gelu_erf);
    }
}

TEST(RmsNorm, EqualsDouble) {
    Rng rng(22);
    constexpr float kEps = 1e-5F;
    for (const Table* table : usable()) {
        for (const int n : {1, 2, 7, 16, 33, 64, 100, 2048, 5000}) {
            const auto x = random_floats(n, 30, rng);
            const auto weight = random_floats(n, 2, rng);
            double squares = 0;
            for (const float v : x) squares += static_cast<double>(v) * v;
            const double scale = 1 / std::sqrt(squares / n + static_cast<double>(kEps));
            std::vector<float> out(x.size());
            for (const float* w : {weight.data(), static_cast<const float*>(nullptr)}) {
                table->rms_norm(x.data(), w, n, kEps, out.data());
                for (std::size_t i = 0; i < x.size(); ++i) {
                    const double factor = w == nullptr ? 1.0 : static_cast<double>(w[i]);
                    const double want = x[i] * scale * factor;
                    ASSERT_NEAR(out[i], want, std::fabs(want) * kNormRelative) << table->name;
                }
            }
        }
    }
}

TEST(Activations, WithoutAFactorAreTheFunctionAlone) {
    Rng rng(31);
    const auto x = random_floats(77, 4, rng);
    const std::vector<float> ones(x.size(), 1.0F);
    std::vector<float> alone(x.size());
    std::vector<float> times_one(x.size());
    for (const Table* table : usable()) {
        for (const auto act : {table->silu_mul, table->gelu_tanh_mul, table->gelu_erf_mul}) {
            act(x.data(), nullptr, 77, alone.data());
            act(x.data(), ones.data(), 77, times_one.data());
            EXPECT_EQ(alone, times_one) << table->name;
        }
    }
}

TEST(Activations, ClampedSwigluFollowsItsFormula) {
    Rng rng(32);
    const auto gate = random_floats(45, 12, rng);
    const auto up = random_floats(45, 12, rng);
    constexpr float kLimit = 7;
    std::vector<float> out(gate.size());
    for (const Table* table : usable()) {
        table->swiglu_clamped(gate.data(), up.data(), 45, kLimit, out.data());
        for (std::size_t i = 0; i < out.size(); ++i) {
            const double g = std::min(gate[i], kLimit);
            const double u = std::clamp(up[i], -kLimit, kLimit);
            const double want = (u + 1) * g / (1 + std::exp(-1.702 * g));
            EXPECT_NEAR(out[i], want, std::fabs(want) * 1e-6 + 1e-7) << table->name;
        }
    }
}

TEST(SoftCap, IsAScaledTanh) {
    Rng rng(33);
    const auto x = random_floats(61, 90, rng);
    for (const Table* table : usable()) {
        auto out = x;
        table->soft_cap(out.data(), 61, 30);
        for (std::size_t i = 0; i < x.size(); ++i)
            EXPECT_NEAR(out[i], 30 * std::tanh(static_cast<double>(x[i]) / 30), 1e-5)
                << table->name;
    }
}

TEST(SoftmaxSum, EqualsDouble) {
    Rng rng(26);
    std::vector<int> sizes(std::begin(kSizes), std::end(kSizes));
    sizes.push_back(40000);
    for (const Table* table : usable())
        for (const int n : sizes)
            for (const float scale : {0.1F, 10.0F, 300.0F}) {
                auto x = random_floats(n, scale, rng);
                if (n > 2) x[1] = -INFINITY;
                const float most = *std::max_element(x.begin(), x.end());
                double sum = 0;
                for (const float v : x)
                    sum += std::exp(static_cast<double>(v) - static_cast<double>(most));
                const SoftmaxSum got = table->softmax_sum(x.data(), n);
                EXPECT_EQ(got.most, most) << table->name;
                EXPECT_NEAR(got.sum, sum, sum * 3e-7) << table->name << " " << n;
            }
}

TEST(SoftmaxSum, OfWhatIsNoNumberIsNone) {
    for (const Table* table : usable())
        for (const std::size_t at : {0, 3, 40}) {
            std::vector<float> x(41, 1.0F);
            x[at] = NAN;
            EXPECT_TRUE(std::isnan(table->softmax_sum(x.data(), 41).sum)) << table->name << at;
        }
}

TEST(LayerNorm, EqualsDouble) {
    Rng rng(34);
    constexpr float kEps = 1e-5F;
    for (const Table* table : usable()) {
        for (const int n : {2, 7, 64, 100, 2048}) {
            const auto x = random_floats(n, 3, rng);
            const auto weight = random_floats(n, 2, rng);
            const auto bias = random_floats(n, 2, rng);
            double mean = 0;
            for (const float v : x) mean += static_cast<double>(v) / n;
            double squares = 0;
            for (const float v : x) squares += (v - mean) * (v - mean);
            const double scale = 1 / std::sqrt(squares / n + static_cast<double>(kEps));
            std::vector<float> out(x.size());
            for (const bool plain : {false, true}) {
                table->layer_norm(x.data(), plain ? nullptr : weight.data(),
                                  plain ? nullptr : bias.data(), n, kEps, out.data());
                for (std::size_t i = 0; i < x.size(); ++i) {
                    const double unit = (x[i] - mean) * scale;
                    const double want = plain ? unit : unit * weight[i] + bias[i];
                    ASSERT_NEAR(out[i], want, 2e-5) << table->name << " " << n;
                }
            }
        }
    }
}

bool same_number(float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

TEST(ToF16, RoundsToNearestAndSaturates) {
    Rng rng(35);
    auto x = random_floats(50, 300, rng);
    for (const float edge : {0.0F, -0.0F, 65504.0F, 65520.0F, 1e9F, -1e9F, INFINITY, -INFINITY,
                             6e-8F, 1e-9F, 0.33325195F})
        x.push_back(edge);
    std::vector<std::uint16_t> halves(x.size());
    for (const Table* table : usable()) {
        table->to_f16(x.data(), static_cast<std::int64_t>(x.size()), halves.data());
        for (std::size_t i = 0; i < x.size(); ++i)
            EXPECT_EQ(halves[i], to_f16(std::clamp(x[i], -65504.0F, 65504.0F)))
                << table->name << " " << x[i];
    }
}

TEST(SumLevels, HasTheSameBitsOnEveryTable) {
    Rng rng(36);
    quant::LevelQuery query{};
    for (const int n : {1, 16, 32}) {
        auto x = random_floats(n, 1, rng);
        const auto w = random_floats(n, 1, rng);
        for (const float strange : {0.0F, NAN, INFINITY, 3e38F}) {
            if (n > 1) x[1] = strange;
            query = {x.data(), w.data(), n, -0.25F, 0, 15, {}};
            if (n == 16) query = {x.data(), w.data(), n, 0, -32, 31, {}};
            for (float& inverse : query.inverse) inverse = random_floats(1, 40, rng)[0];
            quant::LevelSums want;
            quant::sum_levels(query, want);
            for (const Table* table : usable()) {
                quant::LevelSums got;
                table->sum_levels(query, got);
                for (int t = 0; t < quant::kTries; ++t) {
                    EXPECT_TRUE(same_number(got.l[t], want.l[t])) << table->name;
                    EXPECT_TRUE(same_number(got.ll[t], want.ll[t])) << table->name;
                    EXPECT_TRUE(same_number(got.xl[t], want.xl[t])) << table->name;
                }
            }
        }
    }
}

TEST(MakeQ80, HasTheSameBitsOnEveryTable) {
    Rng rng(37);
    auto x = random_floats(64 * 32, 3, rng);
    for (int j = 0; j < 32; ++j) x[32 + j] = 0;  // a block of zeros
    for (int j = 0; j < 32; ++j) x[64 + j] = (j % 2 == 0 ? 0.5F : -0.5F) * static_cast<float>(j);
    x[64] = -127;  // the scale is 1: halves
    const float strange[] = {NAN,   INFINITY, -INFINITY, 3e38F, -3e38F, 1e-38F, 1e-44F,
                             -0.0F, 65504.0F, 9e6F,      6e-8F, 1e-7F,  2.1e-3F};
    std::size_t at = 3 * 32;
    for (const float one : strange) {
        x[at + 7] = one;
        if (std::fabs(one) < 1)
            for (int j = 0; j < 32; ++j) x[at + static_cast<std::size_t>(j)] *= std::fabs(one);
        at += 32;
    }
    const auto n = static_cast<std::int64_t>(x.size());
    std::vector<std::uint8_t> want(x.size() / 32 * sizeof(quant::q8_0::Block));
    quant::q8_0::quantise(x.data(), n, want.data());
    for (const Table* table : usable()) {
        std::vector<std::uint8_t> got(want.size());
        table->make_q8_0(x.data(), n, got.data());
        EXPECT_EQ(got, want) << table->name;
    }
}

TEST(Add, AndToBf16AreExact) {
    Rng rng(23);
    for (const Table* table : usable()) {
        for (const int n : kSizes) {
            const auto x = random_floats(n, 5, rng);
            auto acc = random_floats(n, 5, rng);
            const auto before = acc;
            table->add(x.data(), n, acc.data());
            for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(acc[i], before[i] + x[i]);
            std::vector<std::uint16_t> halves(x.size());
            table->to_bf16(x.data(), n, halves.data());
            for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(halves[i], to_bf16(x[i]));
        }
        const float edges[] = {0.0F,
                               -0.0F,
                               INFINITY,
                               -INFINITY,
                               NAN,
                               -NAN,
                               3.4e38F,
                               -3.4e38F,
                               1e-45F,
                               std::bit_cast<float>(0x7f800001U),
                               std::bit_cast<float>(0x3f808000U),
                               std::bit_cast<float>(0x3f818000U)};
        std::uint16_t got[std::size(edges)];
        table->to_bf16(edges, std::size(edges), got);
        for (std::size_t i = 0; i < std::size(edges); ++i)
            EXPECT_EQ(got[i], to_bf16(edges[i])) << table->name << " " << i;
    }
}

}  // namespace
}  // namespace heft::kernel
