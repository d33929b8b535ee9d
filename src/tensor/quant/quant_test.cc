#include "tensor/quant/quant.h"

#include <bit>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tensor/quant/test_blocks.h"
#include "tensor/quant/test_low_bits.h"

namespace heft {
namespace {

using Block = const std::uint8_t*;

float half(Block at) {
    return from_f16(load<std::uint16_t>(at));
}
int nibble(Block qs, int i) {
    return i < 16 ? qs[i] & 15 : qs[i - 16] >> 4;
}
int bit(Block bits, int i) {
    return bits[i / 8] >> (i % 8) & 1;
}

constexpr int kIq4[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr int kE2m1Doubled[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Weight i of a block, spelled out once more for each format: one weight at a time, from the
// published formulas, in an order of its own.
float q4_0(Block b, int i) {
    return half(b) * static_cast<float>(nibble(b + 2, i) - 8);
}
float q4_1(Block b, int i) {
    return half(b) * static_cast<float>(nibble(b + 4, i)) + half(b + 2);
}
float q5_0(Block b, int i) {
    return half(b) * static_cast<float>(nibble(b + 6, i) + 16 * bit(b + 2, i) - 16);
}
float q5_1(Block b, int i) {
    return half(b) * static_cast<float>(nibble(b + 8, i) + 16 * bit(b + 4, i)) + half(b + 2);
}
float q8_0(Block b, int i) {
    return half(b) * static_cast<float>(static_cast<std::int8_t>(b[2 + i]));
}
float iq4_nl(Block b, int i) {
    return half(b) * static_cast<float>(kIq4[nibble(b + 2, i)]);
}
float mxfp4(Block b, int i) {
    const float d = std::ldexp(1.0F, b[0] - 128);
    return d * static_cast<float>(kE2m1Doubled[nibble(b + 1, i)]);
}
float q2_k(Block b, int i) {
    const int sc = b[i / 16];
    const int q = b[16 + i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32)) & 3;
    return half(b + 80) * static_cast<float>(sc & 15) * static_cast<float>(q)
           - half(b + 82) * static_cast<float>(sc >> 4);
}
float q3_k(Block b, int i) {
    const std::uint32_t a[] = {load<std::uint32_t>(b + 96), load<std::uint32_t>(b + 100),
                               load<std::uint32_t>(b + 104)};
    const int group = i / 16;
    const std::uint32_t low = a[group / 4 % 2] >> (group < 8 ? 0 : 4) & 0x0f0f0f0fU;
    const std::uint32_t high = a[2] >> (2 * (group / 4)) & 0x03030303U;
    const auto sc = static_cast<int>((low | high << 4) >> (8 * (group % 4)) & 255U) - 32;
    const int q = b[32 + i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32)) & 3;
    const int taken = (b[i % 32] & 1 << (i / 32)) != 0 ? 0 : 4;
    return half(b + 108) * static_cast<float>(sc) * static_cast<float>(q - taken);
}
void six_bits(Block s, int j, int& sc, int& m) {
    sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
    m = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
}
float scaled_with_minimum(Block b, int i, int q) {
    int sc = 0;
    int m = 0;
    six_bits(b + 4, i / 32, sc, m);
    return half(b) * static_cast<float>(sc) * static_cast<float>(q)
           - half(b + 2) * static_cast<float>(m);
}
int k_nibble(Block qs, int i) {
    const int byte = qs[i / 64 * 32 + i % 32];
    return i % 64 < 32 ? byte & 15 : byte >> 4;
}
float q4_k(Block b, int i) {
    return scaled_with_minimum(b, i, k_nibble(b + 16, i));
}
float q5_k(Block b, int i) {
    return scaled_with_minimum(b, i, k_nibble(b + 48, i) + 16 * (b[16 + i % 32] >> (i / 32) & 1));
}
float q6_k(Block b, int i) {
    const int half_block = i / 128;
    const int quarter = i % 128 / 32;
    const int l = i % 32;
    const int low_byte = b[64 * half_block + l + (quarter % 2 == 1 ? 32 : 0)];
    const int low = quarter < 2 ? low_byte & 15 : low_byte >> 4;
    const int high = b[128 + 32 * half_block + l] >> (2 * quarter) & 3;
    const int sc = static_cast<std::int8_t>(b[192 + i / 16]);
    return half(b + 208) * static_cast<float>(sc) * static_cast<float>((low | high << 4) - 32);
}
float iq4_xs(Block b, int i) {
    const int ib = i / 32;
    const int low = b[4 + ib / 2] >> (4 * (ib % 2)) & 15;
    const int high = load<std::uint16_t>(b + 2) >> (2 * ib) & 3;
    return half(b) * static_cast<float>((low | high << 4) - 32)
           * static_cast<float>(kIq4[nibble(b + 8 + 16 * ib, i % 32)]);
}
float f16(Block b, int) {
    const int exponent = load<std::uint16_t>(b) >> 10 & 31;
    const int fraction = load<std::uint16_t>(b) & 1023;
    const float sign = (b[1] & 0x80) != 0 ? -1.0F : 1.0F;
    if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}
float bf16(Block b, int) {
    const std::uint8_t bytes[] = {0, 0, b[0], b[1]};
    return load<float>(bytes);
}
float e5m2(Block b, int) {
    const std::uint8_t bytes[] = {0, b[0]};
    return f16(bytes, 0);
}
float e4m3(Block b, int) {
    const int exponent = b[0] >> 3 & 15;
    const int fraction = b[0] & 7;
    const float sign = (b[0] & 0x80) != 0 ? -1.0F : 1.0F;
    if (exponent == 15 && fraction == 7) return NAN;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -9);
    return sign * std::ldexp(static_cast<float>(8 + fraction), exponent - 10);
}
template <class Stored>
float number(Block b, int) {
    return static_cast<float>(load<Stored>(b));
}

struct Formula {
    DType type;
    float (*weight)(Block block, int i);
};

constexpr Formula kFormulas[] = {
    {DType::q4_0, q4_0},
    {DType::q4_1, q4_1},
    {DType::q5_0, q5_0},
    {DType::q5_1, q5_1},
    {DType::q8_0, q8_0},
    {DType::q2_k, q2_k},
    {DType::q3_k, q3_k},
    {DType::q4_k, q4_k},
    {DType::q5_k, q5_k},
    {DType::q6_k, q6_k},
    {DType::iq4_nl, iq4_nl},
    {DType::iq4_xs, iq4_xs},
    {DType::mxfp4, mxfp4},
    {DType::iq2_xxs, test::low_bits::iq2_xxs},
    {DType::iq2_xs, test::low_bits::iq2_xs},
    {DType::iq2_s, test::low_bits::iq2_s},
    {DType::iq3_xxs, test::low_bits::iq3_xxs},
    {DType::iq3_s, test::low_bits::iq3_s},
    {DType::iq1_s, test::low_bits::iq1_s},
    {DType::iq1_m, test::low_bits::iq1_m},
    {DType::tq1_0, test::low_bits::tq1_0},
    {DType::tq2_0, test::low_bits::tq2_0},
    {DType::nvfp4, test::low_bits::nvfp4},
    {DType::q1_0, test::low_bits::q1_0},
    {DType::q2_0, test::low_bits::q2_0},
    {DType::f16, f16},
    {DType::bf16, bf16},
    {DType::f8_e5m2, e5m2},
    {DType::f8_e4m3, e4m3},
    {DType::f32, number<float>},
    {DType::f64, number<double>},
    {DType::i64, number<std::int64_t>},
    {DType::i32, number<std::int32_t>},
    {DType::i16, number<std::int16_t>},
    {DType::i8, number<std::int8_t>},
    {DType::u64, number<std::uint64_t>},
    {DType::u32, number<std::uint32_t>},
    {DType::u16, number<std::uint16_t>},
    {DType::u8, number<std::uint8_t>},
};

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b)
           || (std::isnan(a) && std::isnan(b));
}

