#include "op/attention.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "op/rope.h"
#include "tensor/half.h"

namespace heft::op {
namespace {

// Sums of a few hundred float products of numbers below 1.
constexpr double kBound = 2e-5;

std::vector<float> noise(std::size_t n, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<float> out(n);
    for (float& value : out) value = static_cast<float>(2 * rng.uniform() - 1);
    return out;
}

std::vector<double> plain(const AttentionShape& s, const std::vector<float>& q,
                          const std::vector<float>& k, const std::vector<float>& v, int first,
                          int last) {
    std::vector<double> out(q.size());
    const int row = s.n_kv * s.d_head;
    for (int h = 0; h < s.n_head; ++h) {
        const int kv = h / (s.n_head / s.n_kv);
        std::vector<double> score;
        double sum = 0;
        for (int j = first; j <= last; ++j) {
            double dot = 0;
            for (int i = 0; i < s.d_head; ++i)
                dot +=
                    static_cast<double>(q[static_cast<std::size_t>(h * s.d_head + i)])
                    * static_cast<double>(k[static_cast<std::size_t>(j * row + kv * s.d_head + i)]);
            score.push_back(std::exp(dot * static_cast<double>(s.scale)));
            sum += score.back();
        }
        for (int j = first; j <= last; ++j)
            for (int i = 0; i < s.d_head; ++i)
                out[static_cast<std::size_t>(h * s.d_head + i)] +=
                    score[static_cast<std::size_t>(j - first)] / sum
                    * static_cast<double>(v[static_cast<std::size_t>(j * row + kv * s.d_head + i)]);
    }
    return out;
}

struct Case {
    int n_head, n_kv, d_head, first, last;
};

TEST(Attention, AgreesWithThePlainFormulaOnEveryInstructionSet) {
    const Case cases[] = {{4, 2, 16, 0, 0},   {4, 4, 32, 0, 5},     {8, 2, 64, 3, 130},
                          {6, 1, 24, 0, 300}, {2, 2, 128, 17, 511}, {3, 3, 5, 2, 140}};
    for (const kernel::Table* table : kernel::usable()) {
        for (const Case& c : cases) {
            AttentionShape shape{c.n_head, c.n_kv, c.d_head, 0.25F, DType::f32, 0};
            shape.d_value = c.d_head;
            shape.key_row_bytes = shape.value_row_bytes = c.n_kv * c.d_head * 4;
            const auto positions = static_cast<std::size_t>(c.last + 1);
            const auto row = static_cast<std::size_t>(c.n_kv * c.d_head);
            const auto q = noise(static_cast<std::size_t>(c.n_head * c.d_head), 1);
            const auto k = noise(positions * row, 2);
            const auto v = noise(positions * row, 3);
            ThreadPool pool(2);
            Context context{pool, *table};
            const Seen seen[] = {{reinterpret_cast<const std::byte*>(k.data()),
                                  reinterpret_cast<const std::byte*>(v.data()), c.first, c.last}};
            std::vector<float> out(q.size());
            attention(context, shape, seen, q.data(), out.data());
            const auto wanted = plain(shape, q, k, v, c.first, c.last);
            for (std::size_t i = 0; i < out.size(); ++i)
                ASSERT_NEAR(static_cast<double>(out[i]), wanted[i], kBound)
                    << table->name << " " << c.d_head << " " << c.last;
        }
    }
}

TEST(Attention, Bf16CacheIsTheSameAsRoundingFirst) {
    AttentionShape shape{4, 2, 32, 0.2F, DType::f32, 2 * 32 * 4};
    auto k = noise(50 * 64, 5);
    auto v = noise(50 * 64, 6);
    std::vector<std::uint16_t> k16;
    std::vector<std::uint16_t> v16;
    for (float& value : k) {
        k16.push_back(to_bf16(value));
        value = from_bf16(k16.back());
    }
    for (float& value : v) {
        v16.push_back(to_bf16(value));
        value = from_bf16(v16.back());
    }
    const auto q = noise(4 * 32, 7);
    for (const kernel::Table* table : kernel::usable()) {
        ThreadPool pool(1);
        Context context{pool, *table};
        std::vector<float> exact(q.size());
        std::vector<float> half(q.size());
        const Seen wide[] = {{reinterpret_cast<const std::byte*>(k.data()),
                              reinterpret_cast<const std::byte*>(v.data()), 0, 49}};
        attention(context, shape, wide, q.data(), exact.data());
        AttentionShape narrow = shape;
        narrow.kv_type = DType::bf16;
        narrow.key_row_bytes = narrow.value_row_bytes = 2 * 32 * 2;
        const Seen rounded[] = {{reinterpret_cast<const std::byte*>(k16.data()),
                                 reinterpret_cast<const std::byte*>(v16.data()), 0, 49}};
        attention(context, narrow, rounded, q.data(), half.data());
        for (std::size_t i = 0; i < half.size(); ++i) ASSERT_NEAR(half[i], exact[i], 1e-5F);
    }
}

TEST(Rope, TurnsPairsByPositionTimesFrequency) {
    const double frequency[] = {1.0, 0.5};
    float angles[4];
    rope_angles(frequency, 1.0, 3, angles);
    const float head[] = {1, 2, 3, 4, 9};  // the fifth entry is not rotated
    const auto expect = [&](double a, double b, double angle, float first, float second) {
        EXPECT_NEAR(first, a * std::cos(angle) - b * std::sin(angle), 1e-6);
        EXPECT_NEAR(second, a * std::sin(angle) + b * std::cos(angle), 1e-6);
    };
    std::vector<float> half(head, head + 5);
    rope(RopePairs::half, angles, 2, 1, 5, half.data());
    expect(1, 3, 3.0, half[0], half[2]);
    expect(2, 4, 1.5, half[1], half[3]);
    EXPECT_EQ(half[4], 9);
    std::vector<float> near(head, head + 5);
    rope(RopePairs::neighbour, angles, 2, 1, 5, near.data());
    expect(1, 2, 3.0, near[0], near[1]);
    expect(3, 4, 1.5, near[2], near[3]);
}

}  // namespace
}  // namespace heft::op
