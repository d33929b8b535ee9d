#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/test_blocks.h"

namespace heft::kernel {
namespace {

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b)
           || (std::isnan(a) && std::isnan(b));
}

void expect_reference(const Table& table, DType type, const std::vector<std::uint8_t>& stored) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(stored.size()) / info.block_bytes * info.block;
    std::vector<float> want(static_cast<std::size_t>(n));
    codec(type)->dequantise(stored.data(), n, want.data());
    // Unaligned, and with a guard behind the last weight.
    std::vector<std::uint8_t> moved(stored.size() + 1);
    std::copy(stored.begin(), stored.end(), moved.begin() + 1);
    std::vector<float> got(static_cast<std::size_t>(n + 1), 77.0F);
    table.unpack(type, moved.data() + 1, n, got.data());
    EXPECT_EQ(got.back(), 77.0F) << table.name << " " << info.name;
    for (std::size_t i = 0; i < want.size(); ++i)
        ASSERT_TRUE(same_bits(got[i], want[i])) << table.name << " " << info.name << " weight " << i
                                                << ": " << got[i] << ", not " << want[i];
}

TEST(Unpack, EveryTableEqualsTheReferenceToTheBit) {
    Rng rng(3);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        for (const Table* table : usable()) {
            expect_reference(*table, info.type, test::random_weights(info.type, 256 * 40, rng));
            expect_reference(*table, info.type, test::hostile_weights(info.type, rng));
            for (int blocks = 1; blocks <= 19; ++blocks)
                expect_reference(*table, info.type,
                                 test::random_weights(info.type, blocks * info.block, rng));
        }
    }
}

// To the nearest, ties to even; a subnormal number becomes zero.
std::uint16_t rounded(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (std::fpclassify(x) == FP_SUBNORMAL) return static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
    return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

void expect_rounded(const Table& table, DType type, const std::vector<std::uint8_t>& stored) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(stored.size()) / info.block_bytes * info.block;
    const std::int64_t pieces = (n + kTileCols - 1) / kTileCols;
    std::vector<float> want(static_cast<std::size_t>(pieces * kTileCols));
    codec(type)->dequantise(stored.data(), n, want.data());
    constexpr int kStep = kTileCols + 3;
    std::vector<std::uint16_t> got(static_cast<std::size_t>(pieces * kStep), 77);
    table.unpack_tiles(type, {stored.data(), 0, 1, n, got.data(), kStep});
    for (std::size_t i = 0; i < got.size(); ++i) {
        const std::size_t at = i % kStep;
        if (at >= kTileCols) {
            ASSERT_EQ(got[i], 77) << table.name << " " << info.name;
            continue;
        }
        const float weight = want[i / kStep * kTileCols + at];
        const float value = std::bit_cast<float>(std::uint32_t{got[i]} << 16);
        if (std::isnan(weight)) {
            ASSERT_TRUE(std::isnan(value)) << table.name << " " << info.name;
        } else if (type == DType::bf16) {  // as it is stored
            ASSERT_EQ(got[i], std::bit_cast<std::uint32_t>(weight) >> 16);
        } else {
            ASSERT_EQ(got[i], rounded(weight))
                << table.name << " " << info.name << " weight " << i << " of " << weight;
        }
    }
}

TEST(UnpackTiles, EveryTypeIsTheReferenceRounded) {
    Rng rng(4);
    for (const Table* table : usable()) {
        if (table->tile_product == nullptr) continue;
        for (const DTypeInfo& info : dtypes()) {
            if (codec(info.type) == nullptr) continue;
            expect_rounded(*table, info.type, test::random_weights(info.type, 256 * 40, rng));
            expect_rounded(*table, info.type, test::hostile_weights(info.type, rng));
            for (int blocks = 1; blocks <= 19; ++blocks)
                expect_rounded(*table, info.type,
                               test::random_weights(info.type, blocks * info.block, rng));
        }
    }
}

TEST(Tables, TheBestIsUsableAndScalarComesFirst) {
    ASSERT_FALSE(usable().empty());
    EXPECT_EQ(usable().front(), &scalar());
    EXPECT_NE(std::find(usable().begin(), usable().end(), &best()), usable().end());
}

}  // namespace
}  // namespace heft::kernel