void expect_formula(const Formula& formula, const std::vector<std::uint8_t>& blocks) {
    const DTypeInfo& info = dtype_info(formula.type);
    const auto n = static_cast<std::int64_t>(blocks.size()) / info.block_bytes * info.block;
    // One byte off, so that a read that needs alignment fails.
    std::vector<std::uint8_t> moved(blocks.size() + 1);
    std::copy(blocks.begin(), blocks.end(), moved.begin() + 1);
    std::vector<float> got(static_cast<std::size_t>(n));
    codec(formula.type)->dequantise(moved.data() + 1, n, got.data());
    for (std::int64_t i = 0; i < n; ++i) {
        const Block block = blocks.data() + i / info.block * info.block_bytes;
        const float want = formula.weight(block, static_cast<int>(i % info.block));
        ASSERT_TRUE(same_bits(got[static_cast<std::size_t>(i)], want))
            << info.name << " weight " << i << ": " << got[static_cast<std::size_t>(i)] << ", not "
            << want;
    }
}

TEST(Quant, EveryTypeEqualsItsFormulaToTheBit) {
    Rng rng(1);
    for (const Formula& formula : kFormulas) {
        expect_formula(formula, test::random_weights(formula.type, 256 * 64, rng));
        expect_formula(formula, test::hostile_weights(formula.type, rng));
    }
}

