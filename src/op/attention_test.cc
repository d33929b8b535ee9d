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

// One query at position `last`, in double.
std::vector<double> plain(const AttentionShape& s, const std::vector<float>& q,
                          const std::vector<float>& k, const std::vector<float>& v, int first,
                          int last) {
    std::vector<double> out(static_cast<std::size_t>(s.n_head * s.d_value));
    const auto at = [](const std::vector<float>& of, int i) {
        return static_cast<double>(of[static_cast<std::size_t>(i)]);
    };
    for (int h = 0; h < s.n_head; ++h) {
        const int kv = h / (s.n_head / s.n_kv);
        std::vector<double> weight;
        double sum = s.sinks == nullptr ? 0 : std::exp(static_cast<double>(s.sinks[h]));
        for (int j = first; j <= last; ++j) {
            double score = 0;
            for (int i = 0; i < s.d_head; ++i)
                score += at(q, h * s.d_head + i) * at(k, (j * s.n_kv + kv) * s.d_head + i);
            score *= static_cast<double>(s.scale);
            const auto cap = static_cast<double>(s.cap);
            if (cap > 0) score = cap * std::tanh(score / cap);
            if (s.slopes != nullptr) score += static_cast<double>(s.slopes[h]) * (j - last);
            weight.push_back(std::exp(score));
            sum += weight.back();
        }
        for (int j = first; j <= last; ++j)
            for (int i = 0; i < s.d_value; ++i)
                out[static_cast<std::size_t>(h * s.d_value + i)] +=
                    weight[static_cast<std::size_t>(j - first)] / sum
                    * at(v, (j * s.n_kv + kv) * s.d_value + i);
    }
    return out;
}

// Bytes of rows of this type, made of floats, which become what the type holds of them.
std::vector<std::byte> stored(DType type, std::vector<float>& values) {
    std::vector<std::byte> out;
    const auto append = [&out](const auto& value) {
        const auto* bytes = reinterpret_cast<const std::byte*>(&value);
        out.insert(out.end(), bytes, bytes + sizeof value);
    };
    for (float& value : values) {
        if (type == DType::f32) {
            append(value);
            continue;
        }
        const std::uint16_t half = type == DType::f16 ? to_f16(value) : to_bf16(value);
        value = type == DType::f16 ? from_f16(half) : from_bf16(half);
        append(half);
    }
    return out;
}

void expect_plain(AttentionShape shape, DType type, int first, int last) {
    const int number = dtype_info(type).block_bytes;
    shape.kv_type = type;
    shape.key_row_bytes = std::int64_t{shape.n_kv} * shape.d_head * number;
    shape.value_row_bytes = std::int64_t{shape.n_kv} * shape.d_value * number;
    const auto positions = static_cast<std::size_t>(last + 1);
    const auto q = noise(static_cast<std::size_t>(shape.n_head * shape.d_head), 1);
    auto k = noise(positions * static_cast<std::size_t>(shape.n_kv * shape.d_head), 2);
    auto v = noise(positions * static_cast<std::size_t>(shape.n_kv * shape.d_value), 3);
    const auto keys = stored(type, k);
    const auto values = stored(type, v);
    const Seen seen[] = {{keys.data(), values.data(), first, last}};
    const auto wanted = plain(shape, q, k, v, first, last);
    for (const kernel::Table* table : kernel::usable()) {
        ThreadPool pool(2);
        Context context{pool, *table};
        std::vector<float> out(wanted.size());
        attention(context, shape, seen, q.data(), out.data());
        for (std::size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(static_cast<double>(out[i]), wanted[i], kBound)
                << table->name << " " << shape.d_head << " " << last;
    }
}

AttentionShape shape_of(int n_head, int n_kv, int d_head, int d_value) {
    AttentionShape shape;
    shape.n_head = n_head;
    shape.n_kv = n_kv;
    shape.d_head = d_head;
    shape.d_value = d_value;
    shape.scale = 0.25F;
    return shape;
}

struct Case {
    int n_head, n_kv, d_head, first, last;
};

TEST(Attention, AgreesWithThePlainFormulaOnEveryInstructionSet) {
    const Case cases[] = {{4, 2, 16, 0, 0},   {4, 4, 32, 0, 5},     {8, 2, 64, 3, 130},
                          {6, 1, 24, 0, 300}, {2, 2, 128, 17, 511}, {3, 3, 5, 2, 140}};
    for (const DType type : {DType::f32, DType::f16, DType::bf16})
        for (const Case& c : cases)
            expect_plain(shape_of(c.n_head, c.n_kv, c.d_head, c.d_head), type, c.first, c.last);
}

TEST(Attention, ValuesMayBeNarrowerOrWiderThanKeys) {
    expect_plain(shape_of(4, 1, 48, 32), DType::f32, 0, 200);
    expect_plain(shape_of(4, 2, 16, 40), DType::f16, 3, 129);
}

TEST(Attention, CapsSlopesAndSinksFollowTheirFormulas) {
    const std::vector<float> slopes = {0.5F, 0.25F, 0.125F, 0.0625F};
    const std::vector<float> sinks = {3, -2, 0, 0.5F};
    for (int which = 1; which < 8; ++which) {
        AttentionShape shape = shape_of(4, 2, 32, 32);
        if ((which & 1) != 0) shape.cap = 0.5F;
        if ((which & 2) != 0) shape.slopes = slopes.data();
        if ((which & 4) != 0) shape.sinks = sinks.data();
        expect_plain(shape, DType::f32, 0, 0);
        expect_plain(shape, DType::f32, 5, 300);
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
