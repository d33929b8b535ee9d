#include <cmath>

#include <gtest/gtest.h>

#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/test_blocks.h"

namespace heft::kernel {
namespace {

constexpr double kFloatEps = 0x1p-24;

std::vector<float> activations(std::int64_t n, Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

std::vector<float> reference(DType type, const void* stored, std::int64_t n) {
    std::vector<float> out(static_cast<std::size_t>(n));
    codec(type)->dequantise(stored, n, out.data());
    return out;
}

// Sizes that leave rests of every kind, in whole blocks of the type.
std::vector<std::int64_t> sizes(DType type) {
    const int block = dtype_info(type).block;
    if (block == 1) return {1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 100, 255, 257, 1024, 2051};
    if (block == 32) return {32, 64, 96, 224, 256, 288, 480, 2048, 2080};
    return {256, 512, 768, 2304};
}

TEST(Dot, EqualsDoubleWithinTheRoundingOfASum) {
    Rng rng(4);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        for (const std::int64_t n : sizes(info.type)) {
            const auto stored = test::random_weights(info.type, n, rng);
            const auto w = reference(info.type, stored.data(), n);
            const auto x = activations(n, rng);
            double want = 0;
            double magnitude = 0;
            for (std::size_t i = 0; i < w.size(); ++i) {
                want += static_cast<double>(w[i]) * x[i];
                magnitude += std::fabs(static_cast<double>(w[i]) * x[i]);
            }
            for (const Table* table : usable()) {
                float got = 0;
                table->dot(info.type, stored.data(), n, x.data(), n, 1, &got);
                // Each of a handful of partial sums adds at most n / 8 terms.
                const double bound = magnitude * kFloatEps * (static_cast<double>(n) / 8 + 12);
                EXPECT_NEAR(got, want, bound) << table->name << " " << info.name << " " << n;
            }
        }
    }
}

TEST(Dot, DoesNotDependOnNeighbours) {
    Rng rng(5);
    constexpr int kTokens = 11;
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        for (const std::int64_t n : sizes(info.type)) {
            const auto size = static_cast<std::size_t>(n / info.block * info.block_bytes);
            const auto stored = test::random_weights(info.type, n * kStreams, rng);
            const auto x = activations(n * kTokens, rng);
            const void* rows[kStreams];
            for (std::size_t r = 0; r < kStreams; ++r) rows[r] = stored.data() + r * size;
            for (const Table* table : usable()) {
                float together[kTokens];
                table->dot(info.type, rows[0], n, x.data(), n, kTokens, together);
                float by_row[kStreams];
                table->dot_rows(info.type, rows, kStreams, n, x.data(), 4096, by_row);
                for (int t = 0; t < kTokens; ++t) {
                    float alone = 0;
                    table->dot(info.type, rows[0], n, x.data() + t * n, n, 1, &alone);
                    EXPECT_EQ(alone, together[t]) << table->name << " " << info.name << " " << n;
                }
                for (int r = 0; r < kStreams; ++r) {
                    float alone = 0;
                    table->dot(info.type, rows[r], n, x.data(), n, 1, &alone);
                    EXPECT_EQ(alone, by_row[r]) << table->name << " " << info.name << " " << n;
                }
            }
        }
    }
}

struct Quantised {
    std::vector<std::int8_t> q;
    std::vector<float> scale;
    std::vector<std::int16_t> sum16;
    std::vector<float> scaled16;
    std::vector<float> scaled32;
    QuantisedRow row() const {
        return {q.data(), scale.data(), sum16.data(), scaled16.data(), scaled32.data()};
    }
};

Quantised quantise(const Table& table, const float* x, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    Quantised out{std::vector<std::int8_t>(size), std::vector<float>(size / 32),
                  std::vector<std::int16_t>(size / 16), std::vector<float>(size / 16),
                  std::vector<float>(size / 32)};
    table.quantise_row(x, n,
                       {out.q.data(), out.scale.data(), out.sum16.data(), out.scaled16.data(),
                        out.scaled32.data()});
    return out;
}

// Rows times tokens, as dot_int takes them: [token][row].
std::vector<float> dot_int(const Table& table, DType type, const std::vector<const void*>& rows,
                           std::int64_t n, const std::vector<QuantisedRow>& tokens,
                           std::int64_t behind = 0) {
    const auto n_chunks = static_cast<std::size_t>((n + kInputColumns - 1) / kInputColumns);
    std::vector<InputChunk> chunks(n_chunks * tokens.size());
    std::vector<const InputChunk*> x;
    for (const QuantisedRow& token : tokens) {
        InputChunk* const turned = chunks.data() + x.size() * n_chunks;
        table.turn_row(token, n, turned);
        x.push_back(turned);
    }
    std::vector<float> out(rows.size() * tokens.size());
    table.dot_int(type, {rows.data(), static_cast<int>(rows.size()), n, x.data(),
                         static_cast<int>(tokens.size()), 4096, out.data(), behind});
    return out;
}

TEST(QuantiseRow, IsTheSameOnEveryTableAndWithinHalfAStep) {
    Rng rng(6);
    constexpr std::int64_t kN = 32 * 50;
    std::vector<float> x = activations(kN, rng);
    for (std::size_t i = 0; i < 32; ++i) x[i] = 0.0F;
    for (std::size_t i = 32; i < 64; ++i) x[i] *= 1e-38F;
    for (std::size_t i = 64; i < 96; ++i) x[i] *= 3e38F;
    const Quantised want = quantise(scalar(), x.data(), kN);
    for (const Table* table : usable()) {
        const Quantised got = quantise(*table, x.data(), kN);
        EXPECT_EQ(got.q, want.q) << table->name;
        EXPECT_EQ(got.scale, want.scale) << table->name;
        EXPECT_EQ(got.sum16, want.sum16) << table->name;
        EXPECT_EQ(got.scaled16, want.scaled16) << table->name;
        EXPECT_EQ(got.scaled32, want.scaled32) << table->name;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double back = static_cast<double>(want.scale[i / 32]) * want.q[i];
        EXPECT_NEAR(back, x[i], want.scale[i / 32] * 0.5001 + 1e-37) << i;
    }
    for (std::size_t g = 0; g < want.sum16.size(); ++g) {
        int sum = 0;
        for (std::size_t i = 16 * g; i < 16 * g + 16; ++i) sum += want.q[i];
        EXPECT_EQ(sum, want.sum16[g]);
        EXPECT_EQ(static_cast<float>(sum) * want.scale[g / 2], want.scaled16[g]);
        const float both = static_cast<float>(want.sum16[g] + want.sum16[g ^ 1]);
        EXPECT_EQ(both * want.scale[g / 2], want.scaled32[g / 2]);
    }
}

TEST(QuantiseRow, NotANumberStaysNotANumber) {
    for (const float poison : {NAN, INFINITY, -INFINITY}) {
        std::vector<float> x(64, 1.0F);
        x[40] = poison;
        const std::vector<std::uint8_t> stored(2 * 34, 1);
        for (const Table* table : usable()) {
            const Quantised q = quantise(*table, x.data(), 64);
            const QuantisedRow row = q.row();
            const float got = dot_int(*table, DType::q8_0, {stored.data()}, 64, {row})[0];
            EXPECT_TRUE(std::isnan(got)) << table->name;
        }
    }
}

// The weights are exact multiples of their scales, so the only error left is that of the float sums
// over groups: one term per group of 16 and its minimum.
TEST(DotInt, EqualsDoubleWithinTheRoundingOfASumOverGroups) {
    Rng rng(7);
    for (const DTypeInfo& info : dtypes()) {
        if (!scalar().has_dot_int(info.type)) continue;
        for (const std::int64_t n : sizes(info.type)) {
            const auto stored = test::random_weights(info.type, n, rng);
            const auto w = reference(info.type, stored.data(), n);
            const Quantised x = quantise(scalar(), activations(n, rng).data(), n);
            const QuantisedRow row = x.row();
            double want = 0;
            double magnitude = 0;
            for (std::size_t i = 0; i < w.size(); ++i) {
                const double term =
                    static_cast<double>(w[i]) * static_cast<double>(x.scale[i / 32]) * x.q[i];
                want += term;
                magnitude += std::fabs(term);
            }
            for (const Table* table : usable()) {
                const float got = dot_int(*table, info.type, {stored.data()}, n, {row})[0];
                // Scale and minimum parts may each be several times their difference.
                constexpr double kCancelled = 4;
                const double terms = static_cast<double>(n) / 64 + 24;
                EXPECT_NEAR(got, want, magnitude * kFloatEps * kCancelled * terms)
                    << table->name << " " << info.name << " " << n;
            }
        }
    }
}

// Extreme codes against extreme activations, with scale 1: whatever saturates, shows.
TEST(DotInt, NothingSaturates) {
    constexpr std::int64_t kN = 512;
    for (const DTypeInfo& info : dtypes()) {
        if (!scalar().has_dot_int(info.type)) continue;
        for (const int fill : {0x00, 0xff, 0x7f, 0x80, 0x0f, 0xf0}) {
            for (const int sign : {-1, 1}) {
                const auto blocks = static_cast<std::size_t>(kN / info.block);
                const auto size = static_cast<std::size_t>(info.block_bytes);
                std::vector<std::uint8_t> stored(blocks * size);
                test::fill_codes(info.type, static_cast<std::uint8_t>(fill), stored);
                const Quantised x{
                    std::vector<std::int8_t>(kN, static_cast<std::int8_t>(127 * sign)),
                    std::vector<float>(kN / 32, 1.0F),
                    std::vector<std::int16_t>(kN / 16, static_cast<std::int16_t>(127 * 16 * sign)),
                    std::vector<float>(kN / 16, 127.0F * 16.0F * static_cast<float>(sign)),
                    std::vector<float>(kN / 32, 127.0F * 32.0F * static_cast<float>(sign))};
                const QuantisedRow row = x.row();
                double want = 0;
                double magnitude = 0;
                for (const float w : reference(info.type, stored.data(), kN)) {
                    want += static_cast<double>(w) * 127 * sign;
                    magnitude += std::fabs(static_cast<double>(w) * 127);
                }
                for (const Table* table : usable()) {
                    const float got = dot_int(*table, info.type, {stored.data()}, kN, {row})[0];
                    EXPECT_NEAR(got, want, magnitude * kFloatEps * 64)
                        << table->name << " " << info.name << " " << fill << " " << sign;
                }
            }
        }
    }
}

TEST(DotInt, DoesNotDependOnNeighbours) {
    Rng rng(8);
    constexpr int kTokens = 33;
    for (const DTypeInfo& info : dtypes()) {
        if (!scalar().has_dot_int(info.type)) continue;
        for (const std::int64_t n : sizes(info.type)) {
            const auto size = static_cast<std::size_t>(n / info.block * info.block_bytes);
            const auto stored = test::random_weights(info.type, n * kStreams, rng);
            const auto x = activations(n * kTokens, rng);
            std::vector<const void*> rows;
            for (std::size_t r = 0; r < kStreams; ++r) rows.push_back(stored.data() + r * size);
            for (const Table* table : usable()) {
                std::vector<Quantised> quantised;
                std::vector<QuantisedRow> tokens;
                for (int t = 0; t < kTokens; ++t)
                    quantised.push_back(quantise(*table, x.data() + t * n, n));
                for (const Quantised& token : quantised) tokens.push_back(token.row());
                std::vector<float> alone;
                for (const QuantisedRow& token : tokens)
                    for (const void* row : rows)
                        alone.push_back(dot_int(*table, info.type, {row}, n, {token})[0]);
                EXPECT_EQ(dot_int(*table, info.type, rows, n, tokens), alone)
                    << table->name << " " << info.name << " " << n;
                EXPECT_EQ(dot_int(*table, info.type, rows, n, {tokens[0]}),
                          std::vector<float>(alone.begin(), alone.begin() + kStreams))
                    << table->name << " " << info.name << " " << n;
                const std::vector<float> three =
                    dot_int(*table, info.type, {rows[0], rows[1], rows[2]}, n, {tokens[0]});
                EXPECT_EQ(three, std::vector<float>(alone.begin(), alone.begin() + 3))
                    << table->name << " " << info.name << " " << n;
            }
        }
    }
}

TEST(DotInt, DoesNotDependOnWhatLiesBehindARow) {
    Rng rng(27);
    constexpr std::size_t kBehind = 1024;
    for (const DTypeInfo& info : dtypes()) {
        if (!scalar().has_dot_int(info.type) || info.block > 32) continue;
        for (const std::int64_t n : {32, 128, 224, 288, 896}) {
            const auto stored = test::random_weights(info.type, n, rng);
            auto followed = stored;
            followed.insert(followed.end(), kBehind, 0xff);  // scales that are no numbers
            const auto x = activations(2 * n, rng);
            for (const Table* table : usable()) {
                const Quantised first = quantise(*table, x.data(), n);
                const Quantised second = quantise(*table, x.data() + n, n);
                for (const auto& tokens :
                     {std::vector{first.row()}, std::vector{first.row(), second.row()}})
                    EXPECT_EQ(dot_int(*table, info.type, {followed.data()}, n, tokens, kBehind),
                              dot_int(*table, info.type, {stored.data()}, n, tokens))
                        << table->name << " " << info.name << " " << n;
            }
        }
    }
}

}  // namespace
}  // namespace heft::kernel