TEST(Quant, EveryCodecHasAFormula) {
    int codecs = 0;
    for (const DTypeInfo& info : dtypes())
        codecs += codec(info.type) != nullptr && !is_in_memory_only(info.type) ? 1 : 0;
    EXPECT_EQ(codecs,
              static_cast<int>(std::size(kFormulas)) + 1);  // and booleans, below; grouped_test.cc
}

TEST(Quant, BooleansAreZeroOrOne) {
    const std::uint8_t bytes[] = {0, 1, 2, 255};
    float got[4];
    codec(DType::boolean)->dequantise(bytes, 4, got);
    EXPECT_EQ(got[0], 0.0F);
    for (int i = 1; i < 4; ++i) EXPECT_EQ(got[i], 1.0F);
}

TEST(Quant, EveryTypeOfWeightsHasACodec) {
    for (const DTypeInfo& info : dtypes()) {
        const bool of_activations = info.type == DType::q8_1 || info.type == DType::q8_k;
        EXPECT_EQ(codec(info.type) == nullptr, of_activations) << info.name;
    }
}

// The greatest error of a rounded weight, in parts of the greatest weight of its block. Steps of a
// symmetric n-bit format are peak / 2^(n-1); half a step each side, one for the level that is cut
// off, and the scale's own rounding (levels are found by the scale before it is rounded).
struct Bound {
    DType type;
    double part;
};
constexpr Bound kBounds[] = {
    {DType::f32, 0.0},         {DType::f16, 0x1p-11},   {DType::bf16, 0x1p-8},
    {DType::q8_0, 0.57 / 127}, {DType::q4_0, 1.01 / 8}, {DType::q4_k, 1.5 / 15},
    {DType::q6_k, 1.1 / 32},   {DType::tq1_0, 0.501},   {DType::tq2_0, 0.501},
};

constexpr double kSubnormal = 0x1p-25;  // half a step of the smallest float16

std::vector<float> gaussian_like(int n, Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += rng.uniform();
        x = static_cast<float>(sum * 0.02);
    }
    return out;
}

std::vector<float> round_trip(DType type, const std::vector<float>& from) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(from.size());
    std::vector<std::uint8_t> stored(static_cast<std::size_t>(n / info.block * info.block_bytes));
    codec(type)->quantise(from.data(), n, stored.data());
    std::vector<float> back(from.size());
    codec(type)->dequantise(stored.data(), n, back.data());
    return back;
}

TEST(Quant, RoundTripsStayWithinHalfAStep) {
    Rng rng(2);
    const std::vector<float> from = gaussian_like(256 * 200, rng);
    for (const auto& [type, part] : kBounds) {
        const auto back = round_trip(type, from);
        const auto block = static_cast<std::size_t>(dtype_info(type).block);
        for (std::size_t b = 0; b < from.size(); b += block) {
            double peak = 0;
            for (std::size_t i = b; i < b + block; ++i)
                peak = std::max(peak, std::fabs(static_cast<double>(from[i])));
            for (std::size_t i = b; i < b + block; ++i)
                ASSERT_LE(std::fabs(static_cast<double>(back[i]) - from[i]),
                          part * peak + kSubnormal)
                    << dtype_info(type).name << " weight " << i;
        }
    }
}

TEST(Quant, TernaryWeightsSurvive) {
    Rng rng(3);
    std::vector<float> from(256 * 50);
    for (std::size_t i = 0; i < from.size(); ++i)
        from[i] = 0.375F * static_cast<float>(static_cast<int>(rng.next() % 3) - 1);
    for (std::size_t i = 0; i < from.size(); i += 256) from[i] = 0.375F;
    for (const DType type : {DType::tq1_0, DType::tq2_0})
        EXPECT_EQ(round_trip(type, from), from) << dtype_info(type).name;
}

TEST(Quant, ZerosStayZerosAndNothingTrapsOnNonFinite) {
    for (const auto& [type, part] : kBounds) {
        for (const float x : round_trip(type, std::vector<float>(256, 0.0F)))
            EXPECT_EQ(x, 0.0F) << dtype_info(type).name;
        round_trip(type, std::vector<float>(256, NAN));
        round_trip(type, std::vector<float>(256, INFINITY));
        round_trip(type, std::vector<float>(256, -3e38F));
        round_trip(type, std::vector<float>(256, 1e-42F));
    }
}

}  // namespace
}  // namespace heft
